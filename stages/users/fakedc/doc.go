// Package fakedc is a small in-process LDAP directory server that answers the
// way an Active Directory domain controller does, as far as a nightly read of
// users needs. It has two uses: `rollcall demo` serves an embedded directory
// with it on loopback over LDAPS, and tests use its Faults for what a real
// domain controller will not do on demand.
//
// What it imitates:
//
//   - simple bind, anonymous bind, NTLM in the form that Active Directory alone
//     has for it, SASL EXTERNAL with a client certificate, and the diagnostic
//     messages of Active Directory, including the NUL byte that ends them;
//   - LDAPS, or StartTLS on a plain listener, with a certificate authority made
//     at start or one that several servers share;
//   - the rootDSE, base/one-level/subtree searches, the usual filters with the
//     two bitwise matching rules, (objectCategory=person) as a short form of a
//     DN, requested attributes, and the server's own spelling of their names;
//   - the simple paged results control with cookies that belong to one
//     connection and one search, and MaxPageSize, which caps a page and cuts an
//     unpaged search with sizeLimitExceeded;
//   - range retrieval of attributes with more values than MaxValRange;
//   - the configuration as a partition below the domain, which a search of the
//     domain does not reach into.
//
// What it does not do:
//
//   - It has no schema. Every attribute compares as a case-insensitive string
//     (>= and <= compare as integers when both sides are integers), no
//     attribute is computed, and no value is checked on the way in.
//   - It has no access control: whoever has bound reads everything.
//   - It does not write. Add, modify, delete, rename and compare are refused
//     with unwillingToPerform.
//   - It knows no SASL mechanism but EXTERNAL and refuses the others, Kerberos
//     among them, with authMethodNotSupported. It maps a client certificate to
//     nobody in particular: one that its authority signed is as good as the
//     password. Over LDAPS it takes EXTERNAL as it does after StartTLS, unless
//     CertBinds is set.
//   - NTLM authenticates and does no more. The server checks neither a message
//     integrity code nor a channel binding, and offers no signing or sealing, so
//     a domain controller that demands one of these is not imitated.
//   - It does not know LDAP_MATCHING_RULE_IN_CHAIN (refused with
//     inappropriateMatching), ambiguous name resolution, DirSync, sorting,
//     deleted objects, or time limits. A critical control it does not know is
//     refused, as LDAP asks.
//   - It has no schema partition, and sends no references but those of Faults.
//     Containers that appear only inside the DNs of entries can be searched
//     under but are not returned themselves. Servers that share an authority
//     share nothing else.
//   - It answers the requests of one connection strictly one after the other, so
//     an abandon request never finds anything to abandon.
//
// Passing against this server therefore shows how the client behaves, not that
// a particular domain controller is configured to let it.
package fakedc
