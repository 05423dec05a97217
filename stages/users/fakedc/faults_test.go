package fakedc

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const everyone = "(objectClass=*)"

func TestCloseAfterEntries(t *testing.T) {
	s := start(t, Options{TLS: true, Entries: people(50), Faults: Faults{CloseAfterEntries: 25, Times: 1}})
	res, err := bound(t, s).SearchWithPaging(query(everyone), 10)
	if err == nil {
		t.Fatal("the broken search succeeded")
	}
	// go-ldap hands out full pages and what it had of the broken one.
	if len(res.Entries) != 25 {
		t.Errorf("got %d entries, want 25", len(res.Entries))
	}
	res, err = bound(t, s).SearchWithPaging(query(everyone), 10)
	wantCode(t, err, 0)
	if len(res.Entries) != 50 {
		t.Errorf("after recovery: got %d entries, want 50", len(res.Entries))
	}
}

func TestStalls(t *testing.T) {
	for name, f := range map[string]Faults{
		"after entries": {StallAfterEntries: 15},
		"on a page":     {StallOnPage: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{Entries: people(30), Faults: f})
			c := bound(t, s)
			c.SetTimeout(200 * time.Millisecond)
			_, err := c.SearchWithPaging(query(everyone), 10)
			if err == nil || !strings.Contains(err.Error(), "timed out") {
				t.Fatalf("got %v, want a timeout", err)
			}
			if c.IsClosing() {
				t.Error("the connection was closed")
			}
			want := map[string]int{"after entries": 15, "on a page": 10}[name]
			if got := s.Stats().Entries; got != want {
				t.Errorf("%d entries sent, want %d", got, want)
			}
		})
	}
}

