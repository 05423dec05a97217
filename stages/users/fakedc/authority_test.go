package fakedc

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

func authority(t testing.TB) *Authority {
	t.Helper()
	a, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Two domain controllers under names of their own: whoever trusts the authority
// trusts both, each by its own name only.
func TestServersShareAnAuthority(t *testing.T) {
	ca := authority(t)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca.PEM()) {
		t.Fatal("PEM holds no certificate")
	}
	one := start(t, Options{TLS: true, CA: ca})
	two := start(t, Options{StartTLS: true, CA: ca, HostName: "dc02.example.com"})
	for name, s := range map[string]*Server{"dc01.example.com": one, "dc02.example.com": two} {
		for wanted, good := range map[string]bool{name: true, "localhost": true, "127.0.0.1": true, "dc03.example.com": false} {
			config := &tls.Config{RootCAs: pool, ServerName: wanted}
			c, err := ldap.DialURL(s.URL(), ldap.DialWithTLSConfig(config))
			if err == nil && s.options.StartTLS {
				err = c.StartTLS(config)
			}
			if (err == nil) != good {
				t.Errorf("%s as %s: got %v", name, wanted, err)
			}
			if err == nil {
				c.Close()
			}
		}
		res, err := dial(t, s).Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, everyone, nil, nil))
		wantCode(t, err, 0)
		if got := res.Entries[0].GetAttributeValue("dnsHostName"); got != name {
			t.Errorf("dnsHostName is %q, want %q", got, name)
		}
		if string(s.CAPEM()) != string(ca.PEM()) {
			t.Errorf("%s names another authority", name)
		}
	}
	if string(start(t, Options{TLS: true}).CAPEM()) == string(ca.PEM()) {
		t.Error("a server without an authority given has none of its own")
	}
}

func TestSharedAuthorityWithExpiredServer(t *testing.T) {
	now := time.Now()
	s := start(t, Options{TLS: true, CA: authority(t), NotBefore: now.AddDate(0, 0, -2), NotAfter: now.AddDate(0, 0, -1)})
	_, err := ldap.DialURL(s.URL(), ldap.DialWithTLSConfig(trusting(t, s)))
	if err == nil || !strings.Contains(err.Error(), "expired") {
		t.Fatalf("dialling with an expired certificate: %v", err)
	}
}

func TestServerReturnsOnItsAddress(t *testing.T) {
	ca := authority(t)
	one := start(t, Options{TLS: true, CA: ca, Entries: people(1)})
	c := bound(t, one)
	one.Close()
	if _, err := c.Search(query(everyone)); err == nil {
		t.Fatal("a closed server answers")
	}
	again := start(t, Options{TLS: true, CA: ca, Entries: people(2), Addr: one.Addr()})
	if again.URL() != one.URL() {
		t.Fatalf("got %s, want %s", again.URL(), one.URL())
	}
	res, err := bound(t, one).Search(query(everyone)) // with the URL and authority of the first
	wantCode(t, err, 0)
	if len(res.Entries) != 2 {
		t.Errorf("got %d entries, want 2", len(res.Entries))
	}
	if s, err := Start(Options{BindDN: testBindDN, Password: testPassword, Addr: again.Addr()}); err == nil {
		s.Close()
		t.Error("two servers have one address")
	}
}

