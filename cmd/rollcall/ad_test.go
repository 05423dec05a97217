//go:build ad

// The test against a real domain controller:
//
//	testdata/ad/with-dc.sh /tmp/dc go test -tags 'duckdb_arrow ad' -count=1 -run TestSambaAD ./cmd/rollcall
//
// It runs the program as a user would and compares every column of every user that is published
// with what ldapsearch says of the same directory. What is expected is worked out here from the
// contract and Microsoft's documents alone; nothing of the program is called.

package main_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
)

func TestSambaAD(t *testing.T) {
	dc := domainController(t)
	r := newRollcall(t, dc)

	// As a bind sets the service account's own lastLogonTimestamp, it has one before anything
	// is compared.
	ordinary := dc.search(t, dc.bind, dc.password)
	before := dc.search(t, dc.admin, dc.adminPassword)
	if len(ordinary) != len(before) {
		t.Fatalf("%s sees %d accounts and %s %d: the domain is not as provision.sh makes it",
			dc.bind, len(ordinary), dc.admin, len(before))
	}
	// Some accounts expire within an hour of the provisioning, between the first two runs.
	now := newest(t, before).Add(time.Minute)
	checkVariety(t, before, now)

	var first map[string]user
	t.Run("first run", func(t *testing.T) {
		r.run(t, now)
		after := dc.search(t, dc.admin, dc.adminPassword)
		first = compareUsers(t, r.open(t), before, after, now, nil)
		checkMatching(t, r.open(t), len(first))
		checkOverlay(t, r.open(t))
	})
	if t.Failed() {
		t.FailNow() // what follows builds upon it
	}

	t.Run("samba-tool agrees", func(t *testing.T) { checkWithSambaTool(t, before, first, now) })

	t.Run("an hour later", func(t *testing.T) {
		later := now.Add(time.Hour)
		r.run(t, later)
		db := r.open(t)
		after := dc.search(t, dc.admin, dc.adminPassword)
		second := compareUsers(t, db, before, after, later, nil)
		checkOverlay(t, db)
		run := lastRun(t, db, later)
		if n := count(t, db, `SELECT count(*) FROM match_deltas WHERE run_id = ?`, run); n != 0 {
			t.Errorf("nothing changed, and %d match deltas", n)
		}
		// The clock alone changes a status: an account expires.
		want := map[string]int{}
		for guid := range linked(t, db) {
			if from, to := first[guid]["ad_status"], second[guid]["ad_status"]; from != to {
				want[guid+" ad_status "+from+" → "+to]++
			}
		}
		if len(want) < 10 {
			t.Errorf("only %d linked users expired between the runs", len(want))
		}
		got := map[string]int{}
		for _, d := range query(t, db, `SELECT object_guid, field, old_value, new_value FROM enrichment_deltas WHERE run_id = ?`, run) {
			got[d["object_guid"]+" "+d["field"]+" "+d["old_value"]+" → "+d["new_value"]]++
		}
		if !maps.Equal(got, want) {
			t.Errorf("enrichment deltas: got %d, want %d", len(got), len(want))
			for _, d := range head(difference(got, want)) {
				t.Log("extra:  ", d)
			}
			for _, d := range head(difference(want, got)) {
				t.Log("missing:", d)
			}
		}
	})

	const wrong = "not-the-passw0rd"
	t.Run("wrong password", func(t *testing.T) {
		at := now.Add(2 * time.Hour)
		intact := r.published(t)
		out := r.runWith(t, at, r.config, wrong, 3)
		r.checkUnavailable(t, at, intact)
		if strings.Contains(out, wrong) {
			t.Error("the password is in the output")
		}
		// Three attempts would lock the account out.
		me := dc.account(t, before, dc.bind)
		for _, e := range dc.search(t, dc.admin, dc.adminPassword, "badPwdCount") {
			if e.guid() == me.guid() && e.text("badPwdCount") != "1" {
				t.Errorf("badPwdCount of %s is %q: one attempt was to be made", dc.bind, e.text("badPwdCount"))
			}
		}
	})
	t.Run("untrusted certificate", func(t *testing.T) {
		at := now.Add(3 * time.Hour)
		intact := r.published(t)
		r.runWith(t, at, r.configWithCA(t, impostorCA(t)), dc.password, 3)
		message := r.checkUnavailable(t, at, intact)
		if !strings.Contains(message, "certificate") {
			t.Errorf("the message does not speak of the certificate: %s", message)
		}
	})
	t.Run("without permission", func(t *testing.T) {
		at := now.Add(4 * time.Hour)
		// What tells Windows' own accounts from others becomes unreadable too.
		critical := map[string]bool{}
		for _, e := range before {
			if e.critical() {
				critical[e.guid()] = true
			}
		}
		dc.withdrawPermission(t)
		before := dc.search(t, dc.bind, dc.password)
		unreadable := 0
		for _, e := range before {
			if e.person() && e.text("userAccountControl") == "" {
				unreadable++
			}
		}
		if unreadable < 3000 {
			t.Fatalf("only %d accounts are unreadable: the permission was not withdrawn", unreadable)
		}
		checked := r.verb(t, 0, dc.password, "check", "--connect", "--config", r.config)
		for _, attribute := range []string{"userAccountControl", "msDS-User-Account-Control-Computed", "pwdLastSet", "accountExpires", "whenCreated"} {
			if !strings.Contains(checked, fmt.Sprintf("not readable  %s of 3", attribute)) {
				t.Errorf("check --connect does not tell that %s is not readable:\n%s", attribute, checked)
			}
		}
		r.run(t, at)
		db := r.open(t)
		after := dc.search(t, dc.bind, dc.password)
		rows := compareUsers(t, db, before, after, at, critical)
		tally := map[string]int{}
		for _, u := range rows {
			tally[u["ad_status"]]++
		}
		// The service account may read itself.
		if tally["enabled"] > 1 || tally["unknown"] < 3000 {
			t.Errorf("statuses of users that cannot be read: %v", tally)
		}
		if n := count(t, db, `SELECT count(*) FROM match_deltas WHERE run_id = ? AND op <> 'list'`, lastRun(t, db, at)); n != 0 {
			t.Errorf("%d links changed, though names and addresses are as they were", n)
		}
		if n := count(t, db, `SELECT count(*) FROM collectors WHERE message IS NOT NULL`) +
			count(t, db, `SELECT count(*) FROM run_organizations WHERE message IS NOT NULL AND run_id = ?`, lastRun(t, db, at)); n == 0 {
			t.Error("no message tells that statuses could not be read")
		}
		t.Log(query(t, db, `SELECT message FROM collectors`), "of Windows' own accounts now published:", len(rows)-len(expectUsers(before, at, critical)))
	})
	t.Run("lockouts released", func(t *testing.T) {
		at := now.Add(5 * time.Hour)
		all := dc.search(t, dc.admin, dc.adminPassword)
		var released []entry
		for _, e := range all {
			if e.person() && len(released) < 3 && expectStatus(e, at) == "locked" && e.text("badPasswordTime") != "" {
				released = append(released, e)
			}
		}
		if len(released) < 3 {
			t.Fatalf("only %d accounts are locked by wrong passwords", len(released))
		}
		r.run(t, at)
		for _, e := range released {
			if u := r.users(t)[e.guid()]; u["ad_status"] != "locked" {
				t.Errorf("%s is %s before its release", e.guid(), u["ad_status"])
			}
			dc.tool(t, fmt.Sprintf("dn:: %s\nchangetype: modify\nreplace: lockoutTime\nlockoutTime: 0\n",
				base64.StdEncoding.EncodeToString([]byte(e.text("dn")))), dc.admin, dc.adminPassword, "ldapmodify")
		}
		r.run(t, at.Add(time.Minute))
		users := r.users(t)
		for _, e := range released {
			if users[e.guid()]["ad_status"] != "enabled" {
				t.Errorf("%s is %s after its release", e.guid(), users[e.guid()]["ad_status"])
			}
		}
	})
}

