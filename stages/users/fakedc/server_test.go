package fakedc

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

func TestStartChecksOptions(t *testing.T) {
	good := Options{BindDN: testBindDN, Password: testPassword}
	for name, change := range map[string]func(*Options){
		"no password":               func(o *Options) { o.Password = "" },
		"no name":                   func(o *Options) { o.BindDN = "" },
		"two kinds of TLS":          func(o *Options) { o.TLS, o.StartTLS = true, true },
		"client cert in clear":      func(o *Options) { o.ClientCert = true },
		"negative range":            func(o *Options) { o.MaxValRange = -1 },
		"certificate not asked for": func(o *Options) { o.TLS, o.CertBinds = true, true },
		"bad address":               func(o *Options) { o.Addr = "nowhere" },
		"negative page":             func(o *Options) { o.MaxPageSize = -1 },
		"bad naming context":        func(o *Options) { o.NamingContext = "nonsense" },
		"bad DN":                    func(o *Options) { o.Entries = []Entry{{DN: "nonsense"}} },
		"foreign DN":                func(o *Options) { o.Entries = []Entry{{DN: "CN=A,DC=example,DC=org"}} },
		"blank naming":              func(o *Options) { o.NamingContext = " " },
		"attribute two times":       func(o *Options) { o.Entries = []Entry{clashing()} },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			change(&o)
			s, err := Start(o)
			if err == nil {
				s.Close()
				t.Fatal("Start accepted the options")
			}
		})
	}
}

func clashing() Entry {
	v := [][]byte{[]byte("x")}
	return Entry{DN: "CN=A,DC=example,DC=com", Attributes: map[string][][]byte{"mail": v, "Mail": v}}
}

func TestLDAPS(t *testing.T) {
	s := start(t, Options{TLS: true, Entries: people(3)})
	if !strings.HasPrefix(s.URL(), "ldaps://127.0.0.1:") {
		t.Fatalf("URL is %q", s.URL())
	}
	if _, err := ldap.DialURL(s.URL()); err == nil {
		t.Fatal("a client without the authority trusts the server")
	}
	res, err := bound(t, s).Search(query("(objectClass=user)"))
	wantCode(t, err, 0)
	if len(res.Entries) != 3 {
		t.Fatalf("got %d entries, want 3", len(res.Entries))
	}
	wantCode(t, dial(t, s).Bind(testBindDN, "wrong"), ldap.LDAPResultInvalidCredentials)
	if got := s.Stats().PlaintextBinds; got != 0 {
		t.Fatalf("%d binds counted as plaintext over LDAPS", got)
	}
}

func TestCertificateDates(t *testing.T) {
	now := time.Now()
	s := start(t, Options{TLS: true, NotBefore: now.AddDate(0, 0, -2), NotAfter: now.AddDate(0, 0, -1)})
	_, err := ldap.DialURL(s.URL(), ldap.DialWithTLSConfig(trusting(t, s)))
	if err == nil || !strings.Contains(err.Error(), "expired") {
		t.Fatalf("dialling with an expired certificate: %v", err)
	}

	past := now.AddDate(-5, 0, 0)
	s = start(t, Options{TLS: true, Now: func() time.Time { return past }})
	config := trusting(t, s)
	config.Time = func() time.Time { return past }
	c, err := ldap.DialURL(s.URL(), ldap.DialWithTLSConfig(config))
	if err != nil {
		t.Fatalf("dialling at the server's own time: %v", err)
	}
	c.Close()
}

func TestStartTLS(t *testing.T) {
	s := start(t, Options{StartTLS: true, Entries: people(1)})
	c := dial(t, s)
	config := trusting(t, s)
	config.ServerName = "localhost"
	if err := c.StartTLS(config); err != nil {
		t.Fatal(err)
	}
	wantCode(t, c.Bind(testBindDN, testPassword), 0)
	res, err := c.Search(query("(objectClass=*)"))
	wantCode(t, err, 0)
	if len(res.Entries) != 1 {
		t.Fatalf("got %d entries, want 1", len(res.Entries))
	}
	if got := s.Stats().PlaintextBinds; got != 0 {
		t.Fatalf("%d binds counted as plaintext after StartTLS", got)
	}

	c = bound(t, s)
	wantCode(t, c.StartTLS(config), 0)
	_, err = c.Search(query("(objectClass=*)"))
	wantCode(t, err, 0) // TLS does not undo a bind
	if got := s.Stats().PlaintextBinds; got != 1 {
		t.Fatalf("%d binds counted as plaintext, want 1", got)
	}
}

func TestStartTLSRefused(t *testing.T) {
	s := start(t, Options{})
	if s.CAPEM() != nil {
		t.Fatal("a plain server has a certificate authority")
	}
	wantCode(t, dial(t, s).StartTLS(&tls.Config{}), ldap.LDAPResultUnavailable)
}

