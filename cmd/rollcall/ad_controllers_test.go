//go:build ad

package main_test

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Every way to bind reads the same users.
func TestSambaADWaysToBind(t *testing.T) {
	dc := domainController(t)
	keytab, realm := os.Getenv("ROLLCALL_AD_KEYTAB"), "CORP.EXAMPLE.COM"
	if keytab == "" {
		t.Fatal("ROLLCALL_AD_KEYTAB is not set: run this inside testdata/ad/with-dc.sh")
	}
	plain := strings.TrimSuffix(strings.Replace(dc.url, "ldaps:", "ldap:", 1), ":636")
	name, _, _ := strings.Cut(dc.bind, "@")
	all := dc.search(t, dc.bind, dc.password)
	at, me := newest(t, all).Add(time.Minute), dc.account(t, all, dc.bind).guid()
	var first map[string]user
	for _, way := range []struct{ name, server string }{
		{"LDAPS, password", fmt.Sprintf("url: %q\ncredentials: {username: %q, password: {env: %s}}", dc.url, dc.bind, passwordVariable)},
		{"StartTLS, password", fmt.Sprintf("url: %q\nstart_tls: true\ncredentials: {username: %q, password: {env: %s}}", plain, dc.bind, passwordVariable)},
		{"TLS 1.3", fmt.Sprintf("url: %q\nmin_tls: \"1.3\"\ncredentials: {username: %q, password: {env: %s}}", dc.url, dc.bind, passwordVariable)},
		{"Kerberos, keytab", fmt.Sprintf("url: %q\ncredentials: {bind: kerberos, username: %q, keytab: %q}", dc.url, dc.bind, keytab)},
		{"Kerberos, password and realm", fmt.Sprintf("url: %q\ncredentials: {bind: kerberos, username: %q, realm: %s, password: {env: %s}}", dc.url, name, realm, passwordVariable)},
		{"Kerberos, krb5.conf", fmt.Sprintf("url: %q\ncredentials: {bind: kerberos, username: %q, keytab: %q, krb5_conf: %q}", dc.url, dc.bind, keytab, os.Getenv("ROLLCALL_AD_KRB5CONF"))},
	} {
		t.Run(way.name, func(t *testing.T) {
			r := newRollcall(t, dc)
			config := r.configWith(t, way.server)
			r.runWith(t, at, config, dc.password, 0)
			users := r.users(t)
			delete(users[me], "last_logon") // moves with every bind
			delete(users[me], "last_logon_source")
			if first == nil {
				first = users
				out := r.verb(t, 0, dc.password, "check", "--connect", "--config", config)
				if want := fmt.Sprintf("users         %d; left out: ", len(users)); !strings.Contains(out, want) || !strings.Contains(out, "MaxPageSize=") {
					t.Errorf("check --connect lacks %q or the limits:\n%s", want, out)
				}
				t.Log(out)
			}
			if !maps.EqualFunc(users, first, maps.Equal) || len(users) < 3000 {
				t.Errorf("%d users, not the %d of the first way", len(users), len(first))
			}
		})
	}
	for name, way := range map[string]struct{ server, password, message string }{
		"Kerberos, wrong password":   {fmt.Sprintf("url: %q\ncredentials: {bind: kerberos, username: %q, password: {env: %s}}", dc.url, dc.bind, passwordVariable), "not-the-passw0rd", "wrong password or old keytab"},
		"Kerberos, no such account":  {fmt.Sprintf("url: %q\ncredentials: {bind: kerberos, username: nobody@%s, keytab: %q}", dc.url, realm, keytab), dc.password, "no such account: check username and realm"},
		"Kerberos without TLS":       {fmt.Sprintf("url: %q\ninsecure: true\ncredentials: {bind: kerberos, username: %q, keytab: %q}", plain, dc.bind, keytab), dc.password, "LDAP result 8"},
		"a password in clear text":   {fmt.Sprintf("url: %q\ninsecure: true\ncredentials: {username: %q, password: {env: %s}}", plain, dc.bind, passwordVariable), dc.password, "the server demands an encrypted connection"},
		"a certificate, unsupported": {fmt.Sprintf("url: %q\ncredentials: {bind: external, certificate: %q, key: %q}", dc.url, filepath.Join(os.Getenv("ROLLCALL_AD_DIR"), "tls", "dc.pem"), filepath.Join(os.Getenv("ROLLCALL_AD_DIR"), "tls", "dc.key")), "", "the server refused the bind: check credentials: LDAP result 1 "},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRollcall(t, dc)
			out := r.verb(t, 1, way.password, "check", "--connect", "--config", r.configWith(t, way.server))
			if !strings.Contains(out, way.message) || strings.Contains(out, "not-the-passw0rd") {
				t.Errorf("check --connect lacks %q:\n%s", way.message, out)
			}
		})
	}
}