// checkWithSambaTool asks Samba's own tool for the status of some users of each kind.
func checkWithSambaTool(t *testing.T, all []entry, published map[string]user, now time.Time) {
	t.Helper()
	asked := map[string]int{}
	for _, e := range all {
		u, there := published[e.guid()]
		name := e.text("sAMAccountName")
		kind := u["ad_status"] + " " + u["password_state"]
		if !there || asked[kind] == 2 || strings.HasPrefix(name, "-") {
			continue
		}
		asked[kind]++
		out, err := exec.Command("samba-tool", "user", "show", name, "-H", os.Getenv("ROLLCALL_AD_SAM"),
			"--attributes=userAccountControl,msDS-User-Account-Control-Computed,accountExpires").Output()
		if err != nil {
			t.Fatalf("samba-tool user show %s: %v", name, err)
		}
		shown := parseLDIF(t, strings.TrimSpace(string(out))+"\n")
		if len(shown) != 1 {
			t.Fatalf("samba-tool showed %d entries of %s", len(shown), name)
		}
		if want := expectStatus(shown[0], now); u["ad_status"] != want {
			t.Errorf("%s is %s, and to samba-tool %s", e.guid(), u["ad_status"], want)
		}
	}
	if len(asked) < 8 {
		t.Errorf("only %d kinds of users were asked for: %v", len(asked), asked)
	}
}

