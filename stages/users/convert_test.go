package users

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/stages/users/directory"
)

func TestTextFieldsAreTrimmedAndTakenAsTheyAre(t *testing.T) {
	t.Parallel()
	u := user(t, rules(), person(attrs{
		"sAMAccountName": {"alee"}, "userPrincipalName": {"ann.lee@contoso.example"},
		"givenName": {" Ann "}, "sn": {"O’Lee"}, "displayName": {"Ann O’Lee"},
		"title": {"CFO"}, "department": {"Finance\t"},
		"telephoneNumber": {"+1 555 0100"}, "mobile": {"+1 555 0199"}, "mail": {" Ann@Contoso.example "},
		"whenCreated": {"20240229093000.0Z"},
	}), Policy{})
	created := time.Date(2024, 2, 29, 9, 30, 0, 0, time.UTC)
	want := User{
		GUID: guidText, SAMAccountName: "alee", UserPrincipalName: "ann.lee@contoso.example",
		DistinguishedName: "CN=Ann Lee,OU=Staff,DC=contoso,DC=example",
		FirstName:         "Ann", LastName: "O’Lee", DisplayName: "Ann O’Lee", Title: "CFO", Department: "Finance",
		Email: "Ann@Contoso.example", EmailSource: "mail", Phone: "+1 555 0100",
		ADStatus: "enabled", PasswordState: "unknown", WhenCreated: &created,
	}
	if !reflect.DeepEqual(u, want) {
		t.Errorf("got  %+v\nwant %+v", u, want)
	}
}

func TestAbsentAttributesStayEmpty(t *testing.T) {
	t.Parallel()
	e := person(nil)
	e.Attributes = map[string][][]byte{attrObjectGUID: {[]byte(guidOctets)}, attrAccountType: {[]byte("805306368")}}
	u := user(t, rules(), e, Policy{})
	want := User{GUID: guidText, DistinguishedName: e.DN, ADStatus: "unknown", PasswordState: "unknown"}
	if !reflect.DeepEqual(u, want) {
		t.Errorf("got %+v\nwant %+v", u, want)
	}
}

func TestGUIDsHaveMixedByteOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ octets, want, message string }{
		"the first three fields are little-endian": {guidOctets, guidText, ""},
		"every octet has its place": {
			"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
			"03020100-0504-0706-0809-0a0b0c0d0e0f", "",
		},
		"too short":         {guidOctets[:15], "", "15 octets instead of 16"},
		"too long":          {guidOctets + "\x00", "", "17 octets instead of 16"},
		"its text":          {guidText, "", "36 octets instead of 16"},
		"empty":             {"", "", "0 octets instead of 16"},
		"all octets zero":   {strings.Repeat("\x00", 16), "", "all octets are zero"},
		"all octets at max": {strings.Repeat("\xff", 16), "ffffffff-ffff-ffff-ffff-ffffffffffff", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, _, err := rules().User(person(attrs{"objectGUID": {c.octets}}), Policy{})
			if c.message != "" {
				wantMessage(t, err, c.message)
				return
			}
			if err != nil || u.GUID != c.want {
				t.Errorf("got %q, %v, want %q", u.GUID, err, c.want)
			}
		})
	}
}

func TestFiletimesDoNotOverflow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ value, want, message string }{
		"absent":                       {"", "", ""},
		"0 is no time":                 {"0", "", ""},
		"the largest value is no time": {"9223372036854775807", "", ""},
		"1601 begins":                  {"10", "1601-01-01T00:00:00.000001Z", ""},
		"less than a microsecond":      {"1", "1601-01-01T00:00:00Z", ""},
		"1970":                         {"116444736000000000", "1970-01-01T00:00:00Z", ""},
		"microseconds are kept":        {"132223104000000019", "2020-01-01T00:00:00.000001Z", ""},
		"2262, where nanoseconds end":  {"209078300000000000", "2263-07-18T18:33:20Z", ""},
		"year 9999":                    {"2650467743990000000", "9999-12-31T23:59:59Z", ""},
		"the last tick of year 9999":   {"2650467743999999999", "9999-12-31T23:59:59.999999Z", ""},
		"year 10000":                   {"2650467744000000000", "", "is not a time between 1601 and 9999"},
		"one below the largest value":  {"9223372036854775806", "", "is not a time between 1601 and 9999"},
		"before 1601":                  {"-1", "", "is not a time between 1601 and 9999"},
		"the smallest value":           {"-9223372036854775808", "", "is not a time between 1601 and 9999"},
		"more than 64 bits":            {"9223372036854775808", "", "is not a whole number of 64 bits"},
		"no number":                    {"2026-11-01", "", "is not a whole number of 64 bits"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changes := attrs{"pwdLastSet": {c.value}}
			if c.value == "" {
				changes = nil
			}
			u := user(t, rules(), person(changes), Policy{})
			if c.message != "" {
				wantLeftOut(t, u, "entry 1 (objectGUID "+guidText+"): pwdlastset is wrong: ", c.message)
			}
			wantTime(t, "the last password reset", u.LastPasswordReset, c.want)
		})
	}
}

