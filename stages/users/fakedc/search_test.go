package fakedc

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

func TestRootDSEBeforeBind(t *testing.T) {
	now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	s := start(t, Options{Entries: people(20), Now: func() time.Time { return now }})
	c := dial(t, s)
	res, err := c.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false,
		"(objectClass=*)", nil, nil))
	wantCode(t, err, 0)
	if len(res.Entries) != 1 {
		t.Fatalf("got %d entries, want 1", len(res.Entries))
	}
	for name, want := range map[string]string{
		"defaultNamingContext":       "DC=example,DC=com",
		"namingContexts":             "DC=example,DC=com",
		"dnsHostName":                "dc01.example.com",
		"currentTime":                "20240506070809.0Z",
		"highestCommittedUSN":        "9019",
		"supportedControl":           ldap.ControlTypePaging,
		"configurationNamingContext": "CN=Configuration,DC=example,DC=com",
		"dsServiceName":              "CN=NTDS Settings,CN=DC01,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,DC=example,DC=com",
		"serverName":                 "CN=DC01,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,DC=example,DC=com",
		"supportedSASLMechanisms":    "", // none is enabled
	} {
		if got := res.Entries[0].GetAttributeValue(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if st := s.Stats(); st.Searches+st.Reads != 0 {
		t.Error("reading the rootDSE is counted")
	}
}

func TestRootDSETellsOfEXTERNAL(t *testing.T) {
	s := start(t, Options{TLS: true, ClientCert: true, HostName: "ldap.example.org"})
	res, err := dial(t, s).Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false,
		"(objectClass=*)", []string{"supportedSASLMechanisms", "serverName"}, nil))
	wantCode(t, err, 0)
	if got := res.Entries[0].GetAttributeValues("supportedSASLMechanisms"); !slices.Equal(got, []string{"EXTERNAL"}) {
		t.Errorf("supportedSASLMechanisms is %q", got)
	}
	if got := res.Entries[0].GetAttributeValue("serverName"); !strings.HasPrefix(got, "CN=LDAP,CN=Servers,") {
		t.Errorf("serverName is %q", got)
	}
}

// The configuration is read from its own top, and never with the domain.
func TestConfiguration(t *testing.T) {
	const top = "CN=Configuration,DC=example,DC=com"
	s := start(t, Options{Entries: people(3)})
	c := bound(t, s)
	count := func(base string, scope, want int) {
		t.Helper()
		q := query("(objectClass=*)")
		q.BaseDN, q.Scope = base, scope
		res, err := c.Search(q)
		wantCode(t, err, 0)
		if len(res.Entries) != want {
			t.Errorf("base %q scope %d: got %d entries, want %d", base, scope, len(res.Entries), want)
		}
	}
	count(top, ldap.ScopeWholeSubtree, 0) // is there, even if empty
	err := s.SetEntries(append(people(3), Entry{DN: top}, Entry{DN: "CN=Sites," + top}, Entry{DN: "CN=Subnets,CN=Sites," + top}))
	if err != nil {
		t.Fatal(err)
	}
	count("DC=example,DC=com", ldap.ScopeWholeSubtree, 3)
	count("DC=example,DC=com", ldap.ScopeSingleLevel, 0)
	count("cn=configuration, dc=example,dc=com", ldap.ScopeWholeSubtree, 3)
	count(top, ldap.ScopeSingleLevel, 1)
	count(top, ldap.ScopeBaseObject, 1)
	count("CN=Sites,"+top, ldap.ScopeWholeSubtree, 2)
}

func TestSearchNeedsBind(t *testing.T) {
	c := dial(t, start(t, Options{Entries: []Entry{{DN: "DC=example,DC=com"}}}))
	for _, scope := range []int{ldap.ScopeWholeSubtree, ldap.ScopeSingleLevel, ldap.ScopeBaseObject} {
		q := query("(objectClass=*)")
		q.Scope = scope
		_, err := c.Search(q)
		wantCode(t, err, ldap.LDAPResultOperationsError)
		if !strings.Contains(err.Error(), "a successful bind must be completed") {
			t.Fatalf("scope %d: got %q", scope, err)
		}
	}
}

