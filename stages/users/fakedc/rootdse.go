package fakedc

import (
	"strconv"

	"github.com/go-ldap/ldap/v3"
)

// oidActiveDirectory is the capability by which clients tell Active Directory
// from other servers.
const oidActiveDirectory = "1.2.840.113556.1.4.800"

// rootDSE describes the server. It is the one entry readable without a bind.
func (s *Server) rootDSE() (*entry, error) {
	text := func(values ...string) [][]byte {
		var out [][]byte
		for _, v := range values {
			out = append(out, []byte(v))
		}
		return out
	}
	attributes := map[string][][]byte{
		"currentTime":             text(s.options.Now().UTC().Format("20060102150405.0Z")),
		"defaultNamingContext":    text(s.options.NamingContext),
		"dnsHostName":             text(s.options.HostName),
		"highestCommittedUSN":     text(strconv.FormatInt(s.currentDirectory().usn, 10)),
		"namingContexts":          text(s.options.NamingContext),
		"rootDomainNamingContext": text(s.options.NamingContext),
		"supportedCapabilities":   text(oidActiveDirectory),
		"supportedControl":        text(ldap.ControlTypePaging, ldap.ControlTypeMicrosoftDomainScope),
		"supportedLDAPVersion":    text("3"),
	}
	if s.tls != nil {
		attributes["supportedExtension"] = text(oidStartTLS)
	}
	return newEntry(Entry{Attributes: attributes})
}
