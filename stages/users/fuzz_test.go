package users

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rollcall/stages/users/directory"

	"github.com/google/uuid"

	"rollcall/schemas/keys"
)

// FuzzLDIF reads anything: an error names the line, and what was read can be written and comes
// back the same.
func FuzzLDIF(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "version: 1\n\ndn: CN=Ann,DC=x\nsn: Lee\n",
		"dn:: Q049QW5uLERDPXg=\r\nchangetype: add\r\nmail: a\r\n  b\r\n\r\n# end\r\n",
		"dn: DC=x\nobjectClass: domainDNS\nmaxPwdAge: -36288000000000\n",
		"dn: CN=G,DC=x\nmember;range=0-1: CN=a\nuserCertificate;binary:: AP8=\n",
		"dn: CN=A\ndn: CN=B\n", "dn: CN=A\nsn:< file:///x\n", "dn: CN=A\nchangetype: delete\n", "dn: CN=A\nsn: L",
		"\ufeffdn: CN=A\n", " dn: CN=A\n", "dn: CN=\xe9\n", "#\n \n#\ndn:\n:\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read, err := entries(text)
		if err != nil && !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("the message %q does not begin with the line", err)
		}
		var written strings.Builder
		written.WriteString("version: 1\n")
		for _, e := range read {
			if !utf8.ValidString(e.DN) || e.Place.Unit != "line" {
				t.Errorf("a record has the DN %q and the place %q", e.DN, e.Place)
			}
			written.WriteString("\n" + fold("dn:: "+base64.StdEncoding.EncodeToString([]byte(e.DN))))
			for name, values := range e.Attributes {
				if name != strings.ToLower(name) || strings.Contains(name, ";") {
					t.Errorf("an attribute is called %q", name)
				}
				for _, value := range values {
					written.WriteString(fold(name + ":: " + base64.StdEncoding.EncodeToString(value)))
				}
			}
		}
		again, err := entries(written.String())
		if err != nil || len(again) != len(read) {
			t.Fatalf("%d of %d records come back: %v\n%s", len(again), len(read), err, &written)
		}
		for i, e := range read {
			want := fmt.Sprintf("%q %q", e.DN, e.Attributes)
			if got := fmt.Sprintf("%q %q", again[i].DN, again[i].Attributes); got != want {
				t.Errorf("%s comes back as %s", want, got)
			}
		}
	})
}

// fold breaks a line as LDIF allows.
func fold(line string) string {
	var b strings.Builder
	for ; len(line) > 76; line = line[76:] {
		b.WriteString(line[:76] + "\n ")
	}
	return b.String() + line + "\n"
}

// FuzzConversion converts anything: a user that is returned is one that every later stage can
// rely upon, and an error tells nobody's name.
func FuzzConversion(f *testing.F) {
	const person, never = "805306368", "9223372036854775807"
	names := []string{
		attrObjectGUID, attrAccountType, attrObjectClass, attrControl, attrComputed, attrExpires, attrLastLogon, attrLogonStamp,
		attrPwdLastSet, attrPwdExpires, attrWhenCreated, attrMail, attrProxy, attrGivenName,
	}
	f.Add("CN=Ann,OU=Staff,DC=x", int64(-36288000000000), guidOctets, person, "user", "512", "0", never, "0", "132223104000000000",
		"132223104000000000", "", "20260101000000.0Z", "Ann@x.example", "SMTP:b@x.example", "Ann")
	f.Add(`CN=Lee\, Ann,OU=Sales\, East,DC=x`, int64(math.MinInt64), guidOctets, "", "user", "66048", "16", "0", never, never,
		"2650467743999999999", "9223372036854775806", "16010101000000Z", "a@Bücher.example", "smtp:İ@İ.example", "J\xfcrgen")
	f.Add("", int64(1<<62), guidOctets[:15], "805306369", "computer", "2080", "-1", "-1", "-1", "1",
		"-9223372036854775808", "0", "00000101000000Z", " ", ":", "\x00")
	f.Add("CN=x", int64(0), strings.Repeat("\x00", 16), "x", "", "", "", "", "", "",
		"", "", "99991231235959.9999999Z", "@", "SMTP: ", "  ")
	f.Fuzz(func(t *testing.T, dn string, age int64, guid, accountType, class, control, computed, expires, logon, stamp, set, passwordExpires, created, mail, proxy, given string) {
		e := directory.Entry{DN: dn, Place: directory.Place{Unit: "entry", Number: 1}, Attributes: map[string][][]byte{}}
		for i, value := range []string{guid, accountType, class, control, computed, expires, logon, stamp, set, passwordExpires, created, mail, proxy, given} {
			if value != "" { // empty means absent
				e.Attributes[names[i]] = [][]byte{[]byte(value)}
			}
		}
		r := Rules{Now: now, EmailFrom: []string{"mail", "proxy_primary", "upn"}, ExcludeDisabled: true, ExcludeOU: []string{`OU=Sales\, East`, "DC=contoso,DC=example"}}
		policy := Policy{MaxPasswordAge: &age}
		u, isAccount, err := r.User(e, policy)
		if err != nil || !isAccount {
			if isAccount || !reflect.DeepEqual(u, User{}) {
				t.Errorf("account %v, error %v, and yet a user: %+v", isAccount, err, u)
			}
			if err != nil && (!strings.HasPrefix(err.Error(), "entry 1") || !utf8.ValidString(err.Error())) {
				t.Errorf("the message is %q", err)
			}
			return
		}
		checkUser(t, u)
		if again, _, _ := r.User(e, policy); !reflect.DeepEqual(u, again) {
			t.Errorf("the same entry became\n%+v and\n%+v", u, again)
		}
	})
}

