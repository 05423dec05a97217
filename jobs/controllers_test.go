package jobs_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/pipeline"
	"rollcall/stages/users/fakedc"
)

// The last logon is the latest of every controller that answers, and one that is switched off
// takes none back.
func TestLastLogonOfSeveralControllers(t *testing.T) {
	t.Parallel()
	const tuesday, wednesday, thursday = "134327232000000000", "134328096000000000", "134328960000000000"
	authority, err := fakedc.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	// logons of two people, at two controllers; replicated late for both.
	start := func(logons ...string) *fakedc.Server {
		people := staff(2)
		for i := range people {
			people[i].Attributes["lastLogon"] = [][]byte{[]byte(logons[i])}
			people[i].Attributes["lastLogonTimestamp"] = [][]byte{[]byte(tuesday)}
		}
		return contosoDC(t, authority, people)
	}
	first, second := start(wednesday, "0"), start(tuesday, thursday)
	b := newBundle(t)
	b.write(t, "ca.pem", string(authority.PEM()))
	b.write(t, "contacts.jsonl", "")
	night := func(number int, want ...string) {
		t.Helper()
		out, outcome, err := b.readServer(t, first.URL(), fmt.Sprintf("url: [%q, %q]", first.URL(), second.URL()), number)
		if err != nil || outcome.Status != pipeline.Succeeded {
			t.Fatalf("night %d is %s: %v\n%s", number, outcome.Status, err, out)
		}
		got := b.row(t, `SELECT string_agg(strftime(last_logon AT TIME ZONE 'UTC', '%a') || ' ' || last_logon_source, ', ' ORDER BY object_guid) FROM ad_users`)
		if got != want[0] {
			t.Errorf("night %d: the last logons are %s, want %s", number, got, want[0])
		}
		name := strings.NewReplacer(strings.TrimPrefix(first.URL(), "ldaps://"), "first", strings.TrimPrefix(second.URL(), "ldaps://"), "second")
		got = name.Replace(b.row(t, `SELECT controllers::VARCHAR || ' ' || silent_controllers::VARCHAR || ' ' || COALESCE(message, '') FROM collectors`))
		if got != want[1] {
			t.Errorf("night %d: the controllers are %s, want %s", number, got, want[1])
		}
	}
	night(1, "Wed lastLogon, Thu lastLogon", "['first', 'second'] [] ")
	second.Close()
	night(2, "Wed lastLogon, Thu lastLogon", "['first'] ['second'] no lastLogon from second: refused the connection: is the controller running, and is the port right?")
	if n := b.row(t, `SELECT count(*)::VARCHAR FROM enrichment_deltas`); n != "0" {
		t.Errorf("%s enrichment deltas, although nobody is linked", n)
	}
	first.Close()
	second = start(tuesday, thursday)
	night(3, "Wed lastLogon, Thu lastLogon", "['second'] ['first'] second was read instead of first: refused the connection: is the controller running, and is the port right?")
	first = start(wednesday, "0")
	night(4, "Wed lastLogon, Thu lastLogon", "['first', 'second'] [] ")
}

// Where the replicated value is wanted alone, no other controller is asked.
func TestReplicatedLogonAlone(t *testing.T) {
	t.Parallel()
	var controllers []*fakedc.Server
	authority, err := fakedc.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		controllers = append(controllers, contosoDC(t, authority, staff(2)))
	}
	b := newBundle(t)
	b.write(t, "ca.pem", string(authority.PEM()))
	b.write(t, "contacts.jsonl", "")
	b.policies = "last_logon: {from: [replicated]}"
	if _, _, err := b.readServer(t, controllers[0].URL(), fmt.Sprintf("url: [%q, %q]", controllers[0].URL(), controllers[1].URL()), 1); err != nil {
		t.Fatal(err)
	}
	if got := b.row(t, `SELECT count(*) || ' ' || count(last_logon) FROM ad_users`); got != "2 0" || controllers[1].Stats().Connections != 0 {
		t.Errorf("users and logons: %s; %d connections to the second controller", got, controllers[1].Stats().Connections)
	}
}

// contosoDC is a healthy controller whose certificate is good for long, whatever the logical time.
func contosoDC(t *testing.T, authority *fakedc.Authority, people []fakedc.Entry) *fakedc.Server {
	t.Helper()
	dc, err := fakedc.Start(fakedc.Options{
		BindDN: "svc@contoso.example", Password: "correct horse", NamingContext: "DC=contoso,DC=example", CA: authority, TLS: true,
		Entries: people, NotAfter: time.Now().AddDate(0, 11, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dc.Close)
	return dc
}

// row is the one text that a query on the published file yields.
func (b bundle) row(t *testing.T, query string) (text string) {
	t.Helper()
	db, err := sql.Open("duckdb", filepath.Join(b.folder, "data", "published", "rollcall.duckdb")+"?access_mode=read_only")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), query).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

// Of two records of one user the one with the later change counts, whatever other controllers
// know of logons: an old export does not make a leaver enabled again.
func TestFreshestRecordCounts(t *testing.T) {
	t.Parallel()
	authority, err := fakedc.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	start := func(title, control, changed, logon string) *fakedc.Server {
		people := staff(1)
		for name, value := range map[string]string{"title": title, "userAccountControl": control, "whenChanged": changed, "lastLogon": logon} {
			people[0].Attributes[name] = [][]byte{[]byte(value)}
			if value == "" {
				delete(people[0].Attributes, name)
			}
		}
		return contosoDC(t, authority, people)
	}
	const older, later = "134327232000000000", "134328096000000000"
	for name, c := range map[string]struct{ stale, fresh *fakedc.Server }{
		"the change decides, whoever saw the later logon": {start("Old", "512", "20260101000000.0Z", later), start("New", "514", "20261001000000.0Z", older)},
		"the same logon": {start("Old", "512", "20260101000000.0Z", later), start("New", "514", "20261001000000.0Z", later)},
		"a record without its change is the older": {start("Old", "512", "", later), start("New", "514", "20261001000000.0Z", older)},
		"without changes the logon decides":        {start("Old", "512", "", older), start("New", "514", "", later)},
	} {
		b := newBundle(t)
		b.write(t, "ca.pem", string(authority.PEM()))
		b.write(t, "contacts.jsonl", "")
		// The stale one comes first by name, and asks the fresh one for its logons.
		b.more = fmt.Sprintf(`
      - name: a-stale
        url: [%q, %q]
        base_dn: DC=contoso,DC=example
        ca_file: ca.pem
        credentials: {username: svc@contoso.example, password: {env: AD}}`, c.stale.URL(), c.fresh.URL())
		out, outcome, err := b.readServer(t, c.fresh.URL(), "", 1)
		if err != nil || outcome.Status != pipeline.Succeeded {
			t.Fatalf("%s: the run is %s: %v\n%s", name, outcome.Status, err, out)
		}
		if got := b.row(t, `SELECT concat_ws(' ', count(*), max(title), max(ad_status), strftime(max(last_logon) AT TIME ZONE 'UTC', '%a')) FROM ad_users`); got != "1 New disabled Wed" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}
