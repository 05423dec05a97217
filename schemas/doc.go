// Package schemas declares every table, file and analysts' view once: its name, description,
// columns with Arrow type, nullability and description, and its key. Everything else is
// derived from the declarations: Arrow schemas for ingest, DuckDB's DDL with COMMENTs, the
// data package's field lists and the dictionary in docs/.
//
// It is the first package to read for anyone who wants to know what rollcall stores; it
// imports nothing of rollcall.
//
// A table's Life says where it stands in a run:
//
//	Read      filled by an extractor, gone with the run             read_users
//	Replaced  state: a committed organization's rows are replaced   ad_users      (next_ad_users)
//	Observed  state of the whole installation: replaced as a whole    collectors
//	Appended  history: a committed organization's rows are added    match_deltas  (next_match_deltas)
//	Recorded  like Appended, for every organization, held or not    run_organizations
//	Engine    kept by the pipeline itself                           runs
//
// The stages fill the next_ twins; the commit moves them, in one transaction.
package schemas
