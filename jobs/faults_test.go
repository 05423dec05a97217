package jobs_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rollcall/jobs"
	"rollcall/pipeline"
	"rollcall/stages/users/fakedc"
)

// fault is a row of the table in docs/active-directory.md: what goes wrong, and what the run does.
type fault struct {
	name string
	// faults, entries and options are the controller's tonight; nil entries are all the people.
	faults  fakedc.Faults
	entries func(people []fakedc.Entry) []fakedc.Entry
	options fakedc.Options
	// server is what the collector's keys are instead, after the controller's url and ca_file.
	server string
	down   bool
	// status is the run's, message what it tells, and users what becomes of them.
	status  pipeline.Status
	message string
	users   fate
}

// fate is what a night does to the published users and their links.
type fate string

const (
	untouched  fate = "as it was" // every row is the night's before: the organization was left alone
	complete   fate = "complete"  // read completely, and so the same rows
	lessDetail fate = "all there" // every user and link is there; a value is not readable
)

const (
	attempts3   = " (begun 3 times, every time from the first page)"
	anew        = "the read began anew after: "
	unavailable = pipeline.Partial
)

// alter changes the 30th entry of every answer, in the middle of the second page.
func alter(change func(attributes map[string][][]byte)) fakedc.Faults {
	return fakedc.Faults{Entry: func(i int, e fakedc.Entry) fakedc.Entry {
		if i == 30 {
			change(e.Attributes)
		}
		return e
	}}
}

func set(name string, values ...string) func(map[string][][]byte) {
	return func(attributes map[string][][]byte) {
		delete(attributes, name)
		for _, value := range values {
			attributes[name] = append(attributes[name], []byte(value))
		}
	}
}

