// Package users extracts Active Directory users: the first stage of a night, side by side with
// the contacts.
//
//	domain controllers ─ directory/ ┐
//	                                ├─ Entry ─ convert.go ─ User ─ intake.go ─ read_users ─ merge.sql ─ next_ad_users
//	LDIF file ─────────── ldif.go ──┘
//
// Conversion is pure: whatever the source, an Entry becomes a User by
// Rules.User, which needs no server and no clock but the run's. Entries are streamed; no
// directory is ever in memory as a whole.
//
// A collector's read is complete or it has failed: there is no third outcome. A failed one makes
// its organization unavailable for this run, which leaves it exactly as it was.
package users
