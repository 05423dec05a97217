package users

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-ldap/ldap/v3"

	"rollcall/stages/users/filter"
)

// Filter is one of the configuration's filters: what it takes out, or all that it takes. It is evaluated here and not by the server, so
// that it means the same for every source and what it excludes can be counted. The zero value
// matches nothing.
type Filter struct {
	matches    filter.Predicate
	attributes []string
}

// CompileFilter checks and prepares a filter such as (adminDescription=svc*); an empty text
// gives the filter that matches nothing.
func CompileFilter(text string) (Filter, error) {
	if text == "" {
		return Filter{}, nil
	}
	packet, err := ldap.CompileFilter(text)
	if err != nil {
		var refusal *ldap.Error
		if errors.As(err, &refusal) { // its number says nothing to whoever wrote the filter
			err = refusal.Err
		}
		return Filter{}, fmt.Errorf("parse it: %w", err)
	}
	matches, err := filter.Compile(packet)
	if err != nil {
		return Filter{}, fmt.Errorf("compile it: %w", err)
	}
	return Filter{matches: matches, attributes: filter.Names(packet)}, nil
}

// Matches tells whether an entry, given by its attributes' values, passes the filter.
func (f Filter) Matches(values func(lower string) [][]byte) bool {
	return f.matches != nil && f.matches(values)
}

// Attributes are those that the filter compares and that must be asked for.
func (f Filter) Attributes() []string { return f.attributes }

// Or is the filter that matches what either of two matches.
func (f Filter) Or(other Filter) Filter {
	switch {
	case !f.IsSet():
		return other
	case !other.IsSet():
		return f
	}
	return Filter{
		matches:    func(values filter.Attributes) bool { return f.Matches(values) || other.Matches(values) },
		attributes: slices.Concat(f.attributes, other.attributes),
	}
}

// IsSet tells whether there is a filter at all.
func (f Filter) IsSet() bool { return f.matches != nil }