// ---- the directory, through ldapsearch ----

type controller struct {
	url, ca, base        string
	bind, password       string
	admin, adminPassword string
	contacts             string
	passwords            string // directory of the files for -y
}

func domainController(t *testing.T) *controller {
	t.Helper()
	need := func(name string) string {
		value := os.Getenv("ROLLCALL_AD_" + name)
		if value == "" {
			t.Fatalf("ROLLCALL_AD_%s is not set: run this inside testdata/ad/with-dc.sh", name)
		}
		return value
	}
	return &controller{
		url: need("URL"), ca: need("CA"), base: need("BASE"),
		bind: need("BIND"), password: need("PASSWORD"),
		admin: need("ADMIN"), adminPassword: need("ADMIN_PASSWORD"),
		contacts: need("CONTACTS"), passwords: t.TempDir(),
	}
}

// tool runs a program of ldap-utils. The password goes through a file, not the arguments.
func (dc *controller) tool(t *testing.T, stdin, who, password string, argv ...string) []byte {
	t.Helper()
	secret := filepath.Join(dc.passwords, strings.ReplaceAll(who, "/", "_"))
	if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-x", "-H", dc.url, "-D", who, "-y", secret}, argv[1:]...)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // not t's: it serves cleanups too
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], args...)
	cmd.Env = append(os.Environ(), "LDAPTLS_CACERT="+dc.ca, "LDAPTLS_REQCERT=demand")
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s as %s: %v\n%s", argv[0], who, err, stderr.Bytes())
	}
	return out
}

// An entry holds the values of an account's attributes, by name in lower case.
type entry map[string][]string

// search returns every account there is, people's or not: whom to leave out is for user to say.
func (dc *controller) search(t *testing.T, who, password string, attributes ...string) []entry {
	t.Helper()
	if attributes == nil {
		attributes = strings.Fields(`sAMAccountType isCriticalSystemObject sAMAccountName
			userPrincipalName givenName sn displayName title department mail proxyAddresses telephoneNumber mobile
			userAccountControl msDS-User-Account-Control-Computed accountExpires lockoutTime lastLogon
			lastLogonTimestamp pwdLastSet msDS-UserPasswordExpiryTimeComputed whenCreated objectClass badPasswordTime`)
	}
	out := dc.tool(t, "", who, password, append([]string{"ldapsearch", "-LLL", "-b", dc.base, "-s", "sub",
		"-E", "pr=500/noprompt", "-o", "ldif-wrap=no", "(objectClass=user)", "objectGUID"}, attributes...)...)
	return parseLDIF(t, string(out))
}

func parseLDIF(t *testing.T, text string) []entry {
	t.Helper()
	var all []entry
	var e entry
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			e = nil
			continue
		}
		if line[0] == '#' { // referrals and the paging cookie
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found || line[0] == ' ' {
			t.Fatalf("ldapsearch printed %q", line)
		}
		switch {
		case strings.HasPrefix(value, ":"):
			raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(value[1:], " "))
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			value = string(raw)
		default:
			value = strings.TrimPrefix(value, " ")
		}
		if e == nil {
			e = entry{}
			all = append(all, e)
		}
		name = strings.ToLower(name)
		e[name] = append(e[name], value)
	}
	return all
}

