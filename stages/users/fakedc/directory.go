package fakedc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"rollcall/stages/users/filter"
)

// directory is an immutable set of entries. Searches keep the one they started
// with, so replacing the entries never disturbs a paged search in progress.
type directory struct {
	root    string // key of the naming context
	config  string // key of the configuration below it
	entries []*entry
	bases   map[string]bool // keys that a search may start from
	usn     int64           // highestCommittedUSN
}

// The configuration is a partition of its own, right below the domain.
const (
	configurationRDN = "CN=Configuration"
	configurationKey = "cn=configuration\x00"
)

// newDirectory prepares entries under the naming context whose key is root.
func newDirectory(root string, entries []Entry) (*directory, error) {
	d := &directory{root: root, config: root + configurationKey, usn: int64(len(entries))}
	d.bases = map[string]bool{d.root: true, d.config: true}
	for i, in := range entries {
		e, err := newEntry(in)
		if err != nil {
			return nil, fmt.Errorf("prepare entry %d (%q): %w", i, in.DN, err)
		}
		if e.values("distinguishedname") == nil {
			e.index["distinguishedname"] = len(e.attributes)
			e.attributes = append(e.attributes, attribute{"distinguishedName", [][]byte{[]byte(in.DN)}})
		}
		dn, err := ldap.ParseDN(in.DN)
		if err != nil {
			return nil, fmt.Errorf("parse the DN of entry %d (%q): %w", i, in.DN, err)
		}
		e.key = treeKey(dn)
		if !strings.HasPrefix(e.key, root) {
			return nil, fmt.Errorf("place entry %d (%q): not under the naming context", i, in.DN)
		}
		for key := e.key; !d.bases[key]; key = parentKey(key) {
			d.bases[key] = true
		}
		for _, v := range e.values("usnchanged") {
			if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
				d.usn = max(d.usn, n)
			}
		}
		d.entries = append(d.entries, e)
	}
	return d, nil
}

// treeKey spells a DN from the root down in lower case, each part closed by a
// NUL, so that one entry is below another exactly if its key continues the
// other's. String escapes a NUL inside a value, so the separator is unambiguous.
func treeKey(dn *ldap.DN) string {
	var b strings.Builder
	for i := len(dn.RDNs) - 1; i >= 0; i-- {
		b.WriteString(strings.ToLower(dn.RDNs[i].String()))
		b.WriteByte(0)
	}
	return b.String()
}

// parentKey drops the last part of a key.
func parentKey(key string) string {
	return key[:strings.LastIndexByte(key[:len(key)-1], 0)+1]
}

// inScope reports whether an entry lies in the scope of a search from base.
func inScope(e *entry, base string, scope int64) bool {
	switch scope {
	case ldap.ScopeBaseObject:
		return e.key == base
	case ldap.ScopeSingleLevel:
		return e.key != base && strings.HasPrefix(e.key, base) && parentKey(e.key) == base
	default:
		return strings.HasPrefix(e.key, base)
	}
}

// find returns the entries in scope that match, in the order they were given. A
// search from above the configuration does not reach into it.
func (d *directory) find(base string, scope int64, matches filter.Predicate) []*entry {
	var found []*entry
	above := !strings.HasPrefix(base, d.config)
	for _, e := range d.entries {
		if above && strings.HasPrefix(e.key, d.config) {
			continue
		}
		if inScope(e, base, scope) && matches(e.values) {
			found = append(found, e)
		}
	}
	return found
}

// locate checks that a search may start from the DN. It returns the DN's key, or
// the refusal a domain controller would send.
func (d *directory) locate(base string) (key string, refusal *result) {
	dn, err := ldap.ParseDN(base)
	if err != nil {
		return "", &result{code: ldap.LDAPResultInvalidDNSyntax, message: messageBadDN}
	}
	key = treeKey(dn)
	if d.bases[key] {
		return key, nil
	}
	if base != "" && !strings.HasPrefix(key, d.root) {
		domain := domainOf(dn)
		return "", &result{
			code:      ldap.LDAPResultReferral,
			message:   messageReferral(domain),
			referrals: []string{"ldap://" + domain + "/" + base},
		}
	}
	best := &ldap.DN{RDNs: dn.RDNs}
	for len(best.RDNs) > 0 && !d.bases[treeKey(best)] {
		best.RDNs = best.RDNs[1:]
	}
	return "", &result{
		code:      ldap.LDAPResultNoSuchObject,
		matchedDN: best.String(),
		message:   messageNoSuchObject(best.String()),
	}
}

// domainOf joins the DC parts of a DN to a DNS name, which is empty if there are
// none.
func domainOf(dn *ldap.DN) string {
	var labels []string
	for _, rdn := range dn.RDNs {
		for _, a := range rdn.Attributes {
			if strings.EqualFold(a.Type, "DC") {
				labels = append(labels, strings.ToLower(a.Value))
			}
		}
	}
	return strings.Join(labels, ".")
}
