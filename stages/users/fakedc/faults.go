package fakedc

import (
	"bytes"
	"strings"
	"time"
)

// Faults makes the server misbehave. The zero value is a healthy server.
//
// Pages are numbered from 1 within one search; the answer to an unpaged search
// is page 1. Binds and TLS aside, faults touch only searches of one level or a
// subtree. Reads of a single entry, such as the rootDSE or the domain's own, are
// answered as if there were none, so that page 1 is always the first page of the
// read that a test is about.
type Faults struct {
	// Times is how often each fault of the first group strikes before the server
	// is healthy in that respect, counted per fault over all connections. Zero
	// means always.
	Times int

	// First group: faults that end a request or hold it up, limited by Times.

	// StallTLS accepts the connection but never answers the TLS handshake, or
	// with StartTLS agrees to it first. It imitates a domain controller whose
	// certificate store hangs, or a firewall that lets only the connection pass.
	StallTLS bool
	// StallBind never answers a bind, of whatever kind, but keeps the connection
	// open. It imitates a domain controller that waits for another to judge the
	// password.
	StallBind bool
	// CloseAfterEntries drops the connection, without a farewell, once this many
	// entries have been sent on it, over all its searches and pages. It imitates
	// a domain controller that restarts or a firewall that resets. Zero is never.
	CloseAfterEntries int
	// StallAfterEntries sends nothing more on a connection, but keeps it open,
	// once this many entries have been sent on it. It imitates a hung server or a
	// path that silently drops packets. Zero is never.
	StallAfterEntries int
	// StallOnPage sends nothing more, but keeps the connection open, in place of
	// answering this page. It imitates a query that never comes back. Zero is
	// never.
	StallOnPage int
	// CloseOnPage drops the connection, without a farewell, in place of answering
	// this page. It imitates a domain controller that restarts between two pages.
	// Zero is never.
	CloseOnPage int
	// Delay passes before each page is answered, be it with entries, a failure or
	// a broken connection. It imitates a server under load.
	Delay time.Duration
	// NoControlOnPage answers this page of a paged search in full but leaves out
	// the paged results control. It imitates a proxy or directory that does not
	// support paging, where the client cannot know whether there is more. Zero is
	// never.
	NoControlOnPage int
	// FailPage answers this page with FailCode and no entries. The cookie stays
	// good, so asking for the same page again and starting afresh both work once
	// the fault is over. Zero is never.
	FailPage int
	// FailCode is the LDAP result code for FailPage, such as busy (51) or
	// unavailable (52), which imitate an overloaded or starting domain
	// controller. Zero means busy.
	FailCode uint16
	// RejectCookieOnPage rejects the cookie sent to get this page and forgets it.
	// It imitates a domain controller that has dropped the paged search to make
	// room for others, or a load balancer that changed servers. Pages below 2
	// have no cookie; zero is never.
	RejectCookieOnPage int
	// RejectCookieCode is the LDAP result code for RejectCookieOnPage. Zero means
	// unwillingToPerform (53); operationsError (1) occurs as well.
	RejectCookieCode uint16
	// BindCode refuses every bind with this LDAP result code. Zero is never,
	// unless BindData is set.
	BindCode uint16
	// BindData is the Windows error inside the message of a refused bind, such as
	// "532" for a password that has expired or "775" for a locked account. If it
	// is set and BindCode is zero, the code is invalidCredentials (49).
	BindData string

	// Second group: alterations of the answer, in force for as long as they are
	// set.

	// References are sent as one search result reference before the first entry
	// of every search. They imitate a search from the top of a domain, which
	// refers to the partitions that live elsewhere.
	References []string
	// RangedAttribute names an attribute whose values are sent as
	// "name;range=0-1499" next to an empty "name". It imitates an attribute with
	// more values than one answer may hold; all values are sent nevertheless.
	RangedAttribute string
	// Entry, if not nil, may change what is sent of an entry: to give it a bad
	// objectGUID or invalid UTF-8, for instance. It gets a copy that holds the
	// requested attributes only, and what it returns is sent as it is, attributes
	// without values included. n counts the entries of one search from 1. It is
	// called from the goroutines of the connections, so it must be safe for
	// concurrent use.
	Entry func(n int, e Entry) Entry
}

// fault names the faults that Times limits.
type fault int

const (
	faultStallTLS fault = iota
	faultStallBind
	faultClose
	faultStallEntries
	faultStallPage
	faultClosePage
	faultDelay
	faultNoControl
	faultFailPage
	faultRejectCookie
	faultBind
	faultKinds
)

// SetFaults replaces the faults from the next request on and starts counting for
// Times anew.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	s.struck = [faultKinds]int{}
}

func (s *Server) currentFaults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// strikes reports whether a fault whose condition is met happens, and counts it
// against Times.
func (s *Server) strikes(kind fault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.Times > 0 && s.struck[kind] >= s.faults.Times {
		return false
	}
	s.struck[kind]++
	return true
}

// alter applies the second group of faults to an entry about to be sent.
func (f Faults) alter(n int, dn string, list []attribute) (string, []attribute) {
	if f.RangedAttribute != "" {
		list = ranged(list, f.RangedAttribute)
	}
	if f.Entry == nil {
		return dn, list
	}
	// The hook may write into what it is given, and the stored values are shared
	// between connections.
	e := Entry{DN: dn, Attributes: make(map[string][][]byte, len(list))}
	for _, a := range list {
		values := make([][]byte, len(a.values))
		for i, v := range a.values {
			values[i] = bytes.Clone(v)
		}
		e.Attributes[a.name] = values
	}
	e = f.Entry(n, e)
	return e.DN, sortedAttributes(e.Attributes)
}

func ranged(list []attribute, name string) []attribute {
	out := make([]attribute, 0, len(list)+1)
	for _, a := range list {
		if strings.EqualFold(a.name, name) {
			out = append(out, attribute{a.name, nil})
			a.name += ";range=0-1499"
		}
		out = append(out, a)
	}
	return out
}
