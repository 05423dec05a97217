// Package filter evaluates LDAP filters (RFC 4511, 4.5.1.7) against an entry's raw values, as
// Active Directory would: text without regard to case, integers as integers, and the bitwise
// matching rules. It serves the extractor's `exclude.filter`, which must mean the same for a
// server and for an LDIF file, and the demo's directory server.
package filter