// Two controllers: found in DNS, one read, both asked for the logons, either one missing.
func TestSambaADControllers(t *testing.T) {
	dc := domainController(t)
	second := *dc
	second.url = os.Getenv("ROLLCALL_AD_URL2")
	if second.url == "" {
		t.Fatal("ROLLCALL_AD_URL2 is not set: run with ROLLCALL_AD_CONTROLLERS=2")
	}
	r := newRollcall(t, dc)
	credentials := fmt.Sprintf("\ntimeout: 5s\ncredentials: {username: %q, password: {env: %s}}", dc.bind, passwordVariable)
	config := r.configWith(t, fmt.Sprintf("url: [%q, %q]", dc.url, second.url)+credentials)
	names := []string{strings.TrimSuffix(strings.TrimPrefix(dc.url, "ldaps://"), ":636"), strings.TrimSuffix(strings.TrimPrefix(second.url, "ldaps://"), ":636")}
	if domain := os.Getenv("ROLLCALL_AD_DOMAIN"); domain != "" {
		t.Run("found in DNS", func(t *testing.T) {
			r := newRollcall(t, dc)
			out := r.verb(t, 0, dc.password, "check", "--connect", "--config", r.configWith(t, "domain: "+domain+"\nsite: Default-First-Site-Name"+credentials))
			for _, want := range []string{"dc1." + domain, "dc2." + domain, "read from", "also there"} {
				if !strings.Contains(out, want) {
					t.Errorf("check --connect lacks %q:\n%s", want, out)
				}
			}
			t.Log(out)
		})
	} else {
		t.Log("without a network namespace there is no DNS: the domain is not looked up")
	}

	logons := func(t *testing.T, controllers ...*controller) map[string]int64 {
		t.Helper()
		latest := map[string]int64{}
		for _, c := range controllers {
			for _, e := range c.search(t, dc.admin, dc.adminPassword, "lastLogon", "lastLogonTimestamp") {
				for _, attribute := range []string{"lastLogon", "lastLogonTimestamp"} {
					if n, ok := e.number(attribute); ok && n > 0 && n < neverTime {
						latest[e.guid()] = max(latest[e.guid()], n)
					}
				}
			}
		}
		return latest
	}
	alone, both := logons(t, dc), logons(t, dc, &second)
	newer := 0
	for guid, at := range both {
		if at > alone[guid] {
			newer++
		}
	}
	if newer < 20 {
		t.Fatalf("only %d users logged on to the second controller last: the test does not test", newer)
	}
	at := newest(t, dc.search(t, dc.admin, dc.adminPassword)).Add(time.Minute)
	me := dc.account(t, dc.search(t, dc.admin, dc.adminPassword), dc.bind).guid() // its logons move with every bind
	check := func(t *testing.T, users map[string]user) {
		t.Helper()
		wrong := 0
		for guid, u := range users {
			want := ""
			if n := both[guid]; n > 0 {
				want = strconv.FormatInt(micros(n), 10)
			}
			if u["last_logon"] != want && guid != me {
				wrong++
			}
		}
		if wrong > 0 || len(users) < 3000 {
			t.Errorf("of %d users %d have not the latest logon of both controllers", len(users), wrong)
		}
	}
	answered := func(t *testing.T, db *sql.DB) string {
		t.Helper()
		rows := query(t, db, `SELECT array_to_string(controllers, ' ') AS answered, array_to_string(silent_controllers, ' ') AS silent, message FROM collectors`)
		return rows[0]["answered"] + " / " + rows[0]["silent"] + " / " + rows[0]["message"]
	}

	t.Run("both", func(t *testing.T) {
		r.runWith(t, at, config, dc.password, 0)
		check(t, r.users(t))
		if got, want := answered(t, r.open(t)), names[0]+" "+names[1]+" /  / "; !strings.HasPrefix(got, want) {
			t.Errorf("answered: %q, want %q", got, want)
		}
	})
	t.Run("the second is silent", func(t *testing.T) {
		dc.control(t, "2", "pause")
		defer dc.control(t, "2", "resume")
		r.runWith(t, at.Add(time.Minute), config, dc.password, 0)
		check(t, r.users(t)) // a logon that happened does not unhappen
		if got := answered(t, r.open(t)); !strings.HasPrefix(got, names[0]+" / "+names[1]+" / ") || !strings.Contains(got, "no lastLogon from ") {
			t.Errorf("answered: %q", got)
		}
		if n := count(t, r.open(t), `SELECT count(*) FROM enrichment_deltas WHERE run_id = ? AND field = 'last_logon' AND object_guid <> ?`, lastRun(t, r.open(t), at.Add(time.Minute)), me); n != 0 {
			t.Errorf("%d logons were taken back", n)
		}
	})
	t.Run("the first is switched off", func(t *testing.T) {
		dc.control(t, "1", "stop")
		defer dc.control(t, "1", "start")
		r.runWith(t, at.Add(2*time.Minute), config, dc.password, 0)
		check(t, r.users(t))
		if got := answered(t, r.open(t)); !strings.HasPrefix(got, names[1]+" / "+names[0]+" / ") || !strings.Contains(got, names[1]+" was read instead of "+names[0]+": ") {
			t.Errorf("answered: %q", got)
		}
	})
	t.Run("both are switched off", func(t *testing.T) {
		dc.control(t, "1", "stop")
		defer dc.control(t, "1", "start")
		dc.control(t, "2", "stop")
		defer dc.control(t, "2", "start")
		intact := r.published(t)
		r.runWith(t, at.Add(3*time.Minute), config, dc.password, 3)
		if message := r.checkUnavailable(t, at.Add(3*time.Minute), intact); !strings.Contains(message, "none of the 2 domain controllers can be read") {
			t.Error(message)
		}
	})
}

