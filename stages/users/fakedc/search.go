package fakedc

import (
	"errors"
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"rollcall/stages/users/filter"
)

// searchRequest is what a search asks for, apart from its controls.
type searchRequest struct {
	base       string
	scope      int64
	sizeLimit  int64 // zero is none
	typesOnly  bool
	filter     *ber.Packet
	attributes []string // lower-cased
}

func readSearch(op *ber.Packet) (q searchRequest, err error) {
	if q.base, err = octets(child(op, 0)); err != nil {
		return q, fmt.Errorf("read the search base: %w", err)
	}
	q.scope, err = integer(child(op, 1))
	if err != nil || q.scope < ldap.ScopeBaseObject || q.scope > ldap.ScopeWholeSubtree {
		return q, fmt.Errorf("read the search scope: %w", errMalformed)
	}
	if q.sizeLimit, err = integer(child(op, 3)); err != nil {
		return q, fmt.Errorf("read the size limit: %w", err)
	}
	if q.typesOnly, err = boolean(child(op, 5)); err != nil {
		return q, fmt.Errorf("read whether only types are wanted: %w", err)
	}
	q.filter = child(op, 6)
	list := child(op, 7)
	if q.filter == nil || list == nil {
		return q, fmt.Errorf("read the filter and attributes: %w", errMalformed)
	}
	for _, c := range list.Children {
		name, err := octets(c)
		if err != nil {
			return q, fmt.Errorf("read a requested attribute: %w", err)
		}
		q.attributes = append(q.attributes, strings.ToLower(name))
	}
	return q, nil
}

// search answers a search request: the rootDSE, a single entry, the first page
// of a new search, or the next page of one in progress.
func (s *session) search(r request) error {
	q, err := readSearch(r.op)
	if err != nil {
		return err
	}
	matches, err := filter.Compile(q.filter)
	if errors.Is(err, filter.ErrMatchingRule) {
		return s.done(r, result{code: ldap.LDAPResultInappropriateMatching, message: messageMatchingRule})
	}
	if err != nil {
		return err
	}
	paging, refusal, err := readControls(r)
	switch {
	case err != nil:
		return err
	case refusal != nil:
		return s.done(r, *refusal)
	case q.base == "" && q.scope == ldap.ScopeBaseObject:
		return s.searchRootDSE(r, q, matches)
	case !s.bound:
		return s.done(r, result{code: ldap.LDAPResultOperationsError, message: messageNotBound})
	case q.scope == ldap.ScopeBaseObject:
		return s.read(r, q, paging, matches)
	}

	search := string(r.op.Bytes())
	if paging == nil || len(paging.Cookie) == 0 {
		c, refusal := s.begin(q, matches, search)
		if refusal != nil {
			return s.done(r, *refusal)
		}
		return s.answer(r, q, paging, c)
	}
	c := s.resume(paging.Cookie, search)
	if c == nil {
		return s.done(r, result{code: ldap.LDAPResultUnwillingToPerform, message: messageBadControl})
	}
	if paging.PagingSize == 0 {
		// This is how a client gives up a paged search.
		delete(s.cursors, string(paging.Cookie))
		return s.done(r, result{}, ldap.NewControlPaging(0))
	}
	return s.answer(r, q, paging, c)
}

func (s *session) done(r request, res result, controls ...ldap.Control) error {
	return s.reply(r, ldap.ApplicationSearchResultDone, res, controls...)
}

func (s *session) searchRootDSE(r request, q searchRequest, matches filter.Predicate) error {
	root, err := s.server.rootDSE()
	if err != nil {
		return fmt.Errorf("describe the server: %w", err)
	}
	if matches(root.values) {
		if err := s.send(r.id, entryOp("", root.selected(q.attributes), q.typesOnly)); err != nil {
			return err
		}
	}
	return s.done(r, result{})
}

// read answers a search of base scope. It has no pages and no faults, but a
// client that sends the paging control gets it back all the same.
func (s *session) read(r request, q searchRequest, paging *ldap.ControlPaging, matches filter.Predicate) error {
	if paging != nil && len(paging.Cookie) > 0 {
		return s.done(r, result{code: ldap.LDAPResultUnwillingToPerform, message: messageBadControl})
	}
	s.server.count(func(st *Stats) { st.Reads++ })
	d := s.server.currentDirectory()
	base, refusal := d.locate(q.base)
	if refusal != nil {
		return s.done(r, *refusal)
	}
	for _, e := range d.find(base, q.scope, matches) {
		if err := s.send(r.id, entryOp(e.dn, e.inRanges(q.attributes, s.server.options.MaxValRange), q.typesOnly)); err != nil {
			return err
		}
	}
	if paging == nil {
		return s.done(r, result{})
	}
	return s.done(r, result{}, ldap.NewControlPaging(0))
}

