package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"rollcall/schemas"
	"rollcall/stages/users/fakedc"
)

// invocation runs rollcall as its main does, in a folder with a configuration.
type invocation struct {
	t      *testing.T
	folder string
}

// newInvocation makes a folder with the inputs of the replay case's first night.
func newInvocation(t *testing.T, replayCase string) invocation {
	t.Helper()
	i := invocation{t: t, folder: t.TempDir()}
	i.night(replayCase, "night1")
	return i
}

// night lays the inputs of a night over the folder.
func (i invocation) night(replayCase, night string) {
	i.t.Helper()
	from := filepath.Join("..", "..", "testdata", "replay", replayCase, night)
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(i.folder, relative)
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o600)
	})
	if err != nil {
		i.t.Fatal(err)
	}
}

// call runs a verb and returns its exit code and what it wrote.
func (i invocation) call(args ...string) (code int, out, errors string) {
	i.t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(i.t, 0)
	var stdout, stderr bytes.Buffer
	a := &app{streams: streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, clock: time.Now, memory: mem}
	privateFiles()
	code = execute(context.Background(), append([]string{"--config", filepath.Join(i.folder, "rollcall.yaml"), "--log-level", "warn"}, args...), a)
	return code, stdout.String(), stderr.String()
}

// must runs a verb that has to succeed, and returns what it wrote to standard output.
func (i invocation) must(args ...string) string {
	i.t.Helper()
	got, out, errors := i.call(args...)
	if got != exitDone {
		i.t.Fatalf("rollcall %s: exit %d\n%s%s", strings.Join(args, " "), got, out, errors)
	}
	return out
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("lacks %q:\n%s", part, text)
		}
	}
}

func TestVerbsOnAPublishedNight(t *testing.T) {
	t.Parallel()
	i := newInvocation(t, "two-users-one-email")
	if code, _, errors := i.call("users"); code != exitFailed || !strings.Contains(errors, "nothing is published yet") {
		t.Errorf("before the first night: exit %d, %s", code, errors)
	}
	contains(t, i.must("check"), "the configuration is right: 1 organizations, 1 jobs")
	contains(t, i.must("check", "--connect"), "1001 collector hq: ok", "1001 contacts contacts.jsonl: ok")
	contains(t, i.must("run", "nightly", "--now", "2026-11-01T02:00:00Z"),
		"Run 20261101T020000Z-nightly: succeeded", "ambiguous_email 2, contact_taken 1", "published")

	contains(t, i.must("users"), "Ann Lee", "Di Poe", "(4 rows)")
	contains(t, i.must("users", "--status", "unmatched", "--org", "1001", "--collector", "hq"), "ambiguous_email", "(3 rows)")
	contains(t, i.must("users", "--search", "POE"), "Di Poe", "(1 rows)")
	contains(t, i.must("users", "--org", "7"), "(0 rows)")
	contains(t, i.must("users", "--reason", "ambiguous_email"), "11 Front Desk: e-mail, free", "(2 rows)")
	contains(t, i.must("users", "--reason", "contact_taken"), "12 Di Poe: e-mail, linked to Di Poe", "(1 rows)")
	contains(t, i.must("users", "--sort", "display_name", "--desc", "--limit", "1"), "Di Poe", "(1 rows)")
	contains(t, i.must("users", "--sort", "display_name", "--limit", "2", "--offset", "3"), "Di Poe", "(1 rows)")
	for _, wrong := range [][]string{{"--sort", "object_guid; DROP TABLE contacts"}, {"--limit", "-1"}, {"--reason", "bad"}, {"--format", "xml"}} {
		if code, _, errors := i.call(append([]string{"users"}, wrong...)...); code != exitUsage {
			t.Errorf("users %v: exit %d, %s", wrong, code, errors)
		}
	}
	if code, _, _ := i.call("users", "--status", "gone"); code != exitUsage {
		t.Errorf("an unknown status: exit %d", code)
	}
	table := i.must("users", "--format", "csv", "--search", "poe")
	if lines := strings.Split(table, "\r\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "organization_id,object_guid,") {
		t.Errorf("CSV: %q", table)
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(i.must("users", "--format", "json", "--search", "poe")), &object); err != nil || object["rule"] != "email_name" {
		t.Errorf("JSON: %v, %v", object, err)
	}

	contains(t, i.must("explain", "user4", "--org", "1001"), "Di Poe", "matched with contact 12 by e-mail and name", "linked to this user")
	contains(t, i.must("explain", "00000000-0000-4000-8000-000000000001"), "unmatched (ambiguous_email)", "contact 11 Front Desk shares the e-mail: free")
	contains(t, i.must("explain", "USER3@contoso.example", "--org", "1001"), "unmatched (contact_taken)", "linked to Di Poe")
	if code, _, errors := i.call("explain", "nobody", "--org", "1001"); code != exitUsage || !strings.Contains(errors, "no user") {
		t.Errorf("an unknown user: exit %d, %s", code, errors)
	}

	contains(t, i.must("runs"), "20261101T020000Z-nightly", "succeeded")
	contains(t, i.must("collectors"), "1001             hq         complete  4", "(1 rows)")
	contains(t, i.must("collectors", "--org", "7"), "(0 rows)")
	contains(t, i.must("query", "SELECT count(*) AS n FROM contacts_enriched"), "n\n2")
	if code, _, errors := i.call("query", "DELETE FROM contacts"); code != exitFailed || !strings.Contains(errors, "read-only") {
		t.Errorf("a query that writes: exit %d, %s", code, errors)
	}
	if code, _, _ := i.call("fly"); code != exitUsage {
		t.Errorf("an unknown verb: exit %d", code)
	}
	if code, _, _ := i.call("run"); code != exitUsage {
		t.Errorf("run without a job: exit %d", code)
	}
	if code, _, _ := i.call("run", "nightly", "--now", "yesterday"); code != exitUsage {
		t.Errorf("--now yesterday: exit %d", code)
	}
}

