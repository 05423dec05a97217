package main

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"rollcall/stages/users"
	"rollcall/stages/users/directory"
)

// What must not be overlooked is in capitals.
func TestInspectionIsWritten(t *testing.T) {
	t.Parallel()
	now, skew := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC), 7*time.Minute
	reading := directory.Reading{Failed: []directory.Failure{{Err: errors.New("refused the connection")}}}
	for name, c := range map[string]struct {
		found users.Inspection
		want  []string
	}{
		"a file": {users.Inspection{Users: 2, Excluded: map[string]int64{"trust": 1, "machine": 3}, Missing: []users.AttributeCount{{Attribute: "pwdLastSet", Accounts: 1}}, People: 2},
			[]string{"users         2; left out: machine 3, trust 1", "not readable  pwdLastSet of 1 of 2 accounts: export it too"}},
		"wrong values": {users.Inspection{Unreadable: 2, FirstWrong: "line 3: title is wrong"}, []string{"left out      2 values that are wrong, the first at line 3: title is wrong"}},
		"a server": {users.Inspection{Reading: reading, Skew: &skew, Method: directory.Simple, Bases: []string{"DC=a", "DC=b"}, Domain: directory.Domain{CertificateExpires: now.AddDate(0, 0, 9), Limits: []string{"MaxPageSize=1000", "Other=1"}}},
			[]string{"bind          simple, NOT ENCRYPTED", "its certificate EXPIRES ON 2026-11-10: renew it", "its CLOCK IS +420 s FROM OURS", "below         DC=a; DC=b", "limits        MaxPageSize=1000\n"}},
		"others": {users.Inspection{Reading: reading, Method: directory.Simple, Others: []directory.Answer{{Err: errors.New("silent")}, {Domain: directory.Domain{CertificateExpires: now.AddDate(1, 0, 0)}}}},
			[]string{"also there    :, certificate until 2027-11-01"}},
	} {
		// Only a server has a controller that was read.
		if c.found.Method != "" {
			c.found.Reading.Pinned = pinned(t)
		}
		var out bytes.Buffer
		writeInspection(&out, c.found, now)
		t.Log(name)
		contains(t, out.String(), c.want...)
	}
}

// pinned is a controller as a read tells it.
func pinned(t *testing.T) directory.Controller {
	t.Helper()
	c, err := directory.ParseURL("ldaps://dc1.contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