// begin finds everything that a search matches.
func (s *session) begin(q searchRequest, matches filter.Predicate, search string) (*cursor, *result) {
	text, err := ldap.DecompileFilter(q.filter)
	if err != nil {
		text = "" // only the statistics show it
	}
	s.server.count(func(st *Stats) {
		st.Searches++
		st.LastFilter = text
	})
	d := s.server.currentDirectory()
	base, refusal := d.locate(q.base)
	if refusal != nil {
		return nil, refusal
	}
	c := &cursor{rest: d.find(base, q.scope, matches), page: 1, search: search}
	if q.sizeLimit > 0 && int64(len(c.rest)) > q.sizeLimit {
		c.rest, c.cut = c.rest[:q.sizeLimit], true
	}
	return c, nil
}

// answer sends the next page of a search, or the fault due instead.
func (s *session) answer(r request, q searchRequest, paging *ldap.ControlPaging, c *cursor) error {
	f := s.server.currentFaults()
	if f.Delay > 0 && s.server.strikes(faultDelay) {
		s.wait(f.Delay)
	}
	if f.CloseOnPage == c.page && s.server.strikes(faultClosePage) {
		return errHangUp
	}
	if f.StallOnPage == c.page && s.server.strikes(faultStallPage) {
		return s.stall()
	}
	if f.FailPage == c.page && s.server.strikes(faultFailPage) {
		code := f.FailCode
		if code == 0 {
			code = ldap.LDAPResultBusy
		}
		return s.done(r, result{code: code, message: messageFor(code)})
	}
	if paging != nil {
		// From here on the cookie is used up.
		delete(s.cursors, string(paging.Cookie))
	}
	if c.page > 1 && f.RejectCookieOnPage == c.page && s.server.strikes(faultRejectCookie) {
		code := f.RejectCookieCode
		if code == 0 {
			code = ldap.LDAPResultUnwillingToPerform
		}
		return s.done(r, result{code: code, message: messageBadControl})
	}

	if c.page == 1 && len(f.References) > 0 {
		if err := s.send(r.id, referenceOp(f.References)); err != nil {
			return err
		}
	}
	page := c.rest[:min(len(c.rest), s.pageSize(paging))]
	for _, e := range page {
		c.sent++
		if err := s.sendEntry(r, q, f, c.sent, e); err != nil {
			return err
		}
	}
	c.rest = c.rest[len(page):]
	return s.finish(r, f, paging, c)
}

// sendEntry sends the n-th entry of a search, and lets the connection fail if
// that was the last it may carry.
func (s *session) sendEntry(r request, q searchRequest, f Faults, n int, e *entry) error {
	s.sent++
	s.server.count(func(st *Stats) { st.Entries++ })
	dn, attributes := f.alter(n, e.dn, e.inRanges(q.attributes, s.server.options.MaxValRange))
	if err := s.send(r.id, entryOp(dn, attributes, q.typesOnly)); err != nil {
		return err
	}
	if f.CloseAfterEntries == s.sent && s.server.strikes(faultClose) {
		return errHangUp
	}
	if f.StallAfterEntries == s.sent && s.server.strikes(faultStallEntries) {
		return s.stall()
	}
	return nil
}

// finish sends the result of a page, with a cookie if there is more to come.
func (s *session) finish(r request, f Faults, paging *ldap.ControlPaging, c *cursor) error {
	more := len(c.rest) > 0
	var res result
	if more && paging == nil || !more && c.cut {
		res.code = ldap.LDAPResultSizeLimitExceeded
	}
	s.server.count(func(st *Stats) { st.Pages++ })
	if paging == nil || f.NoControlOnPage == c.page && s.server.strikes(faultNoControl) {
		return s.done(r, res)
	}
	c.page++
	control := ldap.NewControlPaging(0)
	if more {
		control.SetCookie(s.keep(c))
	}
	return s.done(r, res, control)
}
