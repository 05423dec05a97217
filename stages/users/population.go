package users

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"rollcall/stages/users/directory"
)

// mailboxKinds are the recipient types of Exchange that are no persons
// (msExchRecipientTypeDetails); the others are.
//
//nolint:gochecknoglobals // a constant table
var mailboxKinds = map[int64]string{
	4:             "shared",
	16:            "room",
	32:            "equipment",
	8388608:       "system",    // arbitration
	536870912:     "system",    // discovery
	8589934592:    "room",      // remote
	17179869184:   "equipment", // remote
	34359738368:   "shared",    // remote
	68719476736:   "system",    // public folders
	137438953472:  "shared",    // team
	274877906944:  "shared",    // remote team
	549755813888:  "system",    // monitoring
	2199023255552: "room",      // linked
	4398046511104: "system",    // audit log
}

// accountKind tells whether an entry is an account, and if it is one by kind that is not a user,
// why: trust, machine, system, shared, room or equipment.
func accountKind(e directory.Entry) (excluded string, isAccount bool, err error) {
	a := attributeReader{entry: e}
	accountType, recipient := a.kindInteger(attrAccountType), a.kindInteger(attrRecipientType)
	control := a.integer(attrControl)
	if a.err != nil {
		return "", false, a.err
	}
	if accountType == nil && len(e.Attributes[attrObjectClass]) == 0 {
		a.fail("objectClass and sAMAccountType", "are missing; without them an account cannot be told from a group: export them too")
		return "", false, a.err
	}
	switch {
	case accountType != nil && *accountType == typeTrust, control != nil && *control&bitTrust != 0:
		return "trust", true, nil
	case accountType != nil && *accountType == typeMachine, accountType == nil && isOf(e, "computer"):
		return "machine", true, nil
	case accountType != nil && *accountType != typeUser, accountType == nil && !isOf(e, "user"):
		return "", false, nil
	}
	if value, ok := e.First(attrCritical); ok && strings.EqualFold(string(value), "TRUE") || isBuiltIn(e) {
		return "system", true, nil
	}
	if recipient != nil {
		return mailboxKinds[*recipient], true, nil
	}
	return "", true, nil
}

// isBuiltIn tells Windows' own accounts by their SID: isCriticalSystemObject is one of the
// attributes that vanish for an account without permission, the SID is not. The relative ids 500
// to 504 of a domain are Administrator, Guest, krbtgt, DefaultAccount and WDAGUtilityAccount
// (MS-DTYP 2.4.2.4); the SID's layout is MS-DTYP 2.4.2.2.
func isBuiltIn(e directory.Entry) bool {
	sid, ok := e.First(attrObjectSID)
	const domainSID = 8 + 5*4 // S-1-5-21-x-y-z-RID
	if !ok || len(sid) != domainSID || sid[1] != 5 || binary.LittleEndian.Uint32(sid[8:]) != 21 {
		return false
	}
	rid := binary.LittleEndian.Uint32(sid[domainSID-4:])
	return rid >= 500 && rid <= 504
}

func isOf(e directory.Entry, class string) bool {
	for _, value := range e.Attributes[attrObjectClass] {
		if strings.EqualFold(string(value), class) {
			return true
		}
	}
	return false
}

// exclusion tells why the configuration excludes an account: disabled, ou, filter, or not at
// all. Whether it is linked, which overrides this, is known later (merge.sql).
func (r Rules) exclusion(e directory.Entry, s account) string {
	if r.ExcludeDisabled && s.has(bitDisabled) {
		return "disabled"
	}
	for _, ou := range r.ExcludeOU {
		if liesUnder(e.DN, ou) {
			return "ou"
		}
	}
	if r.ExcludeFilter.Matches(e.Values) || r.Only.IsSet() && !r.Only.Matches(e.Values) {
		return "filter"
	}
	return ""
}

// liesUnder tells whether an entry lies in an OU, which is a whole distinguished name or the
// beginning of one (OU=Service Accounts stands for every OU of that name).
func liesUnder(dn, ou string) bool {
	entry, err := ldap.ParseDN(dn)
	if err != nil {
		return false
	}
	part, err := ldap.ParseDN(ou)
	if err != nil || len(part.RDNs) == 0 {
		return false
	}
	for start := 1; start+len(part.RDNs) <= len(entry.RDNs); start++ {
		window := ldap.DN{RDNs: entry.RDNs[start : start+len(part.RDNs)]}
		if window.EqualFold(part) {
			return true
		}
	}
	return false
}

// CheckDN tells whether a text is a distinguished name.
func CheckDN(text string) error {
	dn, err := ldap.ParseDN(text)
	if err != nil {
		return fmt.Errorf("parse the distinguished name: %w", err)
	}
	if len(dn.RDNs) == 0 {
		return fmt.Errorf("the distinguished name is empty")
	}
	return nil
}

// LiesAtOrUnder tells whether one distinguished name is another or lies under it. Both must be
// whole (see CheckDN).
func LiesAtOrUnder(dn, above string) bool {
	lower, err := ldap.ParseDN(dn)
	if err != nil {
		return false
	}
	upper, err := ldap.ParseDN(above)
	return err == nil && (upper.EqualFold(lower) || upper.AncestorOfFold(lower))
}
