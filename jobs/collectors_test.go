package jobs

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"reflect"
	"testing"
	"time"

	"rollcall/stages/users/directory"
)

// Every key of a collector reaches what reads it.
func TestCollectorKeysReachTheServer(t *testing.T) {
	t.Parallel()
	config, folder := load(t, map[string]string{"rollcall.yaml": `data_dir: ./data
limits: {collectors: 7, max_connections: 3}
organizations:
  - id: 1001
    name: Contoso
    contacts: {jsonl: contacts.jsonl}
    exclude: {disabled: true, ou: ["OU=One"], filter: "(a=1)"}
    last_logon: {from: [replicated]}
    collectors:
      - name: first
        url: &dcs [ldaps://dc1.contoso.example, "ldaps://dc2.contoso.example:6360"]
        base_dn: ["OU=A,DC=contoso,DC=example", "OU=B,DC=contoso,DC=example"]
        credentials: {bind: kerberos, username: svc@contoso.example, keytab: svc.keytab, realm: corp.example, krb5_conf: krb5.conf}
        ca_file: ca.pem
        min_tls: "1.3"
        page_size: 500
        timeout: 30s
        max_rate: 200
        filter: "(b=2)"
        exclude: {ou: ["OU=Two"], filter: ["(c=3)", "(d=4)"]}
      - name: second
        domain: contoso.example
        site: London
        start_tls: true
        base_dn: DC=contoso,DC=example
        credentials: {bind: external, certificate: c.pem, key: c.key}
      - name: third
        url: ldap://dc3.contoso.example
        insecure: true
        base_dn: DC=contoso,DC=example
        credentials: {bind: ntlm, username: 'CONTOSO\svc', password: {env: AD}}
      - name: fourth
        url: *dcs
        base_dn: &base DC=contoso,DC=example
        server_name: ""
      - name: fifth
        url: [ldaps://dc5.contoso.example]
        base_dn: [*base]
`})
	in := func(name string) string { return folder + "/" + name }
	resolver := &net.Resolver{}
	all := collectors(config, Outside{Resolver: resolver, Pause: func(context.Context, time.Duration) error { return os.ErrClosed }, Environment: func(string) (string, bool) { return "secret", true }}, time.Time{})
	wanted := []directory.Server{
		{
			URLs: []string{"ldaps://dc1.contoso.example", "ldaps://dc2.contoso.example:6360"}, Bases: []string{"OU=A,DC=contoso,DC=example", "OU=B,DC=contoso,DC=example"},
			Credentials: directory.Credentials{Method: directory.Kerberos, Username: "svc@contoso.example", Keytab: in("svc.keytab"), Realm: "CORP.EXAMPLE", Krb5Conf: in("krb5.conf")},
			CAFile:      in("ca.pem"), MinTLS: tls.VersionTLS13, PageSize: 500, Timeout: 30 * time.Second, MaxRate: 200,
		},
		{
			Domain: "contoso.example", Site: "London", StartTLS: true, Bases: []string{"DC=contoso,DC=example"},
			Credentials: directory.Credentials{Method: directory.External, Certificate: in("c.pem"), Key: in("c.key")},
		},
		{URLs: []string{"ldap://dc3.contoso.example"}, Insecure: true, Bases: []string{"DC=contoso,DC=example"}, Credentials: directory.Credentials{Method: directory.NTLM, Username: `CONTOSO\svc`}},
		{URLs: []string{"ldaps://dc1.contoso.example", "ldaps://dc2.contoso.example:6360"}, Bases: []string{"DC=contoso,DC=example"}},
		{URLs: []string{"ldaps://dc5.contoso.example"}, Bases: []string{"DC=contoso,DC=example"}},
	}
	for i, want := range wanted {
		got := all[i].Server
		if got.Gate == nil || got.Gate != all[0].Server.Gate || got.Pause == nil {
			t.Errorf("collector %d has no gate in common with the others, or no pause", i)
		}
		if password := got.Credentials.Password; (password != nil) != (i == 2) {
			t.Errorf("collector %d: a password: %t", i, password != nil)
		} else if password != nil {
			if text, err := password(); err != nil || text != "secret" {
				t.Errorf("the password is %q: %v", text, err)
			}
		}
		got.Gate, got.Pause, got.Credentials.Password, want.Resolver = nil, nil, nil, resolver
		if !reflect.DeepEqual(got, want) {
			t.Errorf("collector %d is\n%+v, want\n%+v", i, got, want)
		}
	}
	r := all[0].Rules
	if !r.ExcludeDisabled || !reflect.DeepEqual(r.ExcludeOU, []string{"OU=One", "OU=Two"}) || !r.ReplicatedLogon || r.ControllerLogon {
		t.Errorf("the rules are %+v", r)
	}
	if got := r.ExcludeFilter.Attributes(); !reflect.DeepEqual(got, []string{"a", "c", "d"}) || !reflect.DeepEqual(r.Only.Attributes(), []string{"b"}) {
		t.Errorf("the filters compare %v and %v", got, r.Only.Attributes())
	}
	if config.Limits != (Limits{Collectors: 7, MaxConnections: 3}) || all[0].Server.Gate.Limit() != 3 {
		t.Errorf("the limits are %+v", config.Limits)
	}
}
