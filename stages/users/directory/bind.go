package directory

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Method is how a connection is bound.
type Method string

// The methods. go-ldap neither signs nor seals, so each of them wants an encrypted connection.
const (
	Simple   Method = "simple"   // user name and password (RFC 4513, 5.1.3)
	Kerberos Method = "kerberos" // SASL GSSAPI, with a password or a keytab (RFC 4752)
	External Method = "external" // the client's certificate (RFC 4422, appendix A)
	NTLM     Method = "ntlm"     // Microsoft's own (MS-ADTS 5.1.1.1.3); only where nothing else is possible
)

// Credentials are those of an account that may read the directory.
type Credentials struct {
	// Method is empty for Simple.
	Method Method
	// Username is a user principal name; with NTLM also DOMAIN\name.
	Username string
	// Password fetches the secret when it is needed; nil with a keytab or a certificate.
	Password func() (string, error)
	// Keytab is the path of a file with the account's Kerberos keys.
	Keytab string
	// Realm is the Kerberos realm; empty means what follows the @ of Username, in upper case.
	Realm string
	// Krb5Conf is the path of a Kerberos configuration; empty means that the controllers
	// themselves give the tickets.
	Krb5Conf string
	// Certificate and Key are the paths of PEM files.
	Certificate, Key string
}

// secret fetches the password, if the method has one.
func (c Credentials) secret() (string, error) {
	if c.Password == nil {
		return "", nil
	}
	password, err := c.Password()
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return password, nil
}

// account tells two accounts apart, or two passwords of one, without holding either.
func (c Credentials) account(password string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(c.Method), strings.ToLower(c.Username), password, c.Keytab, c.Certificate}, "\x00")))
	return string(sum[:])
}

// credentialsError is an error that says that an account may not log on: to try again would
// lock it.
type credentialsError struct{ text string }

func (e *credentialsError) Error() string { return e.text }

// bind says who we are.
func (c *connection) bind(s Server, password string) error {
	switch s.Method() {
	case Kerberos:
		return c.bindKerberos(s, password)
	case External:
		if c.boundByCertificate() {
			return nil
		}
		return explainBind(c.ExternalBind())
	case NTLM:
		// The library authenticates with the name alone, which must say the domain.
		domain, _, found := strings.Cut(s.Credentials.Username, `\`)
		if !found {
			domain = ""
		}
		return explainBind(c.NTLMBind(domain, s.Credentials.Username, password))
	default:
		return explainBind(c.Bind(s.Credentials.Username, password))
	}
}

// boundByCertificate tells whether the server has bound the certificate already: on its LDAPS
// port Active Directory does so at once, and refuses EXTERNAL there (MS-ADTS 5.1.1.2). A server
// that does not say who is bound has bound nobody.
func (c *connection) boundByCertificate() bool {
	if !c.controller.ldaps {
		return false
	}
	who, err := c.WhoAmI(nil)
	return err == nil && who.AuthzID != ""
}

// explainBind keeps the server's result code; its text may hold names and is left out.
func explainBind(err error) error {
	if err == nil {
		return nil
	}
	var result *ldap.Error
	if !errors.As(err, &result) {
		result = &ldap.Error{ResultCode: ldap.ErrorNetwork, Err: err} // go-ldap hands on what the connection said
	}
	switch result.ResultCode {
	case ldap.LDAPResultInvalidCredentials:
		return &credentialsError{"the server refused user name or password (LDAP result 49" + subcode(result) + "): check credentials"}
	case ldap.ErrorEmptyPassword:
		return errors.New("the password is empty: check credentials")
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		return busy(fmt.Errorf("the server is busy or unavailable (LDAP result %d): try again later", result.ResultCode))
	case ldap.LDAPResultStrongAuthRequired:
		return errors.New("the server demands an encrypted connection, or a binding to it that this way to bind does not have (LDAP result 8): use ldaps:// or start_tls: true, with credentials.bind: simple")
	case ldap.LDAPResultAuthMethodNotSupported:
		return errors.New("the server does not know this way to bind (LDAP result 7): choose another in credentials.bind")
	case ldap.ErrorNetwork:
		return unusable(fmt.Errorf("the connection broke while binding: check the server, then run again: %w", result.Err))
	default:
		return fmt.Errorf("the server refused the bind: check credentials: LDAP result %d (%s)", result.ResultCode, ldap.LDAPResultCodeMap[result.ResultCode])
	}
}

// subcode is what Active Directory adds to result 49: 52e a wrong password, 532 an expired one,
// 533 a disabled account, 775 a locked one.
func subcode(result *ldap.Error) string {
	meanings := []struct{ code, meaning string }{
		{"data 525", "no such account"}, {"data 52e", "wrong password"}, {"data 530", "not at this hour"},
		{"data 532", "password expired"}, {"data 533", "account disabled"}, {"data 701", "account expired"},
		{"data 773", "password must be changed"}, {"data 775", "account locked"},
		{"data 80090346", "the server wants channel binding, which rollcall does not have; use credentials.bind: simple"},
	}
	if result.Err != nil {
		for _, m := range meanings {
			if strings.Contains(result.Err.Error(), m.code) {
				return ", " + m.code + ": " + m.meaning
			}
		}
	}
	return ""
}
