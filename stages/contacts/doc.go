// Package contacts extracts the documented people, side by side with the users.
//
//	JSONL   jsonl.go  ┐
//	CSV     csv.go    ├─ one JSON record a contact ─ validate.sql ─ contacts.sql ─ read_contacts, …_emails, …_phones
//	Parquet DuckDB    ┘
//
// Every source becomes the same JSON records, so that there is one place where they are checked
// and taken apart. A source with a bad record has failed as a whole for the record's
// organization: it is never read as one contact less.
//
// A new source is one new file that fills raw_contacts, and one replay case.
package contacts