func faultTable() []fault {
	past := time.Now().AddDate(0, 0, -10)
	long := strings.Repeat("x", 10<<20)
	return []fault{
		{name: "connection refused", down: true, status: unavailable, message: "refused the connection", users: untouched},
		{name: "TLS: untrusted", server: "ca_file: other.pem", status: unavailable, message: "the server's certificate is not trusted", users: untouched},
		{name: "TLS: expired", options: fakedc.Options{NotBefore: past, NotAfter: past.AddDate(0, 0, 1)}, status: unavailable, message: "the server's certificate is not valid: renew it", users: untouched},
		{name: "bind refused", faults: fakedc.Faults{BindData: "52e"}, status: unavailable, message: "data 52e: wrong password): check credentials", users: untouched},
		{name: "password expired", faults: fakedc.Faults{BindData: "532"}, status: unavailable, message: "data 532: password expired): check credentials", users: untouched},
		{name: "no permission", faults: fakedc.Faults{Entry: func(_ int, e fakedc.Entry) fakedc.Entry {
			for _, name := range []string{"userAccountControl", "msDS-User-Account-Control-Computed", "accountExpires", "pwdLastSet", "lastLogon", "whenCreated"} {
				delete(e.Attributes, name)
			}
			return e
		}}, status: pipeline.Succeeded, message: "the status attributes of 60 of 60 users are not readable", users: lessDetail},
		{name: "closed mid-page, once", faults: fakedc.Faults{CloseAfterEntries: 30, Times: 1}, status: pipeline.Succeeded, message: anew + "page 2: the connection broke", users: complete},
		{name: "closed mid-page, every time", faults: fakedc.Faults{CloseAfterEntries: 30}, status: unavailable, message: "page 2: the connection broke while the server was answering; nothing of this read counts", users: untouched},
		{name: "stalled mid-page", faults: fakedc.Faults{StallAfterEntries: 30}, server: "timeout: 2s", status: unavailable, message: "page 2: the server sent nothing for 2s", users: untouched},
		{name: "stalled between pages", faults: fakedc.Faults{StallOnPage: 3}, server: "timeout: 2s", status: unavailable, message: "page 3: the server sent nothing for 2s", users: untouched},
		{name: "cookie evicted, once", faults: fakedc.Faults{RejectCookieOnPage: 2, RejectCookieCode: 12, Times: 1}, status: pipeline.Succeeded, message: anew + "page 2: the server dropped the search between two pages", users: complete},
		{name: "cookie evicted, every time", faults: fakedc.Faults{RejectCookieOnPage: 2}, status: unavailable, message: "dropped the search between two pages", users: untouched},
		{name: "Busy, twice", faults: fakedc.Faults{FailPage: 2, Times: 2}, status: pipeline.Succeeded, message: anew + "page 2: the server is busy", users: complete},
		{name: "Busy, every time", faults: fakedc.Faults{FailPage: 2}, status: unavailable, message: "page 2: the server is busy or unavailable (LDAP result 51): try again later" + attempts3, users: untouched},
		{name: "end not confirmed", faults: fakedc.Faults{NoControlOnPage: 3}, status: unavailable, message: "page 3: the server ended the page without saying that it was complete", users: untouched},
		{name: "referral", faults: fakedc.Faults{References: []string{"ldap://forest.example/DC=forest,DC=example"}}, status: pipeline.Succeeded, users: complete},
		{name: "base in another domain", server: "base_dn: DC=fabrikam,DC=example", status: unavailable, message: "base_dn lies in another domain (LDAP result 10)", users: untouched},
		{name: "range retrieval", options: fakedc.Options{MaxValRange: 2}, status: pipeline.Succeeded, users: complete},
		{name: "range retrieval, no rest", faults: fakedc.Faults{RangedAttribute: "proxyAddresses"}, status: unavailable, message: "does not send those from number 1500 on", users: untouched},
		{name: "entry without objectGUID", faults: alter(set("objectGUID")), status: unavailable, message: "page 2: entry 30: objectGUID is missing", users: untouched},
		{name: "wrong syntax in a state", faults: alter(set("userAccountControl", "abc")), status: pipeline.Succeeded, message: "1 values are wrong and were left out, the first at entry 30", users: lessDetail},
		{name: "wrong syntax in the kind", faults: alter(set("sAMAccountType", "user")), status: unavailable, message: "samaccounttype is wrong: ", users: untouched},
		{name: "10 MB value in a description", faults: alter(set("title", long)), status: pipeline.Succeeded, message: "title is 10485760 bytes long, more than the 16384 that are read", users: lessDetail},
		{name: "10 MB value in a key", faults: alter(set("mail", long)), status: unavailable, message: "mail is 10485760 bytes long", users: untouched},
		{name: "invalid UTF-8 in a description", faults: alter(set("title", "B\xfcro")), status: pipeline.Succeeded, message: "title is not valid UTF-8 (octet 0xfc at 1)", users: lessDetail},
		{name: "invalid UTF-8 in a key", faults: alter(set("sn", "M\xfcller")), status: unavailable, message: "sn is not valid UTF-8 (octet 0xfc at 1)", users: untouched},
		{name: "duplicate GUID", entries: func(people []fakedc.Entry) []fakedc.Entry {
			twin := people[3]
			twin.DN = "CN=Twin,OU=Staff,DC=contoso,DC=example"
			return append(slices.Clone(people), twin)
		}, status: unavailable, message: "is at entry 4 and again at entry 61; a directory never has it twice", users: untouched},
		{name: "zero users", entries: func([]fakedc.Entry) []fakedc.Entry { return nil }, status: pipeline.Held, message: "would fall from 60 to 0", users: untouched},
		{name: "half the users", entries: func(people []fakedc.Entry) []fakedc.Entry { return people[:30] }, status: pipeline.Held, message: "would fall from 60 to 30", users: untouched},
	}
}

