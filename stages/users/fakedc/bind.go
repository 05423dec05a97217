package fakedc

import (
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// The authentication choices of a bind request.
const (
	authSimple ber.Tag = 0
	authSASL   ber.Tag = 3
)

// mechanismExternal is the SASL mechanism that takes the word of TLS.
const mechanismExternal = "EXTERNAL"

// bind answers a bind request. Whatever comes of it, the rights of an earlier
// bind are gone, as LDAP asks.
func (s *session) bind(r request) error {
	version, err := integer(child(r.op, 0))
	if err != nil {
		return fmt.Errorf("read the bind version: %w", err)
	}
	name, err := octets(child(r.op, 1))
	if err != nil {
		return fmt.Errorf("read the bind name: %w", err)
	}
	method := child(r.op, 2)
	if method == nil || method.ClassType != ber.ClassContext {
		return fmt.Errorf("read the bind method: %w", errMalformed)
	}
	challenge := s.challenge
	s.bound, s.challenge = false, nil
	if s.server.currentFaults().StallBind && s.server.strikes(faultStallBind) {
		return s.stall()
	}

	if version != 3 {
		return s.refuseBind(r, result{code: ldap.LDAPResultProtocolError, message: messageBindVersion})
	}
	switch method.Tag {
	case authSimple:
		return s.bindSimple(r, name, method)
	case authSASL:
		return s.bindSASL(r, method)
	case authSicilyDiscovery, authSicilyNegotiate, authSicilyResponse:
		if s.server.options.NTLM {
			return s.bindNTLM(r, method, challenge)
		}
	}
	return s.refuseBind(r, result{code: ldap.LDAPResultAuthMethodNotSupported, message: messageAuthMethod})
}

func (s *session) bindSimple(r request, name string, method *ber.Packet) error {
	password, err := octets(method)
	if err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	if password != "" && !s.secure {
		s.server.count(func(st *Stats) { st.PlaintextBinds++ })
	}
	if refusal := s.bindFault(); refusal != nil {
		return s.refuseBind(r, *refusal)
	}
	if password == "" {
		// Active Directory takes a bind without a password for an anonymous one,
		// whatever the name, and reports success. Searches fail afterwards.
		return s.reply(r, ldap.ApplicationBindResponse, result{})
	}
	if !strings.EqualFold(name, s.server.options.BindDN) || password != s.server.options.Password {
		return s.refuseBind(r, result{code: ldap.LDAPResultInvalidCredentials, message: messageBindRefused("52e")})
	}
	return s.acceptBind(r)
}

// bindSASL knows EXTERNAL alone: the client is whom its certificate names. The
// name it may ask to act as is ignored, since there is only one.
func (s *session) bindSASL(r request, method *ber.Packet) error {
	mechanism, err := octets(child(method, 0))
	if err != nil {
		return fmt.Errorf("read the SASL mechanism: %w", err)
	}
	if mechanism != mechanismExternal || !s.server.options.ClientCert {
		return s.refuseBind(r, result{code: ldap.LDAPResultAuthMethodNotSupported, message: messageAuthMethod})
	}
	if refusal := s.bindFault(); refusal != nil {
		return s.refuseBind(r, *refusal)
	}
	if s.certified && s.server.bindsByTLS() {
		// Microsoft's text names no result code for this one.
		return s.refuseBind(r, result{code: ldap.LDAPResultUnwillingToPerform, message: messageUnwilling})
	}
	if !s.certified {
		return s.refuseBind(r, result{code: ldap.LDAPResultInvalidCredentials, message: messageNoCertificate})
	}
	return s.acceptBind(r)
}

// bindsByTLS reports whether a verified client certificate is all it takes.
func (s *Server) bindsByTLS() bool { return s.options.TLS && s.options.CertBinds }

// bindFault returns the refusal that the faults ask for, or nil.
func (s *session) bindFault() *result {
	f := s.server.currentFaults()
	if f.BindCode == 0 && f.BindData == "" || !s.server.strikes(faultBind) {
		return nil
	}
	refusal := &result{code: f.BindCode, message: messageFor(f.BindCode)}
	if f.BindCode == 0 {
		refusal.code = ldap.LDAPResultInvalidCredentials
	}
	if f.BindData != "" {
		refusal.message = messageBindRefused(f.BindData)
	}
	return refusal
}

func (s *session) acceptBind(r request) error {
	s.bound = true
	s.server.count(func(st *Stats) { st.Binds++ })
	return s.reply(r, ldap.ApplicationBindResponse, result{})
}

func (s *session) refuseBind(r request, refusal result) error {
	s.server.count(func(st *Stats) { st.BindsRefused++ })
	return s.reply(r, ldap.ApplicationBindResponse, refusal)
}
