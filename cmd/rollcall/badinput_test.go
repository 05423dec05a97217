package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/gofrs/flock"
	"github.com/rs/zerolog"

	"rollcall/stages/users/fakedc"
)

// The nights of these tests: the first is good, the second meets the bad input, the third comes
// after it was repaired.
const (
	firstNight  = "2026-11-01T02:00:00Z"
	secondNight = "2026-11-02T02:00:00Z"
	thirdNight  = "2026-11-03T02:00:00Z"
)

const (
	svcName     = "svc-rollcall@contoso.example"
	svcPassword = "Hunter2-Summer!"
)

// personal is what no message may show: of people, and the password.
var personal = regexp.MustCompile(`(?i)hunter2|zebulon|quackenbush|wilhelmina|zeb@|mina@|555 ?0199`)

// site is a configuration in a folder of its own, with its inputs and what the runs made of them.
type site struct {
	t      *testing.T
	folder string
}

const goodConfig = `data_dir: ./data
jobs:
  nightly: {kind: nightly}
organizations:
  - id: 1001
    name: Contoso
    collectors:
      - {name: hq, ldif: hq.ldif}
    contacts: {jsonl: contacts.jsonl}
  - id: 1002
    name: Fabrikam
    collectors:
      - {name: fab, ldif: fab.ldif}
    contacts: {jsonl: fab.jsonl}
`

const fromFile = "{name: hq, ldif: hq.ldif}"

// fromServer is the collector hq that reads a domain controller instead of the file.
func fromServer(url, more string) string {
	return `{name: hq, url: "` + url + `", base_dn: "DC=contoso,DC=example", credentials: {username: ` + svcName + `, password: {file: password.txt}}` + more + "}"
}

func serverConfig(url string) string {
	return strings.Replace(goodConfig, fromFile, fromServer(url, ""), 1)
}

// account is one AD user of the tests.
type account struct {
	guid                   byte
	first, last, mail, tel string
}

var contosoAccounts = []account{
	{1, "Zebulon", "Quackenbush", "zeb@contoso.example", "+1 555 0199"},
	{2, "Wilhelmina", "Quackenbush", "mina@contoso.example", ""},
}

func (a account) attributes() map[string][]byte {
	values := map[string][]byte{
		"objectGUID":  {0, 0, 0, 0, 0, 0, 0, 0x40, 0x80, 0, 0, 0, 0, 0, 0, a.guid},
		"objectClass": []byte("user"), "sAMAccountType": []byte("805306368"),
		"sAMAccountName": fmt.Appendf(nil, "user%d", a.guid), "userAccountControl": []byte("512"),
		"msDS-User-Account-Control-Computed": []byte("0"), "whenCreated": []byte("20240101090000.0Z"),
		"givenName": []byte(a.first), "sn": []byte(a.last), "mail": []byte(a.mail),
	}
	if a.tel != "" {
		values["telephoneNumber"] = []byte(a.tel)
	}
	return values
}

func (a account) dn() string { return fmt.Sprintf("CN=user%d,OU=People,DC=contoso,DC=example", a.guid) }

