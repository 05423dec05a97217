package filter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// The matching rules that test bits: all of the mask, or any of it.
const (
	ruleBitAnd = "1.2.840.113556.1.4.803"
	ruleBitOr  = "1.2.840.113556.1.4.804"
)

// ErrMatchingRule is for a matching rule that is not known. LDAP would have it
// match nothing; refusing says so where silence would look like an empty
// directory.
var ErrMatchingRule = errors.New("matching rule is not supported")

// Attributes returns the raw values of the attribute with the lower-cased name, nil if there are none.
type Attributes func(lower string) [][]byte

// Predicate tells whether an entry matches a filter or a part of one.
type Predicate func(Attributes) bool

// test tells whether one value of an attribute matches.
type test func(value []byte) bool

// Compile turns a filter as it was received into a Predicate. It fails
// with ErrMalformed or ErrMatchingRule.
func Compile(p *ber.Packet) (Predicate, error) {
	if p == nil || p.ClassType != ber.ClassContext {
		return nil, fmt.Errorf("read a filter: %w", ErrMalformed)
	}
	switch p.Tag {
	case ldap.FilterAnd, ldap.FilterOr:
		return compileSet(p)
	case ldap.FilterNot:
		inner, err := Compile(child(p, 0))
		if err != nil {
			return nil, err
		}
		return func(e Attributes) bool { return !inner(e) }, nil
	case ldap.FilterPresent:
		name, err := octets(p)
		if err != nil {
			return nil, fmt.Errorf("read a presence filter: %w", err)
		}
		return present(name), nil
	case ldap.FilterSubstrings:
		return compileSubstrings(p)
	case ldap.FilterExtensibleMatch:
		return compileExtensible(p)
	case ldap.FilterEqualityMatch, ldap.FilterApproxMatch, ldap.FilterGreaterOrEqual, ldap.FilterLessOrEqual:
		return compileComparison(p)
	default:
		return nil, fmt.Errorf("read a filter with tag %d: %w", p.Tag, ErrMalformed)
	}
}