// certified dials with a certificate from an issuer, which may be nil for none.
func certified(t *testing.T, s, issuer *Server) (*ldap.Conn, error) {
	t.Helper()
	config := trusting(t, s)
	if issuer != nil {
		certPEM, keyPEM, err := issuer.ClientCertificate()
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.X509KeyPair(certPEM, keyPEM)
		if err != nil {
			t.Fatal(err)
		}
		// Without this, crypto/tls holds back a certificate that the server would
		// not accept anyway.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	c, err := ldap.DialURL(s.URL(), ldap.DialWithTLSConfig(config))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close() })
	c.SetTimeout(10 * time.Second)
	if s.options.StartTLS {
		if err := c.StartTLS(config); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func TestExternalBind(t *testing.T) {
	other := start(t, Options{TLS: true})
	for name, options := range map[string]Options{"LDAPS": {TLS: true}, "StartTLS": {StartTLS: true}} {
		t.Run(name, func(t *testing.T) {
			options.ClientCert, options.Entries = true, people(3)
			s := start(t, options)
			c, err := certified(t, s, s)
			wantCode(t, err, 0)
			_, err = c.Search(query(everyone))
			wantCode(t, err, ldap.LDAPResultOperationsError) // the certificate alone binds nobody
			wantCode(t, c.ExternalBind(), 0)
			res, err := c.Search(query(everyone))
			wantCode(t, err, 0)
			if len(res.Entries) != 3 {
				t.Errorf("got %d entries, want 3", len(res.Entries))
			}

			c, err = certified(t, s, nil)
			wantCode(t, err, 0)
			wantCode(t, c.ExternalBind(), ldap.LDAPResultInvalidCredentials)
			wantCode(t, c.Bind(testBindDN, testPassword), 0)
			wantCode(t, c.MD5Bind("127.0.0.1", "someone", "x"), ldap.LDAPResultAuthMethodNotSupported)
			if st := s.Stats(); st.Binds != 2 || st.BindsRefused != 2 || st.PlaintextBinds != 0 {
				t.Errorf("got %+v", st)
			}

			s.SetFaults(Faults{BindData: "533", Times: 1})
			c, err = certified(t, s, s)
			wantCode(t, err, 0)
			wantCode(t, c.ExternalBind(), ldap.LDAPResultInvalidCredentials)
			wantCode(t, c.ExternalBind(), 0)

			// The client of TLS 1.3 learns of it only when it reads.
			if c, err = certified(t, s, other); err == nil {
				err = c.ExternalBind()
			}
			if err == nil || ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
				t.Errorf("a certificate of another authority: got %v", err)
			}
		})
	}
}

func TestCertificateBindsAtOnce(t *testing.T) {
	s := start(t, Options{TLS: true, ClientCert: true, CertBinds: true})
	c, err := certified(t, s, s)
	wantCode(t, err, 0)
	_, err = c.Search(query(everyone))
	wantCode(t, err, 0)
	wantCode(t, c.ExternalBind(), ldap.LDAPResultUnwillingToPerform)
	_, err = c.Search(query(everyone))
	wantCode(t, err, ldap.LDAPResultOperationsError) // as after any bind that failed
	wantCode(t, c.Bind(testBindDN, testPassword), 0)

	c, err = certified(t, s, nil)
	wantCode(t, err, 0)
	_, err = c.Search(query(everyone))
	wantCode(t, err, ldap.LDAPResultOperationsError)
	wantCode(t, c.ExternalBind(), ldap.LDAPResultInvalidCredentials)

	s = start(t, Options{StartTLS: true, ClientCert: true, CertBinds: true})
	c, err = certified(t, s, s)
	wantCode(t, err, 0)
	_, err = c.Search(query(everyone))
	wantCode(t, err, ldap.LDAPResultOperationsError)
	wantCode(t, c.ExternalBind(), 0)
}

func TestExternalBindNotAsked(t *testing.T) {
	s := start(t, Options{TLS: true})
	c, err := certified(t, s, s)
	wantCode(t, err, 0)
	wantCode(t, c.ExternalBind(), ldap.LDAPResultAuthMethodNotSupported)
}

// A server's certificate is not one for clients, and the other way round.
func TestCertificatesHaveOnePurpose(t *testing.T) {
	s := start(t, Options{TLS: true, ClientCert: true})
	config := trusting(t, s)
	config.Certificates = s.tls.Certificates
	c, err := ldap.DialURL(s.URL(), ldap.DialWithTLSConfig(config))
	if err == nil {
		defer c.Close()
		err = c.ExternalBind()
	}
	if err == nil {
		t.Error("the server's own certificate binds a client")
	}
	if _, _, err := start(t, Options{}).ClientCertificate(); err == nil {
		t.Error("a plain server certifies clients")
	}
}