func TestBind(t *testing.T) {
	s := start(t, Options{Entries: people(1)})
	c := dial(t, s)
	err := c.Bind(testBindDN, "wrong")
	wantCode(t, err, ldap.LDAPResultInvalidCredentials)
	want := "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v3839\x00"
	if !strings.Contains(err.Error(), want) {
		t.Fatalf("got %q, want %q in it", err, want)
	}
	wantCode(t, c.Bind("CN=nobody", testPassword), ldap.LDAPResultInvalidCredentials)
	wantCode(t, c.Bind(strings.ToLower(testBindDN), testPassword), 0)

	// A bind without a password succeeds and takes the rights away again.
	wantCode(t, c.UnauthenticatedBind(testBindDN), 0)
	_, err = c.Search(query("(objectClass=*)"))
	wantCode(t, err, ldap.LDAPResultOperationsError)

	wantCode(t, c.MD5Bind("127.0.0.1", "someone", "x"), ldap.LDAPResultAuthMethodNotSupported)
	if st := s.Stats(); st.Binds != 1 || st.BindsRefused != 3 || st.PlaintextBinds != 3 {
		t.Fatalf("got %+v", st)
	}
}

func TestRefusedOperations(t *testing.T) {
	c := bound(t, start(t, Options{}))
	wantCode(t, c.Del(ldap.NewDelRequest("CN=A", nil)), ldap.LDAPResultUnwillingToPerform)
	wantCode(t, c.Add(ldap.NewAddRequest("CN=A", nil)), ldap.LDAPResultUnwillingToPerform)
	wantCode(t, c.Modify(ldap.NewModifyRequest("CN=A", nil)), ldap.LDAPResultUnwillingToPerform)
	wantCode(t, c.ModifyDN(ldap.NewModifyDNRequest("CN=A", "CN=B", true, "")), ldap.LDAPResultUnwillingToPerform)
	_, err := c.Compare("CN=A", "cn", "A")
	wantCode(t, err, ldap.LDAPResultUnwillingToPerform)
	_, err = c.Extended(ldap.NewExtendedRequest("1.3.6.1.4.1.4203.1.11.1", nil)) // change a password
	wantCode(t, err, ldap.LDAPResultProtocolError)
}

func TestWhoIsBoundIsTold(t *testing.T) {
	s := start(t, Options{})
	who, err := bound(t, s).WhoAmI(nil)
	if err != nil || !strings.HasPrefix(who.AuthzID, "u:") {
		t.Errorf("bound: got %+v, %v", who, err)
	}
	who, err = dial(t, s).WhoAmI(nil)
	if err != nil || who.AuthzID != "" {
		t.Errorf("not bound: got %+v, %v", who, err)
	}
}

func TestUnknownOperationDisconnects(t *testing.T) {
	s := start(t, Options{})
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(message(application(30))); err != nil {
		t.Fatal(err)
	}
	p, err := ber.ReadPacket(conn)
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := integer(child(p, 0)); id != 0 || child(p, 1).Tag != ldap.ApplicationExtendedResponse {
		t.Fatal("the answer is not a notice of disconnection")
	}
	if _, err := ber.ReadPacket(conn); err == nil {
		t.Fatal("the connection is still open")
	}
}

func TestCloseEndsStalledAndIdleConnections(t *testing.T) {
	s := start(t, Options{TLS: true, Entries: people(5), Faults: Faults{StallOnPage: 1}})
	bound(t, s) // idle
	mute, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close() // never begins TLS
	c := bound(t, s)
	failed := make(chan error)
	go func() {
		_, err := c.Search(query("(objectClass=*)"))
		failed <- err
	}()
	for s.Stats().Searches == 0 {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	s.Close()
	s.Close()
	if took := time.Since(began); took > 3*time.Second {
		t.Fatalf("Close took %v", took)
	}
	if err := <-failed; err == nil {
		t.Fatal("a stalled search succeeded")
	}
	if _, err := net.Dial("tcp", s.Addr()); err == nil {
		t.Fatal("the port still answers")
	}
}

// Leaving a stalled connection must end its goroutine without waiting for Close.
func TestStallEndsWithTheClient(t *testing.T) {
	s := start(t, Options{Entries: people(5), Faults: Faults{StallOnPage: 1}})
	c := bound(t, s)
	c.SetTimeout(50 * time.Millisecond)
	if _, err := c.Search(query("(objectClass=*)")); err == nil {
		t.Fatal("a stalled search succeeded")
	}
	c.Close()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		open := len(s.open)
		s.mu.Unlock()
		if open == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections still open", open)
		}
	}
}
