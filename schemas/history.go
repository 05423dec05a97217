package schemas

// MatchDeltas are the changes of users' statuses and links.
var MatchDeltas = Table{
	Name: "match_deltas", Life: Appended, Published: true,
	Key:         []string{"run_id", "organization_id", "object_guid"},
	Order:       []string{"organization_id", "object_guid"},
	Description: "Every change of a user's status, rule, reason or contact, one row a user and run.",
	Columns: []Column{
		required("run_id", String, "Run."),
		required("organization_id", Int64, "Organization."),
		required("object_guid", String, "User."),
		required("op", String, "list (new and unmatched), link, relink, create, resolve (a created contact appeared), unlink, reason (unmatched for another reason), rule, ignore, restore, unavailable, return, exclude (no longer a user by configuration)."),
		nullable("from_status", String, "Status before; null for a new user."),
		nullable("to_status", String, "Status now; null for an excluded one."),
		nullable("rule", String, "Rule of the link now."),
		nullable("reason", String, "Reason now, if unmatched."),
		nullable("from_contact_id", Int64, "Contact before."),
		nullable("to_contact_id", Int64, "Contact now."),
	},
}

// EnrichmentDeltas are the changes of what is told of contacts.
var EnrichmentDeltas = Table{
	Name: "enrichment_deltas", Life: Appended, Published: true,
	Key:         []string{"run_id", "organization_id", "contact_id", "contact_key", "field"},
	Order:       []string{"organization_id", "contact_id", "contact_key", "field"},
	Description: "Every change of a contact's overlay, of a field filled by policy, or of a created contact's fields.",
	Columns: []Column{
		required("run_id", String, "Run."),
		required("organization_id", Int64, "Organization."),
		nullable("contact_id", Int64, "Contact; null until a created contact appears."),
		nullable("contact_key", String, "Stable key of a created contact."),
		required("object_guid", String, "User the value comes from."),
		required("field", String, "Field."),
		nullable("old_value", String, "Value before; times as RFC 3339 in UTC with microseconds."),
		nullable("new_value", String, "Value now; null when nothing is known any more."),
	},
}

// PushItems account for everything that was, or was not, pushed to a PSA.
var PushItems = Table{
	Name: "push_items", Life: Appended, Published: true,
	Key:         []string{"run_id", "organization_id", "contact_id", "contact_key"},
	Order:       []string{"organization_id", "contact_id", "contact_key"},
	Description: "What was pushed to a PSA, what was not, and why.",
	Columns: []Column{
		required("run_id", String, "Run."),
		required("organization_id", Int64, "Organization."),
		nullable("psa", String, "Kind of the PSA; null without one."),
		required("op", String, "c for a created contact, u for an update."),
		nullable("contact_id", Int64, "Contact; null until a created contact appears."),
		nullable("contact_key", String, "Stable key of a created contact."),
		nullable("psa_id", String, "The PSA's id of the contact; null for a creation."),
		required("state", String, "pushed, not_eligible or rejected."),
		nullable("reason", String, "Why it was not pushed."),
		required("changed", TextList, "Fields that changed."),
	},
}

// PushRows are the rows of the push files: the outbox that files are written from.
var PushRows = Table{
	Name: "push_rows", Life: Appended, Published: false,
	Key:         []string{"run_id", "organization_id", "key"},
	Order:       []string{"organization_id", "key"},
	Description: "The rows of the push and exceptions files, as committed.",
	Columns: []Column{
		required("run_id", String, "Run."),
		required("organization_id", Int64, "Organization."),
		required("psa", String, "Kind of the PSA."),
		required("key", String, "Key of the row in its file."),
		required("op", String, "c or u."),
		nullable("target_id", String, "The PSA's id of the contact; null for a creation."),
		nullable("before", String, "Changed fields before, as JSON; null for a creation."),
		required("after", String, "Changed fields now, as JSON."),
		required("changed", TextList, "Fields that changed."),
		nullable("reason", String, "Why the row went to the exceptions file; null if it was pushed."),
	},
}