// ldif is an export of the accounts, a line an attribute, 12 or so lines an entry.
func ldif(accounts ...account) string {
	var b strings.Builder
	for _, a := range accounts {
		fmt.Fprintf(&b, "dn: %s\n", a.dn())
		values := a.attributes()
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if name == "objectGUID" {
				fmt.Fprintf(&b, "%s:: %s\n", name, base64.StdEncoding.EncodeToString(values[name]))
			} else {
				fmt.Fprintf(&b, "%s: %s\n", name, values[name])
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func contact(id, organization, first, mail string) string {
	return fmt.Sprintf(`{"id":%s,"organization_id":%s,"first_name":%q,"last_name":"Quackenbush","emails":[{"value":%q}],"phones":[{"value":"+1 555 0199"}]}`+"\n",
		id, organization, first, mail)
}

var (
	zeb  = contact("7", "1001", "Zebulon", "zeb@contoso.example")
	mina = contact("8", "1001", "Wilhelmina", "mina@contoso.example")
)

// goodInputs are all files of a site on a good night.
func goodInputs() map[string]string {
	return map[string]string{
		"rollcall.yaml":  goodConfig,
		"hq.ldif":        ldif(contosoAccounts...),
		"fab.ldif":       ldif(contosoAccounts[0]),
		"contacts.jsonl": zeb + mina,
		"fab.jsonl":      contact("7", "1002", "Zebulon", "zeb@contoso.example"),
		"password.txt":   svcPassword + "\n",
	}
}

// firstSite holds the files of a site after its first good night. It is made once; every test
// begins with a copy.
var firstSite = sync.OnceValues(func() (files map[string][]byte, err error) {
	folder, err := os.MkdirTemp("", "rollcall-badinput-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	for name, text := range goodInputs() {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	if code, text := runIn(folder, memory.DefaultAllocator, "run", "nightly", "--now", firstNight); code != exitDone {
		return nil, fmt.Errorf("the first night ended with %d: %s", code, text)
	}
	files = map[string][]byte{}
	return files, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err == nil {
			files[name], err = os.ReadFile(path)
		}
		return err
	})
})

func newSite(t *testing.T) site {
	t.Helper()
	files, err := firstSite()
	if err != nil {
		t.Fatal(err)
	}
	s := site{t, t.TempDir()}
	for name, text := range files {
		path := filepath.Join(s.folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// runIn calls the program as main does and returns the exit code and everything it wrote.
func runIn(folder string, mem memory.Allocator, args ...string) (int, string) {
	var text bytes.Buffer
	out := zerolog.SyncWriter(&text) // the extractors log side by side
	clock := func() time.Time { return time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC) }
	code := execute(context.Background(), append([]string{"--config", filepath.Join(folder, "rollcall.yaml")}, args...),
		&app{streams: streams{in: strings.NewReader(""), out: out, err: out}, clock: clock, memory: mem})
	return code, text.String()
}

// run calls the program and refuses every output that shows somebody's data or a secret.
func (s site) run(args ...string) (int, string) {
	s.t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(s.t, 0)
	code, text := runIn(s.folder, mem, args...)
	// A folder's name may look like anything.
	if found := personal.FindString(strings.ReplaceAll(text, s.folder, "")); found != "" {
		s.t.Errorf("the output shows %q:\n%s", found, text)
	}
	return code, text
}

func (s site) path(name string) string { return filepath.Join(s.folder, filepath.FromSlash(name)) }

func (s site) write(files map[string]string) {
	s.t.Helper()
	for name, text := range files {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// hashes are the SHA-256 of all files below the given ones of data_dir.
func (s site) hashes(names ...string) map[string]string {
	s.t.Helper()
	found := map[string]string{}
	for _, name := range names {
		err := filepath.WalkDir(s.path("data/"+name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			found[path] = fmt.Sprintf("%x", sha256.Sum256(text))
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	if len(found) == 0 {
		s.t.Fatal("there are no files to compare")
	}
	return found
}

// sameFiles checks that yesterday's files are what they were; new ones may be there.
func (s site) sameFiles(before map[string]string, names ...string) {
	s.t.Helper()
	after := s.hashes(names...)
	for path, hash := range before {
		if after[path] != hash {
			s.t.Errorf("%s is not what it was", path)
		}
	}
}

// published are everything that analysts see of the organizations' users, links and contacts.
func (s site) published() map[string][]string {
	s.t.Helper()
	all := map[string][]string{}
	for _, table := range []string{"ad_users", "ad_user_collectors", "contact_matching", "contacts", "contact_emails", "contact_phones", "match_deltas", "enrichment_deltas"} {
		for id, rows := range s.rows("SELECT t.organization_id, t FROM " + table + " t") {
			all[id] = append(append(all[id], table), rows...)
		}
	}
	return all
}

// statuses are how the organizations fared in the run of a night.
func (s site) statuses(night string) map[string][]string {
	s.t.Helper()
	return s.rows("SELECT r.organization_id, r.status FROM run_organizations r JOIN runs USING (run_id) WHERE runs.now = '" + night + "'")
}

// rows are the second column of a query of the published file, by the first.
func (s site) rows(query string) map[string][]string {
	s.t.Helper()
	db, err := sql.Open("duckdb", s.path("data/published/rollcall.duckdb")+"?access_mode=read_only")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	rows, err := db.QueryContext(s.t.Context(), "SELECT CAST(c1 AS VARCHAR), CAST(c2 AS VARCHAR) FROM ("+query+") q(c1, c2) ORDER BY 1, 2")
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	found := map[string][]string{}
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			s.t.Fatal(err)
		}
		found[key] = append(found[key], value)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return found
}

// says checks that a message holds what a person needs.
func (s site) says(text string, parts ...string) {
	s.t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			s.t.Errorf("the output lacks %q:\n%s", part, text)
		}
	}
}

// succeeds is the night after the input was repaired.
func (s site) succeeds(now string) string {
	s.t.Helper()
	code, text := s.run("run", "nightly", "--now", now)
	if code != exitDone {
		s.t.Errorf("after the repair the run ended with %d:\n%s", code, text)
	}
	return text
}

// controller is a domain controller with Contoso's accounts.
func controller(t *testing.T, options fakedc.Options) *fakedc.Server {
	t.Helper()
	options.NamingContext, options.BindDN, options.Password = "DC=contoso,DC=example", svcName, svcPassword
	for _, a := range contosoAccounts {
		e := fakedc.Entry{DN: a.dn(), Attributes: map[string][][]byte{}}
		for name, value := range a.attributes() {
			e.Attributes[name] = [][]byte{value}
		}
		options.Entries = append(options.Entries, e)
	}
	server, err := fakedc.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// A source that cannot be believed leaves its organization exactly as it was, and the others go
// on: exit code 3. Every case is an organization of its own, and all of them are read in the
// same night.
//
//nolint:tparallel // the cases only look at the same three nights
func TestBadSourceLeavesItsOrganizationAsItWas(t *testing.T) {
	t.Parallel()
	good := ldif(contosoAccounts...)
	cut := strings.Index(good, "mail: mina")
	cases := map[string]struct {
		// bad are the files that go wrong; nil means that prepare does it all.
		bad     map[string]string
		prepare func(t *testing.T, s place) (repair func())
		says    []string
	}{
		"LDIF malformed": {
			bad:  map[string]string{"hq.ldif": strings.Replace(good, "mail: mina", "mail mina", 1)},
			says: []string{"collector hq: hq.ldif: line 16: must be of the form name: value"},
		},
		"LDIF cut off": {
			bad:  map[string]string{"hq.ldif": good[:cut+8]},
			says: []string{"collector hq: hq.ldif: line 16: the file ends in the middle of a line: it was cut off; export it anew"},
		},
		"LDIF not UTF-8": {
			bad:  map[string]string{"hq.ldif": strings.Replace(good, "Wilhelmina", "W\xefnifred", 1)},
			says: []string{"collector hq: hq.ldif: line 14 (objectGUID 00000000-0000-4000-8000-000000000002): givenname is not valid UTF-8", "export as UTF-8"},
		},
		"LDIF with an objectGUID twice": {
			bad:  map[string]string{"hq.ldif": good + good},
			says: []string{"collector hq: hq.ldif: objectGUID 00000000-0000-4000-8000-000000000001 is at line 1 and again at line 26", "export it anew"},
		},
		"LDIF without objectGUID": {
			bad:  map[string]string{"hq.ldif": regexp.MustCompile("objectGUID.*\n").ReplaceAllString(good, "")},
			says: []string{"collector hq: hq.ldif: line 1: objectGUID is missing", "export it"},
		},
		"LDIF missing": {
			prepare: func(t *testing.T, s place) func() {
				t.Helper()
				if err := os.Rename(s.path("hq.ldif"), s.path("hq.gone")); err != nil {
					t.Fatal(err)
				}
				return func() { s.write(map[string]string{"hq.ldif": good}) }
			},
			says: []string{"collector hq: open the LDIF file", "check the collector's ldif path"},
		},
		"contact without id": {
			bad:  map[string]string{"contacts.jsonl": zeb + strings.Replace(mina, `"id":8,`, "", 1)},
			says: []string{"contacts contacts.jsonl: line 2: id must be a whole number", "(got none)"},
		},
		"contact with a text for an id": {
			bad:  map[string]string{"contacts.jsonl": zeb + contact(`"mina@contoso.example"`, "1001", "Wilhelmina", "")},
			says: []string{"contacts contacts.jsonl: line 2: id must be a whole number", "(got text)"},
		},
		"contact id twice": {
			bad:  map[string]string{"contacts.jsonl": zeb + "\n" + mina + zeb},
			says: []string{"contacts contacts.jsonl: line 4: id 7 is there twice"},
		},
		"contact malformed": {
			bad:  map[string]string{"contacts.jsonl": zeb + mina[:50]},
			says: []string{"contacts contacts.jsonl: line 2 is not JSON", "export the file anew"},
		},
		"contact not UTF-8": {
			bad:  map[string]string{"contacts.jsonl": zeb + strings.Replace(mina, "helm", "h\xe9lm", 1)},
			says: []string{"contacts contacts.jsonl: line 2 is not valid UTF-8: export the file as UTF-8"},
		},
		"contacts are a folder": {
			prepare: func(t *testing.T, s place) func() {
				t.Helper()
				if err := os.Remove(s.path("contacts.jsonl")); err != nil {
					t.Fatal(err)
				}
				if err := os.Mkdir(s.path("contacts.jsonl"), 0o700); err != nil {
					t.Fatal(err)
				}
				return func() {
					if err := os.Remove(s.path("contacts.jsonl")); err != nil {
						t.Fatal(err)
					}
					s.write(map[string]string{"contacts.jsonl": zeb + mina})
				}
			},
			says: []string{"contacts contacts.jsonl: is a folder, not a file; check the path"},
		},
		"environment variable missing": {
			bad: map[string]string{"collector": strings.Replace(fromServer("ldaps://127.0.0.1:1", ""), "{file: password.txt}", "{env: ROLLCALL_TEST_NOT_SET}", 1)},
			says: []string{
				"collector hq: read the password: environment variable ROLLCALL_TEST_NOT_SET is not set or empty",
			},
		},
		"password file empty": {
			bad:  map[string]string{"collector": fromServer("ldaps://127.0.0.1:1", ""), "password.txt": "\n"},
			says: []string{"collector hq: read the password: the secret's file ", "password.txt is empty"},
		},
		"password wrong": {
			prepare: func(t *testing.T, s place) func() {
				t.Helper()
				server := controller(t, fakedc.Options{TLS: true})
				s.write(map[string]string{"ca.pem": string(server.CAPEM()), "collector": fromServer(server.URL(), ", ca_file: ca.pem"), "password.txt": "Hunter2-Winter!"})
				return func() { s.write(map[string]string{"password.txt": svcPassword}) }
			},
			says: []string{"collector hq: the server refused user name or password (LDAP result 49", "check credentials"},
		},
		"certificate not trusted": {
			prepare: func(t *testing.T, s place) func() {
				t.Helper()
				server, another := controller(t, fakedc.Options{TLS: true}), controller(t, fakedc.Options{TLS: true})
				s.write(map[string]string{"ca.pem": string(another.CAPEM()), "collector": fromServer(server.URL(), ", ca_file: ca.pem")})
				return func() {
					if server.Stats().Binds+server.Stats().BindsRefused > 0 {
						t.Error("the password was sent to a server that is not trusted")
					}
					s.write(map[string]string{"ca.pem": string(server.CAPEM())})
				}
			},
			says: []string{"collector hq: the server's certificate is not trusted (ca_file: ", "name the CA that signed it in ca_file"},
		},
		"certificate expired": {
			prepare: func(t *testing.T, s place) func() {
				t.Helper()
				server := controller(t, fakedc.Options{TLS: true, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour)})
				s.write(map[string]string{"ca.pem": string(server.CAPEM()), "collector": fromServer(server.URL(), ", ca_file: ca.pem")})
				return func() { s.write(map[string]string{"collector": fromFile}) }
			},
			says: []string{"collector hq: the server's certificate is not valid: renew it"},
		},
		"controller not running": {
			prepare: func(t *testing.T, s place) func() {
				t.Helper()
				server := controller(t, fakedc.Options{TLS: true})
				s.write(map[string]string{"ca.pem": string(server.CAPEM()), "collector": fromServer(server.URL(), ", ca_file: ca.pem")})
				server.Close()
				return func() {
					again := controller(t, fakedc.Options{TLS: true})
					s.write(map[string]string{"ca.pem": string(again.CAPEM()), "collector": fromServer(again.URL(), ", ca_file: ca.pem")})
				}
			},
			says: []string{"collector hq: 127.0.0.1:", "refused the connection: is the controller running, and is the port right?"},
		},
		"controller that breaks off": {
			prepare: func(t *testing.T, s place) func() {
				t.Helper()
				server := controller(t, fakedc.Options{TLS: true, Faults: fakedc.Faults{CloseAfterEntries: 1}})
				s.write(map[string]string{"ca.pem": string(server.CAPEM()), "collector": fromServer(server.URL(), ", ca_file: ca.pem")})
				return func() { server.SetFaults(fakedc.Faults{}) }
			},
			says: []string{"collector hq: ", "the connection broke", "run again"},
		},
		"controller that demands encryption": {
			prepare: func(t *testing.T, s place) func() {
				t.Helper()
				server := controller(t, fakedc.Options{StartTLS: true, Faults: fakedc.Faults{BindCode: 8}})
				s.write(map[string]string{"ca.pem": string(server.CAPEM()), "collector": fromServer(server.URL(), ", insecure: true")})
				return func() {
					server.SetFaults(fakedc.Faults{})
					s.write(map[string]string{"collector": fromServer(server.URL(), ", start_tls: true, ca_file: ca.pem")})
				}
			},
			says: []string{"collector hq: the server demands an encrypted connection"},
		},
	}

	s := site{t, t.TempDir()}
	s.write(map[string]string{"rollcall.yaml": "data_dir: ./data\njobs: {nightly: {kind: nightly}}\norganizations_from: \"*/organization.yaml\"\n"})
	healthy := newPlace(t, s, "1000")
	places := map[string]place{}
	for i, name := range slices.Sorted(maps.Keys(cases)) {
		places[name] = newPlace(t, s, fmt.Sprint(1001+i))
	}
	if code, text := s.run("run", "nightly", "--now", firstNight); code != exitDone {
		t.Fatalf("the first night ended with %d:\n%s", code, text)
	}
	before, files := s.published(), s.hashes("runs")

	healthy.write(map[string]string{"hq.ldif": ldif(append(contosoAccounts, account{3, "Xaver", "Quackenbush", "", ""})...)})
	var repairs []func()
	for name, c := range cases {
		p := places[name]
		p.write(c.bad)
		repairs = append(repairs, func() {
			for name := range c.bad {
				p.write(map[string]string{name: goodFiles[name]})
			}
		})
		if c.prepare != nil {
			repairs = append(repairs, c.prepare(t, p))
		}
	}
	code, text := s.run("run", "nightly", "--now", secondNight)
	if code != exitPartial {
		t.Errorf("exit code %d, want %d:\n%s", code, exitPartial, text)
	}
	after, statuses := s.published(), s.statuses(secondNight)
	s.sameFiles(files, "runs")
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			id := places[name].id
			_, said, _ := strings.Cut(text, "\n  "+id+" unavailable: ")
			said, _, _ = strings.Cut(said, "\n")
			for _, part := range c.says {
				if !strings.Contains(said, part) {
					t.Errorf("the summary lacks %q: %s", part, said)
				}
			}
			if !slices.Equal(statuses[id], []string{"unavailable"}) {
				t.Errorf("status %v, want unavailable", statuses[id])
			}
			if len(before[id]) == 0 || !slices.Equal(before[id], after[id]) {
				t.Errorf("it is not what it was:\n%s\nand before\n%s", strings.Join(after[id], "\n"), strings.Join(before[id], "\n"))
			}
		})
	}
	if !slices.Equal(statuses[healthy.id], []string{"succeeded"}) || len(after[healthy.id]) <= len(before[healthy.id]) {
		t.Errorf("the organization without a fault did not go on: %v", statuses[healthy.id])
	}
	for _, repair := range repairs {
		repair()
	}
	s.succeeds(thirdNight)
	for id, status := range s.statuses(thirdNight) {
		if !slices.Equal(status, []string{"succeeded"}) {
			t.Errorf("after the repair organization %s is %v", id, status)
		}
	}
}

// place is the folder of one organization of a site with many.
type place struct {
	site

	id string
}

// goodFiles are an organization's inputs; "collector" goes into its configuration.
var goodFiles = map[string]string{
	"collector": fromFile, "hq.ldif": ldif(contosoAccounts...), "contacts.jsonl": zeb + mina, "password.txt": svcPassword + "\n",
}

func newPlace(t *testing.T, s site, id string) place {
	t.Helper()
	p := place{site{t, s.path(id)}, id}
	if err := os.Mkdir(p.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	p.write(goodFiles)
	return p
}

func (p place) write(files map[string]string) {
	p.t.Helper()
	for name, text := range files {
		text = strings.ReplaceAll(text, `"organization_id":1001`, `"organization_id":`+p.id)
		if name == "collector" {
			name, text = "organization.yaml", fmt.Sprintf("organizations:\n  - id: %s\n    name: Number %s\n    collectors: [%s]\n    contacts: {jsonl: contacts.jsonl}\n", p.id, p.id, text)
		}
		p.site.write(map[string]string{name: text})
	}
}

// A wrong configuration or call starts nothing: exit code 2 (5 while another run is going on),
// and every file is what it was.
//
//nolint:tparallel // the cases share a folder: each must leave it as it was
func TestWrongCallsStartNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	plaintext := controller(t, fakedc.Options{StartTLS: true})
	before := s.hashes("runs", "published")
	run := []string{"run", "nightly", "--now", secondNight}
	for _, c := range []struct {
		rule   string
		config string
		args   []string
		code   int
		says   []string
	}{
		{
			"unknown key", strings.Replace(goodConfig, "    contacts: {jsonl: contacts", "    contcats: {jsonl: contacts", 1), run, exitUsage,
			[]string{"rollcall.yaml:9: organizations[0].contcats: unknown key; check its spelling"},
		},
		{
			"wrong type", strings.Replace(goodConfig, "id: 1001", "id: Contoso", 1), run, exitUsage,
			[]string{`rollcall.yaml:5: organizations[0].id: must be a whole number (got "Contoso")`},
		},
		{
			"literal secret", strings.Replace(serverConfig("ldaps://dc.contoso.example"), "{file: password.txt}", svcPassword, 1), run, exitUsage,
			[]string{"rollcall.yaml:8: organizations[0].collectors[0].credentials.password: a literal secret is refused: name an environment variable"},
		},
		{
			"secret in the url", serverConfig("ldaps://svc:" + svcPassword + "@dc.contoso.example"), run, exitUsage,
			[]string{"rollcall.yaml:8: organizations[0].collectors[0].url: must hold scheme, host and port only"},
		},
		{
			"bind in clear text", serverConfig(plaintext.URL()), run, exitUsage,
			[]string{"rollcall.yaml:8: organizations[0].collectors[0].url: ldap:// would send the password in clear text; use ldaps://, start_tls: true or"},
		},
		{"not YAML", "data_dir: [", run, exitUsage, []string{"rollcall.yaml:1: cannot be read as YAML"}},
		{"empty", "", run, exitUsage, []string{"rollcall.yaml: the file is empty"}},
		{
			"variable missing, checked beforehand", strings.Replace(serverConfig("ldaps://127.0.0.1:1"), "{file: password.txt}", "{env: ROLLCALL_TEST_NOT_SET}", 1),
			[]string{"check"}, exitUsage,
			[]string{"organization 1001, collector hq, credentials.password: environment variable ROLLCALL_TEST_NOT_SET is not set or empty"},
		},
		{"the same time again", goodConfig, []string{"run", "nightly", "--now", firstNight}, exitUsage, []string{"this run is complete: 20261101T020000Z-nightly; give a later --now"}},
		{"an earlier time", goodConfig, []string{"run", "nightly", "--now", "2026-10-31T02:00:00Z"}, exitUsage, []string{"logical time never goes backwards", "give a later one"}},
		{"no time", goodConfig, []string{"run", "nightly", "--now", "tonight"}, exitUsage, []string{`--now must be a time such as 2026-11-01T02:00:00Z (got "tonight")`}},
		{"unknown job", goodConfig, []string{"run", "weekly"}, exitUsage, []string{`no job "weekly" in the configuration; there is nightly`}},
		{"no job", goodConfig, []string{"run"}, exitUsage, []string{"accepts 1 arg(s), received 0"}},
		{"unknown organization accepted", goodConfig, append(run, "--accept", "9"), exitUsage, []string{"--accept 9: no such organization"}},
		{"unknown flag", goodConfig, append(run, "--force"), exitUsage, []string{"unknown flag: --force"}},
		{"unknown log level", goodConfig, append(run, "--log-level", "loud"), exitUsage, []string{"--log-level must be debug, info, warn or error"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := site{t, s.folder}
			s.write(map[string]string{"rollcall.yaml": c.config})
			code, text := s.run(c.args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d:\n%s", code, c.code, text)
			}
			s.says(text, c.says...)
			if after := s.hashes("runs", "published"); !maps.Equal(before, after) {
				t.Errorf("files are not what they were: %v and before %v", after, before)
			}
		})
	}
	if sent := plaintext.Stats(); sent.Connections > 0 {
		t.Errorf("the controller was dialled in clear text: %+v", sent)
	}
	t.Run("another run going on", func(t *testing.T) {
		s := site{t, s.folder}
		s.write(map[string]string{"rollcall.yaml": goodConfig})
		lock := flock.New(s.path("data/state/run.lock"))
		if taken, err := lock.TryLock(); err != nil || !taken {
			t.Fatalf("the lock is not free: %v", err)
		}
		code, text := s.run(run...)
		if code != exitAnotherRun {
			t.Errorf("exit code %d, want %d:\n%s", code, exitAnotherRun, text)
		}
		s.says(text, "another run is going on", "wait for it to end")
		if after := s.hashes("runs", "published"); !maps.Equal(before, after) {
			t.Errorf("files are not what they were")
		}
		if err := lock.Unlock(); err != nil {
			t.Fatal(err)
		}
	})
	s.succeeds(secondNight)
}

// Where something of rollcall's own cannot be written or read, the run fails with exit code 1,
// yesterday stands, and the next run after the repair makes up for it.
func TestDamagedDataFolder(t *testing.T) {
	t.Parallel()
	// file puts a file in the place of a folder, which refuses even root to write into it.
	file := func(name string) func(*testing.T, site) func() {
		return func(t *testing.T, s site) func() {
			t.Helper()
			aside := s.path("data/" + name + ".aside")
			if err := os.Rename(s.path("data/"+name), aside); err != nil {
				t.Fatal(err)
			}
			s.write(map[string]string{"data/" + name: "in the way"})
			return func() {
				if err := os.Remove(s.path("data/" + name)); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(aside, s.path("data/"+name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	decisions := func(text string) func(*testing.T, site) func() {
		return func(t *testing.T, s site) func() {
			t.Helper()
			s.write(map[string]string{"data/decisions.jsonl": text})
			return func() {
				if err := os.Remove(s.path("data/decisions.jsonl")); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	const good = `{"id":"d1","at":"2026-11-01T10:00:00Z","by":"kim","action":"ignore","organization_id":1001,"object_guid":"00000000-0000-4000-8000-000000000001"}` + "\n"
	for name, c := range map[string]struct {
		damage func(t *testing.T, s site) (repair func())
		says   []string
		// owed tells that the run was committed and that its files follow.
		owed bool
	}{
		"runs cannot be written":      {damage: file("runs"), says: []string{"load: ", "runs"}, owed: true},
		"published cannot be written": {damage: file("published"), says: []string{"publish: ", "published"}, owed: true},
		"state cannot be written":     {damage: file("state"), says: []string{"state", "check that data_dir exists and is writable"}},
		"state is no database": {
			damage: func(t *testing.T, s site) func() {
				t.Helper()
				path := s.path("data/state/rollcall.duckdb")
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				s.write(map[string]string{"data/state/rollcall.duckdb": strings.Repeat("Zebulon", 10_000)})
				return func() { s.write(map[string]string{"data/state/rollcall.duckdb": string(text)}) }
			},
			says: []string{"the store ", "rollcall.duckdb"},
		},
		"decision of an unknown action": {
			damage: decisions(good + strings.NewReplacer("d1", "d2", "ignore", "forget").Replace(good)),
			says:   []string{`decisions.jsonl: line 2: action must be match, unmatch, ignore, restore, create or undo (got "forget")`},
		},
		"decision cut off in the middle": {
			damage: decisions(good + good[:60] + "\n" + strings.Replace(good, `"id":"`, `"id":"second-`, 1)),
			says:   []string{"decisions.jsonl: line 2: unexpected EOF; correct the line"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			before := s.hashes("runs", "published")
			repair := c.damage(t, s)
			code, text := s.run("run", "nightly", "--now", secondNight)
			if code != exitFailed {
				t.Errorf("exit code %d, want %d:\n%s", code, exitFailed, text)
			}
			s.says(text, c.says...)
			repair()
			if !c.owed {
				if after := s.hashes("runs", "published"); !maps.Equal(before, after) {
					t.Errorf("files are not what they were: %v and before %v", after, before)
				}
				s.succeeds(secondNight) // a failed run does not count
				return
			}
			text = s.succeeds(thirdNight)
			s.says(text, "Run 20261102T020000Z-nightly had been interrupted; its files are complete now.")
			for _, run := range []string{"20261101T020000Z-nightly", "20261102T020000Z-nightly", "20261103T020000Z-nightly"} {
				if _, err := os.Stat(s.path("data/runs/" + run + "/datapackage.json")); err != nil {
					t.Errorf("the files of %s are not complete: %v", run, err)
				}
			}
			if got := s.rows("SELECT status, run_id FROM runs")["succeeded"]; len(got) != 3 {
				t.Errorf("published are %v, want three nights", got)
			}
		})
	}
}