func TestScopesAndBases(t *testing.T) {
	entries := append(people(4), Entry{DN: "OU=Staff,DC=example,DC=com"})
	c := bound(t, start(t, Options{Entries: entries}))
	for _, tc := range []struct {
		base  string
		scope int
		want  int
		code  uint16
	}{
		{"DC=example,DC=com", ldap.ScopeWholeSubtree, 5, 0},
		{"DC=example,DC=com", ldap.ScopeSingleLevel, 1, 0},
		{"DC=example,DC=com", ldap.ScopeBaseObject, 0, 0},
		{"ou=staff, dc=Example,dc=COM", ldap.ScopeWholeSubtree, 3, 0},
		{"OU=Staff,DC=example,DC=com", ldap.ScopeSingleLevel, 2, 0},
		{"OU=Staff,DC=example,DC=com", ldap.ScopeBaseObject, 1, 0},
		{"OU=Students,DC=example,DC=com", ldap.ScopeSingleLevel, 2, 0},
		{"CN=User 00000,OU=Staff,DC=example,DC=com", ldap.ScopeWholeSubtree, 1, 0},
		{"OU=Gone,OU=Staff,DC=example,DC=com", ldap.ScopeWholeSubtree, 0, ldap.LDAPResultNoSuchObject},
		{"", ldap.ScopeWholeSubtree, 0, ldap.LDAPResultNoSuchObject},
		{"DC=other,DC=org", ldap.ScopeWholeSubtree, 0, ldap.LDAPResultReferral},
		{"nonsense", ldap.ScopeWholeSubtree, 0, ldap.LDAPResultInvalidDNSyntax},
	} {
		res, err := c.Search(ldap.NewSearchRequest(tc.base, tc.scope, 0, 0, 0, false, "(objectClass=*)", nil, nil))
		wantCode(t, err, tc.code)
		if len(res.Entries) != tc.want {
			t.Errorf("base %q scope %d: got %d entries, want %d", tc.base, tc.scope, len(res.Entries), tc.want)
		}
	}
	_, err := c.Search(ldap.NewSearchRequest("OU=Gone,OU=Staff,DC=example,DC=com", 2, 0, 0, 0, false, "(cn=*)", nil, nil))
	if matched := err.(*ldap.Error).MatchedDN; !strings.EqualFold(matched, "OU=Staff,DC=example,DC=com") {
		t.Errorf("best match is %q", matched)
	}
}

