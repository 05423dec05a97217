package schemas

import (
	_ "embed"
)

// View declares an analysts' view of the published file. SQL lies in views/, in the words of
// an analyst; Columns are checked against what the view yields.
type View struct {
	Name        string
	Description string
	Columns     []Column
	SQL         string
}

//go:embed views/contact_matching.sql
var contactMatchingSQL string

//go:embed views/contacts_enriched.sql
var contactsEnrichedSQL string

// ContactMatching is the Contact Matching page.
var ContactMatching = View{
	Name:        "contact_matching",
	Description: "The Contact Matching page: one row a user.",
	SQL:         contactMatchingSQL,
	Columns: []Column{
		nullable("organization_id", Int64, "Organization."),
		nullable("object_guid", String, "User."),
		nullable("display_name", String, "Name to show: displayName, else first and last name, else the account's name."),
		nullable("email", String, "The user's e-mail."),
		nullable("ad_status", String, "AD status as last seen."),
		nullable("status", String, "matched, unmatched, ignored or unavailable."),
		nullable("rule", String, "What linked the user."),
		nullable("reason", String, "Why the user is unmatched."),
		nullable("contact_id", Int64, "Linked contact."),
		nullable("contact_key", String, "Stable key of the contact created for the user."),
		nullable("since_run_id", String, "Run since which this is so."),
		nullable("decided_by", String, "Who decided."),
		nullable("candidates", Int64List, "Contacts that were candidates, at most 20, ascending."),
	},
}

// ContactsEnriched is the Contact show page.
var ContactsEnriched = View{
	Name:        "contacts_enriched",
	Description: "The Contact show page: each contact with what Active Directory says, and its PSA badge.",
	SQL:         contactsEnrichedSQL,
	Columns: []Column{
		nullable("organization_id", Int64, "Organization."),
		nullable("contact_id", Int64, "Contact."),
		nullable("first_name", String, "First name."),
		nullable("last_name", String, "Last name."),
		nullable("title", String, "Title."),
		nullable("contact_type", String, "Type of contact."),
		nullable("location", String, "Location."),
		nullable("primary_email", String, "Primary e-mail."),
		nullable("primary_phone", String, "Primary phone."),
		nullable("psa_id", String, "The PSA's id of the contact."),
		nullable("object_guid", String, "Linked user; null without one."),
		nullable("ad_status", String, "Overlay: AD status; `unavailable` when the linked user is gone from Active Directory."),
		nullable("last_logon", Time, "Overlay: last logon."),
		nullable("last_password_reset", Time, "Overlay: last password reset."),
		nullable("password_expires", Time, "Overlay: password expires."),
		nullable("password_state", String, "How to read password_expires."),
		nullable("psa_badge", Bool, "Whether the contact is eligible for the PSA."),
		nullable("psa_reason", String, "Why it is not."),
	},
}
