package fakedc

import (
	"errors"
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const (
	oidStartTLS      = "1.3.6.1.4.1.1466.20037"
	oidWhoAmI        = "1.3.6.1.4.1.4203.1.11.3"
	oidDisconnection = "1.3.6.1.4.1.1466.20036"
)

// extended answers an extended request: StartTLS, or who is bound.
func (s *session) extended(r request) error {
	name := child(r.op, 0)
	oid, err := octets(name)
	if err != nil || name.ClassType != ber.ClassContext || name.Tag != 0 {
		return fmt.Errorf("read the extended operation: %w", errMalformed)
	}
	switch {
	case oid == oidWhoAmI:
		return s.whoAmI(r)
	case oid != oidStartTLS:
		return s.reply(r, ldap.ApplicationExtendedResponse,
			result{code: ldap.LDAPResultProtocolError, message: messageUnknownExtension})
	case s.secure:
		return s.replyStartTLS(r, result{code: ldap.LDAPResultOperationsError, message: messageTLSTwice})
	case s.server.tls == nil:
		return s.replyStartTLS(r, result{code: ldap.LDAPResultUnavailable, message: messageNoTLS})
	case s.in.Buffered() > 0:
		// Requests sent ahead of the handshake may have been slipped in by
		// someone else on the line.
		return errors.New("start TLS: requests pending")
	}
	if err := s.replyStartTLS(r, result{}); err != nil {
		return err
	}
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("agree to TLS: %w", err)
	}
	return s.upgrade()
}

// whoAmI tells the name that is bound, nothing if none is (RFC 4532).
func (s *session) whoAmI(r request) error {
	op := resultOp(ldap.ApplicationExtendedResponse, result{})
	if s.bound {
		op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 11, "u:"+s.server.options.BindDN, ""))
	}
	return s.send(r.id, op)
}

func (s *session) replyStartTLS(r request, res result) error {
	op := resultOp(ldap.ApplicationExtendedResponse, res)
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, oidStartTLS, ""))
	return s.send(r.id, op)
}
