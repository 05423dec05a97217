package fakedc

import (
	"fmt"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// group is an entry with that many members.
func group(n int) Entry {
	e := Entry{DN: "CN=Group,DC=example,DC=com", Attributes: map[string][][]byte{"cn": {[]byte("Group")}}}
	for i := range n {
		e.Attributes["member"] = append(e.Attributes["member"], []byte(fmt.Sprint(i)))
	}
	return e
}

func TestRanges(t *testing.T) {
	for _, tc := range []struct {
		members int
		ask     []string
		want    string // the attributes with their numbers of values
	}{
		{10, []string{"member"}, "[member:10]"},
		{11, []string{"member"}, "[member:0 member;range=0-9:10]"},
		{11, []string{"MEMBER", "cn"}, "[member:0 member;range=0-9:10 cn:1]"},
		{11, nil, "[cn:1 member:0 member;range=0-9:10 distinguishedName:1]"},
		{11, []string{"*"}, "[cn:1 member:0 member;range=0-9:10 distinguishedName:1]"},
		{11, []string{"member;range=10-*"}, "[member;range=10-*:1]"},
		{11, []string{"Member;Range=10-19"}, "[member;range=10-*:1]"},
		{25, []string{"member;range=10-*"}, "[member;range=10-19:10]"},
		{25, []string{"member;range=20-*", "cn"}, "[cn:1 member;range=20-*:5]"},
		{25, []string{"member;range=3-5"}, "[member;range=3-5:3]"},
		{25, []string{"member;range=0-24"}, "[member;range=0-9:10]"},
		{25, []string{"member;range=0-9223372036854775807"}, "[member;range=0-9:10]"},
		{20, []string{"member;range=10-19"}, "[member;range=10-*:10]"},
		{3, []string{"member;range=0-*"}, "[member;range=0-*:3]"},
		{3, []string{"member;range=3-*"}, "[]"},
		{3, []string{"mail;range=0-*"}, "[]"},
		{3, []string{"member;range=2-1"}, "[]"},
		{3, []string{"member;range=-1-2"}, "[]"},
		{3, []string{"member;range=1"}, "[]"},
		{3, []string{"member;range=*-*"}, "[]"},
		{3, []string{"member;range=0-99999999999999999999"}, "[]"},
	} {
		c := bound(t, start(t, Options{Entries: []Entry{group(tc.members)}, MaxValRange: 10}))
		for _, scope := range []int{ldap.ScopeWholeSubtree, ldap.ScopeBaseObject} {
			q := query(everyone, tc.ask...)
			q.BaseDN, q.Scope = "CN=Group,DC=example,DC=com", scope
			res, err := c.Search(q)
			wantCode(t, err, 0)
			got := []string{}
			for _, a := range res.Entries[0].Attributes {
				got = append(got, fmt.Sprintf("%s:%d", a.Name, len(a.ByteValues)))
			}
			if fmt.Sprint(got) != tc.want {
				t.Errorf("%d members, scope %d, asked for %q: got %v, want %s", tc.members, scope, tc.ask, got, tc.want)
			}
		}
	}
}

// A client that follows the ranges has every value once, in order.
func TestRangesMakeTheWhole(t *testing.T) {
	c := bound(t, start(t, Options{Entries: []Entry{group(3700)}, MaxValRange: 1500}))
	var members []string
	for _, ask := range []string{"member", "member;range=1500-*", "member;range=3000-*"} {
		res, err := c.Search(query(everyone, ask))
		wantCode(t, err, 0)
		for _, a := range res.Entries[0].Attributes {
			members = append(members, a.Values...)
		}
	}
	var want []string
	for i := range 3700 {
		want = append(want, fmt.Sprint(i))
	}
	if !slices.Equal(members, want) {
		t.Errorf("got %d members", len(members))
	}
}

func TestNoRangesUnlessAskedFor(t *testing.T) {
	c := bound(t, start(t, Options{Entries: []Entry{group(3700)}}))
	res, err := c.Search(query(everyone, "member", "member;range=0-*"))
	wantCode(t, err, 0)
	if e := res.Entries[0]; len(e.Attributes) != 1 || len(e.GetAttributeValues("member")) != 3700 {
		t.Errorf("got %d attributes", len(e.Attributes))
	}
}
