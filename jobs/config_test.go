package jobs

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"rollcall/stages/contacts"
)

const badConfigs = "../testdata/config"

// message is an error's text with the folders of the test data taken out.
func message(t *testing.T, err error) string {
	t.Helper()
	full, absErr := filepath.Abs(badConfigs)
	if absErr != nil {
		t.Fatal(absErr)
	}
	return strings.NewReplacer(full+"/", "", badConfigs+"/", "").Replace(err.Error()) + "\n"
}

// Every rule of the configuration has a file that breaks it and the message a person reads.
func TestBadConfigurations(t *testing.T) {
	t.Parallel()
	bad, err := filepath.Glob(filepath.Join(badConfigs, "*.bad.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := filepath.Glob(filepath.Join(badConfigs, "*.bad.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(bad) == 0 || len(bad) != len(wanted) {
		t.Fatalf("%d bad configurations and %d messages: there must be some, in pairs", len(bad), len(wanted))
	}
	place := regexp.MustCompile(`^configuration: [^ ]+\.yaml:[1-9][0-9]*: `)
	wholeFile := regexp.MustCompile(`^configuration: [^ ]+\.yaml: the file is empty; `)
	advice := regexp.MustCompile(`must|give each|may|cannot be negative|does not go with|is there twice, first at|use |see |save |keep |put |check |take |name `)
	for _, path := range bad {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".bad.yaml"), func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(strings.TrimSuffix(path, ".yaml") + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			_, err = LoadConfig(path)
			if err == nil {
				t.Fatal("the configuration was accepted")
			}
			if !errors.Is(err, ErrConfig) {
				t.Error("the error is not marked as one of the configuration")
			}
			got := message(t, err)
			if got != string(want) {
				t.Errorf("got  %swant %s", got, want)
			}
			for line := range strings.Lines(got) {
				if !place.MatchString(line) && !wholeFile.MatchString(line) {
					t.Errorf("names no file and line: %s", line)
				}
				if !advice.MatchString(line) {
					t.Errorf("does not say what to do: %s", line)
				}
			}
			if strings.Contains(got, "Hunter2") {
				t.Errorf("shows a secret: %s", got)
			}
		})
	}
}

func TestMissingConfigurationSaysHowToNameIt(t *testing.T) {
	t.Parallel()
	_, err := LoadConfig(filepath.Join(t.TempDir(), "rollcall.yaml"))
	if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "--config FILE") {
		t.Errorf("got %v", err)
	}
}

