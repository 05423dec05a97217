package jobs

import (
	"time"

	"rollcall/stages/contacts"
	"rollcall/stages/users"
)

// Config is rollcall.yaml (design section 9), complete: defaults are merged in and paths are
// made absolute, relative ones having been relative to the file they stand in.
type Config struct {
	DataDir       string
	Jobs          map[string]Job
	Limits        Limits
	Organizations []Organization
}

// Limits bound what a run does at a time.
type Limits struct {
	// Collectors is how many are read side by side.
	Collectors int `yaml:"collectors"`
	// MaxConnections is how many connections are open to one domain controller.
	MaxConnections int `yaml:"max_connections"`
}

// Job is something that runs on a schedule.
type Job struct {
	// Kind is the recipe: nightly.
	Kind string `yaml:"kind"`
	// Schedule is a cron expression in the machine's local time; empty means only by hand.
	Schedule string `yaml:"schedule"`
	// Timeout ends a run that takes longer; 0 means none.
	Timeout time.Duration `yaml:"timeout"`
}

// Organization is a customer with its sources and policies.
type Organization struct {
	ID         int64       `yaml:"id"`
	Name       string      `yaml:"name"`
	Collectors []Collector `yaml:"collectors"`
	Contacts   Contacts    `yaml:"contacts"`
	PSA        PSA         `yaml:"psa"`
	Match      Match       `yaml:"match"`
	Create     string      `yaml:"create"`
	Fill       Fill        `yaml:"fill"`
	Guard      Guard       `yaml:"guard"`
	Exclude    Exclude     `yaml:"exclude"`
	LastLogon  LastLogon   `yaml:"last_logon"`
}

// LastLogon says where the last logon is looked for: replicated and all_dcs.
type LastLogon struct {
	From []string `yaml:"from"`
}

// Collector is one way to read one AD: url, domain or ldif.
type Collector struct {
	Name string `yaml:"name"`
	// LDIF is the path of a file instead of a server.
	LDIF string `yaml:"ldif"`
	// URL is ldaps://HOST[:PORT], or ldap:// with start_tls (or, where it must be, insecure); of
	// several controllers the first that can be used is read.
	URL Texts `yaml:"url"`
	// Domain finds the controllers in DNS instead, those of Site first.
	Domain string `yaml:"domain"`
	Site   string `yaml:"site"`
	// BaseDN is where accounts are looked for; of several none lies under another.
	BaseDN      Texts       `yaml:"base_dn"`
	Credentials Credentials `yaml:"credentials"`
	StartTLS    bool        `yaml:"start_tls"`
	// CAFile holds the PEM certificates to trust instead of the system's.
	CAFile string `yaml:"ca_file"`
	// ServerName is the name in the certificate, where it is not the host's.
	ServerName string `yaml:"server_name"`
	// Insecure permits a password and a directory to cross the network in clear text.
	Insecure bool `yaml:"insecure"`
	// PageSize is the number of entries asked for at a time, 1 to 1000.
	PageSize int `yaml:"page_size"`
	// Timeout bounds each wait for the server; the default is 60 s.
	Timeout time.Duration `yaml:"timeout"`
	// MinTLS is the lowest version of TLS, 1.2 or 1.3.
	MinTLS string `yaml:"min_tls"`
	// MaxRate bounds the accounts read a second; 0 means no bound.
	MaxRate int `yaml:"max_rate"`
	// Filter takes only the accounts that it matches for users.
	Filter string `yaml:"filter"`
	// Exclude comes on top of the organization's.
	Exclude Exclude `yaml:"exclude"`
	only    users.Filter
}

// Credentials are those of an account that may read the directory.
type Credentials struct {
	// Bind is simple, kerberos, external or ntlm; empty means simple.
	Bind     string `yaml:"bind"`
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// Keytab, Realm and Krb5Conf are for kerberos.
	Keytab   string `yaml:"keytab"`
	Realm    string `yaml:"realm"`
	Krb5Conf string `yaml:"krb5_conf"`
	// Certificate and Key are for external: PEM files.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Contacts is one source of documented people: exactly one of its fields is set.
type Contacts struct {
	JSONL   string         `yaml:"jsonl"`
	CSV     *ContactsCSV   `yaml:"csv"`
	Parquet string         `yaml:"parquet"`
	ITGlue  *ContactsGlue  `yaml:"itglue"`
	source  contacts.Input `yaml:"-"`
}

// ContactsCSV is a CSV file with the headers that hold each field.
type ContactsCSV struct {
	Path    string           `yaml:"path"`
	Columns contacts.Columns `yaml:"columns"`
}

// ContactsGlue names IT Glue's API, which a later version reads.
type ContactsGlue struct {
	URL    string `yaml:"url"`
	APIKey Secret `yaml:"api_key"`
}

// PSA is what the organization is billed and served from.
type PSA struct {
	Kind       string `yaml:"kind"`
	TwoWaySync bool   `yaml:"two_way_sync"`
	EmailType  string `yaml:"email_type"`
	PhoneType  string `yaml:"phone_type"`
}

// Match configures matching.
type Match struct {
	EmailFrom []string `yaml:"email_from"`
	Aliases   bool     `yaml:"aliases"`
}

// Fill says per field what may happen to an existing contact: keep, fill_blank or overwrite.
type Fill struct {
	FirstName string `yaml:"first_name"`
	LastName  string `yaml:"last_name"`
	Title     string `yaml:"title"`
	Email     string `yaml:"email"`
	Phone     string `yaml:"phone"`
}

// Guard holds the limits of a night.
type Guard struct {
	MaxDrop    Share `yaml:"max_drop"`
	MaxCreates int64 `yaml:"max_creates"`
	MaxUnlinks int64 `yaml:"max_unlinks"`
}

// Exclude says which accounts are not users.
type Exclude struct {
	Disabled bool     `yaml:"disabled"`
	OU       []string `yaml:"ou"`
	Filter   Texts    `yaml:"filter"`
	filter   users.Filter
}

// standardLimits hold where the file says nothing.
func standardLimits() Limits { return Limits{Collectors: 4, MaxConnections: 2} }

// standardOrganization holds the defaults that hold where the file says nothing.
func standardOrganization() Organization {
	return Organization{
		Create:    "approved",
		LastLogon: LastLogon{From: []string{"replicated", "all_dcs"}},
		Match:     Match{EmailFrom: []string{"mail", "proxy_primary"}},
		Fill:      Fill{FirstName: "keep", LastName: "keep", Title: "keep", Email: "keep", Phone: "keep"},
		Guard:     Guard{MaxDrop: 0.20, MaxCreates: 50, MaxUnlinks: 20},
	}
}