func TestStallTLS(t *testing.T) {
	for name, options := range map[string]Options{"LDAPS": {TLS: true}, "StartTLS": {StartTLS: true}} {
		t.Run(name, func(t *testing.T) {
			options.Faults = Faults{StallTLS: true, Times: 1}
			s := start(t, options)
			conn, err := net.Dial("tcp", s.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
			if options.StartTLS {
				if _, err := conn.Write(startTLSMessage()); err != nil {
					t.Fatal(err)
				}
				if _, err := ber.ReadPacket(conn); err != nil {
					t.Fatalf("the server did not agree to TLS: %v", err)
				}
			}
			if err := tls.Client(conn, trusting(t, s)).Handshake(); !isTimeout(err) {
				t.Fatalf("got %v, want a timeout", err)
			}
			c := dial(t, s) // once over
			if options.StartTLS {
				wantCode(t, c.StartTLS(trusting(t, s)), 0)
			}
			wantCode(t, c.Bind(testBindDN, testPassword), 0)
		})
	}
}

func TestStallBind(t *testing.T) {
	s := start(t, Options{TLS: true, Faults: Faults{StallBind: true, Times: 1}})
	c := dial(t, s)
	c.SetTimeout(100 * time.Millisecond)
	if err := c.Bind(testBindDN, testPassword); err == nil || !strings.Contains(err.Error(), "timed out") {
		t.Fatalf("got %v, want a timeout", err)
	}
	if c.IsClosing() {
		t.Error("the connection was closed")
	}
	if st := s.Stats(); st.Binds+st.BindsRefused > 0 {
		t.Errorf("the bind was answered: %+v", st)
	}
	bound(t, s)
}

func TestCloseOnPage(t *testing.T) {
	s := start(t, Options{TLS: true, Entries: people(30), Faults: Faults{CloseOnPage: 3, Times: 1}})
	res, err := bound(t, s).SearchWithPaging(query(everyone), 10)
	if err == nil {
		t.Fatal("the broken search succeeded")
	}
	if len(res.Entries) != 20 || s.Stats().Pages != 2 {
		t.Errorf("got %d entries in %d pages, want 20 in 2", len(res.Entries), s.Stats().Pages)
	}
	_, err = bound(t, s).SearchWithPaging(query(everyone), 10)
	wantCode(t, err, 0)
}

func TestDelay(t *testing.T) {
	const delay = 50 * time.Millisecond
	s := start(t, Options{Entries: people(30), Faults: Faults{Delay: delay}})
	c := bound(t, s)
	began := time.Now()
	_, err := c.SearchWithPaging(query(everyone), 10)
	wantCode(t, err, 0)
	if took := time.Since(began); took < 3*delay {
		t.Errorf("three pages took %v, want %v at least", took, 3*delay)
	}

	// Close does not wait for it.
	s.SetFaults(Faults{Delay: time.Hour})
	failed := make(chan error)
	go func() {
		_, err := c.Search(query(everyone))
		failed <- err
	}()
	for s.Stats().Searches < 2 {
		time.Sleep(time.Millisecond)
	}
	s.Close()
	if err := <-failed; err == nil {
		t.Error("the delayed search succeeded")
	}
}

// A fault on page 1 must wait for the search that a test is about, whatever the
// client reads beforehand.
func TestFaultsSpareReads(t *testing.T) {
	for name, f := range map[string]Faults{
		"close after entries": {CloseAfterEntries: 1},
		"stall after entries": {StallAfterEntries: 1},
		"close":               {CloseOnPage: 1},
		"stall":               {StallOnPage: 1},
		"fail":                {FailPage: 1},
		"no control":          {NoControlOnPage: 1},
		"delay":               {Delay: time.Hour},
		"references":          {References: []string{"ldap://example.org"}},
		"range":               {RangedAttribute: "mail"},
		"hook":                {Entry: func(_ int, e Entry) Entry { e.Attributes["mail"] = nil; return e }},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{Entries: people(2), Faults: f})
			c := bound(t, s)
			q := query(everyone, "mail")
			q.BaseDN, q.Scope = "CN=User 00001,OU=Students,DC=example,DC=com", ldap.ScopeBaseObject
			res, err := c.Search(q)
			wantCode(t, err, 0)
			if len(res.Entries) != 1 || res.Entries[0].GetAttributeValue("mail") != "user00001@example.com" || len(res.Referrals) > 0 {
				t.Errorf("got %+v", res)
			}
			n, cookie, err := page(t, c, q, 10, nil)
			wantCode(t, err, 0)
			if n != 1 || len(cookie) != 0 {
				t.Errorf("paged: got %d entries and cookie %q", n, cookie)
			}
			_, _, err = page(t, c, q, 10, []byte("made up"))
			wantCode(t, err, ldap.LDAPResultUnwillingToPerform)
			if st := s.Stats(); st.Reads != 2 || st.Searches != 0 || st.Pages != 0 || st.Entries != 0 || st.LastFilter != "" {
				t.Errorf("got %+v", st)
			}
		})
	}
}

func TestNoControlOnPage(t *testing.T) {
	s := start(t, Options{Entries: people(30), Faults: Faults{NoControlOnPage: 2}})
	res, err := bound(t, s).SearchWithPaging(query(everyone), 10)
	// go-ldap takes the missing control for the end of the search.
	wantCode(t, err, 0)
	if len(res.Entries) != 20 {
		t.Fatalf("got %d entries, want to be left with 20", len(res.Entries))
	}
}

func TestFailPage(t *testing.T) {
	s := start(t, Options{Entries: people(30), Faults: Faults{FailPage: 2, Times: 2}})
	c := bound(t, s)
	q := query(everyone)
	_, cookie, err := page(t, c, q, 10, nil)
	wantCode(t, err, 0)
	for range 2 {
		_, _, err = page(t, c, q, 10, cookie)
		wantCode(t, err, ldap.LDAPResultBusy)
	}
	n, _, err := page(t, c, q, 10, cookie)
	wantCode(t, err, 0)
	if n != 10 {
		t.Errorf("got %d entries, want 10", n)
	}

	s.SetFaults(Faults{FailPage: 1, FailCode: ldap.LDAPResultUnavailable})
	_, err = c.Search(query(everyone))
	wantCode(t, err, ldap.LDAPResultUnavailable)
	if !strings.Contains(err.Error(), "problem 5002 (UNAVAILABLE)") {
		t.Errorf("got %q", err)
	}
}

