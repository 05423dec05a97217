package directory

import (
	"fmt"
	"strings"
)

// Entry is one directory entry as a source delivered it: raw values, attribute names in lower
// case.
type Entry struct {
	DN         string
	Place      Place
	Attributes map[string][][]byte
	// Partial names the attributes of which the source sent only a range of the values.
	Partial []string
	// Pass is the number of the search that delivered the entry, from 0. One that has moved
	// meanwhile may come in two of them, and none comes twice in one.
	Pass int
}

// Place says where an entry stands in its source, for error messages.
type Place struct {
	Unit   string // "line" of a file, "entry" of an answer
	Number int    // from 1
}

func (p Place) String() string { return fmt.Sprintf("%s %d", p.Unit, p.Number) }

// Values returns an attribute's raw values; nil if the attribute is absent or not readable,
// which LDAP does not tell apart.
func (e Entry) Values(name string) [][]byte { return e.Attributes[strings.ToLower(name)] }

// First returns the first value of an attribute, whose name is in lower case.
func (e Entry) First(name string) ([]byte, bool) {
	values := e.Attributes[name]
	if len(values) == 0 {
		return nil, false
	}
	return values[0], true
}

// Text is First as text; empty without a value.
func (e Entry) Text(name string) string {
	value, _ := e.First(name)
	return string(value)
}

// Add puts values under an attribute's plain name. Options such as ;binary and ;lang-de are
// dropped; a range means that the server sent only a part, which is never taken for the whole:
// an entry may have it (the members of a large group), but whoever needs the values is refused.
func (e *Entry) Add(name string, values ...[]byte) {
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
