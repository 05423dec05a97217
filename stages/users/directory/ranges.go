package directory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// A server that holds more values of an attribute than it sends at once (MaxValRange) calls what
// it sends name;range=0-1499, and the rest is to be asked for (MS-ADTS 3.1.1.3.1.3.3).

// unfinished are the attributes of an entry of which more values are to be had, with the number
// of those that are there.
type unfinished map[string]int

// fromLDAP takes an entry over. Of attributes that nobody asked for a part is enough.
func fromLDAP(e *ldap.Entry, wanted []string) (Entry, unfinished) {
	entry := Entry{DN: e.DN, Attributes: make(map[string][][]byte, len(e.Attributes))}
	var rest unfinished
	for _, attribute := range e.Attributes {
		name, _, next, ranged := parseRange(attribute.Name)
		switch {
		case !ranged || !slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, name) }):
			entry.Add(attribute.Name, attribute.ByteValues...)
		default:
			entry.Add(name, attribute.ByteValues...)
			if next > 0 {
				if rest == nil {
					rest = unfinished{}
				}
				rest[name] = next
			}
		}
	}
	return entry, rest
}

// parseRange splits name;range=0-1499. next is the number of the first value that is missing, 0
// after the last one, which is called *.
func parseRange(attribute string) (name string, first, next int, ranged bool) {
	name, option, _ := strings.Cut(attribute, ";")
	bounds, ranged := strings.CutPrefix(strings.ToLower(option), "range=")
	if !ranged {
		return attribute, 0, 0, false
	}
	from, to, _ := strings.Cut(bounds, "-")
	first, _ = strconv.Atoi(from)
	if n, err := strconv.Atoi(to); err == nil {
		next = n + 1
	}
	return name, first, next, true
}

// finish fetches the values that are missing of an entry.
func (c *connection) finish(e *Entry, rest unfinished) error {
	for name, next := range rest {
		for next > 0 {
			values, following, err := c.from(e.DN, name, next)
			if err != nil {
				return err
			}
			if len(values) == 0 {
				return broken(fmt.Errorf("%s has more values than the server sends at once, and it does not send those from number %d on", name, next))
			}
			e.Add(name, values...)
			next = following
		}
	}
	return nil
}

// from asks for an attribute's values from a number on, and tells the number of the first one
// that is still missing.
func (c *connection) from(dn, name string, number int) (values [][]byte, next int, err error) {
	found, err := c.ask(dn, ldap.ScopeBaseObject, "(objectClass=*)", []string{fmt.Sprintf("%s;range=%d-*", name, number)})
	if err != nil {
		return nil, 0, fmt.Errorf("ask for more values of %s: %w", name, err)
	}
	for _, e := range found {
		for _, attribute := range e.Attributes {
			own, first, following, _ := parseRange(attribute.Name)
			if strings.EqualFold(own, name) && first == number && (following == 0 || following > number) && len(attribute.ByteValues) > 0 {
				return attribute.ByteValues, following, nil
			}
		}
	}
	return nil, 0, nil
}
