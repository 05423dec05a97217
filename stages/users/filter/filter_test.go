package filter

import (
	"errors"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// compile takes a filter the way it travels: as text, as bytes, and back.
func compile(t *testing.T, text string) (Predicate, error) {
	t.Helper()
	p, err := ldap.CompileFilter(text)
	if err != nil {
		t.Fatalf("compile %s: %v", text, err)
	}
	if p, err = ber.DecodePacketErr(p.Bytes()); err != nil {
		t.Fatal(err)
	}
	return Compile(p)
}

func TestFilter(t *testing.T) {
	entry := map[string][][]byte{
		"cn":                 {[]byte("Ångström, Zoë")},
		"sAMAccountName":     {[]byte("zoe")},
		"proxyAddresses":     {[]byte("SMTP:zoe@example.com"), []byte("smtp:z@example.org")},
		"objectCategory":     {[]byte("CN=Person,CN=Schema,CN=Configuration,DC=example,DC=com")},
		"objectGUID":         {{0xff, 0x41, 0x2a, 0x00}},
		"userAccountControl": {[]byte("514")},
		"groupType":          {[]byte("-2147483646")},
		"uSNChanged":         {[]byte("10000")},
		"whenChanged":        {[]byte("20240501000000.0Z")},
		"empty":              {},
	}
	lower := map[string][][]byte{}
	for name, values := range entry {
		if len(values) > 0 {
			lower[strings.ToLower(name)] = values
		}
	}
	e := func(name string) [][]byte { return lower[name] }
	for text, want := range map[string]bool{
		"(samaccountname=ZOE)":      true,
		"(sAMAccountName=zo)":       false,
		"(sAMAccountName~=zoe)":     true,
		"(sAMAccountName:=zoe)":     true,
		"(cn=ångström, ZOË)":        true,
		"(mail=*)":                  false,
		"(empty=*)":                 false,
		"(objectClass=*)":           true,
		"(objectClass=user)":        false,
		"(objectCategory=person)":   true,
		"(objectCategory=user)":     true,
		"(objectCategory=computer)": false,
		"(objectCategory=cn=person,CN=Schema,CN=Configuration,DC=example,DC=com)": true,
		`(objectGUID=\ff\41\2a\00)`:                         true,
		`(objectGUID=\fe\41\2a\00)`:                         false,
		"(proxyAddresses=smtp:*)":                           true,
		"(proxyAddresses=*@example.org)":                    true,
		"(proxyAddresses=smtp:*@*.com)":                     true,
		"(proxyAddresses=smtp:z*z@example.org)":             false,
		"(proxyAddresses=*example*example*)":                false,
		"(uSNChanged>=9999)":                                true,
		"(uSNChanged>=10001)":                               false,
		"(uSNChanged<=10000)":                               true,
		"(whenChanged>=20240401000000.0Z)":                  true,
		"(whenChanged<=20240401000000.0Z)":                  false,
		"(absent>=0)":                                       false,
		"(userAccountControl:1.2.840.113556.1.4.803:=2)":    true,
		"(userAccountControl:1.2.840.113556.1.4.803:=3)":    false,
		"(userAccountControl:1.2.840.113556.1.4.804:=3)":    true,
		"(userAccountControl:1.2.840.113556.1.4.804:=1)":    false,
		"(userAccountControl:1.2.840.113556.1.4.803:=x)":    false,
		"(cn:1.2.840.113556.1.4.803:=1)":                    false,
		"(groupType:1.2.840.113556.1.4.803:=2147483648)":    true,
		"(!(userAccountControl:1.2.840.113556.1.4.803:=2))": false,
		"(!(absent=x))":                                     true,
		"(&(cn=*)(uSNChanged=10000))":                       true,
		"(&(cn=*)(absent=*))":                               false,
		"(|(absent=*)(cn=*))":                               true,
		"(|(absent=*)(mail=*))":                             false,
		"(&)":                                               true,
		"(|)":                                               false,
	} {
		matches, err := compile(t, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := matches(e); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestUnknownMatchingRule(t *testing.T) {
	for _, text := range []string{"(memberOf:1.2.840.113556.1.4.1941:=CN=G)", "(:1.2.3:=x)"} {
		if _, err := compile(t, text); !errors.Is(err, ErrMatchingRule) {
			t.Errorf("%s: got %v, want ErrMatchingRule", text, err)
		}
	}
}
