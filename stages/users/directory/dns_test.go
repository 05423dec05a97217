package directory

import (
	"context"
	"net"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is what the name server knows, names in full with a dot at the end.
type zone struct {
	srv     map[string][]dnsmessage.SRVResource
	address map[string][4]byte
	broken  bool // answers every question with a failure
}

// resolver starts a name server on loopback and returns Go's own resolver, which asks it.
func resolver(t *testing.T, z zone) *net.Resolver {
	t.Helper()
	var config net.ListenConfig
	conn, err := config.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var question dnsmessage.Message
			if question.Unpack(buffer[:n]) != nil {
				continue
			}
			if answer, err := z.answer(question).Pack(); err == nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialer := net.Dialer{Timeout: time.Second}
		return dialer.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (z zone) answer(m dnsmessage.Message) *dnsmessage.Message {
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	question := m.Questions[0]
	name := question.Name.String()
	header := dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class, TTL: 60}
	records, isService := z.srv[name]
	address, isHost := z.address[name]
	switch {
	case z.broken:
		m.RCode = dnsmessage.RCodeServerFailure
	case question.Type == dnsmessage.TypeSRV && isService:
		for i := range records {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &records[i]})
		}
	case question.Type == dnsmessage.TypeA && isHost:
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: address}}}
	case !isService && !isHost:
		m.RCode = dnsmessage.RCodeNameError
	}
	return &m
}

// service is an SRV record; the lower the priority, the earlier it is tried.
func service(host string, port, priority int) dnsmessage.SRVResource {
	return dnsmessage.SRVResource{Target: dnsmessage.MustNewName(host + "."), Port: uint16(port), Priority: uint16(priority)}
}
