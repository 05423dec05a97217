// Package directory reads the accounts of an Active Directory over LDAP, completely or not at
// all. It knows how to find, trust, bind to and page through a domain controller, and nothing of
// what a user is: it delivers entries as they are.
//
//	Server ─ locate.go ─ controllers ─ dial.go, trust.go, bind.go ─ connection ─ pages.go ─ Entry
//	                                             read.go pins one controller, and begins anew
//
// A read is pinned to one controller, because replication makes any two differ. Before it begins
// another one may take its place; once it has begun, whatever is wrong makes it begin again from
// the first page, a bounded number of times, or fail. There is no third outcome: go-ldap ends a
// search without an error when a connection was closed before it, so a page counts only if the
// server itself said that it was complete.
package directory
