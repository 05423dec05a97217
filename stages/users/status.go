package users

import (
	"math"
	"strings"
	"time"
)

// account holds the attributes that tell an account's state; nil means absent or not readable.
// An ordinary account may lose sight of all of them while names and addresses stay readable.
type account struct {
	control  *int64
	computed *int64
	expires  *int64
}

func (a *attributeReader) account() account {
	return account{control: a.integer(attrControl), computed: a.integer(attrComputed), expires: a.integer(attrExpires)}
}

// status is the first that applies of disabled, expired and locked (design section 4). Each
// needs its own attribute: locked is told by the computed one alone, never by lockoutTime, which
// outlives the lock. What cannot be ruled out makes the status unknown.
func (s account) status(now time.Time) string {
	if s.control == nil {
		return "unknown"
	}
	if *s.control&bitDisabled != 0 {
		return "disabled"
	}
	if s.expires == nil || *s.expires < 0 {
		return "unknown"
	}
	if *s.expires != ticksNone && *s.expires != ticksNever {
		// A date beyond year 9999 is no error here: it is as good as never.
		if end, err := fromTicks(*s.expires); err == nil && !end.After(now) {
			return "expired"
		}
	}
	if s.computed == nil {
		return "unknown"
	}
	if *s.computed&bitLocked != 0 {
		return "locked"
	}
	return "enabled"
}

// has tells whether a bit of userAccountControl is readable and set.
func (s account) has(bit int64) bool { return s.control != nil && *s.control&bit != 0 }

// password tells when the password expires. The computed attribute honours fine-grained
// policies and is believed; without it the account's own bits and then the policies are, and the
// answer of the domain's is marked as estimated (MS-ADTS 3.1.1.4.5.35).
func (a *attributeReader) password(s account, policy Policy, now time.Time) (string, *time.Time) {
	if ticks := a.integer(attrPwdExpires); ticks != nil {
		switch *ticks {
		case ticksNone:
			return "must_change", nil
		case ticksNever:
			return "never", nil
		}
		end, err := fromTicks(*ticks)
		if err != nil && *ticks > 0 {
			return "never", nil // beyond year 9999: a policy with a very long maximum age
		}
		if err != nil {
			a.leaveOut(attrPwdExpires, "is wrong: "+err.Error())
			return "unknown", nil
		}
		return expiry(end, now), &end
	}
	if s.has(bitNeverExpires) || s.has(bitSmartcard) {
		return "never", nil
	}
	set := a.integer(attrPwdLastSet)
	age, exact := a.maxPasswordAge(policy)
	switch {
	case set == nil || s.control == nil || *set < 0:
		return "unknown", nil
	case *set == ticksNone:
		return "must_change", nil
	case age == nil:
		return "unknown", nil
	case *age == 0 || *age == math.MinInt64:
		return "never", nil
	}
	end, err := fromTicks(*set - *age)
	switch {
	case err != nil:
		return "never", nil
	case exact:
		return expiry(end, now), &end
	default:
		return "estimated", &end
	}
}

// maxPasswordAge is the age that holds for the account, and whether that is certain: a
// fine-grained policy that is named in the account and readable is; the domain's is a guess,
// because a policy that applies may not be visible. One that is named and not readable says that
// the domain's age does not hold.
func (a *attributeReader) maxPasswordAge(policy Policy) (age *int64, exact bool) {
	applied := a.text(attrResultantPSO)
	if applied == "" {
		return policy.MaxPasswordAge, false
	}
	if own, readable := policy.FineGrained[strings.ToLower(applied)]; readable {
		return &own, true
	}
	return nil, false
}

func expiry(end, now time.Time) string {
	if end.After(now) {
		return "expires"
	}
	return "expired"
}