func TestADStatusIsTheFirstThatApplies(t *testing.T) {
	t.Parallel()
	past, future := ticks(now.Add(-time.Second)), ticks(now.Add(time.Second))
	for name, c := range map[string]struct {
		changes attrs
		want    string
	}{
		"enabled":                         {nil, "enabled"},
		"disabled":                        {attrs{"userAccountControl": {"514"}}, "disabled"},
		"disabled before expired":         {attrs{"userAccountControl": {"514"}, "accountExpires": {past}}, "disabled"},
		"disabled before locked":          {attrs{"userAccountControl": {"514"}, attrComputed: {"16"}}, "disabled"},
		"disabled needs nothing else":     {attrs{"userAccountControl": {"514"}, "accountExpires": nil, attrComputed: nil}, "disabled"},
		"expired":                         {attrs{"accountExpires": {past}}, "expired"},
		"expired at this very moment":     {attrs{"accountExpires": {ticks(now)}}, "expired"},
		"expired before locked":           {attrs{"accountExpires": {past}, attrComputed: {"16"}}, "expired"},
		"expired needs no computed value": {attrs{"accountExpires": {past}, attrComputed: nil}, "expired"},
		"expires later":                   {attrs{"accountExpires": {future}}, "enabled"},
		"never expires, written as 0":     {attrs{"accountExpires": {"0"}}, "enabled"},
		"never expires, the largest":      {attrs{"accountExpires": {"9223372036854775807"}}, "enabled"},
		"expires after year 9999":         {attrs{"accountExpires": {"9223372036854775806"}}, "enabled"},
		"expires at the end of year 9999": {attrs{"accountExpires": {"2650467743999999999"}}, "enabled"},
		"expires before 1601":             {attrs{"accountExpires": {"-1"}}, "unknown"},
		"locked":                          {attrs{attrComputed: {"16"}}, "locked"},
		"locked among other bits":         {attrs{attrComputed: {"8388624"}}, "locked"},
		"an expired password is no lock":  {attrs{attrComputed: {"8388608"}}, "enabled"},
		"the plain lock bit is ignored":   {attrs{"userAccountControl": {"528"}}, "enabled"},
		"lockoutTime is ignored":          {attrs{"lockoutTime": {past}}, "enabled"},
		"no userAccountControl":           {attrs{"userAccountControl": nil}, "unknown"},
		"no userAccountControl, expired":  {attrs{"userAccountControl": nil, "accountExpires": {past}}, "unknown"},
		"no accountExpires":               {attrs{"accountExpires": nil}, "unknown"},
		"no accountExpires, locked":       {attrs{"accountExpires": nil, attrComputed: {"16"}}, "unknown"},
		"no computed value":               {attrs{attrComputed: nil}, "unknown"},
		"none of them":                    {attrs{"userAccountControl": nil, "accountExpires": nil, attrComputed: nil}, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := user(t, rules(), person(c.changes), Policy{}).ADStatus; got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestPasswordStates(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	set := now.Add(-30 * day)
	days42 := Policy{MaxPasswordAge: number(-42 * 24 * 3600 * 1e7)}
	fine7 := Policy{MaxPasswordAge: days42.MaxPasswordAge, FineGrained: map[string]int64{
		"cn=short,dc=x": -7 * 24 * 3600 * 1e7, "cn=never,dc=x": math.MinInt64,
	}}
	const computed = attrPwdExpires
	for name, c := range map[string]struct {
		changes attrs
		policy  Policy
		state   string
		expires string
	}{
		"computed, later":                      {attrs{computed: {ticks(now.Add(day))}}, Policy{}, "expires", "2026-11-02T02:00:00Z"},
		"computed, past":                       {attrs{computed: {ticks(now.Add(-day))}}, Policy{}, "expired", "2026-10-31T02:00:00Z"},
		"computed, at this very moment":        {attrs{computed: {ticks(now)}}, Policy{}, "expired", "2026-11-01T02:00:00Z"},
		"computed 0 means must change":         {attrs{computed: {"0"}}, days42, "must_change", ""},
		"computed largest means never":         {attrs{computed: {"9223372036854775807"}}, days42, "never", ""},
		"computed after year 9999 means never": {attrs{computed: {"9223372036854775806"}}, days42, "never", ""},
		"computed wins over the bits":          {attrs{computed: {ticks(now.Add(day))}, "userAccountControl": {"66048"}}, days42, "expires", "2026-11-02T02:00:00Z"},
		"computed wins over the policy":        {attrs{computed: {ticks(now.Add(7 * day))}, "pwdLastSet": {ticks(set)}}, days42, "expires", "2026-11-08T02:00:00Z"},
		"computed needs nothing else":          {attrs{computed: {"0"}, "userAccountControl": nil, "pwdLastSet": nil}, Policy{}, "must_change", ""},
		"bit: never expires":                   {attrs{"userAccountControl": {"66048"}, "pwdLastSet": {ticks(set)}}, days42, "never", ""},
		"bit: never expires, pwdLastSet 0":     {attrs{"userAccountControl": {"66048"}, "pwdLastSet": {"0"}}, days42, "never", ""},
		"bit: never expires, no pwdLastSet":    {attrs{"userAccountControl": {"66048"}}, Policy{}, "never", ""},
		"bit: smartcard":                       {attrs{"userAccountControl": {"262656"}, "pwdLastSet": {ticks(set)}}, days42, "never", ""},
		"pwdLastSet 0 means must change":       {attrs{"pwdLastSet": {"0"}}, days42, "must_change", ""},
		"pwdLastSet 0 without a policy":        {attrs{"pwdLastSet": {"0"}}, Policy{}, "must_change", ""},
		"estimated by the policy":              {attrs{"pwdLastSet": {ticks(set)}}, days42, "estimated", "2026-11-13T02:00:00Z"},
		"estimated, past":                      {attrs{"pwdLastSet": {ticks(now.Add(-50 * day))}}, days42, "estimated", "2026-10-24T02:00:00Z"},
		"policy: no maximum age, 0":            {attrs{"pwdLastSet": {ticks(set)}}, Policy{MaxPasswordAge: number(0)}, "never", ""},
		"policy: no maximum age, smallest":     {attrs{"pwdLastSet": {ticks(set)}}, Policy{MaxPasswordAge: number(math.MinInt64)}, "never", ""},
		"policy: longer than time":             {attrs{"pwdLastSet": {ticks(set)}}, Policy{MaxPasswordAge: number(math.MinInt64 + 1)}, "never", ""},
		"policy not readable":                  {attrs{"pwdLastSet": {ticks(set)}}, Policy{}, "unknown", ""},
		"fine-grained, readable":               {attrs{"pwdLastSet": {ticks(now.Add(-day))}, "msDS-ResultantPSO": {"CN=Short,DC=x"}}, fine7, "expires", "2026-11-07T02:00:00Z"},
		"fine-grained, past":                   {attrs{"pwdLastSet": {ticks(now.Add(-8 * day))}, "msDS-ResultantPSO": {"cn=short,dc=X"}}, fine7, "expired", "2026-10-31T02:00:00Z"},
		"fine-grained, never":                  {attrs{"pwdLastSet": {ticks(set)}, "msDS-ResultantPSO": {"CN=Never,DC=x"}}, fine7, "never", ""},
		"fine-grained, not readable":           {attrs{"pwdLastSet": {ticks(set)}, "msDS-ResultantPSO": {"CN=Hidden,DC=x"}}, fine7, "unknown", ""},
		"computed is believed before policies": {attrs{computed: {ticks(now.Add(day))}, "pwdLastSet": {ticks(set)}, "msDS-ResultantPSO": {"CN=Short,DC=x"}}, fine7, "expires", "2026-11-02T02:00:00Z"},
		"pwdLastSet not readable":              {nil, days42, "unknown", ""},
		"userAccountControl not readable":      {attrs{"userAccountControl": nil, "pwdLastSet": {ticks(set)}}, days42, "unknown", ""},
		"unreadable bits, pwdLastSet 0":        {attrs{"userAccountControl": nil, "pwdLastSet": {"0"}}, days42, "unknown", ""},
		"the bit for an expired password lies": {attrs{"userAccountControl": {"8389120"}, "pwdLastSet": {ticks(set)}}, days42, "estimated", "2026-11-13T02:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := user(t, rules(), person(c.changes), c.policy)
			if u.PasswordState != c.state {
				t.Errorf("got %s, want %s", u.PasswordState, c.state)
			}
			wantTime(t, "the expiry", u.PasswordExpires, c.expires)
		})
	}
}

func TestLastLogonIsTheLatestSeen(t *testing.T) {
	t.Parallel()
	monday, tuesday := now.AddDate(0, 0, -6), now.AddDate(0, 0, -5)
	const mondayText, tuesdayText = "2026-10-26T02:00:00Z", "2026-10-27T02:00:00Z"
	for name, c := range map[string]struct{ own, replicated, want, source string }{
		"neither":                     {"", "", "", ""},
		"never, both written as 0":    {"0", "0", "", ""},
		"this controller's alone":     {ticks(monday), "", mondayText, "lastLogon"},
		"the replicated alone":        {"", ticks(monday), mondayText, "lastLogonTimestamp"},
		"0 here, replicated known":    {"0", ticks(monday), mondayText, "lastLogonTimestamp"},
		"this controller's is later":  {ticks(tuesday), ticks(monday), tuesdayText, "lastLogon"},
		"the replicated is later":     {ticks(monday), ticks(tuesday), tuesdayText, "lastLogonTimestamp"},
		"the same: the precise one":   {ticks(monday), ticks(monday), mondayText, "lastLogon"},
		"the largest value is never":  {"9223372036854775807", ticks(monday), mondayText, "lastLogonTimestamp"},
		"0 replicated, here is known": {ticks(tuesday), "0", tuesdayText, "lastLogon"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changes := attrs{}
			if c.own != "" {
				changes["lastLogon"] = []string{c.own}
			}
			if c.replicated != "" {
				changes["lastLogonTimestamp"] = []string{c.replicated}
			}
			u := user(t, rules(), person(changes), Policy{})
			wantTime(t, "the last logon", u.LastLogon, c.want)
			if u.LastLogonSource != c.source {
				t.Errorf("the source is %q, want %q", u.LastLogonSource, c.source)
			}
		})
	}
}

func TestLastLogonIsLookedForWhereConfigured(t *testing.T) {
	t.Parallel()
	monday, tuesday := now.AddDate(0, 0, -6), now.AddDate(0, 0, -5)
	e := person(attrs{"lastLogon": {ticks(tuesday)}, "lastLogonTimestamp": {ticks(monday)}})
	for source, r := range map[string]Rules{
		"lastLogon":          {ControllerLogon: true},
		"lastLogonTimestamp": {ReplicatedLogon: true},
		"":                   {},
	} {
		if got := user(t, r, e, Policy{}).LastLogonSource; got != source {
			t.Errorf("with %+v the source is %q", r, got)
		}
	}
}

func TestEmailAndAliases(t *testing.T) {
	t.Parallel()
	both := []string{"mail", "proxy_primary"}
	const upn = "ann@corp.example"
	for name, c := range map[string]struct {
		from    []string
		mail    string
		proxies []string
		email   string
		source  string
		aliases []string
	}{
		"mail first":                      {both, "a@x.example", []string{"SMTP:b@x.example"}, "a@x.example", "mail", []string{"b@x.example"}},
		"the primary address first":       {[]string{"proxy_primary", "mail"}, "a@x.example", []string{"SMTP:b@x.example"}, "b@x.example", "proxy_primary", nil},
		"the first that is not empty":     {both, "", []string{"smtp:c@x.example", "SMTP:b@x.example"}, "b@x.example", "proxy_primary", []string{"c@x.example"}},
		"blank mail is no mail":           {both, "  ", []string{"SMTP:b@x.example"}, "b@x.example", "proxy_primary", nil},
		"an alias is never the e-mail":    {both, "", []string{"smtp:c@x.example"}, "", "", []string{"c@x.example"}},
		"mixed case is an alias":          {both, "", []string{"Smtp:c@x.example"}, "", "", []string{"c@x.example"}},
		"the UPN is no silent substitute": {both, "", nil, "", "", nil},
		"the UPN if asked for":            {[]string{"mail", "proxy_primary", "upn"}, "", nil, upn, "upn", nil},
		"the UPN comes in its turn":       {[]string{"upn", "mail"}, "a@x.example", nil, upn, "upn", nil},
		"no source at all":                {nil, "a@x.example", []string{"SMTP:b@x.example"}, "", "", []string{"b@x.example"}},
		"an unknown source is empty":      {[]string{"fax", "mail"}, "a@x.example", nil, "a@x.example", "mail", nil},
		"mail that is also the primary":   {both, "a@x.example", []string{"SMTP:A@X.example"}, "a@x.example", "mail", nil},
		"aliases are normalised, once": {
			both, "a@x.example",
			[]string{"smtp:Z@X.example", "smtp:z@x.example", "smtp:A@x.EXAMPLE", "smtp:m@bücher.example"},
			"a@x.example", "mail", []string{"m@xn--bcher-kva.example", "z@x.example"},
		},
		"other address types are left":                   {both, "", []string{"X500:/o=x/cn=a@x.example", "SIP:a@x.example", "x400:c=us", "SMTP:b@x.example"}, "b@x.example", "proxy_primary", nil},
		"malformed addresses":                            {both, "", []string{"SMTP:", "smtp:", "smtp:not an address", "b@x.example", ":", ""}, "", "", nil},
		"of several primary addresses the first by name": {both, "", []string{"SMTP:z@x.example", "SMTP:b@x.example"}, "b@x.example", "proxy_primary", []string{"z@x.example"}},
		"blanks around an address":                       {both, "", []string{" SMTP: b@x.example "}, "b@x.example", "proxy_primary", nil},
		"a malformed mail is kept":                       {both, "n/a", nil, "n/a", "mail", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rules()
			r.EmailFrom = c.from
			u := user(t, r, person(attrs{"mail": {c.mail}, "proxyAddresses": c.proxies, "userPrincipalName": {upn}}), Policy{})
			if u.Email != c.email || u.EmailSource != c.source {
				t.Errorf("the e-mail is %q from %q, want %q from %q", u.Email, u.EmailSource, c.email, c.source)
			}
			if !slices.Equal(u.AliasKeys, c.aliases) {
				t.Errorf("the aliases are %q, want %q", u.AliasKeys, c.aliases)
			}
			if u.UserPrincipalName != upn {
				t.Errorf("the UPN is %q", u.UserPrincipalName)
			}
		})
	}
}

