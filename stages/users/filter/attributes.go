package filter

import (
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Names lists the attributes that a compiled filter compares, in lower case, each once.
func Names(p *ber.Packet) []string {
	var names []string
	collect(p, &names)
	slices.Sort(names)
	return slices.Compact(names)
}

func collect(p *ber.Packet, names *[]string) {
	switch p.Tag {
	case ldap.FilterAnd, ldap.FilterOr, ldap.FilterNot:
		for _, c := range p.Children {
			collect(c, names)
		}
		return
	case ldap.FilterPresent:
		add(p, names)
	case ldap.FilterExtensibleMatch:
		for _, c := range p.Children {
			if c.Tag == ldap.MatchingRuleAssertionType {
				add(c, names)
			}
		}
	default:
		add(child(p, 0), names)
	}
}

func add(p *ber.Packet, names *[]string) {
	if name, err := octets(p); err == nil {
		*names = append(*names, strings.ToLower(name))
	}
}
