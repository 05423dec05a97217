package schemas

// Settings are the organizations of the configuration that a run works on, with their policies.
var Settings = Table{
	Name: "read_settings", Life: Read, Key: []string{"organization_id"},
	Description: "The configured organizations and their policies, as this run read them.",
	Columns: []Column{
		required("organization_id", Int64, "Organization, the documentation system's id."),
		required("name", String, "Name of the organization."),
		nullable("psa", String, "Kind of the PSA: connectwise, autotask, halopsa, bms or syncro."),
		required("two_way_sync", Bool, "Whether changes are pushed to the PSA."),
		nullable("email_type", String, "Label of e-mail addresses in the PSA."),
		nullable("phone_type", String, "Label of phone numbers in the PSA."),
		required("aliases", Bool, "Whether the alias tier of matching is on."),
		required("create_policy", String, "approved, all or never."),
		required("fill_first_name", String, "keep, fill_blank or overwrite."),
		required("fill_last_name", String, "keep, fill_blank or overwrite."),
		required("fill_title", String, "keep, fill_blank or overwrite."),
		required("fill_email", String, "keep, fill_blank or overwrite."),
		required("fill_phone", String, "keep, fill_blank or overwrite."),
		required("max_drop", Float64, "Largest tolerated loss of users or contacts, a share from 0 to 1."),
		required("max_creates", Int64, "Largest tolerated number of creations."),
		required("max_unlinks", Int64, "Largest tolerated number of links ending."),
	},
}

// ReadUsers are the accounts as the collectors saw them tonight, one row for each collector
// that saw the account, accounts excluded by kind or configuration included.
var ReadUsers = Table{
	Name: "read_users", Life: Read, Key: []string{"organization_id", "collector", "object_guid"},
	Description: "Accounts as each collector saw them tonight.",
	Columns: append([]Column{
		required("organization_id", Int64, "Organization of the collector."),
		required("collector", String, "Collector that saw the account."),
		nullable("excluded", String, "Why the account is not a user: trust, machine, system, shared, room, equipment, disabled, ou or filter; null for a user."),
		nullable("when_changed", Time, "whenChanged of the controller that was read: of two records of one account the later one counts."),
	}, userColumns[1:]...),
}

// ReadUserAliases are the other SMTP addresses of the accounts read tonight.
var ReadUserAliases = Table{
	Name: "read_user_aliases", Life: Read,
	Description: "Normalised proxy addresses of the accounts read tonight, without the user's own e-mail.",
	Columns: []Column{
		required("organization_id", Int64, "Organization of the collector."),
		required("collector", String, "Collector that saw the account."),
		required("object_guid", String, "Account."),
		required("alias_key", String, "Key of an smtp: or SMTP: proxy address."),
	},
}

// ReadLogons are the logons that the other controllers of a domain saw tonight.
var ReadLogons = Table{
	Name: "read_logons", Life: Read,
	Description: "Values of lastLogon at the domain controllers that were asked for nothing else.",
	Columns: []Column{
		required("organization_id", Int64, "Organization of the collector."),
		required("collector", String, "Collector that asked."),
		required("object_guid", String, "Account."),
		required("last_logon", Time, "Its lastLogon there."),
	},
}

// ReadCollectors tell how each collector's read went tonight.
var ReadCollectors = Table{
	Name: "read_collectors", Life: Read, Key: []string{"organization_id", "collector"},
	Description: "How each configured collector's read went tonight.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("collector", String, "Collector."),
		required("status", String, "complete, failed or no_credentials."),
		nullable("message", String, "What a person should know."),
		required("users_seen", Int64, "Users read; 0 unless complete."),
		required("controllers", TextList, "Domain controllers that answered, the one that was read first."),
		required("silent_controllers", TextList, "Domain controllers that did not tell their lastLogon."),
		nullable("certificate_expires", Time, "When the certificate of the controller that was read expires."),
	},
}

// ReadContacts are the contacts of tonight's contact sources, and nothing else of the files.
var ReadContacts = Table{
	Name: "read_contacts", Life: Read, Key: []string{"organization_id", "contact_id"},
	Description: "Contacts as tonight's sources hold them.",
	Columns:     contactColumns[:len(contactColumns)-1],
}

// ReadDecisions is the decisions file, folded: what stands for each user.
var ReadDecisions = Table{
	Name: "read_decided_users", Life: Read, Key: []string{"organization_id", "object_guid"},
	Description: "What people's decisions, taken together, say of each user they speak of.",
	Columns: []Column{
		required("organization_id", Int64, "Organization."),
		required("object_guid", String, "User."),
		nullable("contact_id", Int64, "Contact the user is matched to by hand; null if to none."),
		required("ignored", Bool, "Whether the user is to be ignored."),
		nullable("create_decision", String, "Decision that asks for a new contact; null if none does."),
		nullable("decided_by", String, "Who took the decision that stands."),
		required("position", Int64, "Line of the decision that stands; of two users matched to one contact by hand the later one keeps it."),
	},
}

// ReadSeparations are the unmatch decisions that have not been undone.
var ReadSeparations = Table{
	Name: "read_separations", Life: Read, Key: []string{"decision_id"},
	Description: "Decisions that took a user and a contact apart.",
	Columns: []Column{
		required("decision_id", String, "The decision."),
		required("organization_id", Int64, "Organization."),
		required("object_guid", String, "User."),
		nullable("contact_id", Int64, "Contact; null means the one that the user was linked to when the decision was first applied."),
	},
}