func TestPhoneFallsBackToMobile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ telephone, mobile, want []string }{
		"the telephone first":    {[]string{"1"}, []string{"2"}, []string{"1"}},
		"else the mobile":        {nil, []string{"2"}, []string{"2"}},
		"a blank is no number":   {[]string{" "}, []string{"2"}, []string{"2"}},
		"neither":                {nil, nil, []string{""}},
		"blank and nothing else": {[]string{" "}, nil, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := user(t, rules(), person(attrs{"telephoneNumber": c.telephone, "mobile": c.mobile}), Policy{})
			if u.Phone != c.want[0] {
				t.Errorf("got %q, want %q", u.Phone, c.want[0])
			}
		})
	}
}

func TestWhenCreatedIsGeneralizedTime(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"20260101000000.0Z":        "2026-01-01T00:00:00Z",
		"20260101000000Z":          "2026-01-01T00:00:00Z",
		"20260101000000.5Z":        "2026-01-01T00:00:00.5Z",
		"20260101000000,25Z":       "2026-01-01T00:00:00.25Z",
		"20260101000000.1234567Z":  "2026-01-01T00:00:00.123456Z",
		"99991231235959.0Z":        "9999-12-31T23:59:59Z",
		"16010101000000.0Z":        "1601-01-01T00:00:00Z",
		"16001231235959.0Z":        "",
		"00000101000000.0Z":        "",
		"20260230000000.0Z":        "",
		"20261301000000.0Z":        "",
		"2026-01-01T00:00:00Z":     "",
		"20260101000000.0":         "",
		"20260101000000.0Z and on": "",
		"":                         "",
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			u := user(t, rules(), person(attrs{"whenCreated": {value}}), Policy{})
			if want == "" {
				wantLeftOut(t, u, "whencreated is wrong: ", "is not a time such as 20260101000000.0Z")
			}
			wantTime(t, "whenCreated", u.WhenCreated, want)
		})
	}
}

