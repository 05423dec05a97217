package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// domainScope asks Active Directory not to send referrals to other domains
// (LDAP_SERVER_DOMAIN_SCOPE_OID, MS-ADTS 3.1.1.3.4.1.4).
const domainScope = "1.2.840.113556.1.4.1339"

// searchBuffer is how many entries may wait between the network and the conversion.
const searchBuffer = 64

// subtree streams every entry below a base DN to visit, page by page. An entry whose values do
// not fit into one answer is held back until its page is over: the library cannot do two things on
// one connection while somebody waits.
func (c *connection) subtree(ctx context.Context, s Server, base string, want Request, visit func(Entry) error) error {
	type held struct {
		entry Entry
		rest  unfinished
	}
	var cookie []byte
	for page := 1; ; page++ {
		began, read := time.Now(), 0
		var later []held
		var err error
		cookie, err = c.page(ctx, s, base, want, cookie, func(e *ldap.Entry) error {
			read++
			entry, rest := fromLDAP(e, want.Attributes)
			if rest != nil {
				later = append(later, held{entry, rest})
				return nil
			}
			return visit(entry)
		})
		for i := 0; i < len(later) && err == nil; i++ {
			if err = c.finish(&later[i].entry, later[i].rest); err == nil {
				err = visit(later[i].entry)
			}
		}
		if err != nil {
			return fmt.Errorf("page %d: %w", page, err)
		}
		if len(cookie) == 0 {
			return nil
		}
		if s.MaxRate > 0 { // the server rests between pages
			if err := s.Pause(ctx, time.Duration(read)*time.Second/time.Duration(s.MaxRate)-time.Since(began)); err != nil {
				return fmt.Errorf("the read was stopped: %w", err)
			}
		}
	}
}

// evictedCookie are the results with which servers refuse a cookie that they do not know any more:
// Active Directory 12 (00000057, Error processing control), Samba 53, others 1 and 2.
//
//nolint:gochecknoglobals // a constant list
var evictedCookie = []uint16{
	ldap.LDAPResultUnavailableCriticalExtension, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultOperationsError, ldap.LDAPResultProtocolError,
}

// page reads one page and returns the cookie of the next, empty after the last. go-ldap ends a
// search without an error when its connection was closed before, or its context is done; the
// page counts only if its paging control arrived and nobody gave up meanwhile.
func (c *connection) page(ctx context.Context, s Server, base string, want Request, cookie []byte, visit func(*ldap.Entry) error) ([]byte, error) {
	paging := ldap.NewControlPaging(s.pageSize())
	paging.SetCookie(cookie)
	// A fresh request every time: go-ldap leaves the last cookie in a used one.
	request := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		want.Filter, want.Attributes, []ldap.Control{paging, ldap.NewControlString(domainScope, false, "")})
	// Whether the run is stopped is asked of its own context: it closes the connection, perhaps a
	// moment before a context made from it is done.
	searching, cancel := context.WithCancel(ctx)
	defer cancel()
	response := c.SearchAsync(searching, request, searchBuffer)
	waiting := c.watch()
	defer waiting.stop()
	var end *ldap.ControlPaging
	for response.Next() {
		if !waiting.stop() {
			break // the watch has fired
		}
		if entry := response.Entry(); entry != nil { // referrals and controls come without one
			if err := visit(entry); err != nil {
				return nil, err
			}
		}
		if control, ok := ldap.FindControl(response.Controls(), ldap.ControlTypePaging).(*ldap.ControlPaging); ok {
			end = control
		}
		waiting.rearm()
	}
	switch err := response.Err(); {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the read was stopped: %w", context.Cause(ctx))
	case err != nil && len(cookie) > 0 && ldap.IsErrorAnyOf(err, evictedCookie...):
		return nil, dropped(errors.New("the server dropped the search between two pages, to make room for others or because it restarted; nothing of this read counts: run again, and name domain controllers in url, not a load balancer"))
	case err != nil:
		return nil, waiting.explain(explainSearch(err))
	case end == nil:
		return nil, waiting.explain(broken(errors.New("the server ended the page without saying that it was complete; nothing of this read counts")))
	}
	return end.Cookie, nil
}

// explainSearch says what a result code means here; the server's text may hold names and is
// left out.
func explainSearch(err error) error {
	var result *ldap.Error
	if !errors.As(err, &result) {
		result = &ldap.Error{ResultCode: ldap.ErrorNetwork, Err: err} // go-ldap hands on what the connection said
	}
	switch result.ResultCode {
	case ldap.LDAPResultNoSuchObject:
		return errors.New("base_dn does not exist on this server (LDAP result 32): check it")
	case ldap.LDAPResultReferral:
		return errors.New("base_dn lies in another domain (LDAP result 10): name one of this server's domain, or the other domain's controller in url")
	case ldap.LDAPResultInvalidDNSyntax:
		return errors.New("base_dn is no distinguished name to this server (LDAP result 34): check it")
	case ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultAdminLimitExceeded:
		return fmt.Errorf("the server stopped at one of its limits (LDAP result %d): lower page_size", result.ResultCode)
	case ldap.LDAPResultSizeLimitExceeded:
		return errors.New("the server stopped at its size limit (LDAP result 4): lower page_size to the server's limit")
	case ldap.LDAPResultInsufficientAccessRights:
		return errors.New("the account may not read base_dn (LDAP result 50): give it read access")
	case ldap.LDAPResultOperationsError:
		return errors.New("the server refused the search (LDAP result 1): is the account allowed to read the directory?")
	case ldap.LDAPResultBusy:
		return busy(errors.New("the server is busy or unavailable (LDAP result 51): try again later"))
	case ldap.LDAPResultUnavailable: // what a controller says that is shutting down
		return broken(errors.New("the server is busy or unavailable (LDAP result 52): try again later"))
	case ldap.ErrorNetwork:
		return broken(fmt.Errorf("the connection broke while the server was answering; nothing of this read counts, run again: %w", result.Err))
	default:
		return fmt.Errorf("the server refused the search: LDAP result %d (%s)", result.ResultCode, ldap.LDAPResultCodeMap[result.ResultCode])
	}
}
