package fakedc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	testBindDN   = "CN=svc-rollcall,OU=Service,DC=example,DC=com"
	testPassword = "correct horse"
)

// people makes n users spread over two organizational units.
func people(n int) []Entry {
	units := []string{"Staff", "Students"}
	list := make([]Entry, n)
	for i := range list {
		unit := units[i%len(units)]
		account := fmt.Sprintf("user%05d", i)
		control := "512"
		if i%10 == 0 {
			control = "514"
		}
		list[i] = Entry{
			DN: fmt.Sprintf("CN=User %05d,OU=%s,DC=example,DC=com", i, unit),
			Attributes: map[string][][]byte{
				"objectClass":        {[]byte("top"), []byte("person"), []byte("organizationalPerson"), []byte("user")},
				"objectCategory":     {[]byte("CN=Person,CN=Schema,CN=Configuration,DC=example,DC=com")},
				"objectGUID":         {[]byte(fmt.Sprintf("\xff\xfe\x00\x01%012d", i))},
				"sAMAccountName":     {[]byte(account)},
				"mail":               {[]byte(account + "@example.com")},
				"userAccountControl": {[]byte(control)},
				"uSNChanged":         {[]byte(fmt.Sprint(9000 + i))},
				"whenChanged":        {[]byte(fmt.Sprintf("2024%02d01000000.0Z", i%12+1))},
				"proxyAddresses":     {[]byte("SMTP:" + account + "@example.com"), []byte("smtp:" + account + "@example.org")},
			},
		}
	}
	return list
}

// start runs a server for the length of the test, with the test's credentials.
func start(t testing.TB, opts Options) *Server {
	t.Helper()
	opts.BindDN, opts.Password = testBindDN, testPassword
	s, err := Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// trusting returns a client configuration that trusts the server.
func trusting(t testing.TB, s *Server) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CAPEM()) {
		t.Fatal("CAPEM holds no certificate")
	}
	return &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}

func dial(t testing.TB, s *Server) *ldap.Conn {
	t.Helper()
	var options []ldap.DialOpt
	if s.options.TLS {
		options = append(options, ldap.DialWithTLSConfig(trusting(t, s)))
	}
	c, err := ldap.DialURL(s.URL(), options...)
	if err != nil {
		t.Fatal(err)
	}
	c.SetTimeout(10 * time.Second)
	t.Cleanup(func() { c.Close() })
	return c
}

// bound returns a connection that has bound.
func bound(t testing.TB, s *Server) *ldap.Conn {
	t.Helper()
	c := dial(t, s)
	if err := c.Bind(testBindDN, testPassword); err != nil {
		t.Fatal(err)
	}
	return c
}

// query is a search of the whole directory.
func query(filter string, attributes ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest("DC=example,DC=com", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
		0, 0, false, filter, attributes, nil)
}

// wantCode checks the LDAP result code of an error; zero is no error.
func wantCode(t testing.TB, err error, code uint16) {
	t.Helper()
	var got uint16
	var le *ldap.Error
	switch {
	case errors.As(err, &le):
		got = le.ResultCode
	case err != nil:
		t.Fatalf("got %v, want LDAP result %d", err, code)
	}
	if got != code {
		t.Fatalf("got LDAP result %d (%v), want %d", got, err, code)
	}
}