// The policies themselves say when passwords expire where the computed attribute does not: an
// export without it yields what the controller computes.
func TestSambaADPasswordPolicies(t *testing.T) {
	dc := domainController(t)
	r := newRollcall(t, dc)
	export := func(base, filter string, attributes ...string) string {
		return string(dc.tool(t, "", dc.admin, dc.adminPassword, append([]string{"ldapsearch", "-LLL", "-b", base, "-s", "sub",
			"-E", "pr=500/noprompt", "-o", "ldif-wrap=no", filter}, attributes...)...))
	}
	text := "" // without the comments of paging and referrals
	for part := range strings.SplitSeq(
		export(dc.base, "(objectClass=domainDNS)", "objectClass", "maxPwdAge")+
			export("CN=Password Settings Container,CN=System,"+dc.base, "(objectClass=msDS-PasswordSettings)", "objectClass", "msDS-MaximumPasswordAge")+
			export(dc.base, "(sAMAccountType=805306368)", strings.Fields(`objectGUID objectClass sAMAccountType isCriticalSystemObject sAMAccountName
				userAccountControl pwdLastSet accountExpires msDS-ResultantPSO`)...), "\n") {
		if !strings.HasPrefix(part, "#") {
			text += part + "\n"
		}
	}
	if err := os.WriteFile(filepath.Join(r.dir, "ad.ldif"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all := dc.search(t, dc.admin, dc.adminPassword)
	at := newest(t, all).Add(time.Minute)
	r.runWith(t, at, r.configWith(t, "ldif: ad.ldif"), "", 0)
	users, exact, estimated := r.users(t), 0, 0
	for guid, want := range expectUsers(all, at, nil) {
		got := users[guid]
		same := got["password_expires"] == want["password_expires"]
		switch state := got["password_state"]; {
		case state == want["password_state"] && same:
			exact++
		case state == "estimated" && same && slices.Contains([]string{"expires", "expired"}, want["password_state"]):
			estimated++
		default:
			t.Errorf("%s: %s at %s, want %s at %s", guid, state, got["password_expires"], want["password_state"], want["password_expires"])
		}
	}
	fine := count(t, r.open(t), `SELECT count(*) FROM ad_users WHERE password_state IN ('expires', 'expired')`)
	t.Logf("%d users as computed, of these %d by a fine-grained policy; %d estimated, at the computed time", exact, fine, estimated)
	if fine < 50 || estimated < 1000 {
		t.Error("too few of a kind: the test does not test")
	}
}

// What an incremental read would save: the computed attributes have to be read of everybody every
// night all the same. Run by make bench-ad, whose figures are in docs/active-directory.md.
func TestMeasureWhatAnIncrementalReadWouldSave(t *testing.T) {
	dc := domainController(t)
	computed := []string{"msDS-User-Account-Control-Computed", "msDS-UserPasswordExpiryTimeComputed"}
	measure := func(attributes []string) time.Duration {
		var took []time.Duration
		for range 5 {
			began := time.Now()
			dc.search(t, dc.bind, dc.password, attributes...)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%d attributes: median %d ms (%d–%d)", len(attributes)+1, took[2].Milliseconds(), took[0].Milliseconds(), took[4].Milliseconds())
		return took[2]
	}
	full := measure(append(strings.Fields(`objectSid objectClass sAMAccountType isCriticalSystemObject userAccountControl accountExpires
		lastLogon lastLogonTimestamp pwdLastSet msDS-ResultantPSO whenCreated sAMAccountName userPrincipalName givenName sn displayName title
		department mail proxyAddresses telephoneNumber mobile`), computed...))
	rest := measure(computed)
	t.Logf("what an incremental read would still read takes %.0f %% of a full read", 100*float64(rest)/float64(full))
}

// ---- helpers ----

// control starts, stops, pauses and resumes a controller.
func (dc *controller) control(t *testing.T, number, action string) {
	t.Helper()
	out, err := exec.Command("../../testdata/ad/controller.sh", os.Getenv("ROLLCALL_AD_DIR"), number, action).CombinedOutput()
	if err != nil {
		t.Fatalf("controller.sh %s %s: %v\n%s", number, action, err, out)
	}
}

// configWith writes a configuration whose collector has these keys, one a line.
func (r *rollcall) configWith(t *testing.T, server string) string {
	t.Helper()
	path := filepath.Join(r.dir, "rollcall.yaml")
	indent := strings.ReplaceAll(server, "\n", "\n        ")
	if !strings.Contains(server, "ldif:") {
		indent += fmt.Sprintf("\n        base_dn: %q\n        ca_file: %q", r.dc.base, r.dc.ca)
	}
	text := fmt.Sprintf(`data_dir: ./data
jobs:
  nightly: {kind: nightly}
organizations:
  - id: 1001
    name: Contoso
    collectors:
      - name: contoso-hq
        %s
    contacts: {jsonl: %q}
`, indent, r.dc.contacts)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// users are the published ones, times as microseconds.
func (r *rollcall) users(t *testing.T) map[string]user {
	t.Helper()
	list := slices.Clone(textColumns)
	for _, c := range timeColumns {
		list = append(list, fmt.Sprintf("epoch_us(%[1]s) AS %[1]s", c))
	}
	all := map[string]user{}
	db := r.open(t)
	for _, row := range query(t, db, "SELECT "+strings.Join(list, ", ")+" FROM ad_users") {
		all[row["object_guid"]] = row
	}
	// DuckDB would hand the open file out again, when another has long taken its place.
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// verb runs any verb of the program.
func (r *rollcall) verb(t *testing.T, exit int, password string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), r.binary, args...)
	cmd.Env = append(os.Environ(), passwordVariable+"="+password)
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != exit {
		t.Fatalf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), got, exit, out)
	}
	return string(out)
}
