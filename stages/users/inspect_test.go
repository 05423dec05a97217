package users

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"rollcall/stages/users/directory"
	"rollcall/stages/users/fakedc"
)

// What a person learns of a controller before its first night.
func TestInspectionOfAServer(t *testing.T) {
	t.Parallel()
	at := time.Now()
	account := func(n string, changes map[string]string) fakedc.Entry {
		e := fakedc.Entry{DN: "CN=Private " + n + ",DC=contoso,DC=example", Attributes: map[string][][]byte{}}
		values := map[string]string{
			"objectClass": "user", "objectGUID": "123456789012345" + n, "objectSid": "x", "sAMAccountType": "805306368", "sAMAccountName": "private" + n,
			"userAccountControl": "512", "msDS-User-Account-Control-Computed": "0", "accountExpires": "0", "pwdLastSet": "134327232000000000",
			"msDS-UserPasswordExpiryTimeComputed": "134405856000000000", "whenCreated": "20240101090000.0Z", "mail": "private@contoso.example",
		}
		for name, value := range changes {
			values[name] = value
		}
		for name, value := range values {
			if value != "" {
				e.Attributes[name] = [][]byte{[]byte(value)}
			}
		}
		return e
	}
	dc, err := fakedc.Start(fakedc.Options{
		BindDN: "svc@contoso.example", Password: "correct horse", NamingContext: "DC=contoso,DC=example", Now: func() time.Time { return at.Add(7 * time.Minute) },
		Entries: []fakedc.Entry{
			account("1", nil),
			account("2", map[string]string{"pwdLastSet": "", "whenCreated": "", "title": "B\xfcro"}),
			account("3", map[string]string{"userAccountControl": "514", "pwdLastSet": ""}),
			account("4", map[string]string{"sAMAccountType": "805306369", "userAccountControl": ""}),
			{
				DN:         "CN=Default Query Policy,CN=Query-Policies,CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,DC=contoso,DC=example",
				Attributes: map[string][][]byte{"lDAPAdminLimits": {[]byte("MaxPageSize=1000"), []byte("MaxValRange=1500")}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dc.Close)
	off, err := fakedc.Start(fakedc.Options{BindDN: "svc@contoso.example", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	off.Close()
	r := rules()
	r.ExcludeDisabled = true
	k := Collector{Rules: r, Server: directory.Server{
		URLs: []string{dc.URL(), off.URL()}, Bases: []string{"DC=contoso,DC=example"}, Insecure: true,
		Credentials: directory.Credentials{Username: "svc@contoso.example", Password: func() (string, error) { return "correct horse", nil }},
	}}
	found, err := k.Inspect(context.Background(), func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	if found.Users != 2 || found.People != 3 || !reflect.DeepEqual(found.Excluded, map[string]int64{"disabled": 1, "machine": 1}) {
		t.Errorf("%d users of %d people, left out %v", found.Users, found.People, found.Excluded)
	}
	if want := []AttributeCount{{"pwdLastSet", 2}, {"whenCreated", 1}}; !reflect.DeepEqual(found.Missing, want) {
		t.Errorf("not readable are %v, want %v", found.Missing, want)
	}
	if !slices.Contains(found.Unseen, "mobile") || slices.Contains(found.Unseen, "mail") || slices.Contains(found.Unseen, "title") {
		t.Errorf("seen on none are %v", found.Unseen)
	}
	if found.Skew == nil || found.Skew.Round(time.Minute) != 7*time.Minute {
		t.Errorf("the clock is %v ahead, want 7 minutes", found.Skew)
	}
	if !reflect.DeepEqual(found.Domain.Limits, []string{"MaxPageSize=1000", "MaxValRange=1500"}) {
		t.Errorf("the limits are %v", found.Domain.Limits)
	}
	if found.Unreadable != 1 || found.FirstWrong == "" || len(found.Others) != 1 || found.Others[0].Err == nil {
		t.Errorf("%d values left out, first %q; the other controller: %+v", found.Unreadable, found.FirstWrong, found.Others)
	}
	if err := dc.SetEntries(nil); err != nil {
		t.Fatal(err)
	}
	_, err = k.Inspect(context.Background(), time.Now)
	wantMessage(t, err, "no account is visible: check base_dn")
	k.Server.Credentials.Password = func() (string, error) { return "wrong horse", nil }
	_, err = k.Inspect(context.Background(), time.Now)
	wantMessage(t, err, "check credentials")
}

func TestInspectionOfAFile(t *testing.T) {
	t.Parallel()
	k := Collector{Rules: rules(), LDIF: "testdata/two.ldif"}
	found, err := k.Inspect(context.Background(), time.Now)
	if err != nil || found.Users != 1 || found.Excluded["machine"] != 1 || found.Skew != nil || len(found.Missing) == 0 {
		t.Errorf("found %+v: %v", found, err)
	}
	k.LDIF = "testdata/missing.ldif"
	_, err = k.Inspect(context.Background(), time.Now)
	wantMessage(t, err, "open the LDIF file")
}