// write makes files below a new folder and returns the folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func load(t *testing.T, files map[string]string) (*Config, string) {
	t.Helper()
	folder := write(t, files)
	config, err := LoadConfig(filepath.Join(folder, "rollcall.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return config, folder
}

// example is the configuration of the documentation, with every key.
const example = `data_dir: ./data
jobs:
  nightly: {kind: nightly, schedule: "0 2 * * *", timeout: 2h}
defaults: {create: approved}          # any key of an organization
organizations:                        # and/or organizations_from: orgs.d/*.yaml
  - id: 1001
    name: Contoso
    collectors:
      - name: contoso-hq
        url: ldaps://dc1.contoso.example
        base_dn: DC=contoso,DC=example
        credentials: {username: svc-rollcall@contoso.example, password: {env: CONTOSO_AD_PASSWORD}}   # or {file: …}
        ca_file: contoso-ca.pem
      - name: contoso-branch
        ldif: branch.ldif
    contacts: {jsonl: contacts.jsonl}  # or csv: {path, columns}, parquet:, itglue: {url, api_key}
    psa: {kind: autotask, two_way_sync: true, email_type: Work, phone_type: Direct}   # connectwise, autotask, halopsa, bms, syncro
    match: {email_from: [mail, proxy_primary], aliases: false}
    create: approved
    fill: {title: fill_blank}
    guard: {max_drop: 20%, max_creates: 50, max_unlinks: 20}
    exclude: {disabled: false, ou: ["OU=Service Accounts"], filter: "(adminDescription=svc*)"}
`

func TestExampleOfTheDocumentation(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"as it stands":            example,
		"with a byte order mark":  "\ufeff" + example,
		"with Windows' line ends": strings.ReplaceAll(example, "\n", "\r\n"),
		"between document marks":  "---\n" + example + "...\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, folder := load(t, map[string]string{"rollcall.yaml": text})
			in := func(name string) string { return filepath.Join(folder, name) }
			o := config.Organizations[0]
			if o.Exclude.filter.Attributes() == nil {
				t.Error("the filter was not compiled")
			}
			o.Exclude.filter = standardOrganization().Exclude.filter
			want := Organization{
				ID: 1001, Name: "Contoso",
				Collectors: []Collector{
					{
						Name: "contoso-hq", URL: Texts{"ldaps://dc1.contoso.example"}, BaseDN: Texts{"DC=contoso,DC=example"},
						Credentials: Credentials{Username: "svc-rollcall@contoso.example", Password: Secret{Env: "CONTOSO_AD_PASSWORD"}},
						CAFile:      in("contoso-ca.pem"),
					},
					{Name: "contoso-branch", LDIF: in("branch.ldif")},
				},
				Contacts: Contacts{
					JSONL:  in("contacts.jsonl"),
					source: contacts.Input{Format: contacts.JSONL, Path: in("contacts.jsonl")},
				},
				PSA:       PSA{Kind: "autotask", TwoWaySync: true, EmailType: "Work", PhoneType: "Direct"},
				Match:     Match{EmailFrom: []string{"mail", "proxy_primary"}},
				LastLogon: LastLogon{From: []string{"replicated", "all_dcs"}},
				Create:    "approved",
				Fill:      Fill{FirstName: "keep", LastName: "keep", Title: "fill_blank", Email: "keep", Phone: "keep"},
				Guard:     Guard{MaxDrop: 0.2, MaxCreates: 50, MaxUnlinks: 20},
				Exclude:   Exclude{OU: []string{"OU=Service Accounts"}, Filter: Texts{"(adminDescription=svc*)"}},
			}
			if !reflect.DeepEqual(o, want) {
				t.Errorf("got  %+v\nwant %+v", o, want)
			}
			if job := (Job{Kind: "nightly", Schedule: "0 2 * * *", Timeout: 2 * time.Hour}); config.Jobs["nightly"] != job {
				t.Errorf("got %+v, want %+v", config.Jobs["nightly"], job)
			}
			if config.DataDir != in("data") {
				t.Errorf("data_dir is %s, not beside the file", config.DataDir)
			}
		})
	}
}

// organization is an organization's beginning; more keys follow with four spaces.
func organization(id, name string) string {
	return "  - id: " + id + "\n    name: " + name + "\n    contacts: {jsonl: contacts.jsonl}\n"
}

func TestOrganizationWithoutPoliciesGetsTheStandardOnes(t *testing.T) {
	t.Parallel()
	config, _ := load(t, map[string]string{"rollcall.yaml": "data_dir: d\norganizations:\n" + organization("1", "A")})
	got, want := config.Organizations[0], standardOrganization()
	for _, pair := range []struct{ got, want any }{
		{got.Create, want.Create}, {got.Match, want.Match}, {got.Fill, want.Fill}, {got.Guard, want.Guard}, {got.PSA, PSA{}},
	} {
		if !reflect.DeepEqual(pair.got, pair.want) {
			t.Errorf("got %+v, want %+v", pair.got, pair.want)
		}
	}
}

