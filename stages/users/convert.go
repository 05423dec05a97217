package users

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall/schemas/keys"
	"rollcall/stages/users/directory"
)

// Rules turn entries into users. The conversion is pure: the same entry, rules and policy give
// the same user.
type Rules struct {
	// Now is the run's logical time, against which expiry is judged.
	Now time.Time
	// EmailFrom lists the sources of a user's e-mail in order: mail, proxy_primary, upn.
	EmailFrom []string
	// What is not a user by configuration.
	ExcludeDisabled bool
	ExcludeOU       []string
	ExcludeFilter   Filter
	// Only, if it is set, excludes every account that it does not match.
	Only Filter
	// Where the last logon is looked for: lastLogonTimestamp, which all controllers have 9 to 14
	// days late, and lastLogon, which every controller has for itself.
	ReplicatedLogon, ControllerLogon bool
}

// attributes are what must be asked for.
func (r Rules) attributes() []string {
	return requestedAttributes(slices.Concat(r.ExcludeFilter.Attributes(), r.Only.Attributes()))
}

// User converts an entry. It returns false for what is no account at all (a group, an
// organizational unit). An error names entry and attribute; it means that the source cannot be
// trusted, because without the value an account would look absent, or match somebody else. A
// value that merely describes the account is left out where it cannot be read, and is told of in
// User.Unreadable.
func (r Rules) User(e directory.Entry, policy Policy) (User, bool, error) {
	kind, isAccount, err := accountKind(e)
	if err != nil || !isAccount {
		return User{}, false, err
	}
	reader := attributeReader{entry: e}
	u := User{GUID: reader.guid(), DistinguishedName: e.DN, Excluded: kind}
	if !utf8.ValidString(e.DN) || e.DN == "" || strings.ContainsRune(e.DN, 0) {
		reader.fail("dn", "is empty or not valid UTF-8, or holds a zero octet; export the directory as UTF-8")
	}
	r.refusePartial(&reader)
	u.SAMAccountName = reader.text(attrSAM)
	u.UserPrincipalName = reader.text(attrUPN)
	if slices.Contains(r.EmailFrom, "upn") {
		u.UserPrincipalName = reader.key(attrUPN)
	}
	u.FirstName = reader.key(attrGivenName)
	u.LastName = reader.key(attrSurname)
	u.DisplayName = reader.text(attrDisplayName)
	u.Title = reader.text(attrTitle)
	u.Department = reader.text(attrDepartment)
	u.Phone = reader.text(attrTelephone)
	if u.Phone == "" {
		u.Phone = reader.text(attrMobile)
	}
	u.WhenCreated, u.WhenChanged = reader.generalizedTime(attrWhenCreated), reader.generalizedTime(attrWhenChanged)
	r.email(&reader, &u)
	account := reader.account()
	u.ADStatus = account.status(r.Now)
	u.LastLogon, u.LastLogonSource = r.lastLogon(&reader)
	u.LastPasswordReset = reader.ticksTime(attrPwdLastSet)
	u.PasswordState, u.PasswordExpires = reader.password(account, policy, r.Now)
	if reader.err != nil {
		return User{}, false, reader.err
	}
	u.Unreadable = reader.unreadable
	if u.Excluded == "" {
		u.Excluded = r.exclusion(e, account)
	}
	return u, true, nil
}

// refusePartial fails if the source sent only some values of an attribute that counts here.
func (r Rules) refusePartial(a *attributeReader) {
	for _, partial := range a.entry.Partial {
		if slices.ContainsFunc(r.attributes(), func(name string) bool { return strings.EqualFold(name, partial) }) {
			a.fail(partial, "has more values than the source holds; with a server raise MaxValRange there, with a file export it with all values")
		}
	}
}

// email fills the user's e-mail and the keys of its other addresses.
func (r Rules) email(a *attributeReader, u *User) {
	var primaries, others []string
	for _, value := range a.entry.Attributes[attrProxy] {
		kind, _, found := strings.Cut(string(value), ":")
		if !found || !strings.EqualFold(strings.TrimSpace(kind), "smtp") {
			continue // X500, SIP and what else there is
		}
		kind, address, _ := strings.Cut(a.keyValue(attrProxy, value), ":")
		address = strings.TrimSpace(address)
		switch {
		case address == "":
		case kind == "SMTP":
			primaries = append(primaries, address)
		default:
			others = append(others, address)
		}
	}
	// A directory should have one primary address. Of several the first by name is taken: values
	// come in no order, and the same directory must give the same user every night.
	primary := ""
	if len(primaries) > 0 {
		primary = slices.Min(primaries)
	}
	sources := map[string]string{"mail": a.key(attrMail), "proxy_primary": primary, "upn": u.UserPrincipalName}
	for _, source := range r.EmailFrom {
		if sources[source] != "" {
			u.Email, u.EmailSource = sources[source], source
			break
		}
	}
	own := keys.Email(u.Email)
	for _, address := range append(others, primaries...) {
		if key := keys.Email(address); key != "" && key != own {
			u.AliasKeys = append(u.AliasKeys, key)
		}
	}
	slices.Sort(u.AliasKeys)
	u.AliasKeys = slices.Compact(u.AliasKeys)
}

// lastLogon is the later of what this controller saw and what all of them replicate late, as far
// as either is wanted.
func (r Rules) lastLogon(a *attributeReader) (*time.Time, string) {
	var own, replicated *time.Time
	if r.ControllerLogon {
		own = a.ticksTime(attrLastLogon)
	}
	if r.ReplicatedLogon {
		replicated = a.ticksTime(attrLogonStamp)
	}
	switch {
	case own == nil && replicated == nil:
		return nil, ""
	case replicated == nil || (own != nil && !own.Before(*replicated)):
		return own, "lastLogon"
	default:
		return replicated, "lastLogonTimestamp"
	}
}
