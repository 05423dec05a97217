package schemas

// Organizations are the customers that have been read at least once.
var Organizations = Table{
	Name: "organizations", Life: Replaced, Published: true, Key: []string{"organization_id"},
	Description: "The customers, as last committed.",
	Columns: []Column{
		required("organization_id", Int64, "Organization, the documentation system's id."),
		required("name", String, "Name of the organization."),
		nullable("psa", String, "Kind of the PSA: connectwise, autotask, halopsa, bms or syncro; null without one."),
		required("two_way_sync", Bool, "Whether changes are pushed to the PSA."),
		nullable("email_type", String, "Label of e-mail addresses in the PSA; null if not set."),
		nullable("phone_type", String, "Label of phone numbers in the PSA; null if not set."),
	},
}

// Collectors tell how each configured way of reading an AD fared last.
var Collectors = Table{
	Name: "collectors", Life: Observed, Published: true, Key: []string{"organization_id", "collector"},
	Description: "How each collector's last read went.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("collector", String, "Name of the collector."),
		required("status", String, "complete, failed, no_credentials, or not_configured for one that was taken out of the configuration."),
		nullable("message", String, "What a person should know of the last read."),
		required("users_seen", Int64, "Users in the last complete read."),
		nullable("last_run_id", String, "Run of the last complete read; null if there was none."),
		nullable("controllers", TextList, "Domain controllers that answered, the one that was read first; empty for a file, or when the read failed."),
		nullable("silent_controllers", TextList, "Domain controllers that did not tell their lastLogon."),
		nullable("certificate_expires", Time, "When the certificate of the controller that was read expires."),
	},
}

// userColumns are the facts of an AD user (design section 4), in the order of every table that
// holds them; the first is the organization.
var userColumns = []Column{
	required("organization_id", Int64, "Organization."),
	required("object_guid", String, "objectGUID in its usual text form, lower case."),
	nullable("sam_account_name", String, "sAMAccountName."),
	nullable("user_principal_name", String, "userPrincipalName."),
	required("distinguished_name", String, "Distinguished name."),
	nullable("first_name", String, "givenName."),
	nullable("last_name", String, "sn."),
	nullable("display_name", String, "displayName."),
	nullable("title", String, "title."),
	nullable("department", String, "department."),
	nullable("email", String, "The user's e-mail: the first non-empty of match.email_from."),
	nullable("email_source", String, "Where the e-mail comes from: mail, proxy_primary or upn."),
	nullable("phone", String, "telephoneNumber, else mobile."),
	required("ad_status", String, "enabled, disabled, expired, locked, or unknown when the needed attributes are not readable."),
	nullable("last_logon", Time, "Last logon seen; null for never or not readable."),
	nullable("last_logon_source", String, "lastLogon (of one of the controllers that answered) or lastLogonTimestamp (replicated, 9 to 14 days late)."),
	nullable("last_password_reset", Time, "pwdLastSet; null for never or not readable."),
	nullable("password_expires", Time, "When the password expires or expired; null if it never does, must be changed, or is not known."),
	required("password_state", String, "expires, expired, never, must_change, estimated (from the domain policy) or unknown."),
	nullable("when_created", Time, "whenCreated."),
	nullable("email_key", String, "Normalised e-mail; null matches nothing."),
	nullable("first_key", String, "Normalised first name; null matches nothing."),
	nullable("last_key", String, "Normalised last name; null matches nothing."),
}

// ADUsers are the users, merged over the collectors that saw them.
var ADUsers = Table{
	Name: "ad_users", Life: Replaced, Published: true, Key: []string{"organization_id", "object_guid"},
	Description: "Active Directory's users, one row a user, as last seen.",
	Columns:     userColumns,
}

// ADUserCollectors tell which collectors saw a user.
var ADUserCollectors = Table{
	Name: "ad_user_collectors", Life: Replaced, Published: true,
	Key:         []string{"organization_id", "object_guid", "collector"},
	Description: "Which collectors saw a user last.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("object_guid", String, "User."),
		required("collector", String, "Collector."),
	},
}

// ADUserAliases are the users' other addresses.
var ADUserAliases = Table{
	Name: "ad_user_aliases", Life: Replaced, Published: true,
	Key:         []string{"organization_id", "object_guid", "alias_key"},
	Description: "Normalised other SMTP addresses of the users.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("object_guid", String, "User."),
		required("alias_key", String, "Normalised proxy address."),
	},
}

// contactColumns are the facts of a contact; the last one is known to the state only.
var contactColumns = []Column{
	required("organization_id", Int64, "Organization."),
	required("contact_id", Int64, "Contact, the documentation system's id."),
	nullable("first_name", String, "First name."),
	nullable("last_name", String, "Last name."),
	nullable("title", String, "Title."),
	nullable("contact_type", String, "Type of contact in the documentation system."),
	nullable("location", String, "Location."),
	nullable("primary_email", String, "The e-mail marked primary, else the first."),
	nullable("primary_phone", String, "The phone marked primary, else the first."),
	nullable("psa_id", String, "The PSA's id of the contact; null if the PSA does not know it."),
	nullable("external_key", String, "rollcall's contact_key, on a contact made from a creation."),
	nullable("updated_at", Time, "Last change in the documentation system."),
	nullable("first_key", String, "Normalised first name; null matches nothing."),
	nullable("last_key", String, "Normalised last name; null matches nothing."),
	required("first_seen_run_id", String, "Run that saw the contact first."),
}

// Contacts are the documented people.
var Contacts = Table{
	Name: "contacts", Life: Replaced, Published: true, Key: []string{"organization_id", "contact_id"},
	Description: "The documented people, as their source last had them.",
	Columns:     contactColumns,
}

