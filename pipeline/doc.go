// Package pipeline is the engine of a nightly run. It knows organizations, tables, files and
// time; it knows neither Active Directory nor any PSA. Those are in stages, which a job's recipe
// strings together (jobs/nightly.go).
//
// A run's life, top to bottom (design section 6):
//
//	Engine.Run                       run.go
//	  take the lock                  lock.go        two runs never meet
//	  open the store                 store.go       one connection, DuckDB on disk
//	  finish interrupted runs        outbox.go      files and publication still owed
//	  refuse complete or older runs  ledger.go
//	  extract, side by side          stage.go       record batches → temporary tables (ingest.go)
//	  stages, one after another      stage.go       SQL scripts fill the next_ tables (script.go)
//	  guard                          guard.go       organizations that look wrong are held
//	  commit                         commit.go      state, deltas and outbox in ONE transaction
//	  load                           files.go       files from what was committed; manifest last
//	  publish                        publish.go     the analysts' file, replaced atomically
//
// An organization whose sources could not be read whole is marked by Run.Unavailable, one that
// the guard stops is held; both are left exactly as they were, and the others go on.
//
// A crash before the commit leaves yesterday's state; a crash after it leaves today's state and
// an outbox, which the next start works off. Files are written from committed rows alone, so
// they come out the same byte for byte.
package pipeline