func (dc *controller) account(t *testing.T, all []entry, upn string) entry {
	t.Helper()
	for _, e := range all {
		if strings.EqualFold(e.text("userPrincipalName"), upn) {
			return e
		}
	}
	t.Fatalf("no account %s", upn)
	return nil
}

// withdrawPermission takes from ordinary accounts, for the rest of the test, what makes the
// account restrictions and logon properties of others readable.
func (dc *controller) withdrawPermission(t *testing.T) {
	t.Helper()
	modify := func(op string) {
		dc.tool(t, fmt.Sprintf(`dn: CN=Pre-Windows 2000 Compatible Access,CN=Builtin,%[1]s
changetype: modify
%[2]s: member
member: CN=S-1-5-11,CN=ForeignSecurityPrincipals,%[1]s
`, dc.base, op), dc.admin, dc.adminPassword, "ldapmodify")
	}
	modify("delete")
	t.Cleanup(func() { modify("add") })
}

func (e entry) text(name string) string {
	if v := e[strings.ToLower(name)]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// number returns an integer attribute, and whether it could be read.
func (e entry) number(name string) (int64, bool) {
	n, err := strconv.ParseInt(e.text(name), 10, 64)
	return n, err == nil
}

// guid: the first three parts are little-endian (MS-DTYP 2.3.4).
func (e entry) guid() string {
	b := []byte(e.text("objectGUID"))
	if len(b) != 16 {
		return fmt.Sprintf("objectGUID of %d bytes", len(b))
	}
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(b),
		binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:])
}

func (e entry) person() bool   { return e.text("sAMAccountType") == "805306368" }
func (e entry) critical() bool { return e.text("isCriticalSystemObject") == "TRUE" }

// ---- what the contract makes of it ----

const (
	accountDisabled = 0x2
	lockedOut       = 0x10
	neverTime       = math.MaxInt64
	day             = 24 * time.Hour
)

// columns of ad_users, as in the contract; times are compared as microseconds since 1970.
var (
	textColumns = strings.Fields(`organization_id object_guid sam_account_name user_principal_name distinguished_name
		first_name last_name display_name title department email email_source phone ad_status last_logon_source password_state`)
	timeColumns = strings.Fields(`last_logon last_password_reset password_expires when_created`)
)

// A user holds the columns that are not null.
type user map[string]string

// micros of a FILETIME: 100 ns since 1601.
func micros(filetime int64) int64 { return filetime/10 - 11644473600*1_000_000 }

// expectUsers: every person's account that is not Windows' own.
func expectUsers(all []entry, now time.Time, but map[string]bool) map[string]user {
	users := map[string]user{}
	for _, e := range all {
		if e.person() && !e.critical() && !but[e.guid()] {
			users[e.guid()] = expectUser(e, now)
		}
	}
	return users
}

func expectUser(e entry, now time.Time) user {
	u := user{"organization_id": "1001", "object_guid": e.guid(), "distinguished_name": e.text("dn")}
	set := func(column, value string) {
		if value != "" {
			u[column] = value
		}
	}
	set("sam_account_name", e.text("sAMAccountName"))
	set("user_principal_name", e.text("userPrincipalName"))
	set("first_name", e.text("givenName"))
	set("last_name", e.text("sn"))
	set("display_name", e.text("displayName"))
	set("title", e.text("title"))
	set("department", e.text("department"))

	if mail := e.text("mail"); mail != "" {
		u["email"], u["email_source"] = mail, "mail"
	} else {
		for _, proxy := range e["proxyaddresses"] {
			if address, primary := strings.CutPrefix(proxy, "SMTP:"); primary {
				u["email"], u["email_source"] = address, "proxy_primary"
			}
		}
	}
	set("phone", e.text("telephoneNumber"))
	if u["phone"] == "" {
		set("phone", e.text("mobile"))
	}
	u["ad_status"] = expectStatus(e, now)

	seen, _ := e.number("lastLogon")
	replicated, _ := e.number("lastLogonTimestamp")
	switch last := max(seen, replicated); {
	case last <= 0:
	case seen == replicated:
		u["last_logon"], u["last_logon_source"] = fmt.Sprint(micros(last)), either
	case last == seen:
		u["last_logon"], u["last_logon_source"] = fmt.Sprint(micros(last)), "lastLogon"
	default:
		u["last_logon"], u["last_logon_source"] = fmt.Sprint(micros(last)), "lastLogonTimestamp"
	}
	if reset, _ := e.number("pwdLastSet"); reset > 0 {
		u["last_password_reset"] = fmt.Sprint(micros(reset))
	}
	switch expires, readable := e.number("msDS-UserPasswordExpiryTimeComputed"); {
	case !readable:
		u["password_state"] = "unknown"
	case expires == 0:
		u["password_state"] = "must_change"
	case expires == neverTime:
		u["password_state"] = "never"
	case micros(expires) <= now.UnixMicro():
		u["password_expires"], u["password_state"] = fmt.Sprint(micros(expires)), "expired"
	default:
		u["password_expires"], u["password_state"] = fmt.Sprint(micros(expires)), "expires"
	}
	if created, err := time.Parse("20060102150405.0Z", e.text("whenCreated")); err == nil {
		u["when_created"] = fmt.Sprint(created.UnixMicro())
	}
	return u
}

