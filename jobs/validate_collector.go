package jobs

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rollcall/stages/users"
)

// collector checks one collector and compiles its filters.
func (c *checker) collector(d document, at string, k *Collector, seen map[string]bool) {
	if strings.TrimSpace(k.Name) == "" {
		c.refuse(d, at+".name", "must not be empty", k.Name)
	} else if seen[k.Name] {
		c.refuse(d, at+".name", "is there twice in the organization; give each collector a name of its own", k.Name)
	}
	seen[k.Name] = true
	k.only = c.filter(d, at+".filter", k.Filter)
	c.exclude(d, at+".exclude", &k.Exclude)
	var named []string
	for _, source := range []struct {
		key string
		set bool
	}{{"url", len(k.URL) > 0}, {"domain", k.Domain != ""}, {"ldif", k.LDIF != ""}} {
		if source.set {
			named = append(named, source.key)
		}
	}
	switch {
	case len(named) != 1:
		got := "none of them"
		if len(named) > 0 {
			got = strings.Join(named, " and ")
		}
		c.refuse(d, at, "must have exactly one of url, domain and ldif", got)
	case k.LDIF == "":
		c.server(d, at, k)
	}
	c.waiting(d, at, k)
}

// waiting checks how long and how fast a collector reads.
func (c *checker) waiting(d document, at string, k *Collector) {
	if k.PageSize < 0 || k.PageSize > 1000 {
		c.refuse(d, at+".page_size", "must be from 1 to 1000, the limit of a domain controller", k.PageSize)
	}
	if k.Timeout < 0 {
		c.refuse(d, at+".timeout", "cannot be negative", k.Timeout)
	}
	if k.MaxRate < 0 {
		c.refuse(d, at+".max_rate", "must be a number of accounts a second, or 0 for no bound", k.MaxRate)
	}
	if k.MinTLS != "" {
		c.oneOf(d, at+".min_tls", k.MinTLS, "1.2", "1.3")
	}
}

// server checks what a collector says of its controllers.
func (c *checker) server(d document, at string, k *Collector) {
	for i, address := range k.URL {
		place := at + ".url"
		if d.has(place + "[0]") {
			place = fmt.Sprintf("%s[%d]", place, i)
		}
		c.address(d, at, place, address, k)
		if slices.Contains(k.URL[:i], address) {
			c.refuse(d, place, "is there twice; take one of them out", shownAddress(address))
		}
	}
	if k.Domain != "" {
		c.domain(d, at, k)
	} else if k.Site != "" {
		c.refuse(d, at+".site", "must go with domain, whose controllers DNS lists by site", k.Site)
	}
	c.bases(d, at, k)
	c.credentials(d, at+".credentials", k)
	if k.ServerName != "" && (k.Domain != "" || len(k.URL) > 1) {
		c.refuse(d, at+".server_name", "is the name in one certificate, and there are several controllers; take it out", k.ServerName)
	}
}

func (c *checker) address(d document, at, place, text string, k *Collector) {
	address, err := url.Parse(text)
	if err != nil || address.Hostname() == "" || (address.Scheme != "ldaps" && address.Scheme != "ldap") {
		c.refuse(d, place, "must be ldaps://HOST[:PORT], or ldap:// with start_tls: true", shownAddress(text))
		return
	}
	port := 0
	if address.Port() != "" {
		port, err = strconv.Atoi(address.Port())
	}
	switch {
	case address.User != nil || address.RawQuery != "" || address.Fragment != "" || strings.Trim(address.Path, "/") != "":
		c.refuse(d, place, "must hold scheme, host and port only; the rest has keys of its own", shownAddress(text))
	case err != nil || port > 65535:
		c.refuse(d, place, "must have a port from 1 to 65535", shownAddress(text))
	case port == 3268 || port == 3269:
		c.refuse(d, place, "is the Global Catalog, which lacks most of what is needed; use 636 (ldaps://) or 389 (ldap://), with a collector for each domain", shownAddress(text))
	case address.Scheme == "ldap" && !k.StartTLS && !k.Insecure:
		c.refuse(d, place, "ldap:// would send the password in clear text; use ldaps://, start_tls: true or, if it must be, insecure: true", shownAddress(text))
	case address.Scheme == "ldaps" && k.StartTLS:
		c.refuse(d, at+".start_tls", "does not go with ldaps://, which is encrypted from the start", true)
	}
}

