// Package match links users to contacts (design section 3).
//
//	decisions.jsonl ─ decisions.go ─ read_decided_users, read_separations
//	links.sql    what stands before any matching: old links, people's decisions, created contacts that appeared
//	match.sql    the tiers: e-mail, alias, name; set-based over all organizations at once
//	decide.sql   status, reason and creations → next_user_matching
//
// Everything works on the key columns that were normalised once (schemas/keys). match.sql stays
// with what every SQL engine has: equi-joins, anti-joins, GROUP BY and counts.
package match
