package users

import "strings"

// Entry is one directory entry as a source delivered it: raw values, attribute names in lower
// case. Place says where it stands, for error messages: "line 12" or "entry 7".
type Entry struct {
	DN         string
	Place      string
	Attributes map[string][][]byte
	// Partial names the attributes of which the source sent only a range of the values.
	Partial []string
}

// Values returns an attribute's raw values; nil if the attribute is absent or not readable,
// which LDAP does not tell apart.
func (e Entry) Values(name string) [][]byte { return e.Attributes[strings.ToLower(name)] }

// first returns an attribute's first value.
func (e Entry) first(name string) ([]byte, bool) {
	values := e.Attributes[name]
	if len(values) == 0 {
		return nil, false
	}
	return values[0], true
}

// add puts values under an attribute's plain name. Options such as ;binary and ;lang-de are
// dropped; a range means that the server sent only a part, which is never taken for the whole:
// an entry may have it (the members of a large group), but whoever needs the values is refused.
func (e *Entry) add(name string, values ...[]byte) {
	base, option, _ := strings.Cut(strings.ToLower(name), ";")
	if strings.HasPrefix(option, "range=") {
		e.Partial = append(e.Partial, base)
		return
	}
	if e.Attributes == nil {
		e.Attributes = make(map[string][][]byte, 24)
	}
	e.Attributes[base] = append(e.Attributes[base], values...)
}