func TestKindsOfAccount(t *testing.T) {
	t.Parallel()
	class := func(classes ...string) []string { return classes }
	for name, c := range map[string]struct {
		changes   attrs
		excluded  string
		noAccount bool
	}{
		"a person":                     {changes: nil},
		"a person by class alone":      {changes: attrs{"sAMAccountType": nil}},
		"inetOrgPerson":                {changes: attrs{"objectClass": class("top", "person", "organizationalPerson", "user", "inetOrgPerson")}},
		"inetOrgPerson by class alone": {changes: attrs{"sAMAccountType": nil, "objectClass": class("top", "person", "organizationalPerson", "user", "inetOrgPerson")}},
		"classes in any case":          {changes: attrs{"sAMAccountType": nil, "objectClass": class("TOP", "USER")}},
		"trust by type":                {changes: attrs{"sAMAccountType": {"805306370"}}, excluded: "trust"},
		"trust by bit":                 {changes: attrs{"userAccountControl": {"2080"}}, excluded: "trust"},
		"trust by bit, no type":        {changes: attrs{"userAccountControl": {"2080"}, "sAMAccountType": nil}, excluded: "trust"},
		"machine by type":              {changes: attrs{"sAMAccountType": {"805306369"}}, excluded: "machine"},
		"machine by class alone":       {changes: attrs{"sAMAccountType": nil, "objectClass": class("top", "person", "organizationalPerson", "user", "computer")}, excluded: "machine"},
		"managed service account":      {changes: attrs{"sAMAccountType": {"805306369"}, "objectClass": class("top", "person", "organizationalPerson", "user", "computer", "msDS-GroupManagedServiceAccount")}, excluded: "machine"},
		"system":                       {changes: attrs{"isCriticalSystemObject": {"TRUE"}}, excluded: "system"},
		"Administrator by its SID, where isCriticalSystemObject is not readable": {changes: attrs{"objectSid": {"\x01\x05\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\xf4\x01\x00\x00"}}, excluded: "system"},
		"an ordinary SID":               {changes: attrs{"objectSid": {"\x01\x05\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x50\x04\x00\x00"}}},
		"system in any case":            {changes: attrs{"isCriticalSystemObject": {"true"}}, excluded: "system"},
		"not system":                    {changes: attrs{"isCriticalSystemObject": {"FALSE"}}},
		"shared mailbox":                {changes: attrs{"msExchRecipientTypeDetails": {"4"}}, excluded: "shared"},
		"remote shared mailbox":         {changes: attrs{"msExchRecipientTypeDetails": {"34359738368"}}, excluded: "shared"},
		"room":                          {changes: attrs{"msExchRecipientTypeDetails": {"16"}}, excluded: "room"},
		"remote room":                   {changes: attrs{"msExchRecipientTypeDetails": {"8589934592"}}, excluded: "room"},
		"equipment":                     {changes: attrs{"msExchRecipientTypeDetails": {"32"}}, excluded: "equipment"},
		"remote equipment":              {changes: attrs{"msExchRecipientTypeDetails": {"17179869184"}}, excluded: "equipment"},
		"user mailbox":                  {changes: attrs{"msExchRecipientTypeDetails": {"1"}}},
		"remote user mailbox":           {changes: attrs{"msExchRecipientTypeDetails": {"2147483648"}}},
		"a group by type":               {changes: attrs{"sAMAccountType": {"268435456"}, "objectClass": class("top", "group")}, noAccount: true},
		"a group by class alone":        {changes: attrs{"sAMAccountType": nil, "objectClass": class("top", "group")}, noAccount: true},
		"an organizational unit":        {changes: attrs{"sAMAccountType": nil, "objectClass": class("top", "organizationalUnit")}, noAccount: true},
		"a mail contact":                {changes: attrs{"sAMAccountType": nil, "objectClass": class("top", "person", "organizationalPerson", "contact")}, noAccount: true},
		"no account needs no GUID":      {changes: attrs{"sAMAccountType": nil, "objectClass": class("top", "container"), "objectGUID": nil}, noAccount: true},
		"the domain itself":             {changes: attrs{"sAMAccountType": nil, "objectClass": class("top", "domain", "domainDNS")}, noAccount: true},
		"kind comes before the filters": {changes: attrs{"sAMAccountType": {"805306369"}, "userAccountControl": {"4098"}}, excluded: "machine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rules()
			r.ExcludeDisabled = true
			u, isAccount, err := r.User(person(c.changes), Policy{})
			if err != nil {
				t.Fatal(err)
			}
			if isAccount == c.noAccount || u.Excluded != c.excluded {
				t.Errorf("got account %v, excluded %q, want %v, %q", isAccount, u.Excluded, !c.noAccount, c.excluded)
			}
			if isAccount && u.GUID != guidText {
				t.Errorf("an excluded account has the GUID %q, want its own", u.GUID)
			}
		})
	}
}

