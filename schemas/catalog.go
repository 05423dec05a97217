package schemas

// Tables returns every table, in the order of the flow.
func Tables() []Table {
	return []Table{
		Settings, ReadCollectors, ReadUsers, ReadUserAliases, ReadLogons, ReadContacts, ReadContactEmails, ReadContactPhones, ReadDecisions, ReadSeparations,
		Organizations, Collectors, ADUsers, ADUserCollectors, ADUserAliases,
		Contacts, ContactEmails, ContactPhones,
		UserMatching, Creations, Separations, Enrichments, PushBaselines, ContactPSA, Decisions,
		MatchDeltas, EnrichmentDeltas, PushItems, PushRows, RunOrganizations, RunExclusions,
		Runs, RunStages, Outbox,
	}
}

// ReadContactEmails and ReadContactPhones have the shape of the state that they become.
var (
	ReadContactEmails = asRead(ContactEmails, "E-mail addresses of tonight's contacts.")
	ReadContactPhones = asRead(ContactPhones, "Phone numbers of tonight's contacts.")
)

func asRead(t Table, description string) Table {
	t.Name, t.Life, t.Published, t.Description = "read_"+t.Name, Read, false, description
	return t
}

// Views returns every analysts' view.
func Views() []View { return []View{ContactMatching, ContactsEnriched} }
