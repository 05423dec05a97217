// Package match links users to contacts (design section 3).
//
//	decisions.jsonl ─ decisions_file.go (locked, appended) ─ decisions.go (folded) ─ read_decided_users, read_separations
//	links.sql       what stands before any matching: old links, people's decisions, created contacts that appeared
//	excluded.sql    accounts that are excluded and have no link leave the list
//	contention.sql  who competes for what: an ambiguity stays for a person until something about it changes
//	pool.sql        who and what is left for the tiers
//	match.sql       the tiers: e-mail, alias, name; set-based over all organizations at once
//	decide.sql      status, reason and creations → next_user_matching
//
// Everything works on the key columns that were normalised once (schemas/keys). match.sql stays
// with what every SQL engine has: equi-joins, anti-joins, GROUP BY and counts.
package match
