package jobs_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// town is a few dozen small organizations in which people and contacts come, go and change, and
// somebody decides things, all at random and full of collisions.
type town struct {
	r             *rand.Rand
	organizations []*household
	decisions     []string
}

// household is one organization of a town.
type household struct {
	id       int
	policies string
	users    map[int]person
	disabled map[int]bool
	contacts map[int]string
}

func newTown(seed uint64, organizations int) *town {
	t := &town{r: rand.New(rand.NewPCG(seed, 3))}
	pick := func(options ...string) string { return options[t.r.IntN(len(options))] }
	for id := range organizations {
		h := &household{id: id + 1, users: map[int]person{}, disabled: map[int]bool{}, contacts: map[int]string{}}
		h.policies = fmt.Sprintf("create: %s\n    match: {aliases: %t}\n    fill: {last_name: %s}\n    exclude: {disabled: %t}\n    psa: {kind: %s, two_way_sync: %t, email_type: W, phone_type: D}",
			pick("all", "approved", "never"), t.r.IntN(2) == 0, pick("keep", "fill_blank", "overwrite"), t.r.IntN(2) == 0, pick("autotask", "bms", "syncro"), t.r.IntN(3) > 0)
		t.organizations = append(t.organizations, h)
		for range 12 {
			t.arrive(h)
		}
	}
	return t
}

func (t *town) pick(options ...string) string { return options[t.r.IntN(len(options))] }

// arrive lets a user or a contact come, or be another one than before.
func (t *town) arrive(h *household) {
	first, last := t.pick("Ann", "Bob", ""), t.pick("Lee", "Lee", "Ray", "")
	mail := t.pick("a@x.example", "b@x.example", "c@x.example", "")
	if t.r.IntN(2) == 0 {
		n := t.r.IntN(6) + 1
		h.users[n], h.disabled[n] = person{fmt.Sprintf("%d%d", 1000+h.id, n), first, last, mail}, t.r.IntN(5) == 0
		return
	}
	n, extra := t.r.IntN(8)+1, ""
	if t.r.IntN(2) == 0 {
		extra = fmt.Sprintf(`,"psa_id":"%d"`, n)
	}
	if t.r.IntN(4) == 0 { // a created contact appears, perhaps somebody else's
		extra += fmt.Sprintf(`,"external_key":"rollcall-%s"`, t.guid(h, t.r.IntN(6)+1))
	}
	h.contacts[n] = fmt.Sprintf(`{"id":%d,"organization_id":%d,"first_name":%q,"last_name":%q,"emails":[{"value":%q}]%s}`, n, h.id, first, last, mail, extra)
}

func (t *town) guid(h *household, n int) string { return guidText(fmt.Sprintf("%d%d", 1000+h.id, n)) }

// day lets things happen.
func (t *town) day() {
	for _, h := range t.organizations {
		for range t.r.IntN(3) {
			switch t.r.IntN(8) {
			case 0:
				delete(h.users, t.r.IntN(6)+1)
			case 1:
				delete(h.contacts, t.r.IntN(8)+1)
			case 2, 3, 4, 5:
				t.arrive(h)
			default:
				t.decide(h)
			}
		}
	}
}

func (t *town) decide(h *household) {
	d := map[string]any{"id": fmt.Sprintf("d%d", len(t.decisions)+1), "at": "2026-11-01T10:00:00Z", "by": "sam", "organization_id": h.id}
	switch action := t.pick("match", "unmatch", "ignore", "restore", "create", "undo"); {
	case action == "undo" && len(t.decisions) == 0:
		return
	case action == "undo":
		d["action"], d["undoes"] = action, fmt.Sprintf("d%d", t.r.IntN(len(t.decisions))+1)
	default:
		d["action"], d["object_guid"] = action, t.guid(h, t.r.IntN(6)+1)
		if action == "match" || action == "unmatch" && t.r.IntN(2) == 0 {
			d["contact_id"] = t.r.IntN(8) + 1
		}
	}
	line, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	t.decisions = append(t.decisions, string(line)+"\n")
}

