package users

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall/schemas/keys"
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
}

// Policy is what the directory says for all of its accounts.
type Policy struct {
	// MaxPasswordAge is the domain's maxPwdAge as read, a negative number of ticks; nil if it is
	// not known, 0 or the smallest number if passwords never expire.
	MaxPasswordAge *int64
}

// User converts an entry. It returns false for what is no account at all (a group, an
// organizational unit). An error names entry, attribute and value; it means that the source
// cannot be trusted, because skipping the entry would make an account look absent.
func (r Rules) User(e Entry, policy Policy) (User, bool, error) {
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
	u.FirstName = reader.text(attrGivenName)
	u.LastName = reader.text(attrSurname)
	u.DisplayName = reader.text(attrDisplayName)
	u.Title = reader.text(attrTitle)
	u.Department = reader.text(attrDepartment)
	u.Phone = reader.text(attrTelephone)
	if u.Phone == "" {
		u.Phone = reader.text(attrMobile)
	}
	u.WhenCreated = reader.generalizedTime(attrWhenCreated)
	r.email(&reader, &u)
	account := reader.account()
	u.ADStatus = account.status(r.Now)
	u.LastLogon, u.LastLogonSource = reader.lastLogon()
	u.LastPasswordReset = reader.ticksTime(attrPwdLastSet)
	u.PasswordState, u.PasswordExpires = reader.password(account, policy, r.Now)
	if reader.err != nil {
		return User{}, false, reader.err
	}
	if u.Excluded == "" {
		u.Excluded = r.exclusion(e, account)
	}
	return u, true, nil
}

// refusePartial fails if the source sent only some values of an attribute that counts here.
func (r Rules) refusePartial(a *attributeReader) {
	for _, partial := range a.entry.Partial {
		if slices.ContainsFunc(requestedAttributes(r.ExcludeFilter.Attributes()), func(name string) bool { return strings.EqualFold(name, partial) }) {
			a.fail(partial, "has more values than the server sends at once; raise MaxValRange there, or remove values")
		}
	}
}

// attributeReader reads one entry's attributes and keeps the first error.
type attributeReader struct {
	entry Entry
	err   error
}

// fail names place, entry and attribute, and never a person's data: entries are told apart by
// objectGUID.
func (a *attributeReader) fail(attribute, problem string) {
	if a.err == nil {
		a.err = fmt.Errorf("%s: %s %s", a.place(), attribute, problem)
	}
}

func (a *attributeReader) place() string {
	if value, ok := a.entry.first(attrObjectGUID); ok {
		if guid, err := parseGUID(value); err == nil {
			return a.entry.Place + " (objectGUID " + guid + ")"
		}
	}
	return a.entry.Place
}

func (a *attributeReader) guid() string {
	value, ok := a.entry.first(attrObjectGUID)
	if !ok {
		a.fail("objectGUID", "is missing; without it the account cannot be told from another: let the account that reads see it, or export it")
		return ""
	}
	guid, err := parseGUID(value)
	if err != nil {
		a.fail("objectGUID", "has "+err.Error()+"; export it in binary (base64) form")
	}
	return guid
}

func (a *attributeReader) text(attribute string) string {
	value, ok := a.entry.first(attribute)
	if !ok {
		return ""
	}
	return a.valid(attribute, value)
}

// valid returns a value as text, trimmed.
func (a *attributeReader) valid(attribute string, value []byte) string {
	if !utf8.Valid(value) {
		a.fail(attribute, fmt.Sprintf("is not valid UTF-8 (octet 0x%02x at %d); correct it in the directory, or export as UTF-8", badOctet(value), badOffset(value)))
		return ""
	}
	if bytes.IndexByte(value, 0) >= 0 {
		a.fail(attribute, "holds a zero octet; correct it in the directory")
		return ""
	}
	return strings.TrimSpace(string(value))
}

func badOffset(value []byte) int {
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return 0
}

func badOctet(value []byte) byte { return value[badOffset(value)] }

func (a *attributeReader) integer(attribute string) *int64 {
	value, ok := a.entry.first(attribute)
	if !ok {
		return nil
	}
	n, err := parseInteger(value)
	if err != nil {
		a.fail(attribute, "is wrong: "+err.Error())
		return nil
	}
	return &n
}

// ticksTime reads a FILETIME attribute; absent, 0 and the largest value are no times.
func (a *attributeReader) ticksTime(attribute string) *time.Time {
	ticks := a.integer(attribute)
	if ticks == nil || *ticks == ticksNone || *ticks == ticksNever {
		return nil
	}
	t, err := fromTicks(*ticks)
	if err != nil {
		a.fail(attribute, "is wrong: "+err.Error())
		return nil
	}
	return &t
}

func (a *attributeReader) generalizedTime(attribute string) *time.Time {
	value, ok := a.entry.first(attribute)
	if !ok {
		return nil
	}
	t, err := parseGeneralizedTime(value)
	if err != nil {
		a.fail(attribute, "is wrong: "+err.Error())
		return nil
	}
	return &t
}

// email fills the user's e-mail and the keys of its other addresses.
func (r Rules) email(a *attributeReader, u *User) {
	var primaries, others []string
	for _, value := range a.entry.Attributes[attrProxy] {
		kind, address, found := strings.Cut(a.valid(attrProxy, value), ":")
		address = strings.TrimSpace(address)
		switch {
		case !found || !strings.EqualFold(kind, "smtp") || address == "":
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
	sources := map[string]string{"mail": a.text(attrMail), "proxy_primary": primary, "upn": u.UserPrincipalName}
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

// lastLogon is the later of what this controller saw and what all of them replicate late.
func (a *attributeReader) lastLogon() (*time.Time, string) {
	own, replicated := a.ticksTime(attrLastLogon), a.ticksTime(attrLogonStamp)
	switch {
	case own == nil && replicated == nil:
		return nil, ""
	case replicated == nil || (own != nil && !own.Before(*replicated)):
		return own, "lastLogon"
	default:
		return replicated, "lastLogonTimestamp"
	}
}