func TestRequestedAttributes(t *testing.T) {
	c := bound(t, start(t, Options{Entries: people(1)}))
	names := func(typesOnly bool, attributes ...string) []string {
		t.Helper()
		q := query("(sAMAccountName=user00000)", attributes...)
		q.TypesOnly = typesOnly
		res, err := c.Search(q)
		wantCode(t, err, 0)
		var list []string
		for _, a := range res.Entries[0].Attributes {
			list = append(list, a.Name)
			if hasValues := len(a.ByteValues) > 0; hasValues == typesOnly {
				t.Errorf("%s has %d values", a.Name, len(a.ByteValues))
			}
		}
		return list
	}
	want := []string{"sAMAccountName", "objectGUID"}
	if got := names(false, "SAMACCOUNTNAME", "objectguid", "samaccountname", "absent"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := names(true, "mail"); !slices.Equal(got, []string{"mail"}) {
		t.Errorf("types only: got %v", got)
	}
	if got := names(false, "1.1"); len(got) != 0 {
		t.Errorf("1.1: got %v", got)
	}
	if got := names(false); len(got) != 10 || !slices.Contains(got, "distinguishedName") {
		t.Errorf("everything: got %v", got)
	}
	if got := names(false, "mail", "*"); len(got) != 10 {
		t.Errorf("star: got %v", got)
	}

	res, err := c.Search(query("(mail=*)", "objectGUID"))
	wantCode(t, err, 0)
	if got := string(res.Entries[0].GetRawAttributeValue("objectGUID")); got != "\xff\xfe\x00\x01000000000000" {
		t.Errorf("objectGUID is %q", got)
	}
}

func TestUnpagedSearchIsCut(t *testing.T) {
	s := start(t, Options{Entries: people(25), MaxPageSize: 10})
	c := bound(t, s)
	res, err := c.Search(query("(objectClass=*)"))
	wantCode(t, err, ldap.LDAPResultSizeLimitExceeded)
	if len(res.Entries) != 10 {
		t.Errorf("got %d entries, want 10", len(res.Entries))
	}
	q := query("(objectClass=*)")
	q.SizeLimit = 3
	res, err = c.Search(q)
	wantCode(t, err, ldap.LDAPResultSizeLimitExceeded)
	if len(res.Entries) != 3 {
		t.Errorf("got %d entries, want 3", len(res.Entries))
	}
}

func TestPaging(t *testing.T) {
	s := start(t, Options{Entries: people(2500), TLS: true})
	res, err := bound(t, s).SearchWithPaging(query("(&(objectCategory=person)(objectClass=user))", "sAMAccountName"), 500)
	wantCode(t, err, 0)
	seen := make(map[string]bool)
	for _, e := range res.Entries {
		seen[e.DN] = true
	}
	if len(res.Entries) != 2500 || len(seen) != 2500 {
		t.Fatalf("got %d entries of which %d differ, want 2500", len(res.Entries), len(seen))
	}
	st := s.Stats()
	if st.Searches != 1 || st.Pages != 5 || st.Entries != 2500 || st.Binds != 1 || st.Connections != 1 {
		t.Errorf("got %+v", st)
	}
	if st.LastFilter != "(&(objectCategory=person)(objectClass=user))" {
		t.Errorf("last filter is %q", st.LastFilter)
	}
}

func TestPageSizeIsCapped(t *testing.T) {
	s := start(t, Options{Entries: people(25), MaxPageSize: 10})
	res, err := bound(t, s).SearchWithPaging(query("(objectClass=*)"), 1000)
	wantCode(t, err, 0)
	if len(res.Entries) != 25 || s.Stats().Pages != 3 {
		t.Fatalf("got %d entries in %d pages, want 25 in 3", len(res.Entries), s.Stats().Pages)
	}
}

func TestPagedSizeLimit(t *testing.T) {
	c := bound(t, start(t, Options{Entries: people(25)}))
	q := query("(objectClass=*)")
	q.SizeLimit = 15
	res, err := c.SearchWithPaging(q, 10)
	wantCode(t, err, ldap.LDAPResultSizeLimitExceeded)
	if len(res.Entries) != 15 {
		t.Fatalf("got %d entries, want 15", len(res.Entries))
	}
}

// page asks for one page and returns the cookie for the next.
func page(t *testing.T, c *ldap.Conn, q *ldap.SearchRequest, size uint32, cookie []byte) (int, []byte, error) {
	t.Helper()
	control := ldap.NewControlPaging(size)
	control.SetCookie(cookie)
	q.Controls = []ldap.Control{control}
	res, err := c.Search(q)
	if err != nil {
		return 0, nil, err
	}
	back, ok := ldap.FindControl(res.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
	if !ok {
		t.Fatal("the answer has no paging control")
	}
	return len(res.Entries), back.Cookie, nil
}

func TestCookies(t *testing.T) {
	s := start(t, Options{Entries: people(25)})
	c := bound(t, s)
	q := query("(objectClass=*)")
	_, first, err := page(t, c, q, 10, nil)
	wantCode(t, err, 0)

	_, _, err = page(t, bound(t, s), q, 10, first)
	wantCode(t, err, ldap.LDAPResultUnwillingToPerform) // another connection
	_, _, err = page(t, c, query("(cn=*)"), 10, first)
	wantCode(t, err, ldap.LDAPResultUnwillingToPerform) // another search
	_, _, err = page(t, c, q, 10, []byte("made up"))
	wantCode(t, err, ldap.LDAPResultUnwillingToPerform)
	if !strings.Contains(err.Error(), "Error processing control") {
		t.Errorf("got %q", err)
	}

	// The page size may change on the way, and the entries replaced meanwhile.
	if err := s.SetEntries(people(1)); err != nil {
		t.Fatal(err)
	}
	n, second, err := page(t, c, q, 5, first)
	wantCode(t, err, 0)
	if n != 5 {
		t.Errorf("got %d entries, want 5", n)
	}
	_, _, err = page(t, c, q, 10, first)
	wantCode(t, err, ldap.LDAPResultUnwillingToPerform) // used up

	n, rest, err := page(t, c, q, 0, second)
	wantCode(t, err, 0)
	if n != 0 || len(rest) != 0 {
		t.Errorf("giving up returned %d entries and cookie %q", n, rest)
	}
	_, _, err = page(t, c, q, 10, second)
	wantCode(t, err, ldap.LDAPResultUnwillingToPerform)
}

func TestCriticalControl(t *testing.T) {
	c := bound(t, start(t, Options{Entries: people(1)}))
	q := query("(objectClass=*)")
	q.Controls = []ldap.Control{ldap.NewControlString("1.2.3.4", false, "")}
	_, err := c.Search(q)
	wantCode(t, err, 0)
	q.Controls = []ldap.Control{ldap.NewControlString("1.2.3.4", true, "")}
	_, err = c.Search(q)
	wantCode(t, err, ldap.LDAPResultUnavailableCriticalExtension)
}

func TestConcurrentClients(t *testing.T) {
	s := start(t, Options{Entries: people(300), Faults: Faults{
		Entry: func(_ int, e Entry) Entry { e.Attributes["mail"][0][0] = 'X'; return e },
	}})
	var group sync.WaitGroup
	for range 8 {
		c := bound(t, s)
		group.Go(func() {
			for range 5 {
				res, err := c.SearchWithPaging(query("(mail=*)", "mail"), 50)
				if err != nil || len(res.Entries) != 300 {
					t.Errorf("got %d entries and error %v", len(res.Entries), err)
				}
				if err := s.SetEntries(people(300)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkPagedSearch(b *testing.B) {
	s := start(b, Options{Entries: people(50_000), TLS: true})
	for b.Loop() {
		res, err := bound(b, s).SearchWithPaging(query("(&(objectCategory=person)(objectClass=user))"), 1000)
		if err != nil || len(res.Entries) != 50_000 {
			b.Fatalf("got %d entries and error %v", len(res.Entries), err)
		}
	}
}
