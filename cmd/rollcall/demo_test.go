package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"rollcall/jobs"
)

// playDemo runs the demo as its users do.
func playDemo(t *testing.T, dir string) (code int, out, errors string) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	var stdout, stderr bytes.Buffer
	a := &app{streams: streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, clock: time.Now, memory: mem}
	code = execute(context.Background(), []string{"demo", "--dir", dir}, a)
	return code, stdout.String(), stderr.String()
}

// TestDemoTeachesWhatItPromises reads the published file: what the demo shows must have happened.
func TestDemoTeachesWhatItPromises(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	code, out, errors := playDemo(t, dir)
	if code != exitDone || errors != "" {
		t.Fatalf("rollcall demo: exit %d\n%s%s", code, out, errors)
	}
	config, err := jobs.LoadConfig(filepath.Join(dir, "rollcall.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := openPublished(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	const night1, night2 = "'20261101T020000Z-nightly'", "'20261102T020000Z-nightly'"
	for _, fact := range []struct{ name, query, want string }{
		{
			"how the nights ended", "SELECT string_agg(status, ' ' ORDER BY run_id) FROM runs", "succeeded partial",
		},
		{
			"how the organizations fared in night 2",
			"SELECT string_agg(organization_id || ' ' || status, ', ' ORDER BY organization_id) FROM run_organizations WHERE run_id = " + night2,
			"2101 succeeded, 2102 succeeded, 2103 unavailable",
		},
		{
			"the message names the collector that was down",
			"SELECT message LIKE 'collector cork: 127.0.0.1:% refused the connection%' FROM run_organizations WHERE organization_id = 2103 AND run_id = " + night2,
			"true",
		},
		{
			"nothing of 2103 was lost or changed",
			`SELECT count(*) = 2 AND count(DISTINCT (users, contacts, matched, unmatched, ignored, unavailable)) = 1 AND min(users) = 65
			 FROM run_organizations WHERE organization_id = 2103`,
			"true",
		},
		{
			"the last complete read of 2103", "SELECT last_run_id || ' ' || status FROM collectors WHERE collector = 'cork'",
			"20261101T020000Z-nightly failed",
		},
		{
			"users by status",
			`SELECT string_agg(organization_id || ' ' || status || ' ' || n, ', ' ORDER BY organization_id, status)
			 FROM (SELECT organization_id, status, count(*) AS n FROM contact_matching GROUP BY ALL)`,
			"2101 matched 107, 2101 unavailable 3, 2101 unmatched 4, " +
				"2102 ignored 1, 2102 matched 63, 2102 unavailable 1, 2102 unmatched 4, 2103 matched 61, 2103 unmatched 4",
		},
		{
			"every automatic rule, and both by hand",
			"SELECT string_agg(DISTINCT rule, ' ' ORDER BY rule) FROM contact_matching", "alias created email email_name manual name",
		},
		{
			"reasons that the nights showed",
			"SELECT string_agg(DISTINCT reason, ' ' ORDER BY reason) FROM match_deltas",
			"ambiguous_email ambiguous_name contact_deleted contact_taken no_candidate no_key",
		},
		{
			"created contacts, by night: resolved of all",
			`SELECT string_agg(run_id || ' ' || resolved || '/' || n, ', ' ORDER BY run_id)
			 FROM (SELECT d.run_id, count(m.contact_id) AS resolved, count(*) AS n
			       FROM match_deltas d JOIN contact_matching m USING (organization_id, object_guid)
			       WHERE d.op = 'create' GROUP BY d.run_id)`,
			"20261101T020000Z-nightly 5/6, 20261102T020000Z-nightly 0/4",
		},
		{
			"pushes of night 1",
			"SELECT string_agg(op || ' ' || state || ' ' || n, ', ' ORDER BY op, state) FROM (SELECT op, state, count(*) AS n FROM push_items WHERE run_id = " + night1 + " GROUP BY ALL)",
			"c pushed 5, c rejected 1, u pushed 4",
		},
		{
			"pushes of night 2",
			`SELECT string_agg(op || ' ' || state || COALESCE(' ' || reason, '') || ' ' || n, ', ' ORDER BY op, state, reason)
			 FROM (SELECT op, state, reason, count(*) AS n FROM push_items WHERE run_id = ` + night2 + ` GROUP BY ALL)`,
			"c not_eligible two_way_sync_off 2, c pushed 2, u pushed 4, u rejected no_psa_id 1, u rejected too_long:title 1",
		},
		{
			"a renamed user keeps its contact",
			`SELECT m.status || ' ' || m.rule || ' ' || c.last_name FROM contact_matching m JOIN contacts c USING (organization_id, contact_id)
			 WHERE m.display_name = 'Ingrid Bakke Solheim'`,
			"matched email Bakke",
		},
		{
			"a contact that was deleted is not created again",
			"SELECT reason || ' ' || (contact_key IS NULL) FROM contact_matching WHERE display_name = 'Tor Egil Moen'", "contact_deleted true",
		},
		{
			"who was disabled is linked still, although 2102 excludes disabled accounts",
			"SELECT count(*) FROM contacts_enriched WHERE organization_id = 2102 AND ad_status = 'disabled'", "2",
		},
		{
			"accounts that are no users",
			`SELECT string_agg(reason || ' ' || n, ', ' ORDER BY reason)
			 FROM (SELECT reason, sum(accounts) AS n FROM run_exclusions WHERE run_id = ` + night1 + ` GROUP BY reason)`,
			"disabled 4, machine 7, ou 7, room 2, shared 3, system 6",
		},
		{
			"states of accounts and passwords",
			`SELECT (SELECT string_agg(DISTINCT ad_status, ' ' ORDER BY ad_status) FROM ad_users) || '; '
			     || (SELECT string_agg(DISTINCT password_state, ' ' ORDER BY password_state) FROM ad_users)`,
			"disabled enabled expired locked unknown; estimated expired expires must_change never unknown",
		},
		{
			"Cork's own logons win over what Dublin has heard",
			`SELECT count(*) > 10 FROM ad_users u JOIN ad_user_collectors k USING (organization_id, object_guid)
			 WHERE k.collector = 'cork' AND u.last_logon >= '2026-10-30 16:00:00+00'`,
			"true",
		},
		{
			"people decided", "SELECT count(*) FROM contact_matching WHERE decided_by = 'carmen@msp.example'", "4",
		},
	} {
		var got any
		if err := db.QueryRowContext(t.Context(), fact.query).Scan(&got); err != nil {
			t.Errorf("%s: %v", fact.name, err)
		} else if fmt.Sprint(got) != fact.want {
			t.Errorf("%s: %v, want %s", fact.name, got, fact.want)
		}
	}

	if lines := strings.Count(out, "\n"); lines > 135 {
		t.Errorf("the demo writes %d lines: nobody reads so many", lines)
	}
	contains(t, out, "== Night 2", "nightly: partial", "contact 520143 Recepción Urgencias shares the e-mail: linked to Núria Vidal Camps", dir)
}

// TestDemoRefusesAFolderInUse keeps the example out of anybody's configuration.
func TestDemoRefusesAFolderInUse(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rollcall.yaml"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errors := playDemo(t, dir); code != exitUsage || !strings.Contains(errors, "must be empty or new") {
		t.Errorf("exit %d, %s", code, errors)
	}
}

// TestDemoIsTheSameEveryTime compares what two demos wrote for other systems.
func TestDemoIsTheSameEveryTime(t *testing.T) {
	files := func() map[string]string {
		dir := t.TempDir()
		if code, _, errors := playDemo(t, dir); code != exitDone {
			t.Fatalf("exit %d, %s", code, errors)
		}
		found := map[string]string{}
		runs := os.DirFS(filepath.Join(dir, "data", "runs"))
		err := fs.WalkDir(runs, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(runs, name)
			found[name] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	first, second := files(), files()
	if len(first) < 10 || len(first) != len(second) {
		t.Fatalf("%d files, then %d", len(first), len(second))
	}
	for name, text := range first {
		if second[name] != text {
			t.Errorf("%s differs", name)
		}
	}
}