// RunOrganizations tell how a run fared with each organization.
var RunOrganizations = Table{
	Name: "run_organizations", Life: Recorded, Published: true, Key: []string{"run_id", "organization_id"},
	Description: "How each run fared with each organization.",
	Columns: []Column{
		required("run_id", String, "Run."),
		required("organization_id", Int64, "Organization."),
		required("status", String, "succeeded; unavailable (a source could not be read whole: left as it was); held (by the guard: left as it was)."),
		required("users", Int64, "Users after the run, without those unavailable."),
		required("contacts", Int64, "Contacts after the run."),
		required("matched", Int64, "Users matched."),
		required("unmatched", Int64, "Users unmatched."),
		required("ignored", Int64, "Users ignored."),
		required("unavailable", Int64, "Users unavailable."),
		nullable("excluded", Int64, "Accounts that were read and are not users; null for an organization that was left as it was."),
		nullable("exclusions", String, "Why, counted: disabled 5, trust 2. An account that several collectors saw counts once, with the first reason by name."),
		nullable("message", String, "What a person should know."),
	},
}

// RunExclusions count the accounts that are not users.
var RunExclusions = Table{
	Name: "run_exclusions", Life: Recorded, Published: true,
	Key:         []string{"run_id", "organization_id", "collector", "reason"},
	Description: "Accounts that were read and are not users, counted by reason.",
	Columns: []Column{
		required("run_id", String, "Run."),
		required("organization_id", Int64, "Organization."),
		required("collector", String, "Collector."),
		required("reason", String, "trust, machine, system, shared, room, equipment, disabled, ou or filter."),
		required("accounts", Int64, "Number of accounts."),
	},
}

// Decisions is the decisions file as applied so far.
var Decisions = Table{
	Name: "decisions", Life: Observed, Published: true, Key: []string{"decision_id"},
	Description: "What people decided, as far as runs have applied it.",
	Columns: []Column{
		required("decision_id", String, "Decision."),
		required("position", Int64, "Place in the decisions file, from 1."),
		required("at", Time, "When it was taken."),
		required("by", String, "Who took it."),
		required("action", String, "match, unmatch, ignore, restore, create or undo."),
		required("organization_id", Int64, "Organization."),
		nullable("object_guid", String, "User; null for an undo that names its decision only."),
		nullable("contact_id", Int64, "Contact of a match or unmatch."),
		nullable("reason", String, "Why, in that person's words."),
		nullable("undoes", String, "Decision that an undo takes back."),
	},
}

// Runs is the ledger of runs.
var Runs = Table{
	Name: "runs", Life: Engine, Published: true, Key: []string{"run_id"},
	Description: "The runs.",
	Columns: []Column{
		required("run_id", String, "Run: logical time and job; sorts by time."),
		required("job", String, "Job."),
		required("status", String, "succeeded, partial, held or failed."),
		required("now", Time, "Logical time of the run."),
		required("started_at", Time, "When it started, by the clock."),
		nullable("finished_at", Time, "When its files were complete, by the clock."),
		nullable("message", String, "Why it failed."),
		nullable("manifest_hash", String, "SHA-256 of its datapackage.json, once written."),
	},
}

// RunStages is the ledger of what each stage of a run did.
var RunStages = Table{
	Name: "run_stages", Life: Engine, Published: true, Key: []string{"run_id", "stage"},
	Description: "What each stage of a run handled, and how long it took.",
	Columns: []Column{
		required("run_id", String, "Run."),
		required("stage", String, "Stage."),
		required("rows", Int64, "Rows it handled."),
		required("seconds", Float64, "Seconds it took, by the clock."),
	},
}

// Outbox lists what a committed run has still to do outside the store.
var Outbox = Table{
	Name: "outbox", Life: Engine, Published: false, Key: []string{"run_id", "task"},
	Description: "What committed runs have still to write: files, then the published database.",
	Columns: []Column{
		required("run_id", String, "Run."),
		required("task", String, "load or publish."),
	},
}
