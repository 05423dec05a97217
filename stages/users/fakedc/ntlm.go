package fakedc

import (
	"crypto/rand"
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// The authentication choices by which Active Directory takes NTLM, besides those
// of LDAP (MS-ADTS 5.1.1.1.3). What the server has to say to them stands in the
// answer where LDAP has the matched DN.
const (
	authSicilyDiscovery ber.Tag = 9
	authSicilyNegotiate ber.Tag = 10
	authSicilyResponse  ber.Tag = 11
)

// packageNTLM is the only package that package discovery tells of.
const packageNTLM = "NTLM"

// bindNTLM answers one of the requests that make up a bind by NTLM. The
// challenge is what an earlier one was answered with, nil if there was none.
func (s *session) bindNTLM(r request, method *ber.Packet, challenge []byte) error {
	token, err := octets(method)
	if err != nil {
		return fmt.Errorf("read the NTLM message: %w", err)
	}
	switch method.Tag {
	case authSicilyDiscovery:
		return s.reply(r, ldap.ApplicationBindResponse, result{matchedDN: packageNTLM})
	case authSicilyNegotiate:
		if !isNTLM(token, ntlmNegotiate) {
			return s.refuseBind(r, result{code: ldap.LDAPResultInvalidCredentials, message: messageBindRefused("57")})
		}
		s.challenge = make([]byte, ntlmChallengeSize)
		rand.Read(s.challenge) // never fails: crypto/rand ends the program instead
		return s.reply(r, ldap.ApplicationBindResponse, result{matchedDN: s.server.challengeMessage(s.challenge)})
	default:
		return s.judgeNTLM(r, token, challenge)
	}
}

// judgeNTLM answers the last request of a bind by NTLM.
func (s *session) judgeNTLM(r request, token string, challenge []byte) error {
	if refusal := s.bindFault(); refusal != nil {
		return s.refuseBind(r, *refusal)
	}
	answer, ok := readAuthenticate(token)
	if !ok || challenge == nil {
		return s.refuseBind(r, result{code: ldap.LDAPResultInvalidCredentials, message: messageBindRefused("57")})
	}
	if !s.server.knows(answer.user, answer.domain) || !answer.proves(s.server.options.Password, challenge) {
		return s.refuseBind(r, result{code: ldap.LDAPResultInvalidCredentials, message: messageBindRefused("52e")})
	}
	return s.acceptBind(r)
}

// knows reports whether an NTLM client calls itself by the name that may bind.
// It sends DOMAIN and name apart, or a user principal name without a domain, or
// a mere name, which a domain controller takes for one of its own.
func (s *Server) knows(user, domain string) bool {
	account, realm := splitAccount(s.options.BindDN)
	if i := strings.LastIndexByte(user, '@'); i >= 0 && domain == "" {
		user, domain = user[:i], user[i+1:]
	}
	if !strings.EqualFold(user, account) {
		return false
	}
	for _, known := range []string{"", realm, s.netBIOSDomain(), domainOf(s.context)} {
		if strings.EqualFold(domain, known) {
			return true
		}
	}
	return false
}

// splitAccount takes the account and the domain, if any, out of a name in one of
// the forms that may bind.
func splitAccount(name string) (account, domain string) {
	if domain, account, ok := strings.Cut(name, `\`); ok {
		return account, domain
	}
	if dn, err := ldap.ParseDN(name); err == nil && len(dn.RDNs) > 0 {
		return dn.RDNs[0].Attributes[0].Value, domainOf(dn)
	}
	if i := strings.LastIndexByte(name, '@'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return name, ""
}

// netBIOSDomain is the short name of the domain, which is the first label of its
// DNS name unless the administrator chose another.
func (s *Server) netBIOSDomain() string {
	label, _, _ := strings.Cut(domainOf(s.context), ".")
	return strings.ToUpper(label)
}