func TestDefaultsMergeDeeply(t *testing.T) {
	t.Parallel()
	config, folder := load(t, map[string]string{"rollcall.yaml": `data_dir: d
defaults:
  match: {aliases: true, email_from: [upn, mail]}
  fill: {title: overwrite, phone: fill_blank}
  guard: {max_drop: 50%, max_creates: 7}
  psa: {kind: bms, two_way_sync: true, email_type: Work, phone_type: Direct}
  exclude: {disabled: true, ou: [OU=One, OU=Two], filter: "(adminDescription=svc*)"}
  collectors:
    - {name: all, url: ldaps://dc.example, base_dn: DC=example, page_size: 100, credentials: {username: u, password: {env: P}}}
  contacts: {jsonl: all.jsonl}
organizations:
  - id: 1
    name: Changes everything
    match: {email_from: [proxy_primary]}
    fill: {title: keep}
    guard: {max_drop: 0.1}
    psa: {two_way_sync: false}
    exclude: {disabled: false, ou: []}
    collectors:
      - {name: own, ldif: own.ldif}
    contacts: {parquet: own.parquet}
  - id: 2
    name: Changes nothing
`})
	changed, plain := config.Organizations[0], config.Organizations[1]
	in := func(name string) string { return filepath.Join(folder, name) }
	for _, c := range []struct {
		rule      string
		got, want any
	}{
		{"a key beside the changed one keeps its default, a list is replaced", changed.Match, Match{EmailFrom: []string{"proxy_primary"}, Aliases: true}},
		{"defaults lie over the standard policies", changed.Fill, Fill{FirstName: "keep", LastName: "keep", Title: "keep", Email: "keep", Phone: "fill_blank"}},
		{"shares and numbers merge", changed.Guard, Guard{MaxDrop: 0.1, MaxCreates: 7, MaxUnlinks: 20}},
		{"false changes true", changed.PSA, PSA{Kind: "bms", EmailType: "Work", PhoneType: "Direct"}},
		{"an empty list replaces, too", len(changed.Exclude.OU), 0},
		{"a text keeps its default", changed.Exclude.Filter, Texts{"(adminDescription=svc*)"}},
		{"nothing of a default collector is in a new one", changed.Collectors, []Collector{{Name: "own", LDIF: in("own.ldif")}}},
		{"another contact source takes the default's place", changed.Contacts.source, contacts.Input{Format: contacts.Parquet, Path: in("own.parquet")}},

		{"no change leaks: match", plain.Match, Match{EmailFrom: []string{"upn", "mail"}, Aliases: true}},
		{"no change leaks: fill", plain.Fill, Fill{FirstName: "keep", LastName: "keep", Title: "overwrite", Email: "keep", Phone: "fill_blank"}},
		{"no change leaks: guard", plain.Guard, Guard{MaxDrop: 0.5, MaxCreates: 7, MaxUnlinks: 20}},
		{"no change leaks: psa", plain.PSA.TwoWaySync, true},
		{"no change leaks: exclude", plain.Exclude.OU, []string{"OU=One", "OU=Two"}},
		{"no change leaks: disabled", plain.Exclude.Disabled, true},
		{"no change leaks: collectors", plain.Collectors[0].PageSize, 100},
		{"no change leaks: contacts", plain.Contacts.source, contacts.Input{Format: contacts.JSONL, Path: in("all.jsonl")}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.rule, c.got, c.want)
		}
	}
}

func TestDefaultCSVColumnsServeEveryOrganization(t *testing.T) {
	t.Parallel()
	config, folder := load(t, map[string]string{"rollcall.yaml": `data_dir: d
defaults: {contacts: {csv: {columns: {id: ID, last_name: Last, emails: [Mail]}}}}
organizations:
  - {id: 1, name: A, contacts: {csv: {path: a.csv, columns: {emails: [E1, E2]}}}}
  - {id: 2, name: B, contacts: {csv: {path: b.csv}}}
`})
	for i, want := range []contacts.Input{
		{Format: contacts.CSV, Path: filepath.Join(folder, "a.csv"), Columns: contacts.Columns{ID: "ID", LastName: "Last", Emails: []string{"E1", "E2"}}},
		{Format: contacts.CSV, Path: filepath.Join(folder, "b.csv"), Columns: contacts.Columns{ID: "ID", LastName: "Last", Emails: []string{"Mail"}}},
	} {
		if got := config.Organizations[i].Contacts.source; !reflect.DeepEqual(got, want) {
			t.Errorf("organization %d: got %+v, want %+v", i+1, got, want)
		}
	}
}

func TestPathsAreRelativeToTheFileTheyStandIn(t *testing.T) {
	t.Parallel()
	config, folder := load(t, map[string]string{
		"rollcall.yaml": `data_dir: ../data
defaults:
  contacts: {csv: {path: shared/contacts.csv, columns: {id: ID}}}
organizations:
  - id: 1
    name: A
    collectors:
      - {name: hq, url: ldaps://dc.example, base_dn: DC=example, ca_file: ca.pem, credentials: {username: u, password: {file: secrets/ad}}}
      - {name: elsewhere, ldif: /srv/ad.ldif}
organizations_from: orgs.d/*.yaml
`,
		"orgs.d/b.yaml": `organizations:
  - {id: 2, name: B, collectors: [{name: b, ldif: b.ldif}]}
  - {id: 3, name: C, contacts: {jsonl: ../c.jsonl}}
`,
	})
	in := func(name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }
	o := config.Organizations
	for what, pair := range map[string][2]string{
		"data_dir":                   {config.DataDir, filepath.Join(filepath.Dir(folder), "data")},
		"ca_file":                    {o[0].Collectors[0].CAFile, in("ca.pem")},
		"password.file":              {o[0].Collectors[0].Credentials.Password.File, in("secrets/ad")},
		"an absolute path":           {o[0].Collectors[1].LDIF, "/srv/ad.ldif"},
		"a default":                  {o[0].Contacts.source.Path, in("shared/contacts.csv")},
		"a default in another file":  {o[1].Contacts.source.Path, in("shared/contacts.csv")},
		"ldif of another file":       {o[1].Collectors[0].LDIF, in("orgs.d/b.ldif")},
		"contacts above that folder": {o[2].Contacts.source.Path, in("c.jsonl")},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %s, want %s", what, pair[0], pair[1])
		}
	}
}