func TestExclusionByConfiguration(t *testing.T) {
	t.Parallel()
	const staff = "CN=Ann Lee,OU=Staff,OU=Head Office,DC=contoso,DC=example"
	for name, c := range map[string]struct {
		dn       string
		changes  attrs
		disabled bool
		ou       []string
		filter   string
		want     string
	}{
		"nothing configured":               {dn: staff, changes: attrs{"userAccountControl": {"514"}}, want: ""},
		"disabled":                         {dn: staff, changes: attrs{"userAccountControl": {"514"}}, disabled: true, want: "disabled"},
		"enabled stays":                    {dn: staff, disabled: true, want: ""},
		"unreadable state stays":           {dn: staff, changes: attrs{"userAccountControl": nil}, disabled: true, want: ""},
		"a whole DN":                       {dn: staff, ou: []string{"OU=Staff,OU=Head Office,DC=contoso,DC=example"}, want: "ou"},
		"a whole DN further up":            {dn: staff, ou: []string{"OU=Head Office,DC=contoso,DC=example"}, want: "ou"},
		"a part of a DN":                   {dn: staff, ou: []string{"OU=Staff"}, want: "ou"},
		"a part in the middle":             {dn: staff, ou: []string{"OU=Head Office"}, want: "ou"},
		"a part of two steps":              {dn: staff, ou: []string{"OU=Staff,OU=Head Office"}, want: "ou"},
		"case does not matter":             {dn: staff, ou: []string{"ou=STAFF,ou=head office,dc=CONTOSO,dc=Example"}, want: "ou"},
		"blanks after commas":              {dn: staff, ou: []string{"OU=Staff, OU=Head Office"}, want: "ou"},
		"steps in another order":           {dn: staff, ou: []string{"OU=Head Office,OU=Staff"}, want: ""},
		"steps with a gap":                 {dn: staff, ou: []string{"OU=Staff,DC=contoso"}, want: ""},
		"a name that only begins the same": {dn: staff, ou: []string{"OU=Sta"}, want: ""},
		"another kind of step":             {dn: staff, ou: []string{"CN=Staff"}, want: ""},
		"another domain":                   {dn: staff, ou: []string{"OU=Staff,OU=Head Office,DC=fabrikam,DC=example"}, want: ""},
		"the account itself is no OU":      {dn: "OU=Staff,DC=contoso,DC=example", ou: []string{"OU=Staff"}, want: ""},
		"any of several":                   {dn: staff, ou: []string{"OU=Kiosk", "OU=Staff"}, want: "ou"},
		"a comma in the account's name":    {dn: `CN=Lee\, Ann,OU=Staff,DC=contoso,DC=example`, ou: []string{"OU=Staff"}, want: "ou"},
		"a comma in the OU's name":         {dn: `CN=Ann,OU=Sales\, East,DC=contoso,DC=example`, ou: []string{`OU=Sales\, East`}, want: "ou"},
		"a comma written as 2C":            {dn: `CN=Ann,OU=Sales\, East,DC=contoso,DC=example`, ou: []string{`OU=sales\2C east,DC=contoso`}, want: "ou"},
		"an OU that a name pretends":       {dn: `CN=Ann\,OU=Staff,OU=Sales,DC=contoso,DC=example`, ou: []string{"OU=Staff"}, want: ""},
		"letters beyond ASCII":             {dn: "CN=Ann,OU=Ämter,DC=contoso,DC=example", ou: []string{"OU=ämter"}, want: "ou"},
		"a filter":                         {dn: staff, changes: attrs{"adminDescription": {"svc backup"}}, filter: "(adminDescription=svc*)", want: "filter"},
		"a filter in any case":             {dn: staff, changes: attrs{"adminDescription": {"SVC"}}, filter: "(ADMINDESCRIPTION=svc)", want: "filter"},
		"a filter by bits":                 {dn: staff, changes: attrs{"userAccountControl": {"66048"}}, filter: "(userAccountControl:1.2.840.113556.1.4.803:=65536)", want: "filter"},
		"a filter by absence":              {dn: staff, filter: "(!(mail=*))", want: "filter"},
		"a filter that does not match":     {dn: staff, changes: attrs{"adminDescription": {"person"}}, filter: "(adminDescription=svc*)", want: ""},
		"disabled before OU before filter": {dn: staff, changes: attrs{"userAccountControl": {"514"}}, disabled: true, ou: []string{"OU=Staff"}, filter: "(cn=*)", want: "disabled"},
		"OU before filter":                 {dn: staff, ou: []string{"OU=Staff"}, filter: "(objectClass=*)", want: "ou"},
		"the kind comes first":             {dn: staff, changes: attrs{"isCriticalSystemObject": {"TRUE"}}, ou: []string{"OU=Staff"}, want: "system"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rules()
			r.ExcludeDisabled, r.ExcludeOU = c.disabled, c.ou
			for _, ou := range c.ou {
				if err := CheckDN(ou); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			if r.ExcludeFilter, err = CompileFilter(c.filter); err != nil {
				t.Fatal(err)
			}
			e := person(c.changes)
			e.DN = c.dn
			if got := user(t, r, e, Policy{}).Excluded; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFilterAndDNOfTheConfigurationAreChecked(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"(", "mail=*", "(mail=*", "(member:1.2.840.113556.1.4.1941:=CN=x)"} {
		if _, err := CompileFilter(bad); err == nil {
			t.Errorf("the filter %q is accepted", bad)
		}
	}
	for _, bad := range []string{"", "Service Accounts", "OU"} {
		if err := CheckDN(bad); err == nil {
			t.Errorf("the DN %q is accepted", bad)
		}
	}
	f, err := CompileFilter("(|(adminDescription=svc*)(!(extensionAttribute1=x)))")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.ToLower(strings.Join(f.Attributes(), " ")); got != "admindescription extensionattribute1" {
		t.Errorf("the filter asks for %q", got)
	}
}

func TestWhatCannotBeBelievedFailsTheRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		changes attrs
		dn      string
		message string
	}{
		"no objectGUID":                      {changes: attrs{"objectGUID": nil}, message: "entry 1: objectGUID is missing"},
		"invalid UTF-8":                      {changes: attrs{"givenName": {"J\xfcrgen"}}, message: "givenname is not valid UTF-8 (octet 0xfc at 1)"},
		"invalid UTF-8 in mail":              {changes: attrs{"mail": {"j\xfc@x.example"}}, message: "mail is not valid UTF-8"},
		"invalid UTF-8 in any address":       {changes: attrs{"proxyAddresses": {"SMTP:a@x.example", "smtp:\xff@x.example"}}, message: "proxyaddresses is not valid UTF-8 (octet 0xff at 5)"},
		"a zero octet in a name":             {changes: attrs{"givenName": {"A\x00nn"}}, message: "givenname holds a zero octet"},
		"a name of 20 kB":                    {changes: attrs{"sn": {strings.Repeat("x", 20<<10)}}, message: "sn is 20480 bytes long, more than the 16384 that are read"},
		"a UTF-16 surrogate":                 {changes: attrs{"sn": {"\xed\xa0\x80"}}, message: "sn is not valid UTF-8"},
		"an empty DN":                        {dn: "-", message: "dn is empty or not valid UTF-8"},
		"invalid UTF-8 in the DN":            {dn: "CN=\xff,DC=x", message: "dn is empty or not valid UTF-8"},
		"a zero octet in the DN":             {dn: "CN=\x00,DC=x", message: "dn "},
		"an account type that is no number":  {changes: attrs{"sAMAccountType": {"user"}}, message: "samaccounttype is wrong: "},
		"a mailbox type that is no number":   {changes: attrs{"msExchRecipientTypeDetails": {"room"}}, message: "msexchrecipienttypedetails is wrong: "},
		"neither type nor class":             {changes: attrs{"sAMAccountType": nil, "objectClass": nil}, message: "objectClass and sAMAccountType are missing"},
		"a part of an attribute's values":    {changes: attrs{"proxyAddresses;range=0-1499": {"SMTP:a@x.example"}, "proxyAddresses": nil}, message: "proxyaddresses has more values than the source holds"},
		"a part of what the filter compares": {changes: attrs{"memberOf;range=0-1499": {"CN=x"}}, message: "memberof has more values than the source holds"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := person(c.changes)
			if c.dn != "" {
				source.DN = strings.TrimPrefix(c.dn, "-")
			}
			e := directory.Entry{DN: source.DN, Place: source.Place}
			for attribute, values := range source.Attributes {
				e.Add(attribute, values...)
			}
			r := rules()
			var err error
			if r.ExcludeFilter, err = CompileFilter("(memberOf=CN=Service)"); err != nil {
				t.Fatal(err)
			}
			u, isAccount, err := r.User(e, Policy{})
			wantMessage(t, err, c.message)
			if isAccount || !reflect.DeepEqual(u, User{}) {
				t.Errorf("a user came with the error: %+v", u)
			}
			for _, private := range []string{"Ann", "alee", "x.example"} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("the message %q tells %q", err, private)
				}
			}
		})
	}
}

