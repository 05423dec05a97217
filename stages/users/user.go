package users

import (
	"time"

	"rollcall/schemas/keys"
)

// User is one account as one collector saw it: a row of read_users. An empty string means that
// the directory holds no such value; a nil time means never or not readable.
type User struct {
	GUID              string
	Excluded          string // why it is not a user; empty for a user
	SAMAccountName    string
	UserPrincipalName string
	DistinguishedName string
	FirstName         string
	LastName          string
	DisplayName       string
	Title             string
	Department        string
	Email             string
	EmailSource       string
	Phone             string
	ADStatus          string
	LastLogon         *time.Time
	LastLogonSource   string
	LastPasswordReset *time.Time
	PasswordExpires   *time.Time
	PasswordState     string
	WhenCreated       *time.Time
	// AliasKeys are the keys of the other SMTP addresses, without duplicates.
	AliasKeys []string
}

// row is the user in the order of schemas.ReadUsers.
func (u User) row(organization int64, collector string) []any {
	return []any{
		organization, collector, text(u.Excluded), u.GUID,
		text(u.SAMAccountName), text(u.UserPrincipalName), u.DistinguishedName,
		text(u.FirstName), text(u.LastName), text(u.DisplayName), text(u.Title), text(u.Department),
		text(u.Email), text(u.EmailSource), text(u.Phone),
		u.ADStatus, u.LastLogon, text(u.LastLogonSource), u.LastPasswordReset,
		u.PasswordExpires, u.PasswordState, u.WhenCreated,
		text(keys.Email(u.Email)), text(keys.Name(u.FirstName)), text(keys.Name(u.LastName)),
	}
}

// text is a value for a nullable column: an empty string is null.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
