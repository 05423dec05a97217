package users

import (
	"strings"

	"rollcall/stages/users/directory"
)

// Policy is what the directory says for all of its accounts.
type Policy struct {
	// MaxPasswordAge is the domain's maxPwdAge as read, a negative number of ticks; nil if it is
	// not known, 0 or the smallest number if passwords never expire.
	MaxPasswordAge *int64
	// FineGrained holds the maximum age of the readable fine-grained policies, by their
	// distinguished name in lower case.
	FineGrained map[string]int64
}

// policyOf reads the policies that a controller tells.
func policyOf(d directory.Domain) Policy {
	policy := Policy{FineGrained: map[string]int64{}}
	for _, e := range append([]directory.Entry{d.Policy}, d.FineGrained...) {
		policy.learn(e)
	}
	return policy
}

// learn takes an entry that holds a policy, the domain's or a fine-grained one, and tells whether
// it is one. An age that is no number, or not negative, counts as not readable.
func (p *Policy) learn(e directory.Entry) bool {
	a := attributeReader{entry: e}
	domain, own := a.integer(attrMaxPwdAge), a.integer(attrPSOMaxAge)
	switch {
	case domain != nil && *domain <= 0:
		p.MaxPasswordAge = domain
	case own != nil && *own <= 0:
		p.FineGrained[strings.ToLower(e.DN)] = *own
	}
	return domain != nil || own != nil
}