// A wrong value that merely describes the account is left out, and told of.
func TestWrongDescriptionsAreLeftOut(t *testing.T) {
	t.Parallel()
	plain := user(t, rules(), person(nil), Policy{})
	for name, c := range map[string]struct {
		changes attrs
		told    string
		change  func(u *User)
	}{
		"a zero octet":               {attrs{"title": {"C\x00FO"}}, "title holds a zero octet", nil},
		"invalid UTF-8":              {attrs{"department": {"B\xfcro"}}, "department is not valid UTF-8 (octet 0xfc at 1)", nil},
		"a value of 10 MB":           {attrs{"displayName": {strings.Repeat("x", 10<<20)}}, "displayname is 10485760 bytes long", nil},
		"an UPN nobody matches by":   {attrs{"userPrincipalName": {"\xff@x.example"}}, "userprincipalname is not valid UTF-8", nil},
		"a state that is no number":  {attrs{"userAccountControl": {"disabled"}}, `useraccountcontrol is wrong: "disabled" is not a whole number`, func(u *User) { u.ADStatus = "unknown" }},
		"an expiry before 1601":      {attrs{attrPwdExpires: {"-2"}}, "msds-userpasswordexpirytimecomputed is wrong: ", nil},
		"a logon before 1601":        {attrs{"lastLogon": {"-2"}}, "lastlogon is wrong: ", nil},
		"a creation that is no time": {attrs{"whenCreated": {"yesterday"}}, "whencreated is wrong: ", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := user(t, rules(), person(c.changes), Policy{})
			if len(u.Unreadable) == 0 || !strings.HasPrefix(u.Unreadable[0], "entry 1 (objectGUID "+guidText+"): "+c.told) {
				t.Errorf("told of %q, want %q", u.Unreadable, c.told)
			}
			want := plain
			if c.change != nil {
				c.change(&want)
			}
			u.Unreadable = nil
			if !reflect.DeepEqual(u, want) {
				t.Errorf("got\n%+v, want\n%+v", u, want)
			}
		})
	}
}