// Each fault strikes in a night of its own, all in one history: what one of them does to the
// users would be seen in every later night.
//
//nolint:tparallel // the nights follow each other
func TestFaultsOfAControllerLoseAndInventNobody(t *testing.T) {
	t.Parallel()
	people := staff(60)
	authority, err := fakedc.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	other, err := fakedc.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b := newBundle(t)
	b.write(t, "ca.pem", string(authority.PEM()))
	b.write(t, "other.pem", string(other.PEM()))
	var contacts strings.Builder
	for i := range 40 {
		fmt.Fprintf(&contacts, `{"id":%d,"organization_id":1001,"emails":[{"value":"private%02d@contoso.example"}]}`+"\n", i+1, i)
	}
	b.write(t, "contacts.jsonl", contacts.String())

	night := 0
	run := func(t *testing.T, f fault) {
		t.Helper()
		night++
		options := f.options
		options.BindDN, options.Password, options.NamingContext, options.CA, options.TLS = "svc@contoso.example", "correct horse", "DC=contoso,DC=example", authority, true
		options.Entries, options.Faults = people, f.faults
		if f.entries != nil {
			options.Entries = f.entries(people)
		}
		dc, err := fakedc.Start(options)
		if err != nil {
			t.Fatal(err)
		}
		defer dc.Close()
		if f.down {
			dc.Close()
		}
		out, outcome, err := b.readServer(t, dc.URL(), f.server, night)
		if err != nil {
			t.Fatal(err)
		}
		if outcome.Status != f.status || !strings.Contains(out, f.message) {
			t.Errorf("the run is %s, want %s, with %q:\n%s", outcome.Status, f.status, f.message, out)
		}
		for _, private := range []string{"rivate", "correct horse", "xxxx"} {
			if strings.Contains(out, private) {
				t.Errorf("the output tells %q", private)
			}
		}
	}
	run(t, fault{status: pipeline.Succeeded})
	want := b.people(t)
	if len(want.rows) != 60+120 || len(want.links) != 60 {
		t.Fatalf("the first night has %d users", len(want.rows))
	}
	for _, f := range faultTable() {
		t.Run(f.name, func(t *testing.T) {
			run(t, f)
			got := b.people(t)
			if !slices.Equal(got.links, want.links) {
				t.Errorf("users or links changed:\n%v\nwant\n%v", got.links, want.links)
			}
			if same := slices.Equal(got.rows, want.rows); same != (f.users != lessDetail) {
				t.Errorf("the users' rows are the same: %t, and should be %s", same, f.users)
			}
			if f.users == lessDetail { // all is well again the night after
				run(t, fault{status: pipeline.Succeeded})
				if got := b.people(t); !slices.Equal(got.rows, want.rows) {
					t.Error("the night after is not as it was before")
				}
			}
		})
	}
	run(t, fault{status: pipeline.Succeeded})
	b.mustHold(t, map[string]string{
		"changes of links after the first night": `SELECT count(*) FROM match_deltas WHERE run_id <> (SELECT min(run_id) FROM runs)`,
	})
}

// The table that administrators read has these rows, and no others.
func TestFaultTableIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/active-directory.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "<!-- faults -->")
	table, _, _ = strings.Cut(table, "<!-- end -->")
	var documented, tested []string
	for line := range strings.SplitSeq(table, "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 3 && !strings.Contains(line, "---") && strings.TrimSpace(cells[1]) != "fault" {
			documented = append(documented, strings.TrimSpace(cells[1])+": "+strings.TrimSpace(cells[2]))
		}
	}
	for _, f := range faultTable() {
		tested = append(tested, fmt.Sprintf("%s: %s, users %s", f.name, f.status, f.users))
	}
	if !slices.Equal(documented, tested) {
		t.Errorf("docs/active-directory.md has\n%s\nand the test\n%s", strings.Join(documented, "\n"), strings.Join(tested, "\n"))
	}
}

