package fakedc

import (
	"strconv"
	"strings"

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
	context := s.options.NamingContext
	configuration := configurationRDN + "," + context
	computer, _, _ := strings.Cut(s.options.HostName, ".")
	server := "CN=" + strings.ToUpper(computer) + ",CN=Servers,CN=Default-First-Site-Name,CN=Sites," + configuration
	attributes := map[string][][]byte{
		"configurationNamingContext": text(configuration),
		"currentTime":                text(s.options.Now().UTC().Format("20060102150405.0Z")),
		"defaultNamingContext":       text(context),
		"dnsHostName":                text(s.options.HostName),
		"dsServiceName":              text("CN=NTDS Settings," + server),
		"highestCommittedUSN":        text(strconv.FormatInt(s.currentDirectory().usn, 10)),
		"isSynchronized":             text(strings.ToUpper(strconv.FormatBool(!s.options.Unsynchronized))),
		"namingContexts":             text(context, configuration),
		"rootDomainNamingContext":    text(context),
		"serverName":                 text(server),
		"supportedCapabilities":      text(oidActiveDirectory),
		"supportedControl":           text(ldap.ControlTypePaging, ldap.ControlTypeMicrosoftDomainScope),
		"supportedLDAPVersion":       text("3"),
	}
	if s.tls != nil {
		attributes["supportedExtension"] = text(oidStartTLS)
	}
	if s.options.ClientCert {
		attributes["supportedSASLMechanisms"] = text(mechanismExternal)
	}
	return newEntry(Entry{Attributes: attributes})
}
