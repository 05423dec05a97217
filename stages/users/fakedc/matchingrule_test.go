package fakedc

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestUnknownMatchingRuleIsRefused(t *testing.T) {
	c := bound(t, start(t, Options{}))
	_, err := c.Search(query("(memberOf:1.2.840.113556.1.4.1941:=CN=G)"))
	wantCode(t, err, ldap.LDAPResultInappropriateMatching)
}
