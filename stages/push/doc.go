// Package push loads: it says which contacts are eligible for their organization's PSA, what is
// to be pushed tonight, and writes the push files (design section 5).
//
//	limits.go  what each PSA accepts
//	push.sql   eligibility, created contacts (c), changed mapped fields (u), rejected rows
//	files.go   contacts.jsonl and exceptions.csv of a committed run
//
// A row is the neutral envelope {op, key, target_id, before, after, changed}; the formats of the
// PSAs build on it. What a PSA would refuse goes to exceptions.csv with the reason, whole and
// never cut to size.
package push