func TestRejectCookie(t *testing.T) {
	for _, code := range []uint16{0, ldap.LDAPResultOperationsError} {
		s := start(t, Options{Entries: people(30), Faults: Faults{RejectCookieOnPage: 3, RejectCookieCode: code}})
		_, err := bound(t, s).SearchWithPaging(query(everyone), 10)
		if code == 0 {
			code = ldap.LDAPResultUnwillingToPerform
		}
		wantCode(t, err, code)
		if !strings.Contains(err.Error(), "00000057: LdapErr") || s.Stats().Pages != 2 {
			t.Errorf("got %q after %d pages", err, s.Stats().Pages)
		}
	}
}

func TestReferences(t *testing.T) {
	url := "ldap://ForestDnsZones.example.com/DC=ForestDnsZones,DC=example,DC=com"
	s := start(t, Options{Entries: people(30), Faults: Faults{References: []string{url}}})
	res, err := bound(t, s).SearchWithPaging(query(everyone), 10)
	wantCode(t, err, 0)
	if len(res.Referrals) != 1 || res.Referrals[0] != url || len(res.Entries) != 30 {
		t.Fatalf("got references %q and %d entries", res.Referrals, len(res.Entries))
	}
}

func TestRangedAttribute(t *testing.T) {
	s := start(t, Options{Entries: people(1), Faults: Faults{RangedAttribute: "proxyaddresses"}})
	res, err := bound(t, s).Search(query(everyone, "proxyAddresses", "mail"))
	wantCode(t, err, 0)
	e := res.Entries[0]
	if len(e.GetAttributeValues("proxyAddresses")) != 0 {
		t.Error("the plain attribute has values")
	}
	if got := len(e.GetAttributeValues("proxyAddresses;range=0-1499")); got != 2 {
		t.Errorf("the ranged attribute has %d values, want 2", got)
	}
	if e.GetAttributeValue("mail") == "" {
		t.Error("another attribute lost its value")
	}
}

func TestEntryHook(t *testing.T) {
	var seen []int
	s := start(t, Options{Entries: people(30), Faults: Faults{Entry: func(n int, e Entry) Entry {
		seen = append(seen, n)
		if n == 12 {
			e.Attributes["mail"][0][0] = 0xff
			e.Attributes["objectGUID"] = [][]byte{{1, 2, 3}}
			e.Attributes["nothing"] = nil
		}
		return e
	}}})
	c := bound(t, s)
	res, err := c.SearchWithPaging(query(everyone, "mail"), 10)
	wantCode(t, err, 0)
	e := res.Entries[11]
	if utf8.ValidString(e.GetAttributeValue("mail")) || len(e.GetRawAttributeValue("objectGUID")) != 3 {
		t.Errorf("entry 12 was not altered: %v", e)
	}
	if len(e.Attributes) != 3 {
		t.Errorf("entry 12 has %d attributes, want 3", len(e.Attributes))
	}
	if len(seen) != 30 || seen[0] != 1 || seen[29] != 30 {
		t.Errorf("hook saw %v", seen)
	}

	s.SetFaults(Faults{})
	res, err = c.SearchWithPaging(query(everyone, "mail"), 10)
	wantCode(t, err, 0)
	if !utf8.ValidString(res.Entries[11].GetAttributeValue("mail")) {
		t.Error("the hook changed the directory itself")
	}
}

func TestBindFault(t *testing.T) {
	s := start(t, Options{Faults: Faults{BindData: "532", Times: 1}})
	c := dial(t, s)
	err := c.Bind(testBindDN, testPassword)
	wantCode(t, err, ldap.LDAPResultInvalidCredentials)
	if !strings.Contains(err.Error(), "data 532") {
		t.Errorf("got %q", err)
	}
	wantCode(t, c.Bind(testBindDN, testPassword), 0)

	s.SetFaults(Faults{BindCode: ldap.LDAPResultBusy})
	wantCode(t, c.Bind(testBindDN, testPassword), ldap.LDAPResultBusy)
}
