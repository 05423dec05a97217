package fakedc

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// message wraps an operation as the client's first message.
func message(op *ber.Packet, controls ...ldap.Control) []byte {
	m := ber.NewSequence("")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, ""))
	m.AppendChild(op)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range controls {
			list.AppendChild(c.Encode())
		}
		m.AppendChild(list)
	}
	return m.Bytes()
}

// searchMessage is a well-formed paged search.
func searchMessage(t testing.TB, base, filter string) []byte {
	t.Helper()
	f, err := ldap.CompileFilter(filter)
	if err != nil {
		t.Fatal(err)
	}
	op := application(ldap.ApplicationSearchRequest)
	op.AppendChild(octetString(base))
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 2, ""))
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 0, ""))
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, ""))
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, ""))
	op.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, false, ""))
	op.AppendChild(f)
	list := ber.NewSequence("")
	list.AppendChild(octetString("mail"))
	op.AppendChild(list)
	return message(op, ldap.NewControlPaging(2))
}

func bindMessage() []byte {
	op := application(ldap.ApplicationBindRequest)
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 3, ""))
	op.AppendChild(octetString(testBindDN))
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, testPassword, ""))
	return message(op)
}

func startTLSMessage() []byte {
	op := application(ldap.ApplicationExtendedRequest)
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, oidStartTLS, ""))
	return message(op)
}

func TestMalformedClosesTheConnection(t *testing.T) {
	s := start(t, Options{Entries: people(1)})
	for name, raw := range map[string][]byte{
		"not BER":          []byte("GET / HTTP/1.1\r\n\r\n"),
		"TLS":              {0x16, 0x03, 0x01, 0x02, 0x00, 0x01},
		"huge length":      {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02},
		"not a sequence":   octetString("hello").Bytes(),
		"no operation":     ber.NewSequence("").Bytes(),
		"foreign class":    message(octetString("hello")),
		"empty bind":       message(application(ldap.ApplicationBindRequest)),
		"empty search":     message(application(ldap.ApplicationSearchRequest)),
		"empty extended":   message(application(ldap.ApplicationExtendedRequest)),
		"bad paging value": bytes.Replace(searchMessage(t, "", "(cn=a)"), []byte{0x30, 0x05, 0x02, 0x01}, []byte{0x30, 0x05, 0x04, 0x01}, 1),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", s.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(raw); err != nil {
				t.Fatal(err)
			}
			if name == "huge length" {
				conn.(*net.TCPConn).CloseWrite()
			}
			conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
				t.Fatalf("reading gave %v, want a closed connection", err)
			}
		})
	}
	bound(t, s) // still serving
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// A request sent ahead of the TLS handshake must not be answered after it.
func TestStartTLSRefusesPendingRequests(t *testing.T) {
	s := start(t, Options{StartTLS: true})
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(append(startTLSMessage(), bindMessage()...)); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if got, err := io.ReadAll(conn); len(got) > 0 || isTimeout(err) {
		t.Fatalf("got %d bytes and %v, want a closed connection", len(got), err)
	}
	if s.Stats().PlaintextBinds+s.Stats().Binds > 0 {
		t.Fatal("the pending bind was carried out")
	}
}

// FuzzHandle feeds arbitrary bytes to a bound session and must not panic.
func FuzzHandle(f *testing.F) {
	f.Add(bindMessage())
	f.Add(startTLSMessage())
	f.Add(sicilyMessage(authSicilyNegotiate, ntlmSignature+"\x01\x00\x00\x00"))
	f.Add(sicilyMessage(authSicilyResponse, ntlmSignature+"\x03\x00\x00\x00"+strings.Repeat("\x00", 60)))
	f.Add(message(application(ldap.ApplicationUnbindRequest)))
	f.Add(message(application(ldap.ApplicationDelRequest)))
	filters := []string{
		"(&(objectClass=user)(!(cn=a*b*c)))",
		"(|(a>=1)(b<=2)(c~=3)(d=*))",
		"(userAccountControl:1.2.840.113556.1.4.803:=2)",
		"(cn:dn:2.5.13.5:=x)",
	}
	for _, filter := range filters {
		f.Add(searchMessage(f, "DC=example,DC=com", filter))
	}
	f.Add(searchMessage(f, "", "(cn=a)"))
	server := start(f, Options{Entries: people(5), NTLM: true, MaxValRange: 1})
	f.Fuzz(func(_ *testing.T, raw []byte) { feed(server, raw) })
}

// feed lets a session of its own handle a stream of bytes.
func feed(server *Server, raw []byte) {
	s := &session{
		server:  server,
		in:      bufio.NewReader(strings.NewReader("")),
		out:     bufio.NewWriter(io.Discard),
		bound:   true,
		cursors: make(map[string]*cursor),
	}
	for in := bytes.NewReader(raw); ; {
		p, err := ber.ReadPacket(in)
		if err != nil || s.handle(p) != nil {
			return
		}
	}
}

// TestDamagedMessages damages good messages in every single place.
func TestDamagedMessages(t *testing.T) {
	server := start(t, Options{Entries: people(5), NTLM: true, MaxValRange: 1})
	for _, good := range [][]byte{
		bindMessage(),
		sicilyMessage(authSicilyResponse, ntlmSignature+"\x03\x00\x00\x00"+strings.Repeat("\x00", 60)),
		startTLSMessage(),
		searchMessage(t, "DC=example,DC=com", "(&(|(a>=1)(b=x*y))(!(c:1.2.840.113556.1.4.803:=2)))"),
	} {
		for i := range good {
			for _, b := range []byte{0x00, 0x01, 0x02, 0x04, 0x05, 0x30, 0x7f, 0x80, 0xa0, 0xff, good[i] + 1, good[i] - 1, good[i] ^ 0x20} {
				bad := bytes.Clone(good)
				bad[i] = b
				feed(server, bad)
			}
		}
	}
}
