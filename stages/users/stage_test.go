package users_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/rs/zerolog"

	"rollcall/pipeline"
	"rollcall/stages/users"
	"rollcall/stages/users/directory"
	"rollcall/stages/users/fakedc"
)

// The logical time of every run here.
var night = time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)

const (
	enabled = "userAccountControl: 512\nmsDS-User-Account-Control-Computed: 0\naccountExpires: 0\n"
	machine = "sAMAccountType: 805306369\n"
)

// account is an LDIF record.
func account(n int, more string) string {
	guid := fmt.Appendf(nil, "\xff\xfe\x00\x01%012d", n)
	return fmt.Sprintf("dn: CN=Private %d,OU=Staff,DC=contoso,DC=example\nobjectClass: user\nobjectGUID:: %s\nsn: Private%d\n%s\n",
		n, base64.StdEncoding.EncodeToString(guid), n, more)
}

func ldif(t *testing.T, records ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ad.ldif")
	if err := os.WriteFile(path, []byte(strings.Join(records, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// extraction is what a run's extraction leaves behind.
type extraction struct {
	status     pipeline.Status
	users      int64            // as the stage counts them
	rows       map[string]int64 // of read_users, by collector
	excluded   map[string]int64 // of read_users, by reason
	aliases    int64
	collectors map[string]string // status, number of users and message of each collector
	verdicts   map[int64]string
	progress   int64
}

// extract runs the collectors in the engine as a night does, without committing.
func extract(t *testing.T, ctx context.Context, collectors ...users.Collector) (x extraction, err error) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	x = extraction{rows: map[string]int64{}, excluded: map[string]int64{}, collectors: map[string]string{}, verdicts: map[int64]string{}}
	collect := func(ctx context.Context, r *pipeline.Run, _ pipeline.Status) error {
		count := func(into map[string]int64, query string) error {
			return r.Store.Query(ctx, func(scan func(...any) error) error {
				var name string
				var n int64
				err := scan(&name, &n)
				into[name] = n
				return err
			}, query)
		}
		var err error
		x.aliases, err = r.Store.Count(ctx, "SELECT count(*) FROM read_user_aliases")
		return errors.Join(err,
			count(x.rows, "SELECT collector, count(*) FROM read_users GROUP BY collector"),
			count(x.excluded, "SELECT excluded, count(*) FROM read_users WHERE excluded IS NOT NULL GROUP BY excluded"),
			r.Store.Query(ctx, func(scan func(...any) error) error {
				var name, text string
				err := scan(&name, &text)
				x.collectors[name] = text
				return err
			}, "SELECT collector, concat_ws(' ', status, users_seen, message) FROM read_collectors"),
			r.Store.Query(ctx, func(scan func(...any) error) error {
				var id int64
				var text string
				err := scan(&id, &text)
				x.verdicts[id] = text
				return err
			}, "SELECT organization_id, concat_ws(' ', status, message) FROM verdicts"))
	}
	engine := pipeline.Engine{
		DataDir: t.TempDir(), Clock: time.Now, Memory: mem, Log: zerolog.Nop(),
		Progress: func(_ string, rows int64) { x.progress += rows },
	}
	nothing := pipeline.Stage{Name: "account", Run: func(context.Context, *pipeline.Run) (int64, error) { return 0, nil }}
	stage := users.Extract(collectors, 4)
	counted := pipeline.Stage{Name: stage.Name, Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		var err error
		x.users, err = stage.Run(ctx, r)
		return x.users, err
	}}
	outcome, err := engine.Run(ctx, pipeline.Recipe{Job: "nightly", Extract: []pipeline.Stage{counted}, Account: nothing},
		pipeline.Options{Now: night, DryRun: true, Organizations: []int64{1001, 1002}, Report: collect})
	x.status = outcome.Status
	return x, err
}

func rules() users.Rules {
	return users.Rules{Now: night, EmailFrom: []string{"mail"}, ReplicatedLogon: true, ControllerLogon: true}
}

func TestExtractFillsTheTables(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 1000 {
		many = append(many, account(i, enabled+"proxyAddresses: smtp:p@x.example\nproxyAddresses: smtp:q@x.example\n"))
	}
	many = append(many, account(1000, machine), account(1001, machine), "dn: OU=Staff,DC=contoso,DC=example\nobjectClass: organizationalUnit\n")
	x, err := extract(t, t.Context(),
		users.Collector{Organization: 1001, Name: "hq", LDIF: ldif(t, many...), Rules: rules()},
		users.Collector{Organization: 1001, Name: "branch", LDIF: ldif(t, account(7, enabled)), Rules: rules()},
		users.Collector{Organization: 1002, Name: "locked-out", Server: directory.Server{URLs: []string{"ldaps://dc1.contoso.example"}}, Rules: rules()})
	if err != nil {
		t.Fatal(err)
	}
	want := extraction{
		status:   pipeline.Succeeded,
		users:    1001,
		rows:     map[string]int64{"hq": 1002, "branch": 1},
		excluded: map[string]int64{"machine": 2},
		aliases:  2000,
		collectors: map[string]string{
			"hq": "complete 1000", "branch": "complete 1",
			"locked-out": "no_credentials 0 No Active Directory users were found as AD credentials were not specified",
		},
		verdicts: map[int64]string{1001: "succeeded", 1002: "succeeded"},
		progress: 1000,
	}
	if !reflect.DeepEqual(x, want) {
		t.Errorf("got  %+v\nwant %+v", x, want)
	}
}

func TestExtractSaysWhenStatusesAreUnreadable(t *testing.T) {
	t.Parallel()
	x, err := extract(t, t.Context(), users.Collector{
		Organization: 1001, Name: "hq", Rules: rules(),
		LDIF: ldif(t, account(1, enabled), account(2, ""), account(3, "mail: p@x.example\n"), account(4, machine)),
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = "complete 3 the status attributes of 2 of 3 users are not readable for this account: their AD status is unknown"
	if got := x.collectors["hq"]; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if x.rows["hq"] != 4 || x.status != pipeline.Succeeded {
		t.Errorf("%d rows, status %s", x.rows["hq"], x.status)
	}
}

// What one collector cannot read concerns its organization alone, whose other collectors do not
// make it whole.
func TestExtractFailureIsTheOrganizationsAlone(t *testing.T) {
	t.Parallel()
	dc, err := fakedc.Start(fakedc.Options{BindDN: "svc@contoso.example", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dc.Close)
	good := account(1, enabled)
	for name, c := range map[string]struct {
		bad     users.Collector
		message string
	}{
		"an objectGUID twice": {
			users.Collector{LDIF: ldif(t, account(1, enabled), account(2, enabled), account(1, enabled))},
			"objectGUID 0100feff-3030-3030-3030-303030303031 is at line 1 and again at line 17; a directory never has it twice: export it anew",
		},
		"an objectGUID twice, once excluded": {
			users.Collector{LDIF: ldif(t, account(1, enabled), account(1, machine))},
			"is at line 1 and again at line 9",
		},
		"a file that was cut off": {
			users.Collector{LDIF: ldif(t, account(1, enabled), "dn: CN=Pri")},
			"ad.ldif: line 9: the file ends in the middle of a line",
		},
		"an empty file": {
			users.Collector{LDIF: ldif(t)},
			"ad.ldif: line 1: the file is empty",
		},
		"a server that refuses the password": {
			users.Collector{Server: directory.Server{
				URLs: []string{dc.URL()}, Insecure: true, Bases: []string{"DC=example,DC=com"},
				Credentials: directory.Credentials{Username: "svc@contoso.example", Password: func() (string, error) { return "wrong horse", nil }},
			}},
			"the server refused user name or password (LDAP result 49, data 52e: wrong password): check credentials",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := c.bad
			bad.Organization, bad.Name, bad.Rules = 1001, "bad", rules()
			x, err := extract(t, t.Context(), bad,
				users.Collector{Organization: 1001, Name: "good", LDIF: ldif(t, good), Rules: rules()},
				users.Collector{Organization: 1002, Name: "other", LDIF: ldif(t, good), Rules: rules()})
			if err != nil {
				t.Fatal(err)
			}
			if x.status != pipeline.Partial || !strings.HasPrefix(x.collectors["bad"], "failed 0 ") || !strings.Contains(x.collectors["bad"], c.message) {
				t.Errorf("the run is %s, the collector %q, want %q", x.status, x.collectors["bad"], c.message)
			}
			if got := x.verdicts[1001]; !strings.HasPrefix(got, "unavailable collector bad: ") || !strings.Contains(got, c.message) {
				t.Errorf("the organization is %q", got)
			}
			if x.verdicts[1002] != "succeeded" || x.collectors["good"] != "complete 1" || x.collectors["other"] != "complete 1" {
				t.Errorf("the others are %v, %v", x.verdicts, x.collectors)
			}
			if x.rows["bad"] != 0 || x.rows["good"] != 1 || x.rows["other"] != 1 {
				t.Errorf("the rows are %v", x.rows)
			}
			for _, private := range []string{"rivate ", "Private", "CN=", "@", "horse"} {
				if strings.Contains(x.collectors["bad"], private) {
					t.Errorf("the message %q tells %q", x.collectors["bad"], private)
				}
			}
		})
	}
}

// A run that is stopped is no fault of the collector's: it ends, and no organization is blamed.
func TestExtractStopsWithTheRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	stop := users.Collector{Organization: 1001, Name: "hq", Rules: rules(), Server: directory.Server{
		URLs: []string{"ldaps://127.0.0.1:1"},
		Credentials: directory.Credentials{
			Username: "svc@contoso.example",
			Password: func() (string, error) { cancel(); return "correct horse", nil },
		},
	}}
	_, err := extract(t, ctx, stop)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// No more collectors than permitted are read at once.
func TestExtractReadsSoManyAtATime(t *testing.T) {
	t.Parallel()
	var now, most, reads atomic.Int64
	refuse := func() (string, error) {
		reads.Add(1)
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(20 * time.Millisecond)
		now.Add(-1)
		return "", errors.New("no password")
	}
	var collectors []users.Collector
	for i := range 8 {
		collectors = append(collectors, users.Collector{Organization: 1001, Name: strconv.Itoa(i), Rules: rules(), Server: directory.Server{
			URLs: []string{"ldaps://127.0.0.1:1"}, Credentials: directory.Credentials{Username: "svc@contoso.example", Password: refuse},
		}})
	}
	if _, err := extract(t, t.Context(), collectors...); err != nil {
		t.Fatal(err)
	}
	if reads.Load() != 8 || most.Load() != 4 {
		t.Errorf("%d collectors were read, %d of them at once, want 8 and 4", reads.Load(), most.Load())
	}
}