// The working directory has no say in where the files are.
func TestRelativeConfigurationPath(t *testing.T) {
	folder := write(t, map[string]string{"etc/rollcall.yaml": "data_dir: ../data\norganizations:\n" + organization("1", "A")})
	t.Chdir(folder)
	config, err := LoadConfig(filepath.Join("etc", "rollcall.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := config.DataDir, filepath.Join(here, "data"); got != want {
		t.Errorf("data_dir: got %s, want %s", got, want)
	}
	if got, want := config.Organizations[0].Contacts.JSONL, filepath.Join(here, "etc", "contacts.jsonl"); got != want {
		t.Errorf("contacts: got %s, want %s", got, want)
	}
}

func TestOrganizationsFromReadsAllMatchingFilesInOrder(t *testing.T) {
	t.Parallel()
	config, _ := load(t, map[string]string{
		"rollcall.yaml":     "data_dir: d\ndefaults: {create: all}\norganizations_from: orgs.d/*.yaml\norganizations:\n" + organization("9", "Main"),
		"orgs.d/20-b.yaml":  "organizations:\n" + organization("2", "B"),
		"orgs.d/10-a.yaml":  "organizations:\n" + organization("1", "A") + organization("3", "C") + "    create: never\n",
		"orgs.d/notes.text": "not read",
	})
	var got []string
	for _, o := range config.Organizations {
		got = append(got, o.Name+" "+o.Create)
	}
	if want := []string{"Main all", "A all", "C never", "B all"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAnchorsWithinAnOrganization(t *testing.T) {
	t.Parallel()
	config, _ := load(t, map[string]string{"rollcall.yaml": `data_dir: d
organizations:
  - id: 1
    name: A
    contacts: {jsonl: contacts.jsonl}
    collectors:
      - {name: hq, url: ldaps://dc1.example, <<: &domain {base_dn: DC=example}, credentials: &login {username: u, password: {env: P}}}
      - {<<: *domain, name: branch, url: ldaps://dc2.example}
      - {name: third, url: ldaps://dc3.example, base_dn: DC=example, credentials: *login}
`})
	k := config.Organizations[0].Collectors
	if k[0].Name != "hq" || k[1].Name != "branch" || k[1].BaseDN[0] != "DC=example" || k[2].Credentials != k[0].Credentials {
		t.Errorf("got %+v", k)
	}
}

func TestSecretIsReadFromWhereItLies(t *testing.T) {
	t.Parallel()
	folder := write(t, map[string]string{"good": "pass word \n", "windows": "pass word \r\n", "empty": "\n"})
	environment := func(name string) (string, bool) {
		value, ok := map[string]string{"GOOD": "pass word ", "EMPTY": ""}[name]
		return value, ok
	}
	for _, c := range []struct {
		rule    string
		secret  Secret
		problem string
	}{
		{"environment", Secret{Env: "GOOD"}, ""},
		{"file without its line end", Secret{File: filepath.Join(folder, "good")}, ""},
		{"file without Windows' line end", Secret{File: filepath.Join(folder, "windows")}, ""},
		{"variable not set", Secret{Env: "MISSING"}, "environment variable MISSING is not set or empty"},
		{"variable empty", Secret{Env: "EMPTY"}, "environment variable EMPTY is not set or empty"},
		{"file empty", Secret{File: filepath.Join(folder, "empty")}, "empty is empty"},
		{"file missing", Secret{File: filepath.Join(folder, "missing")}, "missing: no such file"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			value, err := c.secret.Read(environment)
			switch {
			case c.problem == "" && (err != nil || value != "pass word "):
				t.Errorf("got %q, %v", value, err)
			case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
				t.Errorf("got %v, want %q", err, c.problem)
			}
		})
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"20%": 0.2, "0.2": 0.2, "0%": 0, "0": 0, "100%": 1, "1": 1, " 7.5 % ": 0.075} {
		if got, err := parseShare(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "%", "NaN", "-1%", "101%", "1.01", "20 percent", "Inf"} {
		if got, err := parseShare(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}