// write writes the inputs of a night.
func (t *town) write(tt *testing.T, b bundle) {
	tt.Helper()
	config := &strings.Builder{}
	config.WriteString("data_dir: ./data\njobs:\n  nightly: {kind: nightly}\ndefaults: {guard: {max_creates: 500, max_unlinks: 500, max_drop: 100%}}\norganizations:\n")
	contacts := &strings.Builder{}
	for _, h := range t.organizations {
		fmt.Fprintf(config, "  - id: %d\n    name: O\n    collectors: [{name: c, ldif: %d.ldif}]\n    contacts: {jsonl: contacts.jsonl}\n    %s\n", h.id, h.id, h.policies)
		ldif := &strings.Builder{}
		ldif.WriteString("version: 1\n\n")
		for n, p := range h.users {
			text := p.ldif("proxyAddresses: smtp:" + []string{"a", "b", "c"}[n%3] + "@x.example\n")
			if h.disabled[n] {
				text = strings.Replace(text, "userAccountControl: 512", "userAccountControl: 514", 1)
			}
			ldif.WriteString(text)
		}
		b.write(tt, fmt.Sprintf("%d.ldif", h.id), ldif.String())
		for _, c := range h.contacts {
			contacts.WriteString(c + "\n")
		}
	}
	b.write(tt, "rollcall.yaml", config.String())
	b.write(tt, "contacts.jsonl", contacts.String())
	b.write(tt, "data/decisions.jsonl", strings.Join(t.decisions, ""))
}

// Whatever happened, a second night on unchanged inputs changes nothing and pushes nothing, nobody
// has two links, and all match deltas together yield the present lists.
func TestRandomNights(t *testing.T) {
	t.Parallel()
	const rounds = 6
	for seed := range uint64(2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			b, place := newBundle(t), newTown(seed, 50)
			now := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
			for round := range rounds {
				place.day()
				place.write(t, b)
				for range 2 {
					now = now.Add(24 * time.Hour)
					// A household that is empty now is held; that is the guard's right.
					if _, err := b.run(now.Format(time.RFC3339), nil); err != nil {
						t.Fatalf("round %d: %v", round, err)
					}
				}
				b.mustHold(t, map[string]string{
					"match deltas of an unchanged night":      "SELECT count(*) FROM match_deltas WHERE run_id = (SELECT max(run_id) FROM runs)",
					"enrichment deltas of an unchanged night": "SELECT count(*) FROM enrichment_deltas WHERE run_id = (SELECT max(run_id) FROM runs)",
					"push items of an unchanged night":        "SELECT count(*) FROM push_items WHERE run_id = (SELECT max(run_id) FROM runs)",
					"contacts with two links":                 "SELECT count(*) FROM (SELECT 1 FROM user_matching WHERE contact_id IS NOT NULL GROUP BY organization_id, contact_id HAVING count(*) > 1)",
					"ignored users with a link":               "SELECT count(*) FROM user_matching WHERE status = 'ignored' AND (contact_id IS NOT NULL OR contact_key IS NOT NULL)",
					"creations of a decision emitted twice":   "SELECT count(*) FROM (SELECT 1 FROM creations WHERE decision_id IS NOT NULL GROUP BY decision_id HAVING count(*) > 1)",
					"users whose deltas do not yield their status": `SELECT count(*) FROM user_matching m FULL JOIN
						(SELECT organization_id, object_guid, max_by(to_status, run_id) AS status, max_by(to_contact_id, run_id) AS contact_id, max_by(reason, run_id) AS reason
						 FROM (SELECT organization_id, object_guid, run_id, COALESCE(to_status, 'none') AS to_status, COALESCE(to_contact_id, 0) AS to_contact_id, COALESCE(reason, '') AS reason FROM match_deltas)
						 GROUP BY organization_id, object_guid) d USING (organization_id, object_guid)
						WHERE COALESCE(m.status, 'none') IS DISTINCT FROM d.status
						   OR (m.status IS NOT NULL AND (COALESCE(m.contact_id, 0) <> d.contact_id OR COALESCE(m.reason, '') <> d.reason))`,
				})
			}
		})
	}
}

// mustHold runs queries on the published file that must each count nothing.
func (b bundle) mustHold(t *testing.T, invariants map[string]string) {
	t.Helper()
	db, err := sql.Open("duckdb", filepath.Join(b.folder, "data", "published", "rollcall.duckdb")+"?access_mode=read_only")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, query := range invariants {
		var n int
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n != 0 {
			t.Errorf("%d %s", n, name)
		}
	}
}
