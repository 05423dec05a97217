package fakedc

import "github.com/go-ldap/ldap/v3"

// The messages below have the form of Active Directory's, down to the line feed
// and NUL at the end, because a client that logs or parses them has to cope with
// both. The DSID numbers name places in Microsoft's source and mean nothing here.
const (
	messageNotBound = "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation " +
		"a successful bind must be completed on the connection., data 0, v3839\x00"
	messageBadControl       = "00000057: LdapErr: DSID-0C090B0A, comment: Error processing control, data 0, v3839\x00"
	messageUnknownControl   = "00000057: LdapErr: DSID-0C090B1D, comment: Error processing control, data 0, v3839\x00"
	messageUnknownExtension = "0000203D: LdapErr: DSID-0C090C7D, comment: Unknown extended request OID, data 0, v3839\x00"
	messageNoTLS            = "00000000: LdapErr: DSID-0C090FA1, comment: Error initializing SSL/TLS, data 0, v3839\x00"
	messageTLSTwice         = "00000000: LdapErr: DSID-0C090F8B, comment: TLS or SSL already in effect, data 0, v3839\x00"
	messageAuthMethod       = "00002027: LdapErr: DSID-0C0904E7, comment: Invalid Authentication method, data 0, v3839\x00"
	messageBindVersion      = "00002027: LdapErr: DSID-0C0904D0, comment: Invalid protocol version, data 0, v3839\x00"
	messageNoCertificate    = "80090308: LdapErr: DSID-0C0903A9, comment: The TLS connection carries no client certificate, data 0, v3839\x00"
	messageBadDN            = "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350\n\x00"
	messageUnwilling        = "00002035: SvcErr: DSID-031A1254, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00"
	messageBusy             = "0000200E: SvcErr: DSID-031A12D2, problem 5001 (BUSY), data 0\n\x00"
	messageUnavailable      = "0000200F: SvcErr: DSID-031A12D2, problem 5002 (UNAVAILABLE), data 0\n\x00"
	messageMatchingRule     = "fakedc: matching rule is not supported"
)

// messageBindRefused is what a domain controller says to a failed bind. The data
// field is the Windows error in hexadecimal: 52e wrong password, 525 no such
// user, 532 password expired, 533 disabled, 775 locked out.
func messageBindRefused(data string) string {
	return "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data " + data + ", v3839\x00"
}

func messageNoSuchObject(best string) string {
	return "0000208D: NameErr: DSID-0310028F, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'" + best + "'\n\x00"
}

func messageReferral(domain string) string {
	return "0000202B: RefErr: DSID-031007F9, data 0, 1 access points\n\tref 1: '" + domain + "'\n\x00"
}

// messageFor picks the message that goes with the result code of a fault.
func messageFor(code uint16) string {
	switch code {
	case ldap.LDAPResultBusy:
		return messageBusy
	case ldap.LDAPResultUnavailable:
		return messageUnavailable
	case ldap.LDAPResultUnwillingToPerform:
		return messageUnwilling
	default:
		return ""
	}
}
