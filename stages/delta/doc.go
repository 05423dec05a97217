// Package delta says what changed since the last committed run (design sections 4 and 6).
//
//	match_deltas.sql       users' statuses and links
//	enrichment_deltas.sql  what is told of contacts: the overlay, fields filled by policy, new contacts
//	measures.sql           the numbers that the guard watches
//	account.sql            after the guard: how each organization fared
//
// It compares the state with the next_ tables, so a second run on unchanged inputs yields
// nothing. Files (stage.go) writes the deltas of a committed run. The scripts use email_key, which
// the contacts stage has registered by then.
package delta