// staff are n enabled people with all that a domain controller tells.
func staff(n int) []fakedc.Entry {
	list := make([]fakedc.Entry, n)
	for i := range list {
		text := func(format string) [][]byte { return [][]byte{fmt.Appendf(nil, format, i)} }
		plain := func(value string) [][]byte { return [][]byte{[]byte(value)} }
		list[i] = fakedc.Entry{
			DN: fmt.Sprintf("CN=Private %02d,OU=Staff,DC=contoso,DC=example", i),
			Attributes: map[string][][]byte{
				"objectClass":                         {[]byte("top"), []byte("person"), []byte("organizationalPerson"), []byte("user")},
				"objectGUID":                          text("\xff\xfe\x00\x01%012d"),
				"sAMAccountType":                      plain("805306368"),
				"sAMAccountName":                      text("private%02d"),
				"givenName":                           text("Private%02d"),
				"sn":                                  text("Lee%02d"),
				"title":                               plain("Clerk"),
				"mail":                                text("private%02d@contoso.example"),
				"proxyAddresses":                      {fmt.Appendf(nil, "SMTP:private%02d@contoso.example", i), fmt.Appendf(nil, "smtp:p%02d@contoso.example", i), fmt.Appendf(nil, "smtp:q%02d@contoso.example", i)},
				"userAccountControl":                  plain("512"),
				"accountExpires":                      plain("0"),
				"pwdLastSet":                          plain("134327232000000000"),
				"lastLogon":                           plain("134327232000000000"),
				"whenCreated":                         plain("20260101000000.0Z"),
				"msDS-User-Account-Control-Computed":  plain("0"),
				"msDS-UserPasswordExpiryTimeComputed": plain("134363520000000000"),
			},
		}
	}
	return list
}

// readServer runs a night whose users come from a domain controller; server holds more of the
// collector's keys, which win.
func (b bundle) readServer(t *testing.T, url, server string, night int) (string, pipeline.Outcome, error) {
	t.Helper()
	keys := []string{fmt.Sprintf("url: %q", url), "base_dn: DC=contoso,DC=example", "ca_file: ca.pem", "page_size: 20", "timeout: 30s"}
	if server != "" {
		name, _, _ := strings.Cut(server, ":")
		keys = append(slices.DeleteFunc(keys, func(key string) bool { return strings.HasPrefix(key, name+":") }), server)
	}
	b.write(t, "rollcall.yaml", fmt.Sprintf(`data_dir: ./data
jobs: {nightly: {kind: nightly}}
organizations:
  - id: 1001
    name: Contoso
    contacts: {jsonl: contacts.jsonl}
    %s
    collectors:
      - name: hq
        credentials: {username: svc@contoso.example, password: {env: AD}}
        %s%s
`, b.policies, strings.Join(keys, "\n        "), b.more))
	config, err := jobs.LoadConfig(filepath.Join(b.folder, "rollcall.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	outcome, err := jobs.RunJob(t.Context(), config, "nightly", time.Date(2026, 11, night, 2, 0, 0, 0, time.UTC), jobs.Outside{
		Clock: time.Now, Memory: b.memory, Log: zerolog.New(zerolog.SyncWriter(&out)).Level(zerolog.InfoLevel), Out: &out,
		Environment: func(string) (string, bool) { return "correct horse", true },
		Pause:       func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	return out.String(), outcome, err
}

// listed are the published users, row by row, and who is there with which link.
type listed struct{ rows, links []string }

func (b bundle) people(t *testing.T) (all listed) {
	t.Helper()
	db, err := sql.Open("duckdb", filepath.Join(b.folder, "data", "published", "rollcall.duckdb")+"?access_mode=read_only")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all.rows = append(texts(t, db, "SELECT u::VARCHAR FROM ad_users u ORDER BY ALL"),
		texts(t, db, "SELECT a::VARCHAR FROM ad_user_aliases a ORDER BY ALL")...)
	all.links = texts(t, db, "SELECT concat_ws(' ', object_guid, status, rule, reason, contact_id) FROM contact_matching ORDER BY ALL")
	return all
}

// texts are the rows of a query that yields one text each.
func texts(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