func TestWhatIsNotAskedForMayBePartial(t *testing.T) {
	t.Parallel()
	e := person(nil)
	e.Add("memberOf;range=0-1499", []byte("CN=x"))
	user(t, rules(), e, Policy{})
}

func TestAttributeOptionsAreDropped(t *testing.T) {
	t.Parallel()
	e := person(attrs{"givenName": nil})
	e.Add("givenName;lang-de", []byte("Anna"))
	if got := user(t, rules(), e, Policy{}).FirstName; got != "Anna" {
		t.Errorf("got %q", got)
	}
}

// The row has a value for every column, in the table's order: the stage's tests see it arrive.
func TestRowsHaveKeys(t *testing.T) {
	t.Parallel()
	u := user(t, rules(), person(attrs{"mail": {"Ann@Bücher.example"}, "givenName": {"Zoë-Ann"}, "sn": {"O’Lee"}}), Policy{})
	row := u.row(1001, "hq")
	got := row[len(row)-3:]
	want := []any{"ann@xn--bcher-kva.example", "zoe ann", "olee"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the keys are %v, want %v", got, want)
	}
	if row[0] != int64(1001) || row[1] != "hq" || row[2] != nil || row[3] != (*time.Time)(nil) || row[4] != guidText {
		t.Errorf("the row begins with %v", row[:4])
	}
}

func TestConversionIsPure(t *testing.T) {
	t.Parallel()
	e := person(attrs{"proxyAddresses": {"smtp:b@x.example", "SMTP:a@x.example"}, "lastLogon": {strconv.Itoa(132223104000000000)}})
	first := user(t, rules(), e, Policy{})
	if second := user(t, rules(), e, Policy{}); !reflect.DeepEqual(first, second) {
		t.Errorf("the same entry became\n%+v and\n%+v", first, second)
	}
}

// Collectors of one organization share its filter, and run side by side: each asks for its own
// attributes (this test is one for the race detector).
func TestRulesShareFilters(t *testing.T) {
	t.Parallel()
	shared, err := CompileFilter("(|(a=1)(b=1)(c=1))")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for _, own := range []string{"department", "company"} {
		only, err := CompileFilter("(" + own + "=x)")
		if err != nil {
			t.Fatal(err)
		}
		r := Rules{ExcludeFilter: shared, Only: only}
		group.Go(func() {
			for range 1000 {
				if got := r.attributes(); got[len(got)-1] != own {
					t.Errorf("asks for %s instead of %s", got[len(got)-1], own)
				}
			}
		})
	}
	group.Wait()
}
