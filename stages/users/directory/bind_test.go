package directory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/stages/users/fakedc"
)

// withCertificate gives a server's account a client certificate instead of a password.
func withCertificate(t *testing.T, dc *fakedc.Server, s Server) Server {
	t.Helper()
	certificate, key, err := dc.ClientCertificate()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	s.Credentials = Credentials{Method: External, Certificate: filepath.Join(folder, "c.pem"), Key: filepath.Join(folder, "c.key")}
	for path, pem := range map[string][]byte{s.Credentials.Certificate: certificate, s.Credentials.Key: key} {
		if err := os.WriteFile(path, pem, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// A client certificate binds: by EXTERNAL or, where Active Directory does so, with TLS itself.
func TestExternalBind(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]fakedc.Options{
		"LDAPS":                      {TLS: true, ClientCert: true},
		"StartTLS":                   {StartTLS: true, ClientCert: true},
		"LDAPS that binds by itself": {TLS: true, ClientCert: true, CertBinds: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Entries = append(people(300), fakedc.Entry{DN: baseDN})
			dc, s := serve(t, options)
			if read, err := readAll(context.Background(), withCertificate(t, dc, s), nil); err != nil || len(read) != 300 {
				t.Errorf("read %d accounts: %v", len(read), err)
			}
		})
	}
}

func TestExternalBindFails(t *testing.T) {
	t.Parallel()
	dc, s := serve(t, fakedc.Options{TLS: true, ClientCert: true, Entries: people(3)})
	other, _ := serve(t, fakedc.Options{TLS: true, ClientCert: true})
	_, plain := serve(t, fakedc.Options{TLS: true, Entries: people(3)})
	own := withCertificate(t, dc, s)
	missing := own
	missing.Credentials.Certificate = "missing.pem"
	mixed := own
	mixed.Credentials.Key = withCertificate(t, dc, s).Credentials.Key
	unasked := withCertificate(t, dc, plain)
	for name, c := range map[string]struct {
		server  Server
		message string
	}{
		"another CA's certificate":       {withCertificate(t, other, s), "the connection broke while binding"},
		"a certificate that is not here": {missing, "read the client's certificate and key: open missing.pem"},
		"another key":                    {mixed, "read the client's certificate and key: "},
		"a server that does not ask":     {unasked, "the server does not know this way to bind (LDAP result 7)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, err := readAll(context.Background(), c.server, nil)
			wantMessage(t, err, c.message)
			if len(read) > 0 {
				t.Errorf("%d accounts were read", len(read))
			}
		})
	}
}

// NTLM is verified by the fake alone: no Samba speaks it over LDAP the way Windows does.
func TestNTLMBind(t *testing.T) {
	t.Parallel()
	dc, s := serve(t, fakedc.Options{TLS: true, NTLM: true, Entries: people(300)})
	for _, name := range []string{bindName, `CONTOSO\svc-rollcall`} {
		s.Credentials = Credentials{Method: NTLM, Username: name, Password: secret(bindSecret)}
		if read, err := readAll(context.Background(), s, nil); err != nil || len(read) != 300 {
			t.Errorf("%s: read %d accounts: %v", name, len(read), err)
		}
	}
	if dc.Stats().PlaintextBinds > 0 {
		t.Error("a password crossed the network")
	}
	s.Credentials.Password = secret("wrong horse")
	_, err := readAll(context.Background(), s, nil)
	wantMessage(t, err, "data 52e: wrong password): check credentials")
	wantQuiet(t, err)
}

