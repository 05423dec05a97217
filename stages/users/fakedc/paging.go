package fakedc

import (
	"crypto/rand"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// cursor is a search in progress. The filter is evaluated once, when the search
// begins, and the cursor keeps what is left to send.
type cursor struct {
	rest []*entry
	// page is the number of the next page, and sent the entries before it.
	page int
	sent int
	// cut says that the client's size limit cut the matches short.
	cut bool
	// search is the search request as received. Follow-up pages must repeat it.
	search string
}

// keep remembers a cursor and returns the cookie that finds it again, which is
// good for one page only.
func (s *session) keep(c *cursor) []byte {
	cookie := make([]byte, 16)
	rand.Read(cookie) // never fails: crypto/rand ends the program instead
	s.cursors[string(cookie)] = c
	return cookie
}

// resume finds the cursor for a cookie, or returns nil if the cookie is unknown
// here or was given out for another search.
func (s *session) resume(cookie []byte, search string) *cursor {
	c := s.cursors[string(cookie)]
	if c == nil || c.search != search {
		return nil
	}
	return c
}

// readControls finds the paging control, which is nil if there is none. An
// unknown control that the client calls critical leads to a refusal; other
// controls are ignored.
func readControls(r request) (paging *ldap.ControlPaging, refusal *result, err error) {
	for _, p := range r.controls {
		oid, err := octets(child(p, 0))
		if err != nil {
			return nil, nil, fmt.Errorf("read a control: %w", err)
		}
		switch oid {
		case ldap.ControlTypePaging:
			control, err := ldap.DecodeControl(p)
			if err != nil {
				return nil, nil, fmt.Errorf("read the paging control: %w", err)
			}
			var ok bool
			if paging, ok = control.(*ldap.ControlPaging); !ok {
				return nil, nil, fmt.Errorf("read the paging control: %w", errMalformed)
			}
		case ldap.ControlTypeMicrosoftDomainScope:
			// Asks for no references, and without faults there are none.
		default:
			if critical, err := boolean(child(p, 1)); err == nil && critical {
				refusal = &result{code: ldap.LDAPResultUnavailableCriticalExtension, message: messageUnknownControl}
			}
		}
	}
	return paging, refusal, nil
}

// pageSize is how many entries the next answer may hold.
func (s *session) pageSize(paging *ldap.ControlPaging) int {
	limit := s.server.options.MaxPageSize
	if paging != nil && paging.PagingSize > 0 && int64(paging.PagingSize) < int64(limit) {
		return int(paging.PagingSize)
	}
	return limit
}
