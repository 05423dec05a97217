package directory

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/go-ldap/ldap/v3/gssapi"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/keytab"
)

// bindKerberos fetches a ticket for the controller's LDAP service and shows it.
func (c *connection) bindKerberos(s Server, password string) error {
	service, err := c.servicePrincipal()
	if err != nil {
		return err
	}
	account, err := s.kerberosClient(c.controller, password)
	if err != nil {
		return err
	}
	defer account.Close() //nolint:errcheck // forgets the tickets
	err = c.GSSAPIBind(account, service, "")
	var result *ldap.Error
	if err == nil || errors.As(err, &result) {
		return explainBind(err)
	}
	return explainKerberos(err)
}

// servicePrincipal is ldap/HOST with the name that the domain knows the controller by: an
// address has no ticket, so the controller is asked for its name, over the encrypted connection.
func (c *connection) servicePrincipal() (string, error) {
	if net.ParseIP(c.controller.host) == nil {
		return "ldap/" + strings.ToLower(c.controller.host), nil
	}
	root, err := c.root()
	if err != nil {
		return "", err
	}
	name := root.Text("dnshostname")
	if name == "" {
		return "", fmt.Errorf("%s does not tell its name, which a Kerberos ticket is for: name the controller in url by its name", c.controller.Name())
	}
	return "ldap/" + strings.ToLower(name), nil
}

// kerberosClient is the account with its keytab or password.
func (s Server) kerberosClient(pinned Controller, password string) (*gssapi.Client, error) {
	name, suffix, _ := strings.Cut(s.Credentials.Username, "@")
	realm := s.Credentials.Realm
	if realm == "" {
		realm = strings.ToUpper(suffix)
	}
	if realm == "" {
		return nil, errors.New("the Kerberos realm is not known: write username as name@domain, or set credentials.realm")
	}
	settings, err := s.kerberosConfig(pinned, realm)
	if err != nil {
		return nil, err
	}
	// Active Directory does not speak FAST to clients that are not in the domain.
	noFAST := client.DisablePAFXFAST(true)
	if s.Credentials.Keytab == "" {
		return &gssapi.Client{Client: client.NewWithPassword(name, realm, password, settings, noFAST)}, nil
	}
	keys, err := keytab.Load(s.Credentials.Keytab)
	if err != nil {
		return nil, fmt.Errorf("read the keytab: %w", err)
	}
	return &gssapi.Client{Client: client.NewWithKeytab(name, realm, keys, settings, noFAST)}, nil
}

// kerberosConfig is the file that the configuration names or, without one, what every domain
// controller is: a KDC of its realm. Tickets of Active Directory are too large for UDP.
func (s Server) kerberosConfig(pinned Controller, realm string) (*config.Config, error) {
	if s.Credentials.Krb5Conf != "" {
		settings, err := config.Load(s.Credentials.Krb5Conf)
		if err != nil {
			return nil, fmt.Errorf("read krb5_conf: %w", err)
		}
		return settings, nil
	}
	settings, err := config.NewFromString(fmt.Sprintf(`[libdefaults]
  default_realm = %[1]s
  dns_lookup_realm = false
  dns_lookup_kdc = false
  udp_preference_limit = 1
[realms]
  %[1]s = {
    kdc = %[2]s
  }
`, realm, net.JoinHostPort(pinned.host, "88")))
	if err != nil {
		return nil, fmt.Errorf("configure Kerberos: %w", err)
	}
	return settings, nil
}

// kerberosCode finds the like of (24) KDC_ERR_PREAUTH_FAILED.
var kerberosCode = regexp.MustCompile(`\((\d+)\) (K[A-Z_]+)`)

// explainKerberos keeps the code of a Kerberos error (RFC 4120, 7.5.9); its text names people.
func explainKerberos(err error) error {
	code := kerberosCode.FindStringSubmatch(err.Error())
	if code == nil {
		if strings.Contains(err.Error(), "keytab") {
			return errors.New("the keytab holds no key of the account that the controller wants: export it anew, with the encryption types that the domain uses")
		}
		return unusable(errors.New("no Kerberos ticket could be had: is port 88 of the controller open?"))
	}
	hint := map[string]string{
		"6": "no such account: check username and realm", "7": "the controller has no ticket for this name: name it in url as the domain does",
		"12": "the account may not log on now", "14": "the encryption types do not agree: export the keytab anew",
		"18": "the account is disabled, expired or locked", "23": "the password has expired",
		"24": "wrong password or old keytab", "37": "the clocks are more than 5 minutes apart: set this machine's",
		"68": "another domain's account: set credentials.realm",
	}[code[1]]
	if hint == "" {
		hint = "check credentials"
	}
	return &credentialsError{fmt.Sprintf("the controller gives no Kerberos ticket (%s, %s): %s", code[2], code[1], hint)}
}