// either: the contract does not say which source is named when both tell the same time.
const either = "lastLogon or lastLogonTimestamp"

// expectStatus: the first of disabled, expired, locked; unknown as soon as it cannot be told.
func expectStatus(e entry, now time.Time) string {
	control, readable := e.number("userAccountControl")
	if !readable {
		return "unknown"
	}
	if control&accountDisabled != 0 {
		return "disabled"
	}
	expires, readable := e.number("accountExpires")
	if !readable {
		return "unknown"
	}
	if expires != 0 && expires != neverTime && micros(expires) <= now.UnixMicro() {
		return "expired"
	}
	computed, readable := e.number("msDS-User-Account-Control-Computed")
	if !readable {
		return "unknown"
	}
	if computed&lockedOut != 0 {
		return "locked"
	}
	return "enabled"
}

// checkVariety makes sure that there is something to get wrong.
func checkVariety(t *testing.T, all []entry, now time.Time) {
	t.Helper()
	n := map[string]int{}
	for _, e := range all {
		switch {
		case e.text("sAMAccountType") == "805306369":
			n["machine"]++
		case e.text("sAMAccountType") == "805306370":
			n["trust"]++
		case e.person() && e.critical():
			n["critical"]++
		case e.person():
			u := expectUser(e, now)
			n["users"]++
			n[u["ad_status"]]++
			n["password "+u["password_state"]]++
			n["email by "+u["email_source"]]++
			n["logon by "+u["last_logon_source"]]++
			set, _ := e.number("pwdLastSet")
			expires, _ := e.number("msDS-UserPasswordExpiryTimeComputed")
			if age := time.Duration(expires-set) * 100; u["password_expires"] != "" && age%day == 0 {
				n[fmt.Sprintf("maximum age of %d days", age/day)]++
			}
			lockout, _ := e.number("lockoutTime")
			if lockout != 0 && u["ad_status"] == "enabled" {
				n["lockout that is over"]++
			}
			if strings.HasPrefix(e.text("sAMAccountName"), "lockout") && u["ad_status"] == "locked" {
				n["locked by wrong passwords"]++
			}
			if strings.HasPrefix(e.text("sAMAccountName"), "logon") && u["last_logon"] != "" {
				n["logged on"]++
			}
			switch accountExpires, _ := e.number("accountExpires"); {
			case accountExpires == 0 || accountExpires == neverTime:
				n["accountExpires "+fmt.Sprint(accountExpires)]++
			case accountExpires > 2600000000000000000:
				n["accountExpires in the year 9999"]++
			}
			if slices.Contains(e["objectclass"], "inetOrgPerson") {
				n["inetOrgPerson"]++
			}
			if u["first_name"] == "" || u["last_name"] == "" {
				n["without a name"]++
			}
			if u["phone"] != "" && u["phone"] == e.text("mobile") {
				n["phone from mobile"]++
			}
			if strings.ContainsFunc(u["distinguished_name"], func(r rune) bool { return r >= 0x80 }) {
				n["DN beyond ASCII"]++
			}
		}
	}
	for what, least := range map[string]int{
		"users": 3000, "machine": 40, "trust": 1, "critical": 3,
		"enabled": 2000, "disabled": 100, "expired": 100, "locked": 50, "locked by wrong passwords": 40,
		"lockout that is over":   20,
		"password expires":       1000,
		"password expired":       100,
		"password never":         100,
		"password must_change":   100,
		"maximum age of 42 days": 1000, "maximum age of 7 days": 50,
		"email by mail": 1000, "email by proxy_primary": 100, "email by ": 100,
		"logon by lastLogon": 300, "logon by lastLogonTimestamp": 300, "logon by ": 300, "logged on": 60,
		"accountExpires 0": 20, "accountExpires 9223372036854775807": 1000, "accountExpires in the year 9999": 20,
		"inetOrgPerson": 10, "without a name": 100, "phone from mobile": 100, "DN beyond ASCII": 1000,
	} {
		if n[what] < least {
			t.Errorf("the directory has %d accounts with %q, fewer than %d", n[what], what, least)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	for _, what := range slices.Sorted(maps.Keys(n)) {
		t.Logf("%6d %s", n[what], what)
	}
}

// newest is when the last account was made.
func newest(t *testing.T, all []entry) time.Time {
	t.Helper()
	var last time.Time
	for _, e := range all {
		if at, err := time.Parse("20060102150405.0Z", e.text("whenCreated")); err == nil && at.After(last) {
			last = at
		}
	}
	if last.IsZero() {
		t.Fatal("no whenCreated")
	}
	return last
}

// ---- the comparison ----

// compareUsers compares ad_users with the directory, read before and after the run, and returns
// what it found. Where the directory itself changed meanwhile (the service account logs on),
// either reading will do. Of the accounts in tolerated it says nothing.
func compareUsers(t *testing.T, db *sql.DB, before, after []entry, now time.Time, tolerated map[string]bool) map[string]user {
	t.Helper()
	want, alternative := expectUsers(before, now, tolerated), expectUsers(after, now, tolerated)
	changed := 0
	for guid := range want {
		if !maps.Equal(want[guid], alternative[guid]) {
			changed++
		}
	}
	if changed > 1 || len(want) != len(alternative) {
		t.Fatalf("the directory changed during the run: %d users", changed)
	}

	var list []string
	list = append(list, textColumns...)
	for _, c := range timeColumns {
		list = append(list, fmt.Sprintf("epoch_us(%[1]s) AS %[1]s", c))
	}
	got := map[string]user{}
	for _, row := range query(t, db, "SELECT "+strings.Join(list, ", ")+" FROM ad_users") {
		guid := row["object_guid"]
		if got[guid] != nil {
			t.Errorf("%s is there twice", guid)
		}
		got[guid] = row
	}

	var wrong []string
	perColumn := map[string]int{}
	for guid, w := range want {
		g := got[guid]
		if g == nil {
			wrong = append(wrong, fmt.Sprintf("%s %s is missing", guid, w["distinguished_name"]))
			perColumn["(missing)"]++
			continue
		}
		for _, c := range slices.Concat(textColumns, timeColumns) {
			if same(g, w, c) || same(g, alternative[guid], c) {
				continue
			}
			perColumn[c]++
			wrong = append(wrong, fmt.Sprintf("%s %s: %s is %s, want %s", guid, w["distinguished_name"], c, show(g, c), show(w, c)))
		}
	}
	for guid, g := range got {
		if want[guid] == nil && !tolerated[guid] {
			wrong = append(wrong, fmt.Sprintf("%s %s is not a user", guid, g["distinguished_name"]))
			perColumn["(extra)"]++
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		t.Errorf("%d of %d users published; wrong: %v", len(got), len(want), perColumn)
		for _, w := range head(wrong) {
			t.Log(w)
		}
	}
	return got
}

func same(got, want user, column string) bool {
	g, there := got[column]
	w, wanted := want[column]
	if w == either {
		return g == "lastLogon" || g == "lastLogonTimestamp"
	}
	return there == wanted && g == w
}

func show(u user, column string) string {
	value, there := u[column]
	if !there {
		return "null"
	}
	if slices.Contains(timeColumns, column) {
		if us, err := strconv.ParseInt(value, 10, 64); err == nil {
			return time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05.000000Z")
		}
	}
	return strconv.Quote(value)
}

// checkMatching looks at links from outside: what the tiers do in detail is for replay cases.
func checkMatching(t *testing.T, db *sql.DB, users int) {
	t.Helper()
	if n := count(t, db, `SELECT count(*) FROM contact_matching`); n != users {
		t.Errorf("contact_matching has %d rows for %d users", n, users)
	}
	tally := map[string]int{}
	for _, row := range query(t, db, `SELECT coalesce(rule, reason) AS why, count(*) AS n FROM contact_matching GROUP BY ALL`) {
		tally[row["why"]], _ = strconv.Atoi(row["n"])
	}
	t.Log(tally)
	for why, least := range map[string]int{
		"email": 1000, "email_name": 20, "name": 100,
		"ambiguous_email": 20, "ambiguous_name": 20, "no_candidate": 100, "no_key": 10,
	} {
		if tally[why] < least {
			t.Errorf("%d users are %s, fewer than %d", tally[why], why, least)
		}
	}
	for what, sql := range map[string]string{
		"contacts linked twice": `SELECT count(*) FROM (SELECT contact_id FROM contact_matching
			WHERE contact_id IS NOT NULL GROUP BY ALL HAVING count(*) > 1)`,
		"links by e-mail to a contact without that e-mail": `SELECT count(*) FROM contact_matching m
			WHERE m.rule IN ('email', 'email_name') AND NOT EXISTS (FROM contact_emails e
				WHERE e.contact_id = m.contact_id AND lower(e.value) = lower(m.email))`,
		"users matched without a rule or a contact": `SELECT count(*) FROM contact_matching
			WHERE (status = 'matched') <> (rule IS NOT NULL AND contact_id IS NOT NULL)`,
		"contacts of another organization": `SELECT count(*) FROM contacts WHERE organization_id <> 1001`,
	} {
		if n := count(t, db, sql); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}

// checkOverlay: a linked contact shows what its user has.
func checkOverlay(t *testing.T, db *sql.DB) {
	t.Helper()
	if n := count(t, db, `SELECT count(*) FROM contact_matching m
		JOIN ad_users u USING (organization_id, object_guid)
		LEFT JOIN contacts_enriched c USING (organization_id, contact_id)
		WHERE m.contact_id IS NOT NULL AND (c.contact_id IS NULL
			OR c.ad_status IS DISTINCT FROM u.ad_status OR c.last_logon IS DISTINCT FROM u.last_logon
			OR c.last_password_reset IS DISTINCT FROM u.last_password_reset
			OR c.password_expires IS DISTINCT FROM u.password_expires)`); n != 0 {
		t.Errorf("the overlay of %d contacts is not their user's", n)
	}
}

// ---- the program ----

type rollcall struct {
	dc                  *controller
	dir, binary, config string
}

const passwordVariable = "CONTOSO_AD_PASSWORD"

func newRollcall(t *testing.T, dc *controller) *rollcall {
	t.Helper()
	binary, err := builtBinary()
	if err != nil {
		t.Fatal(err)
	}
	r := &rollcall{dc: dc, dir: t.TempDir(), binary: binary}
	r.config = r.configWithCA(t, dc.ca)
	return r
}

// builtBinary builds the program once for all tests.
var builtBinary = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(os.Getenv("ROLLCALL_AD_DIR"), "rollcall")
	out, err := exec.Command("go", "build", "-tags", "duckdb_arrow", "-o", binary, "rollcall/cmd/rollcall").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
})

// configWithCA writes a configuration that trusts the given CA; all of them have one data_dir.
func (r *rollcall) configWithCA(t *testing.T, ca string) string {
	t.Helper()
	path := filepath.Join(r.dir, "trusts-"+filepath.Base(ca)+".yaml")
	text := fmt.Sprintf(`data_dir: ./data
jobs:
  nightly: {kind: nightly, schedule: "0 2 * * *", timeout: 10m}
organizations:
  - id: 1001
    name: Contoso
    collectors:
      - name: contoso-hq
        url: %q
        base_dn: %q
        credentials: {username: %q, password: {env: %s}}
        ca_file: %q
    contacts: {jsonl: %q}
`, r.dc.url, r.dc.base, r.dc.bind, passwordVariable, ca, r.dc.contacts)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r *rollcall) run(t *testing.T, now time.Time) {
	t.Helper()
	r.runWith(t, now, r.config, r.dc.password, 0)
}

func (r *rollcall) runWith(t *testing.T, now time.Time, config, password string, exit int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.binary, "run", "nightly", "--config", config, "--now", now.UTC().Format(time.RFC3339))
	// Only this variable holds the password, so that nothing else can have been used.
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ROLLCALL_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, passwordVariable+"="+password)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != exit {
		t.Fatalf("%s: exit code %d, want %d\n%s", strings.Join(cmd.Args[1:], " "), got, exit, out)
	}
	t.Logf("%s: exit code %d after %.1f s", strings.Join(cmd.Args[1:], " "), exit, time.Since(start).Seconds())
	return string(out)
}

