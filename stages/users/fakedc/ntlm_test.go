package fakedc

import (
	"bytes"
	"encoding/hex"
	"net"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// startAs runs a server on which a name of another form may bind, by NTLM too.
func startAs(t testing.TB, name string, opts Options) *Server {
	t.Helper()
	opts.BindDN, opts.Password, opts.NTLM = name, testPassword, true
	s, err := Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestNTLMBind(t *testing.T) {
	for _, name := range []string{
		"svc-rollcall@example.com", "svc-rollcall@mail.example", `EXAMPLE\svc-rollcall`, "svc-rollcall", testBindDN,
	} {
		t.Run(name, func(t *testing.T) {
			s := startAs(t, name, Options{TLS: true, Entries: people(3)})
			for user, good := range map[string]bool{
				"svc-rollcall":              true,
				"SVC-Rollcall":              true,
				`EXAMPLE\svc-rollcall`:      true,
				`example.com\svc-rollcall`:  true,
				"svc-rollcall@example.com":  true,
				"svc-rollcall@mail.example": name == "svc-rollcall@mail.example",
				`OTHER\svc-rollcall`:        false,
				"svc-other":                 false,
			} {
				c := dial(t, s)
				err := c.NTLMBind("", user, testPassword)
				if !good {
					wantCode(t, err, ldap.LDAPResultInvalidCredentials)
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", user, err)
					continue
				}
				res, err := c.Search(query(everyone))
				wantCode(t, err, 0)
				if len(res.Entries) != 3 {
					t.Errorf("got %d entries, want 3", len(res.Entries))
				}
			}
			if st := s.Stats(); st.Binds < 5 || st.Binds+st.BindsRefused != 8 {
				t.Errorf("got %+v", st)
			}
		})
	}
}

func TestNTLMBindRefused(t *testing.T) {
	s := startAs(t, "svc@example.com", Options{Entries: people(1)})
	c := dial(t, s)
	wantCode(t, c.Bind("svc@example.com", testPassword), 0)
	err := c.NTLMBind("EXAMPLE", "svc", "wrong")
	wantCode(t, err, ldap.LDAPResultInvalidCredentials)
	if !strings.Contains(err.Error(), messageBindRefused("52e")) {
		t.Errorf("got %q", err)
	}
	_, err = c.Search(query(everyone))
	wantCode(t, err, ldap.LDAPResultOperationsError) // the earlier bind is gone
	wantCode(t, c.NTLMBind("EXAMPLE", "svc", testPassword), 0)
	// go-ldap puts this domain into its first message alone, where it means the
	// client's own; only one within the user name counts.
	wantCode(t, c.NTLMBind("OTHER", "svc", testPassword), 0)
	wantCode(t, c.NTLMBind("EXAMPLE", `OTHER\svc`, testPassword), ldap.LDAPResultInvalidCredentials)
	if st := s.Stats(); st.PlaintextBinds != 1 {
		t.Errorf("got %+v, and NTLM sends no password", st)
	}

	s.SetFaults(Faults{BindData: "775", Times: 1})
	err = c.NTLMBind("", "svc", testPassword)
	wantCode(t, err, ldap.LDAPResultInvalidCredentials)
	if !strings.Contains(err.Error(), "data 775") {
		t.Errorf("got %q", err)
	}

	wantCode(t, dial(t, start(t, Options{})).NTLMBind("", "svc", testPassword), ldap.LDAPResultAuthMethodNotSupported)
}

// The hash of the password does for the password, and the example of MS-NLMP
// 4.2.2.1.2 tells that it is the right one.
func TestNTLMHash(t *testing.T) {
	s, err := Start(Options{BindDN: "User@example.com", Password: "Password", NTLM: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	wantCode(t, dial(t, s).NTLMBindWithHash("", "User", "a4f49c406510bdcab6824ee7c30fd852"), 0)
	wantCode(t, dial(t, s).NTLMBindWithHash("", "User", "a4f49c406510bdcab6824ee7c30fd853"), ldap.LDAPResultInvalidCredentials)
}

// The example of MS-NLMP 4.2.4: user User of Domain with the password Password.
func TestNTLMProof(t *testing.T) {
	raw := func(text string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	a := authenticate{
		user: "User", domain: "Domain", proof: raw("68cd0ab851e51c96aabc927bebef6a1c"),
		blob: raw("0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000" +
			"02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000 00000000"),
	}
	challenge := raw("0123456789abcdef")
	if !a.proves("Password", challenge) {
		t.Error("the right password is not proved")
	}
	if a.proves("password", challenge) || a.proves("Password", bytes.ToUpper(challenge[1:])) {
		t.Error("anything is proved")
	}
}

func sicilyMessage(choice ber.Tag, token string) []byte {
	op := application(ldap.ApplicationBindRequest)
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 3, ""))
	op.AppendChild(octetString(""))
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, choice, token, ""))
	return message(op)
}

// What go-ldap's client does not send.
func TestNTLMExchange(t *testing.T) {
	s := startAs(t, "svc@example.com", Options{})
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func(choice ber.Tag, token string) (code int64, credentials string) {
		t.Helper()
		if _, err := conn.Write(sicilyMessage(choice, token)); err != nil {
			t.Fatal(err)
		}
		p, err := ber.ReadPacket(conn)
		if err != nil {
			t.Fatal(err)
		}
		code, err = integer(child(child(p, 1), 0))
		if err != nil {
			t.Fatal(err)
		}
		credentials, err = octets(child(child(p, 1), 1))
		if err != nil {
			t.Fatal(err)
		}
		return code, credentials
	}
	negotiate := ntlmSignature + "\x01\x00\x00\x00" + strings.Repeat("\x00", 28)
	if code, packages := ask(authSicilyDiscovery, ""); code != 0 || packages != "NTLM" {
		t.Errorf("package discovery: got %d and %q", code, packages)
	}
	code, one := ask(authSicilyNegotiate, negotiate)
	_, two := ask(authSicilyNegotiate, negotiate)
	if code != 0 || !isNTLM(one, ntlmChallenge) || one[24:32] == two[24:32] {
		t.Errorf("got %d and the challenges %x and %x", code, one, two)
	}
	for name, token := range map[string]string{
		"nothing": "", "a challenge": two, "a short answer": ntlmSignature + "\x03\x00\x00\x00",
		"an answer of another place": ntlmSignature + "\x03\x00\x00\x00" + strings.Repeat("\xff", 64),
		"an empty answer":            ntlmSignature + "\x03\x00\x00\x00" + strings.Repeat("\x00", 48) + "\x01\x00\x00\x00",
	} {
		if code, _ := ask(authSicilyNegotiate, token); code != ldap.LDAPResultInvalidCredentials {
			t.Errorf("negotiating with %s: got %d", name, code)
		}
		ask(authSicilyNegotiate, negotiate)
		if code, _ := ask(authSicilyResponse, token); code != ldap.LDAPResultInvalidCredentials {
			t.Errorf("responding with %s: got %d", name, code)
		}
	}
}

// replayer answers every challenge alike.
type replayer struct{ answer []byte }

func (replayer) Negotiate(string, string) ([]byte, error) {
	return []byte(ntlmSignature + "\x01\x00\x00\x00"), nil
}

func (r replayer) ChallengeResponse([]byte, string, string) ([]byte, error) { return r.answer, nil }

// An answer that was good once is not good for another challenge.
func TestNTLMReplay(t *testing.T) {
	s := startAs(t, "svc@example.com", Options{})
	challenge := []byte("8 octets")
	a := authenticate{user: "svc", blob: bytes.Repeat([]byte{1}, 32)}
	response := append(a.expected(testPassword, challenge), a.blob...)
	const header = 64
	m := []byte(ntlmSignature + "\x03\x00\x00\x00")
	m = appendField(m, 0, header)
	m = appendField(m, len(response), header)
	m = appendField(m, 0, header)
	m = appendField(m, 6, header+len(response))
	m = appendField(m, 0, header)
	m = appendField(m, 0, header)
	m = append(m, 1, 0, 0, 0)
	m = append(append(m, response...), utf16LE("svc")...)
	got, ok := readAuthenticate(string(m))
	if !ok || !got.proves(testPassword, challenge) {
		t.Fatalf("the answer is not good at all: %+v", got)
	}
	_, err := dial(t, s).NTLMChallengeBind(&ldap.NTLMBindRequest{Username: "svc", Password: "x", Negotiator: replayer{m}})
	wantCode(t, err, ldap.LDAPResultInvalidCredentials)
	if !strings.Contains(err.Error(), "52e") {
		t.Errorf("got %q", err)
	}
}
