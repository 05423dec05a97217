package match_test

import (
	"context"
	"embed"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"rollcall/pipeline"
)

//go:embed match.sql
var matchFile embed.FS

// worlds is how many random groups of organizations are compared; one pass of the SQL matches
// them all, which also shows that organizations never cross.
const worlds = 1500

// The SQL and the plain loops of bruteForce, written independently from section 3, agree on
// every user: rule, contact, reason and candidates.
func TestMatchAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			users, contacts, apart, aliases := manyWorlds(seed)
			want := bruteForce(users, contacts, apart, aliases)
			got := matchInSQL(t, users, contacts, apart, aliases)
			if len(got) != len(want) {
				t.Fatalf("the SQL decides %d users, the loops %d", len(got), len(want))
			}
			differing := 0
			for key, w := range want {
				g, ok := got[key]
				if ok && g.Rule == w.Rule && g.Contact == w.Contact && g.Reason == w.Reason && slices.Equal(g.Candidates, w.Candidates) {
					continue
				}
				if differing++; differing <= 5 {
					t.Errorf("organization %d, user %s:\nSQL   %+v\nloops %+v", key.Org, key.GUID, g, w)
				}
			}
			t.Logf("%d users in %d worlds, %d differ", len(want), worlds, differing)
		})
	}
}

// manyWorlds puts random worlds side by side, each with organizations of its own.
func manyWorlds(seed uint64) (users []bfUser, contacts []bfContact, apart []bfPair, aliases map[int64]bool) {
	r := rand.New(rand.NewPCG(seed, seed))
	aliases = map[int64]bool{}
	for world := range int64(worlds) {
		u, c, a, wants := bfRandom(r)
		offset := world * 1000
		for i := range u {
			u[i].Org += offset
		}
		for i := range c {
			c[i].Org += offset
		}
		for i := range a {
			a[i].Org += offset
		}
		for org, on := range wants {
			aliases[org+offset] = on
		}
		users, contacts, apart = append(users, u...), append(contacts, c...), append(apart, a...)
	}
	return users, contacts, apart, aliases
}

// matchInSQL runs match.sql on its input tables.
func matchInSQL(t *testing.T, users []bfUser, contacts []bfContact, apart []bfPair, aliases map[int64]bool) map[bfKey]bfResult {
	t.Helper()
	ctx := context.Background()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	store, err := pipeline.OpenStore(ctx, filepath.Join(t.TempDir(), "store.duckdb"), mem)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	in := tables{t: t, store: store}
	in.create("match_users", "organization_id BIGINT, object_guid VARCHAR, email_key VARCHAR, first_key VARCHAR, last_key VARCHAR, aliases BOOLEAN, settled BOOLEAN")
	in.create("match_aliases", "organization_id BIGINT, object_guid VARCHAR, alias_key VARCHAR")
	in.create("match_contacts", "organization_id BIGINT, contact_id BIGINT, first_key VARCHAR, last_key VARCHAR")
	in.create("match_emails", "organization_id BIGINT, contact_id BIGINT, email_key VARCHAR")
	in.create("match_linked", "organization_id BIGINT, contact_id BIGINT")
	in.create("match_apart", "organization_id BIGINT, object_guid VARCHAR, contact_id BIGINT")
	for _, u := range users {
		if u.Linked != 0 {
			in.row("match_linked", u.Org, u.Linked)
			continue
		}
		if u.Out {
			continue
		}
		in.row("match_users", u.Org, u.GUID, u.EmailKey, u.FirstKey, u.LastKey, aliases[u.Org], false)
		for _, key := range distinct(u.AliasKeys) {
			if key != u.EmailKey {
				in.row("match_aliases", u.Org, u.GUID, key)
			}
		}
	}
	for _, c := range contacts {
		in.row("match_contacts", c.Org, c.ID, c.FirstKey, c.LastKey)
		for _, key := range distinct(c.EmailKeys) {
			in.row("match_emails", c.Org, c.ID, key)
		}
	}
	for _, p := range apart {
		in.row("match_apart", p.Org, p.GUID, p.Contact)
	}
	in.flush()
	if err := store.RunScripts(ctx, pipeline.Scripts(matchFile, "match.sql")...); err != nil {
		t.Fatal(err)
	}
	return results(t, store)
}

func results(t *testing.T, store *pipeline.Store) map[bfKey]bfResult {
	t.Helper()
	got := map[bfKey]bfResult{}
	err := store.Query(context.Background(), func(scan func(...any) error) error {
		var key bfKey
		var r bfResult
		if err := scan(&key.Org, &key.GUID, &r.Rule, &r.Contact, &r.Reason); err != nil {
			return err
		}
		if _, twice := got[key]; twice {
			t.Errorf("organization %d, user %s is decided twice", key.Org, key.GUID)
		}
		got[key] = r
		return nil
	}, "SELECT organization_id, object_guid, COALESCE(rule, ''), COALESCE(contact_id, 0), COALESCE(reason, '') FROM match_results")
	if err != nil {
		t.Fatal(err)
	}
	err = store.Query(context.Background(), func(scan func(...any) error) error {
		var key bfKey
		var contact int64
		if err := scan(&key.Org, &key.GUID, &contact); err != nil {
			return err
		}
		r := got[key]
		if r.Rule == "" {
			r.Candidates = append(r.Candidates, contact)
			got[key] = r
		}
		return nil
	}, "SELECT organization_id, object_guid, contact_id FROM match_candidates ORDER BY ALL")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// tables collects rows and inserts them many at a time.
type tables struct {
	t     *testing.T
	store *pipeline.Store
	rows  map[string][]string
}

func (in *tables) create(name, columns string) {
	in.t.Helper()
	if err := in.store.Exec(context.Background(), "CREATE OR REPLACE TEMP TABLE "+name+" ("+columns+")"); err != nil {
		in.t.Fatal(err)
	}
}

// row adds a row; an empty text is NULL.
func (in *tables) row(table string, values ...any) {
	parts := make([]string, len(values))
	for i, value := range values {
		parts[i] = fmt.Sprint(value)
		if text, ok := value.(string); ok {
			parts[i] = "NULL"
			if text != "" {
				parts[i] = "'" + text + "'"
			}
		}
	}
	if in.rows == nil {
		in.rows = map[string][]string{}
	}
	in.rows[table] = append(in.rows[table], "("+strings.Join(parts, ",")+")")
}

func (in *tables) flush() {
	in.t.Helper()
	for table, rows := range in.rows {
		for chunk := range slices.Chunk(rows, 2000) {
			if err := in.store.Exec(context.Background(), "INSERT INTO "+table+" VALUES "+strings.Join(chunk, ",")); err != nil {
				in.t.Fatal(err)
			}
		}
	}
}

func distinct(keys []string) []string {
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return key == "" })
	slices.Sort(keys)
	return slices.Compact(keys)
}
