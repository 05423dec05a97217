package fakedc

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// maxRequestBytes limits one request, as Active Directory's MaxReceiveBuffer
// does by default.
const maxRequestBytes = 10 << 20

// messageTag begins every LDAP message: it is the tag of a BER sequence.
const messageTag = byte(ber.TypeConstructed) | byte(ber.TagSequence)

// errHangUp ends a session on purpose: after an unbind or because of a fault.
var errHangUp = errors.New("hang up")

// session is the state of one connection. Only the connection's own goroutine
// uses it.
type session struct {
	server *Server
	conn   net.Conn // the TCP connection, beneath any TLS
	in     *bufio.Reader
	out    *bufio.Writer
	secure bool
	// certified says that the client gave a certificate that could be verified.
	certified bool
	bound     bool
	// challenge is what the client has yet to answer in a bind by NTLM; nil
	// outside of one.
	challenge []byte
	sent      int // entries sent on the connection
	// cursors holds the paged searches that can be continued, by cookie.
	cursors map[string]*cursor
}

func newSession(server *Server, conn net.Conn) *session {
	return &session{
		server:  server,
		conn:    conn,
		in:      bufio.NewReader(conn),
		out:     bufio.NewWriter(conn),
		cursors: make(map[string]*cursor),
	}
}

// serve answers requests until the client leaves, sends something malformed, or
// a fault or Close drops the connection. None of these is of interest to anyone,
// so the error is only a reason to stop.
func (s *session) serve() {
	if s.server.options.TLS && s.upgrade() != nil {
		return
	}
	for {
		// Anything else than an LDAP message, such as TLS on a plain port, may
		// claim a length that never comes and would leave both sides waiting.
		if first, err := s.in.Peek(1); err != nil || first[0] != messageTag {
			return
		}
		p, err := ber.ReadPacket(io.LimitReader(s.in, maxRequestBytes))
		if err != nil {
			return
		}
		err = s.handle(p)
		if flushErr := s.out.Flush(); err != nil || flushErr != nil {
			return
		}
	}
}

// upgrade puts TLS on the connection.
func (s *session) upgrade() error {
	if s.server.currentFaults().StallTLS && s.server.strikes(faultStallTLS) {
		return s.stall()
	}
	conn := tls.Server(s.conn, s.server.tls)
	if err := conn.HandshakeContext(context.Background()); err != nil {
		return fmt.Errorf("negotiate TLS: %w", err)
	}
	s.in.Reset(conn)
	s.out.Reset(conn)
	s.secure = true
	s.certified = len(conn.ConnectionState().VerifiedChains) > 0
	if s.certified && s.server.bindsByTLS() {
		s.bound = true
	}
	return nil
}

// handle answers one request. An error means that the connection must be closed.
func (s *session) handle(p *ber.Packet) error {
	r, err := readRequest(p)
	if err != nil {
		return err
	}
	switch r.op.Tag {
	case ldap.ApplicationBindRequest:
		return s.bind(r)
	case ldap.ApplicationUnbindRequest:
		return errHangUp
	case ldap.ApplicationSearchRequest:
		return s.search(r)
	case ldap.ApplicationExtendedRequest:
		return s.extended(r)
	case ldap.ApplicationAbandonRequest:
		return nil // has no answer
	case ldap.ApplicationModifyRequest, ldap.ApplicationAddRequest, ldap.ApplicationDelRequest,
		ldap.ApplicationModifyDNRequest, ldap.ApplicationCompareRequest:
		// In LDAP, the answer to each of these has the next higher tag.
		return s.reply(r, r.op.Tag+1, result{code: ldap.LDAPResultUnwillingToPerform, message: messageUnwilling})
	default:
		return s.disconnect()
	}
}

// send queues one message of the answer to a request.
func (s *session) send(id int64, op *ber.Packet, controls ...ldap.Control) error {
	m := ber.NewSequence("")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(op)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range controls {
			list.AppendChild(c.Encode())
		}
		m.AppendChild(list)
	}
	if _, err := s.out.Write(m.Bytes()); err != nil {
		return fmt.Errorf("send an answer: %w", err)
	}
	return nil
}

// reply queues the result that ends the answer to a request.
func (s *session) reply(r request, tag ber.Tag, res result, controls ...ldap.Control) error {
	return s.send(r.id, resultOp(tag, res), controls...)
}

// disconnect sends the notice of disconnection that LDAP has for a request which
// cannot be answered in kind, and hangs up.
func (s *session) disconnect() error {
	op := resultOp(ldap.ApplicationExtendedResponse, result{code: ldap.LDAPResultProtocolError})
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, oidDisconnection, ""))
	if err := s.send(0, op); err != nil {
		return err
	}
	return errHangUp
}

// wait passes the time, unless the server closes meanwhile.
func (s *session) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.server.closing:
	}
}

// stall says nothing more but keeps the connection open until the client leaves
// or the server closes. It has to read on, since that is the only way to notice.
func (s *session) stall() error {
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("send what came before a stall: %w", err)
	}
	if _, err := io.Copy(io.Discard, s.in); err != nil {
		return fmt.Errorf("wait for the client to leave: %w", err)
	}
	return errHangUp
}