// compileSet handles "and" and "or"; the empty "and" is true and the empty "or"
// false, as LDAP asks.
func compileSet(p *ber.Packet) (Predicate, error) {
	parts := make([]Predicate, 0, len(p.Children))
	for _, c := range p.Children {
		part, err := Compile(c)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	and := p.Tag == ldap.FilterAnd
	return func(e Attributes) bool {
		for _, part := range parts {
			if part(e) != and {
				return !and
			}
		}
		return and
	}, nil
}

func compileComparison(p *ber.Packet) (Predicate, error) {
	name, err := octets(child(p, 0))
	if err != nil {
		return nil, fmt.Errorf("read the attribute of a comparison: %w", err)
	}
	want, err := octets(child(p, 1))
	if err != nil {
		return nil, fmt.Errorf("read the value of a comparison: %w", err)
	}
	switch p.Tag {
	case ldap.FilterGreaterOrEqual:
		return anyValue(name, func(v []byte) bool { return order(v, want) >= 0 }), nil
	case ldap.FilterLessOrEqual:
		return anyValue(name, func(v []byte) bool { return order(v, want) <= 0 }), nil
	default:
		// Active Directory has no approximate matching and takes it for equality.
		return equal(name, want), nil
	}
}

func compileSubstrings(p *ber.Packet) (Predicate, error) {
	name, err := octets(child(p, 0))
	if err != nil {
		return nil, fmt.Errorf("read the attribute of a substring filter: %w", err)
	}
	parts := child(p, 1)
	if parts == nil {
		return nil, fmt.Errorf("read a substring filter: %w", ErrMalformed)
	}
	var initial, final string
	var middle []string
	for _, c := range parts.Children {
		part, err := octets(c)
		if err != nil {
			return nil, fmt.Errorf("read a part of a substring filter: %w", err)
		}
		part = fold([]byte(part))
		switch c.Tag {
		case ldap.FilterSubstringsInitial:
			initial = part
		case ldap.FilterSubstringsFinal:
			final = part
		default:
			middle = append(middle, part)
		}
	}
	return anyValue(name, func(v []byte) bool {
		rest, ok := strings.CutPrefix(fold(v), initial)
		if !ok {
			return false
		}
		if rest, ok = strings.CutSuffix(rest, final); !ok {
			return false
		}
		for _, part := range middle {
			if _, rest, ok = strings.Cut(rest, part); !ok {
				return false
			}
		}
		return true
	}), nil
}

// compileExtensible handles the bitwise rules, and equality for a filter that
// names no rule. Matching in the parts of the DN (":dn") is ignored, as Active
// Directory ignores it.
func compileExtensible(p *ber.Packet) (Predicate, error) {
	var rule, name, want string
	for _, c := range p.Children {
		text, err := octets(c)
		if err != nil {
			return nil, fmt.Errorf("read an extensible filter: %w", err)
		}
		switch c.Tag {
		case ldap.MatchingRuleAssertionMatchingRule:
			rule = text
		case ldap.MatchingRuleAssertionType:
			name = text
		case ldap.MatchingRuleAssertionMatchValue:
			want = text
		}
	}
	if name == "" {
		return nil, fmt.Errorf("apply rule %q to all attributes: %w", rule, ErrMatchingRule)
	}
	switch rule {
	case "":
		return equal(name, want), nil
	case ruleBitAnd, ruleBitOr:
		mask, err := strconv.ParseInt(want, 10, 64)
		if err != nil {
			return func(Attributes) bool { return false }, nil //nolint:nilerr // no number has the bits of a text
		}
		return anyValue(name, func(v []byte) bool {
			n, err := strconv.ParseInt(string(v), 10, 64)
			if err != nil {
				return false
			}
			if rule == ruleBitOr {
				return n&mask != 0
			}
			return n&mask == mask
		}), nil
	default:
		return nil, fmt.Errorf("apply rule %q: %w", rule, ErrMatchingRule)
	}
}

// present matches entries that have the attribute. Everything has an object
// class, so that one holds even for entries that were given without.
func present(name string) Predicate {
	name = strings.ToLower(name)
	if name == "objectclass" {
		return func(Attributes) bool { return true }
	}
	return func(e Attributes) bool { return e(name) != nil }
}

func equal(name, want string) Predicate {
	if strings.EqualFold(name, "objectCategory") && !strings.Contains(want, "=") {
		return category(want)
	}
	want = fold([]byte(want))
	return anyValue(name, func(v []byte) bool { return fold(v) == want })
}

// category matches an objectCategory given as the name of a class. The stored
// value is the DN of the class, or of the class that stands for it: users and
// contacts both have the category Person.
func category(class string) Predicate {
	class = strings.ToLower(class)
	switch class {
	case "user", "contact", "inetorgperson", "organizationalperson":
		class = "person"
	}
	prefix := "cn=" + class + ","
	return anyValue("objectCategory", func(v []byte) bool {
		s := fold(v)
		return s == class || strings.HasPrefix(s, prefix)
	})
}

func anyValue(name string, matches test) Predicate {
	name = strings.ToLower(name)
	return func(e Attributes) bool {
		for _, v := range e(name) {
			if matches(v) {
				return true
			}
		}
		return false
	}
}

// order compares a value with an assertion: as integers if both are, which
// uSNChanged needs, and as text otherwise, which puts times in order.
func order(v []byte, want string) int {
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err == nil {
		if m, err := strconv.ParseInt(want, 10, 64); err == nil {
			switch {
			case n < m:
				return -1
			case n > m:
				return 1
			default:
				return 0
			}
		}
	}
	return strings.Compare(fold(v), fold([]byte(want)))
}

// fold brings text to lower case and leaves other bytes, such as an objectGUID,
// alone: lower-casing would make all invalid bytes alike.
func fold(v []byte) string {
	if !utf8.Valid(v) {
		return string(v)
	}
	return strings.ToLower(string(v))
}