// open opens the published file as it is now.
func (r *rollcall) open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", filepath.Join(r.dir, "data", "published", "rollcall.duckdb")+"?access_mode=read_only")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// published is what must survive a night without a directory.
func (r *rollcall) published(t *testing.T) map[string][]user {
	t.Helper()
	db := r.open(t)
	all := map[string][]user{}
	for _, table := range []string{"ad_users", "ad_user_collectors", "contact_matching", "contacts_enriched"} {
		all[table] = query(t, db, "FROM "+table+" ORDER BY ALL")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// checkUnavailable: the run says that and why the organization could not be read, and leaves it
// as it was.
func (r *rollcall) checkUnavailable(t *testing.T, at time.Time, intact map[string][]user) (message string) {
	t.Helper()
	db := r.open(t)
	run := lastRun(t, db, at)
	for _, what := range []struct{ table, sql string }{
		{"runs", `SELECT status, 'partial' AS want, 'none' AS message FROM runs WHERE run_id = ?`},
		{"run_organizations", `SELECT status, 'unavailable' AS want, message FROM run_organizations WHERE run_id = ?`},
		{"collectors", `SELECT status, 'failed' AS want, message FROM collectors WHERE ? <> ''`},
	} {
		rows := query(t, db, what.sql, run)
		if len(rows) != 1 || rows[0]["status"] != rows[0]["want"] || rows[0]["message"] == "" {
			t.Errorf("%s says %v", what.table, rows)
			continue
		}
		message += rows[0]["message"] + "\n"
	}
	t.Log(message)
	for table, now := range r.published(t) {
		if !slices.EqualFunc(now, intact[table], maps.Equal) {
			t.Errorf("%s is not as it was before", table)
		}
	}
	for _, table := range []string{"match_deltas", "enrichment_deltas", "push_items"} {
		if n := count(t, db, `SELECT count(*) FROM `+table+` WHERE run_id = ?`, run); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	return message
}

// impostorCA is a certificate authority with the name of the true one, and another key.
func impostorCA(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rollcall test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(day),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "impostor.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ---- queries ----

// query returns rows as texts by column; a null is not there.
func query(t *testing.T, db *sql.DB, statement string, args ...any) []user {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []user
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		row := user{}
		for i, c := range columns {
			if v := *values[i].(*any); v != nil {
				row[c] = fmt.Sprint(v)
			}
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return all
}

func count(t *testing.T, db *sql.DB, statement string, args ...any) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), statement, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return n
}

// lastRun is the id of the last run, which was to be at the given time.
func lastRun(t *testing.T, db *sql.DB, at time.Time) string {
	t.Helper()
	rows := query(t, db, `SELECT run_id, epoch_us("now") AS at FROM runs ORDER BY run_id DESC LIMIT 1`)
	if len(rows) != 1 || rows[0]["at"] != fmt.Sprint(at.UnixMicro()) {
		t.Fatalf("the last run is %v, not that of %s", rows, at)
	}
	return rows[0]["run_id"]
}

func linked(t *testing.T, db *sql.DB) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, row := range query(t, db, `SELECT object_guid FROM contact_matching WHERE contact_id IS NOT NULL`) {
		all[row["object_guid"]] = true
	}
	return all
}

// difference is what is in a and not as often in b.
func difference(a, b map[string]int) []string {
	var all []string
	for k, n := range a {
		if b[k] < n {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return all
}

func head(all []string) []string { return all[:min(len(all), 20)] }