// dnsName is a name of at least two labels (RFC 1123, 2.1); an underscore is no letter of it.
var dnsName = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func (c *checker) domain(d document, at string, k *Collector) {
	if !dnsName.MatchString(k.Domain) {
		c.refuse(d, at+".domain", "must be the DNS name of the domain, such as contoso.example", shownAddress(k.Domain))
	}
	if strings.ContainsFunc(k.Site, func(r rune) bool { return r <= ' ' || strings.ContainsRune("./:@", r) }) {
		c.refuse(d, at+".site", "must be the name of a site, as Active Directory Sites and Services shows it", k.Site)
	}
	if k.Insecure {
		c.refuse(d, at+".insecure", "does not go with domain, whose controllers all speak LDAPS or StartTLS; name one in url", true)
	}
}

// bases checks where a collector reads. A base under another would read its accounts twice.
func (c *checker) bases(d document, at string, k *Collector) {
	if len(k.BaseDN) == 0 {
		c.refuse(d, at+".base_dn", "must be a distinguished name such as DC=contoso,DC=example", "")
	}
	for i, base := range k.BaseDN {
		place := at + ".base_dn"
		if d.has(place + "[0]") {
			place = fmt.Sprintf("%s[%d]", place, i)
		}
		if err := users.CheckDN(base); err != nil {
			c.refuse(d, place, "must be a distinguished name such as DC=contoso,DC=example", base)
			continue
		}
		for other, above := range k.BaseDN {
			if other != i && users.CheckDN(above) == nil && users.LiesAtOrUnder(base, above) {
				c.refuse(d, place, "lies at or under another base_dn, which reads it already; take one of them out", base)
				break
			}
		}
	}
}

// credentials checks that what a way to bind needs is there, and nothing that another one needs.
func (c *checker) credentials(d document, at string, k *Collector) {
	own := k.Credentials
	method := own.Bind
	if method == "" {
		method = "simple"
	}
	c.oneOf(d, at+".bind", method, "simple", "kerberos", "external", "ntlm")
	byName := []string{"simple", "kerberos", "ntlm"}
	for _, have := range []struct {
		key, value string
		fits       []string
	}{
		{"username", own.Username, byName},
		{"password", own.Password.Env + own.Password.File, byName},
		{"keytab", own.Keytab, []string{"kerberos"}},
		{"realm", own.Realm, []string{"kerberos"}},
		{"krb5_conf", own.Krb5Conf, []string{"kerberos"}},
		{"certificate", own.Certificate, []string{"external"}},
		{"key", own.Key, []string{"external"}},
	} {
		if have.value != "" && slices.Contains(append(byName, "external"), method) && !slices.Contains(have.fits, method) {
			c.refuse(d, at+"."+have.key, "does not go with bind: "+method+" but with "+strings.Join(have.fits, ", "), method)
		}
	}
	const whereItLies = "name an environment variable, {env: NAME}, or a file, {file: PATH}"
	switch {
	case method == "external":
		if own.Certificate == "" {
			c.refuse(d, at+".certificate", "must go with bind: external: name a PEM file", "")
		}
		if own.Certificate != "" && own.Key == "" {
			c.refuse(d, at+".key", "must go with the certificate: name a PEM file", "")
		}
		if k.Insecure && !k.StartTLS {
			c.refuse(d, at+".bind", "external needs an encrypted connection; take insecure out", method)
		}
	case own.Username == "":
		if own.Password.IsSet() || own.Keytab != "" || own.Bind != "" {
			c.refuse(d, at+".username", "must go with the rest of the credentials", "")
		}
	case own.Password.IsSet() && own.Keytab != "":
		c.refuse(d, at+".keytab", "and password are two ways to do the same; keep one", own.Keytab)
	case !own.Password.IsSet() && own.Keytab == "" && method == "kerberos":
		c.refuse(d, at+".keytab", "must go with the user name: name a keytab file, or a password ("+whereItLies+")", "")
	case !own.Password.IsSet() && own.Keytab == "":
		c.refuse(d, at+".password", "must go with the user name: "+whereItLies, "")
	}
	name, suffix, _ := strings.Cut(own.Username, "@")
	if method == "kerberos" && own.Username != "" && (name == "" || strings.Contains(name, `\`) || own.Realm == "" && suffix == "") {
		c.refuse(d, at+".username", "must be name@domain with bind: kerberos, or realm must be set", own.Username)
	}
}
