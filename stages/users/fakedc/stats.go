package fakedc

// Stats counts what a Server has done since Start. An entry or page is counted
// just before it is sent, so a client that has received something always finds
// it counted.
type Stats struct {
	// Connections accepted, including those that never got past TLS.
	Connections int
	// Binds that succeeded: with the configured name and password or, if the
	// options allow it, with a client certificate.
	Binds int
	// BindsRefused counts binds that failed, whatever the reason.
	BindsRefused int
	// PlaintextBinds counts binds, successful or not, that carried a password
	// over a connection without TLS.
	PlaintextBinds int
	// Searches counts searches of one level or a subtree that were begun.
	// Follow-up pages are not counted.
	Searches int
	// Reads counts searches of base scope, which read a single entry. Reads of
	// the rootDSE are not counted.
	Reads int
	// Pages answered with entries and a result, with an unpaged answer counted
	// as one page. Pages that failed, stalled or broke off are not counted.
	Pages int
	// Entries sent in answer to Searches, on all connections.
	Entries int
	// LastFilter is the filter of the last search counted in Searches, in text
	// form; empty before the first.
	LastFilter string
}

// Stats returns the counts so far. It is safe to call at any time.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

func (s *Server) count(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}