// What Kerberos says names people; its code is told, with what to do.
func TestKerberosErrorsAreExplained(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[Root cause: KDC_Error] KDC_Error: AS Exchange Error: kerberos error response from KDC: KRB Error: (24) KDC_ERR_PREAUTH_FAILED Pre-authentication information was invalid":    "the controller gives no Kerberos ticket (KDC_ERR_PREAUTH_FAILED, 24): wrong password or old keytab",
		"KRB Error: (18) KDC_ERR_CLIENT_REVOKED Clients credentials have been revoked - svc-private@CONTOSO.EXAMPLE":                                                                   "the account is disabled, expired or locked",
		"KRB Error: (7) KDC_ERR_S_PRINCIPAL_UNKNOWN Server not found":                                                                                                                  "name it in url as the domain does",
		"KRB Error: (37) KRB_AP_ERR_SKEW Clock skew too great":                                                                                                                         "the clocks are more than 5 minutes apart",
		"KRB Error: (60) KRB_ERR_GENERIC Generic error":                                                                                                                                "check credentials",
		"matching key not found in keytab. Looking for \"private\" realm: CONTOSO.EXAMPLE":                                                                                             "the keytab holds no key of the account",
		"[Root cause: Networking_Error] communication error with KDC via TCP: error in getting a TCP connection: dial tcp 127.0.0.1:88: connect: connection refused (private@CONTOSO)": "is port 88 of the controller open?",
	} {
		err := explainKerberos(errors.New(text))
		wantMessage(t, err, want)
		if strings.Contains(err.Error(), "rivate") {
			t.Errorf("the message tells a name: %v", err)
		}
	}
	if remedyOf(explainKerberos(errors.New("KRB Error: (24) KDC_ERR_PREAUTH_FAILED"))) != nothing {
		t.Error("a wrong password would be tried elsewhere")
	}
}

func TestKerberosNeedsRealmAndFiles(t *testing.T) {
	t.Parallel()
	_, s := serve(t, fakedc.Options{TLS: true, HostName: "dc1.contoso.example", Entries: people(3)})
	for name, c := range map[string]struct {
		credentials Credentials
		message     string
	}{
		"no realm":            {Credentials{Username: "svc"}, "the Kerberos realm is not known: write username as name@domain"},
		"a missing keytab":    {Credentials{Username: bindName, Keytab: "missing.keytab"}, "read the keytab: "},
		"a missing krb5.conf": {Credentials{Username: bindName, Krb5Conf: "missing.conf"}, "read krb5_conf: "},
	} {
		s.Credentials = c.credentials
		s.Credentials.Method, s.Credentials.Password = Kerberos, secret(bindSecret)
		_, err := readAll(context.Background(), s, nil)
		wantMessage(t, err, c.message)
		if t.Failed() {
			t.Log(name)
		}
	}
}

// Attributes with more values than one answer holds are read to the end.
func TestRangesAreReadToTheEnd(t *testing.T) {
	t.Parallel()
	list := people(300)
	for i := range 47 {
		list[150].Attributes["proxyAddresses"] = append(list[150].Attributes["proxyAddresses"], fmt.Appendf(nil, "smtp:more%02d@contoso.example", i))
	}
	_, s := serve(t, fakedc.Options{TLS: true, Entries: list, MaxValRange: 5})
	most := 0
	r := &roll{visit: func(e Entry) {
		if len(e.Partial) > 0 {
			t.Errorf("%s has a part of %v", e.Place, e.Partial)
		}
		most = max(most, len(e.Values("proxyAddresses")))
	}}
	if _, err := s.Read(context.Background(), wanted(), r); err != nil || len(r.seen) != 300 || most != 49 {
		t.Errorf("read %d accounts, at most %d addresses: %v", len(r.seen), most, err)
	}
	_, s = serve(t, fakedc.Options{TLS: true, Entries: list, Faults: fakedc.Faults{RangedAttribute: "proxyAddresses"}})
	_, err := readAll(context.Background(), s, nil)
	wantMessage(t, err, "page 1: proxyAddresses has more values than the server sends at once, and it does not send those from number 1500 on")
}

func TestParseRange(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"member;range=0-1499": "member 1500 true", "Member;Range=1500-*": "Member 0 true", "member": "member 0 false",
		"userCertificate;binary": "userCertificate;binary 0 false", "member;range=": "member 0 true", "member;range=x-y": "member 0 true",
	} {
		name, _, next, ranged := parseRange(text)
		if got := fmt.Sprint(name, " ", next, " ", ranged); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
