package users

import (
	"time"

	"rollcall/pipeline"
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
	WhenChanged       *time.Time // at the controller that was read; it is not replicated
	// AliasKeys are the keys of the other SMTP addresses, without duplicates.
	AliasKeys []string
	// Unreadable says which values were left out because they are wrong: place, attribute and
	// rule, never the value.
	Unreadable []string
}

// row is the user in the order of schemas.ReadUsers.
func (u User) row(organization int64, collector string) []any {
	return []any{
		organization, collector, pipeline.Text(u.Excluded), u.WhenChanged, u.GUID,
		pipeline.Text(u.SAMAccountName), pipeline.Text(u.UserPrincipalName), u.DistinguishedName,
		pipeline.Text(u.FirstName), pipeline.Text(u.LastName), pipeline.Text(u.DisplayName), pipeline.Text(u.Title), pipeline.Text(u.Department),
		pipeline.Text(u.Email), pipeline.Text(u.EmailSource), pipeline.Text(u.Phone),
		u.ADStatus, u.LastLogon, pipeline.Text(u.LastLogonSource), u.LastPasswordReset,
		u.PasswordExpires, u.PasswordState, u.WhenCreated,
		pipeline.Text(keys.Email(u.Email)), pipeline.Text(keys.Name(u.FirstName)), pipeline.Text(keys.Name(u.LastName)),
	}
}