// What is written is personal data: nobody else may read any of it.
func TestWhatIsWrittenIsPrivate(t *testing.T) {
	t.Parallel()
	i := newInvocation(t, "push-refused")
	i.must("run", "nightly", "--now", "2026-11-01T02:00:00Z")
	files := 0
	err := filepath.WalkDir(filepath.Join(i.folder, "data"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil || files < 8 {
		t.Errorf("%d files, %v", files, err)
	}
}

// The published file holds exactly what is declared: every table and view, their columns with
// types, and a comment on each.
func TestPublishedFileIsAsDeclared(t *testing.T) {
	t.Parallel()
	i := newInvocation(t, "first-night")
	i.must("run", "nightly", "--now", "2026-11-01T02:00:00Z")
	db := i.published()
	declared := map[string][]schemas.Column{}
	for _, v := range schemas.Views() {
		declared[v.Name] = v.Columns
	}
	for _, table := range schemas.Tables() {
		if table.Published {
			declared[table.Name] = table.Columns
		}
	}
	rows, err := db.QueryContext(t.Context(), `SELECT table_name, column_name, data_type, COALESCE(comment, '')
		FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string]int{}
	for rows.Next() {
		var table, column, typ, comment string
		if err := rows.Scan(&table, &column, &typ, &comment); err != nil {
			t.Fatal(err)
		}
		columns, at := declared[table], found[table]
		found[table]++
		if at >= len(columns) {
			t.Errorf("%s.%s is not declared", table, column)
			continue
		}
		want := strings.Replace(schemas.SQLType(columns[at].Type), "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", 1)
		if columns[at].Name != column || want != typ || comment != columns[at].Description {
			t.Errorf("%s.%s %s (%s), declared as %s %s", table, column, typ, comment, columns[at].Name, want)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for name, columns := range declared {
		if found[name] != len(columns) {
			t.Errorf("%s has %d columns, declared are %d", name, found[name], len(columns))
		}
	}
}

func (i invocation) published() *sql.DB {
	i.t.Helper()
	db, err := sql.Open("duckdb", filepath.Join(i.folder, "data", "published", "rollcall.duckdb")+"?access_mode=read_only")
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { db.Close() })
	return db
}

// A reader that has the published file open neither blocks a run nor sees it change.
func TestAnOpenReaderKeepsItsFile(t *testing.T) {
	t.Parallel()
	i := newInvocation(t, "user-gone-and-back")
	i.must("run", "nightly", "--now", "2026-11-01T02:00:00Z")
	// DuckDB shares a database that a process has open already, by its path. Another path to
	// the same file stands for the other process that a reader is.
	elsewhere := filepath.Join(t.TempDir(), "published.duckdb")
	if err := os.Link(filepath.Join(i.folder, "data", "published", "rollcall.duckdb"), elsewhere); err != nil {
		t.Fatal(err)
	}
	reader, err := sql.Open("duckdb", elsewhere+"?access_mode=read_only")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	reader.SetMaxOpenConns(1)
	count := func(db *sql.DB) (n int) {
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM runs").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(reader); n != 1 {
		t.Fatalf("%d runs", n)
	}
	i.night("user-gone-and-back", "night2")
	i.must("run", "nightly", "--now", "2026-11-02T02:00:00Z")
	if n := count(reader); n != 1 {
		t.Errorf("the open reader sees %d runs", n)
	}
	contains(t, i.must("query", "SELECT count(*) AS n FROM runs"), "n\n2")
}

// The dictionary in docs/ is what the declarations say.
func TestDictionaryIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(filepath.Join("..", "..", "docs", "dictionary.md"))
	if err != nil {
		t.Fatal(err)
	}
	i := invocation{t: t, folder: t.TempDir()}
	if got := i.must("dictionary"); got != string(want) {
		t.Error("docs/dictionary.md is stale: make dictionary")
	}
}

// What a person sees of a controller before the first night, and of its read after it.
func TestServerIsCheckedAndListed(t *testing.T) {
	t.Parallel()
	dc := controller(t, fakedc.Options{TLS: true, NotAfter: time.Now().AddDate(0, 0, 20)})
	i := newInvocation(t, "two-users-one-email")
	for name, text := range map[string]string{
		"rollcall.yaml": serverConfig("ldaps://[::1]:1"), "password.txt": svcPassword, "ca.pem": string(dc.CAPEM()),
		"fab.ldif": ldif(contosoAccounts...), "fab.jsonl": "", "contacts.jsonl": "",
	} {
		if err := os.WriteFile(filepath.Join(i.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := strings.Replace(serverConfig(dc.URL()), `url: "`+dc.URL()+`"`, `url: ["ldaps://127.0.0.1:1", "`+dc.URL()+`"], ca_file: ca.pem`, 1)
	if err := os.WriteFile(filepath.Join(i.folder, "rollcall.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(dc.URL(), "ldaps://")
	contains(t, i.must("check", "--connect"), "1001 collector hq: ok", "bind          simple, TLS 1.3", "below         DC=contoso,DC=example", "read from     "+address+", its certificate EXPIRES ON ", ": renew it, clock ",
		"not readable  127.0.0.1:1: refused the connection", "limits        not readable for this account", "users         2",
		"not readable  pwdLastSet of 2 of 2 accounts", "seen on none  ", "1002 collector fab: ok")
	contains(t, i.must("run", "nightly", "--now", time.Now().UTC().Format(time.RFC3339)), "note: collector hq: ", "the certificate of "+address+" expires on ",
		address+" was read instead of 127.0.0.1:1: refused the connection")
	contains(t, i.must("collectors"), "complete  2", address)
}