// checkUser asserts what holds for every user.
func checkUser(t *testing.T, u User) {
	t.Helper()
	if id, err := uuid.Parse(u.GUID); err != nil || id.String() != u.GUID || id == uuid.Nil {
		t.Errorf("the GUID is %q", u.GUID)
	}
	if u.DistinguishedName == "" {
		t.Error("the DN is empty")
	}
	for _, text := range append([]string{
		u.DistinguishedName, u.SAMAccountName, u.UserPrincipalName, u.FirstName, u.LastName, u.DisplayName, u.Title,
		u.Department, u.Email, u.Phone,
	}, u.AliasKeys...) {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			t.Errorf("%q is no text", text)
		}
	}
	for _, enum := range []struct {
		value   string
		allowed string
	}{
		{u.ADStatus, "enabled disabled expired locked unknown"},
		{u.PasswordState, "expires expired never must_change estimated unknown"},
		{"-" + u.LastLogonSource, "- -lastLogon -lastLogonTimestamp"},
		{"-" + u.EmailSource, "- -mail -proxy_primary -upn"},
		{"-" + u.Excluded, "- -trust -machine -system -shared -room -equipment -disabled -ou -filter"},
	} {
		if !slices.Contains(strings.Fields(enum.allowed), enum.value) {
			t.Errorf("%q is none of %s", enum.value, enum.allowed)
		}
	}
	for _, at := range []*time.Time{u.LastLogon, u.LastPasswordReset, u.PasswordExpires, u.WhenCreated} {
		if at == nil {
			continue
		}
		if at.Year() < 1601 || at.Year() > 9999 || at.Location() != time.UTC || at.Nanosecond()%1000 != 0 {
			t.Errorf("%s is no time of a user's", strconv.Quote(at.String()))
		}
	}
	if (u.LastLogon == nil) != (u.LastLogonSource == "") || (u.Email == "") != (u.EmailSource == "") {
		t.Errorf("logon %v from %q, e-mail %q from %q", u.LastLogon, u.LastLogonSource, u.Email, u.EmailSource)
	}
	hasExpiry := slices.Contains([]string{"expires", "expired", "estimated"}, u.PasswordState)
	if hasExpiry != (u.PasswordExpires != nil) {
		t.Errorf("the password is %s with the time %v", u.PasswordState, u.PasswordExpires)
	}
	if !slices.IsSorted(u.AliasKeys) || slices.Contains(u.AliasKeys, "") || slices.Contains(u.AliasKeys, keys.Email(u.Email)) {
		t.Errorf("the aliases of %q are %q", u.Email, u.AliasKeys)
	}
}

// The seeds themselves must reach the interesting branches.
func TestSeedOfTheFuzzIsAUser(t *testing.T) {
	t.Parallel()
	var k Collector
	k.Rules = rules()
	u := user(t, k.Rules, person(attrs{"whenCreated": {"20260101000000.0Z"}, "pwdLastSet": {"132223104000000000"}}), Policy{})
	checkUser(t, u)
	if _, err := k.Inspect(context.Background(), time.Now); err == nil || !strings.Contains(err.Error(), "credentials were not specified") {
		t.Errorf("the check of a collector without credentials says %v", err)
	}
}
