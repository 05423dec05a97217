package jobs_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// guidFor is the base64 of an objectGUID that ends in a number.
func guidFor(number string) string {
	octets := []byte("rollcall-0000000")
	copy(octets[16-len(number):], number)
	return base64.StdEncoding.EncodeToString(octets)
}

// crowd is a directory and its contacts, full of collisions, as entries and lines that can be
// put in any order.
func crowd(r *rand.Rand) (entries, contacts []string) {
	firsts := []string{"Ann", "Bob", "Cleo", "Dan", "Zoë", "Łukasz"}
	lasts := []string{"Lee", "Ray", "Fox", "O'Brien", "Smith-Jones"}
	mail := func() string {
		if r.IntN(5) == 0 {
			return ""
		}
		return fmt.Sprintf("m%d@contoso.example", r.IntN(150))
	}
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	for i := range 200 {
		p := person{fmt.Sprint(i), "", pick(lasts), mail()}
		if first := pick(firsts); isPlain(first) {
			p.first = first
		}
		entries = append(entries, p.ldif(fmt.Sprintf("proxyAddresses: smtp:m%d@contoso.example\n", r.IntN(150))))
	}
	for i := range 200 {
		contacts = append(contacts, fmt.Sprintf(`{"id":%d,"organization_id":1001,"first_name":%q,"last_name":%q,"emails":[{"value":%q},{"value":"m%d@contoso.example"}],"psa_id":"%d"}`,
			i+1, pick(firsts), pick(lasts), mail(), r.IntN(150), i))
	}
	return entries, contacts
}

func isPlain(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 }) }

const crowdConfig = `data_dir: ./data
jobs:
  nightly: {kind: nightly}
organizations:
  - id: 1001
    name: Contoso
    collectors:
      - {name: hq, ldif: hq.ldif}
      - {name: branch, ldif: branch.ldif}
    contacts: {jsonl: contacts.jsonl}
    create: all
    match: {aliases: true}
    fill: {last_name: overwrite}
    psa: {kind: autotask, two_way_sync: true, email_type: Work, phone_type: Direct}
    guard: {max_creates: 500, max_unlinks: 500}
`

// crowdNights runs two nights of a crowd whose inputs are in the order that shuffle gives them.
func crowdNights(t *testing.T, shuffle func(list []string)) map[string]string {
	t.Helper()
	b := newBundle(t)
	r := rand.New(rand.NewPCG(7, 7))
	b.write(t, "rollcall.yaml", crowdConfig)
	for night := range 2 {
		entries, contacts := crowd(r)
		branch := append([]string(nil), entries[150:]...)
		hq := entries[:180]
		for _, list := range [][]string{hq, branch, contacts} {
			shuffle(list)
		}
		b.write(t, "hq.ldif", strings.Join(hq, ""))
		b.write(t, "branch.ldif", strings.Join(branch, ""))
		b.write(t, "contacts.jsonl", strings.Join(contacts, "\n")+"\n")
		b.mustRun(t, fmt.Sprintf("2026-11-0%dT02:00:00Z", night+1))
	}
	b.mustRun(t, "2026-11-03T02:00:00Z") // on unchanged inputs
	digests := b.digests(t)
	const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256 of an empty file
	for name, digest := range digests {
		if strings.HasPrefix(name, "20261103") && strings.HasSuffix(name, ".jsonl") && digest != nothing {
			t.Errorf("an unchanged night wrote %s", name)
		}
	}
	return digests
}

// Two folders, same inputs, same --now: all files of runs/ are the same, byte for byte; and the
// order in which a source delivers its rows does not matter.
func TestSameInputsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	want := crowdNights(t, func([]string) {})
	if len(want) < 12 {
		t.Fatalf("only %d files, push files are missing", len(want))
	}
	t.Run("again", func(t *testing.T) {
		t.Parallel()
		mustEqual(t, want, crowdNights(t, func([]string) {}))
	})
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("shuffled %d", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			mustEqual(t, want, crowdNights(t, func(list []string) {
				r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			}))
		})
	}
}

// guidText is the text form of guidFor's octets: the first three fields are little-endian.
func guidText(number string) string {
	octets := []byte("rollcall-0000000")
	copy(octets[16-len(number):], number)
	o := octets
	return fmt.Sprintf("%x-%x-%x-%x-%x", []byte{o[3], o[2], o[1], o[0]}, []byte{o[5], o[4]}, []byte{o[7], o[6]}, o[8:10], o[10:])
}
