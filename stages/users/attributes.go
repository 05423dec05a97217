package users

// The attributes that are asked for, in lower case. The computed ones must be named, a server
// does not send them otherwise.
const (
	attrObjectGUID    = "objectguid"
	attrObjectClass   = "objectclass"
	attrObjectSID     = "objectsid"
	attrAccountType   = "samaccounttype"
	attrCritical      = "iscriticalsystemobject"
	attrRecipientType = "msexchrecipienttypedetails"
	attrControl       = "useraccountcontrol"
	attrComputed      = "msds-user-account-control-computed"
	attrExpires       = "accountexpires"
	attrLastLogon     = "lastlogon"
	attrLogonStamp    = "lastlogontimestamp"
	attrPwdLastSet    = "pwdlastset"
	attrPwdExpires    = "msds-userpasswordexpirytimecomputed"
	attrWhenCreated   = "whencreated"
	attrWhenChanged   = "whenchanged"
	attrSAM           = "samaccountname"
	attrUPN           = "userprincipalname"
	attrGivenName     = "givenname"
	attrSurname       = "sn"
	attrDisplayName   = "displayname"
	attrTitle         = "title"
	attrDepartment    = "department"
	attrMail          = "mail"
	attrProxy         = "proxyaddresses"
	attrTelephone     = "telephonenumber"
	attrMobile        = "mobile"
	attrMaxPwdAge     = "maxpwdage"
	attrResultantPSO  = "msds-resultantpso"
	attrPSOMaxAge     = "msds-maximumpasswordage"
)

// requestedAttributes is the list for a search; what an exclusion filter compares comes on top.
func requestedAttributes(more []string) []string {
	return append([]string{
		"objectGUID", "objectSid", "objectClass", "sAMAccountType", "isCriticalSystemObject", "msExchRecipientTypeDetails",
		"userAccountControl", "msDS-User-Account-Control-Computed", "accountExpires",
		"lastLogon", "lastLogonTimestamp", "pwdLastSet", "msDS-UserPasswordExpiryTimeComputed", "msDS-ResultantPSO",
		"whenCreated", "whenChanged", "sAMAccountName", "userPrincipalName", "givenName", "sn", "displayName",
		"title", "department", "mail", "proxyAddresses", "telephoneNumber", "mobile",
	}, more...)
}

// Bits of userAccountControl and its computed form (MS-ADTS 2.2.16).
const (
	bitDisabled     = 0x2
	bitLocked       = 0x10 // true in the computed attribute only
	bitTrust        = 0x800
	bitNeverExpires = 0x10000
	bitSmartcard    = 0x40000
)

// Values of sAMAccountType (MS-ADTS 2.2.3).
const (
	typeUser    = 805306368
	typeMachine = 805306369
	typeTrust   = 805306370
)

// accountFilter selects every account that can log on. It is indexed, keeps inetOrgPerson, and
// lets trusts and machines through so that they can be counted.
const accountFilter = "(|(sAMAccountType=805306368)(sAMAccountType=805306369)(sAMAccountType=805306370))"

// logonFilter selects, at the other controllers, the accounts that ever logged on there.
const logonFilter = "(&" + accountFilter + "(lastLogon>=1))"
