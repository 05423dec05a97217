package fakedc

import (
	"fmt"
	"sort"
	"strings"
)

// Entry is one object of the directory.
type Entry struct {
	// DN is the distinguished name as the server spells it. It must parse and
	// lie at or below the naming context.
	DN string
	// Attributes maps attribute names, in the server's spelling, to raw values.
	// Names are matched without regard to case, so two names of one entry may
	// not differ by case alone. An attribute without values is treated as
	// absent, as Active Directory never stores one. A missing distinguishedName
	// is filled in from DN. May be nil.
	Attributes map[string][][]byte
}

// attribute is one attribute in the spelling in which it is sent.
type attribute struct {
	name   string
	values [][]byte
}

// entry is an Entry prepared for searching: attributes in a fixed order, found
// by lower-cased name, and a key that orders the tree from the root down.
type entry struct {
	dn         string
	key        string
	attributes []attribute
	index      map[string]int
}

// newEntry prepares an entry without looking at its DN. The values are shared
// with the argument, not copied.
func newEntry(e Entry) (*entry, error) {
	out := &entry{dn: e.DN, index: make(map[string]int, len(e.Attributes))}
	for _, a := range sortedAttributes(e.Attributes) {
		if len(a.values) == 0 {
			continue
		}
		lower := strings.ToLower(a.name)
		if _, twice := out.index[lower]; twice {
			return nil, fmt.Errorf("attribute %q appears twice in different case", a.name)
		}
		out.index[lower] = len(out.attributes)
		out.attributes = append(out.attributes, a)
	}
	return out, nil
}

// sortedAttributes lists a map of attributes by name, so that answers do not
// depend on the order in which Go walks a map.
func sortedAttributes(m map[string][][]byte) []attribute {
	list := make([]attribute, 0, len(m))
	for name, values := range m {
		list = append(list, attribute{name, values})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	return list
}

// values returns the values of the attribute with the lower-cased name, or nil.
func (e *entry) values(lower string) [][]byte {
	i, ok := e.index[lower]
	if !ok {
		return nil
	}
	return e.attributes[i].values
}

// selected returns the attributes a request asks for by lower-cased name: all of
// them for an empty list or "*", none for "1.1". An attribute is returned once
// however often it is asked for.
func (e *entry) selected(names []string) []attribute {
	if len(names) == 0 {
		return e.attributes
	}
	list := make([]attribute, 0, len(names))
	seen := make(map[int]bool, len(names))
	for _, name := range names {
		if name == "*" {
			return e.attributes
		}
		if i, ok := e.index[name]; ok && !seen[i] {
			seen[i] = true
			list = append(list, e.attributes[i])
		}
	}
	return list
}
