package users

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/stages/users/directory"
)

// The logical time of every test here.
var now = time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)

// The octets of an objectGUID and the text that Windows shows for them: the first three fields
// are little-endian.
const (
	guidOctets = "\xe0\x04\x25\x3f\x89\x4f\xd3\x11\x9a\x0c\x03\x05\xe8\x2c\x33\x01"
	guidText   = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
)

// attrs are an entry's attributes by name in any case; an empty list takes one away.
type attrs map[string][]string

// person is an enabled account with a readable state, changed as told.
func person(changes attrs) directory.Entry {
	e := directory.Entry{DN: "CN=Ann Lee,OU=Staff,DC=contoso,DC=example", Place: directory.Place{Unit: "entry", Number: 1}, Attributes: map[string][][]byte{}}
	for _, set := range []attrs{{
		attrObjectGUID:  {guidOctets},
		attrObjectClass: {"top", "person", "organizationalPerson", "user"},
		attrAccountType: {"805306368"},
		attrSAM:         {"alee"},
		attrControl:     {"512"},
		attrComputed:    {"0"},
		attrExpires:     {"9223372036854775807"},
	}, changes} {
		for name, values := range set {
			name = strings.ToLower(name)
			delete(e.Attributes, name)
			for _, value := range values {
				e.Attributes[name] = append(e.Attributes[name], []byte(value))
			}
		}
	}
	return e
}

// ticks writes a time as a FILETIME.
func ticks(t time.Time) string {
	return strconv.FormatInt((t.UnixMicro()+unixEpochMicros)*ticksPerMicro, 10)
}

// rules are the defaults of an organization.
func rules() Rules {
	return Rules{Now: now, EmailFrom: []string{"mail", "proxy_primary"}, ReplicatedLogon: true, ControllerLogon: true}
}

// user converts an entry that must be an account.
func user(t *testing.T, r Rules, e directory.Entry, policy Policy) User {
	t.Helper()
	u, isAccount, err := r.User(e, policy)
	if err != nil || !isAccount {
		t.Fatalf("got account %v, error %v", isAccount, err)
	}
	return u
}

// wantTime compares a time that may be missing with a text; empty means missing.
func wantTime(t *testing.T, what string, got *time.Time, want string) {
	t.Helper()
	text := ""
	if got != nil {
		text = got.Format(time.RFC3339Nano)
	}
	if text != want {
		t.Errorf("%s is %q, want %q", what, text, want)
	}
}

// wantMessage asserts that an error holds a text.
func wantMessage(t *testing.T, err error, substring string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", substring)
	}
	if !strings.Contains(err.Error(), substring) {
		t.Errorf("the error is %q, want one with %q", err, substring)
	}
}

// wantLeftOut asserts that one value was left out, and told of in these words.
func wantLeftOut(t *testing.T, u User, substrings ...string) {
	t.Helper()
	if len(u.Unreadable) != 1 {
		t.Fatalf("left out %q, want one value", u.Unreadable)
	}
	for _, substring := range substrings {
		if !strings.Contains(u.Unreadable[0], substring) {
			t.Errorf("told of %q, want %q", u.Unreadable[0], substring)
		}
	}
}

func number(n int64) *int64 { return &n }
