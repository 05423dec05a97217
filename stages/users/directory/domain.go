package directory

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Domain is what a controller tells before the accounts: of itself, and of the domain's password
// policies.
type Domain struct {
	Controller Controller
	// CertificateExpires is when its certificate does; zero without encryption.
	CertificateExpires time.Time
	// Encryption is the version of TLS in words; empty without encryption.
	Encryption string
	// Clock is the controller's time; zero if it does not tell.
	Clock time.Time
	// Policy is the domain's own entry with its maxPwdAge; empty where it is not readable.
	Policy Entry
	// FineGrained are the password settings objects that are readable (MS-ADTS 3.1.1.4.5.36).
	FineGrained []Entry
	// Limits are those of the forest's default query policy, such as MaxPageSize=1000; empty where
	// not readable.
	Limits []string

	highestUSN int64
}

// domain asks the controller about itself. One that is still receiving its first replica would
// tell of a part of the domain only, and is not used.
func (c *connection) domain() (Domain, error) {
	d := Domain{Controller: c.controller}
	if c.certificate != nil {
		d.CertificateExpires, d.Encryption = c.certificate.NotAfter.UTC(), tls.VersionName(c.version)
	}
	root, err := c.root()
	if err != nil {
		return d, err
	}
	if strings.EqualFold(root.Text("issynchronized"), "FALSE") {
		return d, unusable(errors.New("the controller has not received the whole directory yet (isSynchronized is FALSE): wait for its replication"))
	}
	if clock, err := time.Parse("20060102150405.0Z", root.Text("currenttime")); err == nil {
		d.Clock = clock
	}
	d.highestUSN, _ = strconv.ParseInt(root.Text("highestcommittedusn"), 10, 64) // 0: not told
	context := root.Text("defaultnamingcontext")
	if context == "" {
		return d, nil // not a domain controller: it has no domain policy
	}
	if d.Policy, err = c.one(context, "maxPwdAge"); err != nil {
		return d, fmt.Errorf("read the domain's password policy: %w", err)
	}
	d.FineGrained, err = c.list("CN=Password Settings Container,CN=System,"+context, "(objectClass=msDS-PasswordSettings)", "msDS-MaximumPasswordAge")
	if err != nil {
		return d, fmt.Errorf("read the fine-grained password policies: %w", err)
	}
	configuration := root.Text("configurationnamingcontext")
	if configuration == "" {
		return d, nil
	}
	limits, err := c.one("CN=Default Query Policy,CN=Query-Policies,CN=Directory Service,CN=Windows NT,CN=Services,"+configuration, "lDAPAdminLimits")
	if err != nil {
		return d, fmt.Errorf("read the query policy: %w", err)
	}
	for _, limit := range limits.Values("ldapadminlimits") {
		d.Limits = append(d.Limits, string(limit))
	}
	return d, nil
}

// root reads the rootDSE (MS-ADTS 3.1.1.3.2).
func (c *connection) root() (Entry, error) {
	root, err := c.one("", "defaultNamingContext", "configurationNamingContext", "dnsHostName", "currentTime", "highestCommittedUSN", "isSynchronized")
	if err != nil {
		return root, fmt.Errorf("read the server's root: %w", err)
	}
	return root, nil
}

// one reads a single entry; it is empty if the entry is not there or not readable.
func (c *connection) one(dn string, attributes ...string) (Entry, error) {
	entries, err := c.search(dn, ldap.ScopeBaseObject, "(objectClass=*)", attributes)
	if err != nil || len(entries) == 0 {
		return Entry{}, err
	}
	return entries[0], nil
}

// list reads the few entries right below another; there are none if that is not readable.
func (c *connection) list(dn, filter string, attributes ...string) ([]Entry, error) {
	return c.search(dn, ldap.ScopeSingleLevel, filter, attributes)
}

// search reads entries that fit into one answer; none if they are not there or not readable.
func (c *connection) search(dn string, scope int, filter string, attributes []string) ([]Entry, error) {
	found, err := c.ask(dn, scope, filter, attributes)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(found))
	for i, e := range found {
		entries[i], _ = fromLDAP(e, nil)
		entries[i].Place = Place{Unit: "entry", Number: i + 1}
	}
	return entries, nil
}

func (c *connection) ask(dn string, scope int, filter string, attributes []string) ([]*ldap.Entry, error) {
	waiting := c.watch()
	defer waiting.stop()
	result, err := c.Search(ldap.NewSearchRequest(dn, scope, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil))
	if err != nil {
		if ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultReferral) {
			return nil, nil
		}
		return nil, waiting.explain(explainSearch(err))
	}
	return result.Entries, nil
}