// ContactEmails are all e-mail addresses of the contacts.
var ContactEmails = Table{
	Name: "contact_emails", Life: Replaced, Published: true,
	Key:         []string{"organization_id", "contact_id", "position"},
	Description: "All e-mail addresses of the contacts.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("contact_id", Int64, "Contact."),
		required("position", Int64, "Place in the contact's list, from 1."),
		required("value", String, "The address as documented."),
		nullable("label", String, "Its label."),
		required("is_primary", Bool, "Whether it is marked as primary."),
		nullable("email_key", String, "Normalised address; null when malformed, and matches nothing."),
	},
}

// ContactPhones are all phone numbers of the contacts.
var ContactPhones = Table{
	Name: "contact_phones", Life: Replaced, Published: true,
	Key:         []string{"organization_id", "contact_id", "position"},
	Description: "All phone numbers of the contacts.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("contact_id", Int64, "Contact."),
		required("position", Int64, "Place in the contact's list, from 1."),
		required("value", String, "The number as documented."),
		nullable("extension", String, "Extension."),
		nullable("label", String, "Its label."),
		nullable("kind", String, "phone or fax."),
		required("is_primary", Bool, "Whether it is marked as primary."),
	},
}

// UserMatching is the Contact Matching page without the users' own facts.
var UserMatching = Table{
	Name: "user_matching", Life: Replaced, Published: true, Key: []string{"organization_id", "object_guid"},
	Description: "Status and link of each user; contact_matching shows it with the user's name and e-mail.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("object_guid", String, "User."),
		required("status", String, "matched, unmatched, ignored or unavailable."),
		nullable("rule", String, "What linked the user: email, email_name, name, alias, manual or created; null without a link."),
		nullable("reason", String, "Why the user is unmatched: no_candidate, no_key, ambiguous_email, ambiguous_name, contact_taken, contact_deleted or unmatched_by_hand."),
		nullable("contact_id", Int64, "Linked contact; null without a link, or while a created contact has not appeared."),
		nullable("contact_key", String, "Stable key of the contact that was created for the user."),
		required("since_run_id", String, "Run since which status, rule, reason and contact are what they are."),
		nullable("decided_by", String, "Who decided, where a decision stands behind it."),
		nullable("candidates", Int64List, "Contacts that were candidates, at most 20, ascending."),
		nullable("lost_link", String, "How the user's last link ended (contact_deleted or contact_taken) while none has replaced it."),
		nullable("ambiguity", String, "Digest of what an ambiguous user competes for; while it stays the same, the user waits for a person."),
		nullable("created_run_id", String, "Run that emitted the creation of the user's contact."),
		required("waiting_runs", Int64, "Runs in which the created contact has not appeared yet."),
	},
}

// Creations remember for good which users a contact was created for.
var Creations = Table{
	Name: "creations", Life: Replaced, Published: true, Key: []string{"organization_id", "object_guid", "run_id"},
	Description: "Creations that were emitted. None is ever repeated by itself.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("object_guid", String, "User."),
		required("contact_key", String, "Stable key of the new contact."),
		required("run_id", String, "Run that emitted the creation."),
		nullable("decision_id", String, "Decision that asked for it; null under the policy `all`."),
	},
}

// Separations are the pairs that a person took apart.
var Separations = Table{
	Name: "separations", Life: Replaced, Published: true, Key: []string{"decision_id"},
	Description: "Pairs that a person took apart; never linked again automatically.",
	Columns: []Column{
		required("decision_id", String, "The unmatch decision."),
		required("organization_id", Int64, "Organization."),
		required("object_guid", String, "User."),
		nullable("contact_id", Int64, "Contact; null if the user was linked to none."),
	},
}

// Enrichments are the values that were last emitted for each contact.
var Enrichments = Table{
	Name: "enrichments", Life: Replaced, Published: true, Key: []string{"organization_id", "target", "field"},
	Description: "What enrichment deltas have told of each contact so far.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("target", String, "The contact: its contact_id as text, or its contact_key until it appears."),
		nullable("contact_id", Int64, "Contact; null until a created contact appears."),
		nullable("contact_key", String, "Stable key of a created contact."),
		required("object_guid", String, "User the values come from."),
		required("field", String, "Field: ad_status, last_logon, last_password_reset, password_expires, or a contact's own field."),
		nullable("value", String, "Value; times as RFC 3339 in UTC with microseconds."),
		nullable("own_value", String, "Of a field filled by policy: the contact's own value at the time."),
	},
}

// PushBaselines are the mapped fields of each contact that the PSA is known to hold.
var PushBaselines = Table{
	Name: "push_baselines", Life: Replaced, Published: false, Key: []string{"organization_id", "target"},
	Description: "Mapped fields of each contact as last pushed, or as they were when two-way sync was turned on.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("psa", String, "Kind of the PSA."),
		required("target", String, "The contact: its contact_id as text, or its contact_key until it appears."),
		nullable("first_name", String, "First name."),
		nullable("last_name", String, "Last name."),
		nullable("title", String, "Title."),
		nullable("email", String, "Primary e-mail."),
		nullable("phone", String, "Primary phone."),
		nullable("rejected", String, "Digest of the row that was rejected last, so that it is reported once; null if none."),
	},
}

// ContactPSA is the PSA badge of each contact.
var ContactPSA = Table{
	Name: "contact_psa", Life: Replaced, Published: true, Key: []string{"organization_id", "contact_id"},
	Description: "Whether each contact is eligible for the PSA; contacts_enriched shows it.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("contact_id", Int64, "Contact."),
		required("psa_badge", Bool, "Whether the contact is eligible for the PSA."),
		nullable("psa_reason", String, "Why it is not: no_psa, two_way_sync_off, email_type_missing, phone_type_missing or field_missing:<field>."),
	},
}
