package users

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"rollcall/stages/users/directory"
)

// Inspection is what one read of a collector tells a person, without keeping anything of it.
type Inspection struct {
	// Reading, Domain, Method and Bases are empty for a file.
	Reading directory.Reading
	Domain  directory.Domain
	Method  directory.Method
	Bases   []string
	// Others tell how the rest of the domain's controllers answer.
	Others []directory.Answer
	// Skew is how far the controller's clock is ahead of ours; nil if it does not tell.
	Skew *time.Duration
	// Users is the number of users; Excluded counts the other accounts by reason.
	Users    int64
	Excluded map[string]int64
	// Missing counts the people without an attribute that everybody has: it is not readable.
	Missing []AttributeCount
	// Unseen are attributes that nobody has, or that are not readable.
	Unseen []string
	// People is the number of people's accounts, users or not.
	People int64
	// Unreadable counts values that are wrong; FirstWrong is the first.
	Unreadable int64
	FirstWrong string
}

// AttributeCount is an attribute with a number of accounts.
type AttributeCount struct {
	Attribute string
	Accounts  int64
}

// everybodyHas are the attributes that a domain controller keeps or computes for every user.
// lastLogon is not among them: a controller that somebody never logged on to has none.
//
//nolint:gochecknoglobals // a constant list
var everybodyHas = []string{
	"objectSid", "sAMAccountName", "userAccountControl", "msDS-User-Account-Control-Computed",
	"accountExpires", "pwdLastSet", "msDS-UserPasswordExpiryTimeComputed", "whenCreated",
}

// Inspect reads the collector as a night does and tells what it found; clock is the machine's.
func (k Collector) Inspect(ctx context.Context, clock func() time.Time) (Inspection, error) {
	if !k.hasCredentials() {
		return Inspection{}, errNoCredentials
	}
	in := &inspector{collector: k, clock: clock}
	if k.LDIF != "" {
		if err := in.Begin(ctx, directory.Attempt{}); err != nil {
			return Inspection{}, err
		}
		if err := k.readFile(ctx, &in.policy, in.Visit); err != nil {
			return Inspection{}, err
		}
		return in.result()
	}
	reading, err := k.Server.Read(ctx, directory.Request{Filter: accountFilter, Attributes: k.Rules.attributes()}, in)
	if err != nil {
		return Inspection{}, err
	}
	in.found.Reading, in.found.Method, in.found.Bases = reading, k.Server.Method(), k.Server.Bases
	in.found.Others = k.Server.Probe(ctx, reading.Others)
	return in.result()
}

var errNoCredentials = errors.New("no Active Directory users were found as AD credentials were not specified")

// inspector counts what a read delivers.
type inspector struct {
	collector Collector
	clock     func() time.Time
	policy    Policy
	found     Inspection
	places    places
	tally     tally
	have      map[string]int64 // people with an attribute, by its name in lower case
}

// Begin looks at the controller and its clock.
func (in *inspector) Begin(_ context.Context, attempt directory.Attempt) error {
	in.policy, in.places, in.tally, in.have = policyOf(attempt.Domain), places{}, tally{}, map[string]int64{}
	in.found = Inspection{Domain: attempt.Domain, Excluded: map[string]int64{}}
	if !attempt.Domain.Clock.IsZero() {
		skew := attempt.Domain.Clock.Sub(in.clock().UTC()).Round(time.Second)
		in.found.Skew = &skew
	}
	return nil
}

// Visit converts and counts one entry.
func (in *inspector) Visit(e directory.Entry) error {
	u, isAccount, err := in.collector.Rules.User(e, in.policy)
	if err != nil || !isAccount {
		return err
	}
	if isNew, err := in.places.enter(u, e); err != nil || !isNew {
		return err
	}
	in.tally.add(u)
	if u.Excluded != "" {
		in.found.Excluded[u.Excluded]++
	}
	if slices.Contains([]string{"trust", "machine"}, u.Excluded) {
		return nil
	}
	in.found.People++
	for name := range e.Attributes {
		in.have[name]++
	}
	return nil
}

func (in *inspector) result() (Inspection, error) {
	in.found.Users, in.found.Unreadable, in.found.FirstWrong = in.tally.users, in.tally.unreadable, in.tally.firstWrong
	if in.found.People == 0 {
		return in.found, errors.New("no account is visible: check base_dn and what the account may read")
	}
	for _, attribute := range requestedAttributes(nil) {
		have := in.have[strings.ToLower(attribute)]
		switch {
		case slices.Contains(everybodyHas, attribute):
			if have < in.found.People {
				in.found.Missing = append(in.found.Missing, AttributeCount{attribute, in.found.People - have})
			}
		case have == 0:
			in.found.Unseen = append(in.found.Unseen, attribute)
		}
	}
	return in.found, nil
}
