package contacts_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/rs/zerolog"

	"rollcall/pipeline"
	"rollcall/stages/contacts"
)

// outcome is what an extraction leaves behind: what is said of each organization, and the rows
// of the three tables as text.
type outcome struct {
	verdicts                 map[int64]string
	contacts, emails, phones []string
}

// extract runs the stage alone, in a dry run on a store of its own.
func extract(t *testing.T, organizations []int64, sources ...contacts.Source) outcome {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	got := outcome{verdicts: map[int64]string{}}
	look := pipeline.Stage{Name: "look", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		for table, into := range map[string]*[]string{
			"read_contacts": &got.contacts, "read_contact_emails": &got.emails, "read_contact_phones": &got.phones,
		} {
			err := r.Store.Query(ctx, func(scan func(...any) error) error {
				var row string
				err := scan(&row)
				*into = append(*into, row)
				return err
			}, "SELECT CAST(t AS VARCHAR) FROM "+table+" t ORDER BY 1")
			if err != nil {
				return 0, err
			}
		}
		return 0, r.Store.Query(ctx, func(scan func(...any) error) error {
			var id int64
			var status string
			var message sql.NullString
			err := scan(&id, &status, &message)
			got.verdicts[id] = strings.TrimSuffix(status+": "+message.String, ": ")
			return err
		}, "SELECT organization_id, status, (SELECT string_agg(m.message, '; ' ORDER BY m.message) FROM verdict_messages m WHERE m.organization_id = verdicts.organization_id) FROM verdicts")
	}}
	now := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
	engine := pipeline.Engine{DataDir: t.TempDir(), Clock: func() time.Time { return now }, Memory: mem, Log: zerolog.Nop()}
	_, err := engine.Run(t.Context(), pipeline.Recipe{
		Job: "nightly", Extract: []pipeline.Stage{contacts.Extract(sources)}, Stages: []pipeline.Stage{look},
		Account: pipeline.Stage{Name: "account", Run: func(context.Context, *pipeline.Run) (int64, error) { return 0, nil }},
	}, pipeline.Options{Now: now, DryRun: true, Organizations: organizations})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// file writes a source's file and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func jsonl(t *testing.T, text string, organizations ...int64) contacts.Source {
	t.Helper()
	return contacts.Source{Input: contacts.Input{Format: contacts.JSONL, Path: file(t, "contacts.jsonl", text)}, Organizations: organizations}
}

// csvColumns are the headers of the tests' CSV files; ID and Org are always there.
func csvFile(t *testing.T, text string, columns contacts.Columns, organization int64) contacts.Source {
	t.Helper()
	return contacts.Source{
		Input:         contacts.Input{Format: contacts.CSV, Path: file(t, "contacts.csv", text), Columns: columns},
		Organizations: []int64{organization},
	}
}

// parquet has DuckDB write the rows of a query.
func parquet(t *testing.T, query string, organizations ...int64) contacts.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "con'tacts.parquet")
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "COPY ("+query+") TO '"+strings.ReplaceAll(path, "'", "''")+"' (FORMAT parquet)")
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return contacts.Source{Input: contacts.Input{Format: contacts.Parquet, Path: path}, Organizations: organizations}
}

// one is the contact of most tests: a person whose data no message may show.
const (
	one    = `{"id":7,"organization_id":1001,"first_name":"Zebulon","last_name":"Quackenbush","emails":[{"value":"zeb@private.example","primary":true}],"phones":[{"value":"+1 555 0199"}]}`
	two    = `{"id":8,"organization_id":1001,"first_name":"Wilhelmina"}`
	others = `{"id":7,"organization_id":1002,"first_name":"Wilhelmina"}`
)

// personal are the values that stand for people in the tests' files.
var personal = regexp.MustCompile(`(?i)zeb|quack|wilhelm|private\.example|555|0199`)

func TestEveryFormatReadsTheSame(t *testing.T) {
	t.Parallel()
	columns := contacts.Columns{
		ID: "ID", OrganizationID: "Org", FirstName: "First", LastName: "Last Name", Title: "Title", ContactType: "Type", Location: "Site",
		Emails: []string{"Mail", "Mail 2"}, Phones: []string{"Phone"}, PSAID: "PSA", ExternalKey: "Key", UpdatedAt: "Changed",
	}
	sources := map[string]contacts.Source{
		"JSONL": jsonl(t, `{"id":7,"organization_id":1001,"first_name":"  Ann ","last_name":"Lee-Smith","title":"CFO, interim","contact_type":"Approver","location":"HQ \"North\"",`+
			`"emails":[{"value":"Ann@Contoso.example","primary":true},{"value":"ann.lee@contoso.example","primary":false}],"phones":[{"value":"+1 555 0100","primary":true}],`+
			`"psa_id":"981","external_key":"rollcall-x","updated_at":"2026-11-01T10:00:00Z"}
{"id":8,"organization_id":1001,"first_name":"Bob","last_name":"","emails":[],"phones":null,"updated_at":null}
{"id":9,"organization_id":1001,"first_name":"Øyvind\nJ.","last_name":"Ærø","emails":[{"value":" "},{"value":"o@contoso.example"}]}
`, 1001),
		"CSV": csvFile(t, `ID,Org,First,Last Name,Title,Type,Site,Mail,Mail 2,Phone,PSA,Key,Changed,Not used
7,1001,  Ann ,Lee-Smith,"CFO, interim",Approver,"HQ ""North""",Ann@Contoso.example,ann.lee@contoso.example,+1 555 0100,981,rollcall-x,2026-11-01T10:00:00Z,x
8,1001,Bob,,,,,,,,,,,
9,1001,"Øyvind
J.",Ærø,,,, ,o@contoso.example,,,,,
`, columns, 1001),
		"Parquet": parquet(t, `SELECT * FROM (VALUES
			(7, 1001, '  Ann ', 'Lee-Smith', 'CFO, interim', 'Approver', 'HQ "North"',
			 [{'value': 'Ann@Contoso.example', 'primary': true}, {'value': 'ann.lee@contoso.example', 'primary': false}],
			 [{'value': '+1 555 0100', 'primary': true}], '981', 'rollcall-x', TIMESTAMP '2026-11-01 10:00:00'),
			(8, 1001, 'Bob', '', NULL, NULL, NULL, [], NULL, NULL, NULL, NULL),
			(9, 1001, E'Øyvind\nJ.', 'Ærø', NULL, NULL, NULL, [{'value': ' ', 'primary': NULL}, {'value': 'o@contoso.example', 'primary': NULL}], NULL, NULL, NULL, NULL)
		) t(id, organization_id, first_name, last_name, title, contact_type, location, emails, phones, psa_id, external_key, updated_at)`, 1001),
	}
	want := extract(t, []int64{1001}, sources["JSONL"])
	if len(want.contacts) != 3 || len(want.emails) != 3 || len(want.phones) != 1 || want.verdicts[1001] != "succeeded" {
		t.Fatalf("JSONL: got %+v", want)
	}
	for _, part := range []string{"'Ann'", "'Lee-Smith'", `CFO, interim`, "'Approver'", "Ann@Contoso.example", "+1 555 0100", "981", "rollcall-x", "2026-11-01 10:00:00+00", "'ann'", "'lee smith'"} {
		if !strings.Contains(want.contacts[0], strings.Trim(part, "'")) {
			t.Errorf("contact 7 lacks %s: %s", part, want.contacts[0])
		}
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := extract(t, []int64{1001}, source); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// What a file may look like without its contacts being others.
func TestGoodFiles(t *testing.T) {
	t.Parallel()
	const header = "ID,First,Last,Mail,Phone\n"
	const row = "7,Zebulon,Quackenbush,zeb@private.example,+1 555 0199\n"
	columns := contacts.Columns{ID: "ID", FirstName: "First", LastName: "Last", Emails: []string{"Mail"}, Phones: []string{"Phone"}}
	marked := strings.Replace(one, `{"value":"+1 555 0199"}`, `{"value":"+1 555 0199","primary":true}`, 1)
	want := extract(t, []int64{1001}, jsonl(t, marked+"\n", 1001))
	if len(want.contacts) != 1 {
		t.Fatalf("got %+v", want)
	}
	for name, source := range map[string]contacts.Source{
		"JSONL with blank lines":               jsonl(t, "\n \t\n"+marked+"\n\n", 1001),
		"JSONL with a byte order mark":         jsonl(t, "\ufeff"+marked+"\n", 1001),
		"JSONL with Windows' line ends":        jsonl(t, marked+"\r\n\r\n", 1001),
		"JSONL without a last line end":        jsonl(t, marked, 1001),
		"JSONL with fields that are not known": jsonl(t, strings.Replace(marked, "{", `{"custom":{"a":[1]},`, 1), 1001),
		"JSONL with rows of others":            jsonl(t, others+"\n"+marked+"\n"+strings.Replace(others, "7", "9", 1), 1001),
		"JSONL with bad rows of others":        jsonl(t, strings.Replace(others, "7", `"x"`, 1)+"\n"+marked+"\n"+strings.Replace(others, `"Wilhelmina"`, "5", 1), 1001),
		"CSV":                                  csvFile(t, header+row, columns, 1001),
		"CSV with blank lines":                 csvFile(t, "\n"+header+"\n"+row+"\n", columns, 1001),
		"CSV with a byte order mark":           csvFile(t, "\ufeff"+header+row, columns, 1001),
		"CSV with Windows' line ends":          csvFile(t, strings.ReplaceAll(header+row, "\n", "\r\n"), columns, 1001),
		"CSV with both line ends":              csvFile(t, strings.Replace(header+row, "\n", "\r\n", 1), columns, 1001),
		"CSV without a last line end":          csvFile(t, header+strings.TrimSuffix(row, "\n"), columns, 1001),
		"CSV with quotes everywhere":           csvFile(t, `"`+strings.NewReplacer(",", `","`, "\n", "\"\n\"").Replace(header+strings.TrimSuffix(row, "\n"))+"\"\n", columns, 1001),
		"CSV with spaces around values":        csvFile(t, strings.ReplaceAll(header+row, ",", " , "), columns, 1001),
		"CSV with a column twice that is not used": csvFile(t, strings.ReplaceAll("x,"+strings.ReplaceAll(header+row, "\n", ",x\n"), "\n7", "\nx,7"),
			columns, 1001),
		"Parquet with 32-bit ids": parquet(t, `SELECT 7::INTEGER AS id, 1001::INTEGER AS organization_id, 'Zebulon' AS first_name, 'Quackenbush' AS last_name,
			[{'value': 'zeb@private.example', 'primary': true}] AS emails, [{'value': '+1 555 0199', 'primary': true}] AS phones`, 1001),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := extract(t, []int64{1001}, source); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// The first that is marked primary is, else the first; blank ones are none.
func TestPrimaryEmailAndPhone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ emails, want string }{
		"marked":      {`[{"value":"a@x.example"},{"value":"b@x.example","primary":true}]`, "b@x.example"},
		"two marked":  {`[{"value":"a@x.example"},{"value":"b@x.example","primary":true},{"value":"c@x.example","primary":true}]`, "b@x.example"},
		"none marked": {`[{"value":"a@x.example","primary":null},{"value":"b@x.example","primary":false}]`, "a@x.example"},
		"blank ones":  {`[{"value":" ","primary":true},null,{"value":null},{"label":"Work"},{"value":"c@x.example"}]`, "c@x.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := extract(t, []int64{1001}, jsonl(t, `{"id":7,"organization_id":1001,"emails":`+c.emails+"}\n", 1001))
			if len(got.contacts) != 1 || !strings.Contains(got.contacts[0], "'primary_email': "+c.want) {
				t.Errorf("got %v, want %s", got.contacts, c.want)
			}
		})
	}
}

// Every contact arrives, whatever a line looks like to a reader that guesses.
func TestNoRowIsLeftOut(t *testing.T) {
	t.Parallel()
	var csv, lines strings.Builder
	csv.WriteString("ID,First\n")
	const rows = 20_000
	for id := 1; id <= rows; id++ {
		name := []string{"#hash", "// slash", "NULL", "'quote", ";semi;colon", "\\N", "\"a, b\"", "\"two\nlines\""}[id%8]
		fmt.Fprintf(&csv, "%d,%s\n", id, name)
		fmt.Fprintf(&lines, `{"id":%d,"organization_id":1001}`+"\n", id)
	}
	for name, source := range map[string]contacts.Source{
		"CSV":                             csvFile(t, csv.String(), contacts.Columns{ID: "ID", FirstName: "First"}, 1001),
		"JSONL":                           jsonl(t, lines.String(), 1001),
		"CSV with a first column of text": csvFile(t, "First,ID\n#a,1\n#b,2\n", contacts.Columns{ID: "ID", FirstName: "First"}, 1001),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := rows
			if strings.Contains(name, "first column") {
				want = 2
			}
			if got := extract(t, []int64{1001}, source); len(got.contacts) != want || got.verdicts[1001] != "succeeded" {
				t.Errorf("%d of %d contacts arrived: %v", len(got.contacts), want, got.verdicts)
			}
		})
	}
}

// Each of these makes the organization unavailable, and says where and what to do. Nothing of
// the file is read then, not even its good records.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	with := func(field, value string) string { // one, with a field set
		return strings.Replace(one, "{", `{"`+field+`":`+value+`,`, 1)
	}
	lacking := func(field string) string {
		return regexp.MustCompile(`"`+field+`":[0-9]+,`).ReplaceAllString(one, "")
	}
	columns := contacts.Columns{ID: "ID", OrganizationID: "Org", FirstName: "First", Emails: []string{"Mail"}, UpdatedAt: "Changed"}
	const header = "ID,Org,First,Mail,Changed\n"
	const row = "8,1001,Wilhelmina,w@private.example,\n"
	csv := func(rows string) contacts.Source { return csvFile(t, header+row+rows, columns, 1001) }
	missing := jsonl(t, "", 1001)
	missing.Path += ".not"
	folder := jsonl(t, "", 1001)
	folder.Path = filepath.Dir(folder.Path)
	noParquet := jsonl(t, two+"\n", 1001)
	noParquet.Format = contacts.Parquet

	const id = "id must be a whole number, the documentation system's id of the contact "
	const organization = "organization_id must be a whole number "
	const list = " must be a list of objects with a value "
	for name, c := range map[string]struct {
		source contacts.Source
		want   string // after "unavailable: contacts <file>: "
	}{
		"id missing":                {jsonl(t, two+"\n"+lacking("id"), 1001), "line 2: " + id + "(got none)"},
		"id null":                   {jsonl(t, two+"\n"+strings.Replace(one, "7", "null", 1), 1001), "line 2: " + id + "(got none)"},
		"id text":                   {jsonl(t, two+"\n"+strings.Replace(one, "7", `"12"`, 1), 1001), `line 2: ` + id + `(got "12")`},
		"id text about a person":    {jsonl(t, two+"\n"+strings.Replace(one, "7", `"zeb@private.example"`, 1), 1001), "line 2: " + id + "(got text)"},
		"id a phone number":         {jsonl(t, two+"\n"+strings.Replace(one, "7", `"5550199"`, 1), 1001), "line 2: " + id + "(got text)"},
		"id fraction":               {jsonl(t, two+"\n"+strings.Replace(one, "7", "7.5", 1), 1001), "line 2: " + id + "(got 7.5)"},
		"id too large":              {jsonl(t, two+"\n"+strings.Replace(one, "7", "18446744073709551615", 1), 1001), "line 2: " + id + "(got 18446744073709551615)"},
		"id list":                   {jsonl(t, two+"\n"+strings.Replace(one, "7", `["Zebulon"]`, 1), 1001), "line 2: " + id + "(got a list)"},
		"id true":                   {jsonl(t, two+"\n"+strings.Replace(one, "7", `true`, 1), 1001), "line 2: " + id + "(got true or false)"},
		"id twice":                  {jsonl(t, one+"\n"+two+"\n"+one, 1001), "line 3: id 7 is there twice, first as record 1"},
		"id twice, blank lines":     {jsonl(t, "\n"+one+"\n\n"+two+"\n\n"+one, 1001), "line 6: id 7 is there twice, first as record 1"},
		"id twice and once more":    {jsonl(t, one+"\n"+one+"\n"+one, 1001), "line 2: id 7 is there twice, first as record 1 (and 1 more)"},
		"organization_id missing":   {jsonl(t, two+"\n"+lacking("organization_id"), 1001), "line 2: " + organization + "(got none)"},
		"organization_id text":      {jsonl(t, two+"\n"+strings.Replace(one, "1001", `"1001"`, 1), 1001), `line 2: ` + organization + `(got "1001")`},
		"organization_id a name":    {jsonl(t, two+"\n"+strings.Replace(one, "1001", `"Quackenbush"`, 1), 1001), "line 2: " + organization + "(got text)"},
		"organization_id fraction":  {jsonl(t, two+"\n"+strings.Replace(one, "1001", "1001.5", 1), 1001), "line 2: " + organization + "(got 1001.5)"},
		"a list for an object":      {jsonl(t, two+"\n["+one+"]", 1001), "line 2: a contact must be a JSON object (got a list)"},
		"a text for an object":      {jsonl(t, two+"\n\"Zebulon\"", 1001), "line 2: a contact must be a JSON object (got text)"},
		"null for an object":        {jsonl(t, two+"\nnull", 1001), "line 2: a contact must be a JSON object (got none)"},
		"half a surrogate":          {jsonl(t, two+"\n"+with("title", `"\ud800"`), 1001), "line 2: a contact must be a JSON object (got none)"},
		"first_name number":         {jsonl(t, two+"\n"+strings.Replace(one, `"Zebulon"`, "5", 1), 1001), "line 2: first_name must be text (got a number)"},
		"title number":              {jsonl(t, two+"\n"+with("title", "5550199"), 1001), "line 2: title must be text (got a number)"},
		"location object":           {jsonl(t, two+"\n"+with("location", `{"name":"Zebulon"}`), 1001), "line 2: location must be text (got an object)"},
		"psa_id list":               {jsonl(t, two+"\n"+with("psa_id", `["981"]`), 1001), "line 2: psa_id must be text (got a list)"},
		"emails not a list":         {jsonl(t, two+"\n"+regexp.MustCompile(`"emails":\[(.*?)\]`).ReplaceAllString(one, `"emails":$1`), 1001), "line 2: emails" + list + "(got an object)"},
		"emails a text":             {jsonl(t, two+"\n"+regexp.MustCompile(`"emails":\[.*?\]`).ReplaceAllString(one, `"emails":"zeb@private.example"`), 1001), "line 2: emails" + list + "(got text)"},
		"emails of plain texts":     {jsonl(t, two+"\n"+regexp.MustCompile(`"emails":\[(.*?)\]`).ReplaceAllString(one, `"emails":[$1,"zeb@private.example"]`), 1001), "line 2: emails" + list + "(entry 2 is text)"},
		"phone a number":            {jsonl(t, two+"\n"+strings.Replace(one, `"+1 555 0199"`, "5550199", 1), 1001), "line 2: phones.value must be text (got a number in entry 1)"},
		"email's label a number":    {jsonl(t, two+"\n"+strings.Replace(one, `"primary":true`, `"label":5`, 1), 1001), "line 2: emails.label must be text (got a number in entry 1)"},
		"email's primary a text":    {jsonl(t, two+"\n"+strings.Replace(one, `"primary":true`, `"primary":"yes"`, 1), 1001), "line 2: emails.primary must be true or false (got text in entry 1)"},
		"updated_at no time":        {jsonl(t, two+"\n"+with("updated_at", `"+1 555 0199"`), 1001), "line 2: updated_at must be a time such as 2026-11-01T10:00:00Z (got text that is none)"},
		"updated_at number":         {jsonl(t, two+"\n"+with("updated_at", "1793523600"), 1001), "line 2: updated_at must be a time such as 2026-11-01T10:00:00Z (got a number that is none)"},
		"two things wrong":          {jsonl(t, two+"\n"+with("title", "5")+"\n"+with("title", "5"), 1001), "line 2: title must be text (got a number) (and 2 more)"},
		"JSON malformed":            {jsonl(t, two+"\n\n"+strings.Replace(one, `"Zebulon"`, "Zebulon", 1)+"\n"+two, 1001), "line 3 is not JSON (at octet 45): correct the line, or export the file anew if it was cut off"},
		"JSON with a last comma":    {jsonl(t, two+"\n"+strings.TrimSuffix(one, "}")+",}", 1001), "line 2 is not JSON (at octet 174): correct the line"},
		"JSON cut off":              {jsonl(t, two+"\n"+one[:60], 1001), "line 2 is not JSON (at octet 60): correct the line, or export the file anew if it was cut off"},
		"JSON over several lines":   {jsonl(t, two+"\n"+strings.ReplaceAll(one, ",", ",\n"), 1001), "line 2 is not JSON (at octet 8): "},
		"JSON twice on a line":      {jsonl(t, two+"\n"+one+one, 1001), "line 2 is not JSON (at octet 174): "},
		"JSON with NaN":             {jsonl(t, two+"\n"+strings.Replace(one, "7", "NaN", 1), 1001), "line 2 is not JSON (at octet 7): "},
		"UTF-8 invalid":             {jsonl(t, two+"\n"+strings.Replace(one, "Zeb", "Z\xe9b", 1), 1001), "line 2 is not valid UTF-8: export the file as UTF-8"},
		"UTF-16":                    {jsonl(t, "\xff\xfe{\x00", 1001), "line 1 is not valid UTF-8: export the file as UTF-8"},
		"zero octet":                {jsonl(t, two+"\n"+strings.Replace(one, "Zeb", "Z\x00b", 1), 1001), "line 2 is not JSON (at octet 47): "},
		"a line without end":        {jsonl(t, two+"\n"+strings.Repeat("Zebulon ", 3<<20), 1001), "line 2 is longer than 16 MiB; is this a file of JSON lines?"},
		"no file":                   {missing, "stat "},
		"a folder":                  {folder, "is a folder, not a file; check the path"},
		"CSV id text":               {csv("x9,1001,Zebulon,,\n"), `record 2: ` + id + `(got "x9")`},
		"CSV id of another column":  {csvFile(t, header+"8,1001,Wilhelmina,w@private.example,\n", contacts.Columns{ID: "Mail"}, 1001), "record 1: " + id + "(got text)"},
		"CSV id fraction":           {csv("7.6,1001,Zebulon,,\n"), "record 2: " + id + "(got text)"},
		"CSV id empty":              {csv(",1001,Zebulon,,\n"), "record 2: " + id + "(got none)"},
		"CSV id twice":              {csv(row), "record 2: id 8 is there twice, first as record 1"},
		"CSV organization empty":    {csv("9,,Zebulon,,\n"), "record 2: " + organization + "(got none)"},
		"CSV updated_at no time":    {csv("9,1001,Zebulon,,yesterday\n"), "record 2: updated_at must be a time such as 2026-11-01T10:00:00Z (got text that is none)"},
		"CSV without a column":      {csvFile(t, header+row, contacts.Columns{ID: "ID", LastName: "Surname"}, 1001), `has no column "Surname"; correct contacts.csv.columns in the configuration, or the file's header`},
		"CSV with semicolons":       {csvFile(t, strings.ReplaceAll(header+row, ",", ";"), columns, 1001), `has no column "ID"; correct contacts.csv.columns in the configuration`},
		"CSV with a column twice":   {csvFile(t, "ID,Mail,ID\n7,zeb@private.example,8\n", contacts.Columns{ID: "ID"}, 1001), `has 2 columns "ID"; give each a name of its own`},
		"CSV with a title":          {csvFile(t, "Contacts of Zebulon\n"+header+row, columns, 1001), `has no column "ID"; `},
		"CSV with a field too few":  {csv("9,1001,Zebulon,\n" + row), "line 3 has more or fewer fields than the first line; put values with commas in quotes"},
		"CSV with a field too many": {csv("9,1001,Quackenbush, Zebulon,zeb@private.example,\n" + row), "line 3 has more or fewer fields than the first line"},
		"CSV cut off":               {csv("9,1001,Zeb"), "line 3 has more or fewer fields than the first line"},
		"CSV fields after quoted line ends": {csv("9,1001,\"Zebulon\nQuackenbush\",,\n10,1001\n"),
			"line 5 has more or fewer fields than the first line"},
		"CSV with open quotes":        {csv("9,1001,\"Zebulon,,\n" + row), "line 4: the quotes that open on line 3 do not close rightly; export the file anew"},
		"CSV with quotes in a value":  {csv("9,1001,Zeb\"u\"lon,,\n"), "line 3: quotes stand in the middle of a value; double them and put the value in quotes"},
		"CSV with text behind quotes": {csv("9,1001,\"Zeb\"ulon,,\n"), "line 3: quotes stand in the middle of a value"},
		"CSV UTF-8 invalid":           {csv("9,1001,Z\xe9bulon,,\n"), "line 3 is not valid UTF-8: export the file as UTF-8"},
		"CSV header UTF-8 invalid":    {csvFile(t, "\xff\xfeI\x00D\x00\n", columns, 1001), `has no column "ID"; `},
		"CSV empty":                   {csvFile(t, "", columns, 1001), "is empty; export it with a line of column names"},
		"Parquet that is none":        {noParquet, "Invalid Input Error: No magic bytes found at end of file "},
		"Parquet without id":          {parquet(t, "SELECT 1001 AS organization_id, 'Zebulon' AS first_name", 1001), "record 1: " + id + "(got none)"},
		"Parquet with a fraction":     {parquet(t, "SELECT 7.0::DOUBLE AS id, 1001 AS organization_id, 'Zebulon' AS first_name", 1001), "record 1: " + id + "(got 7.0)"},
		"Parquet with plain e-mails":  {parquet(t, "SELECT 7 AS id, 1001 AS organization_id, ['zeb@private.example'] AS emails", 1001), "record 1: emails" + list + "(entry 1 is text)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := extract(t, []int64{1001}, c.source)
			want := "unavailable: contacts " + filepath.Base(c.source.Path) + ": " + c.want
			if !strings.HasPrefix(got.verdicts[1001], want) {
				t.Errorf("got  %s\nwant %s", got.verdicts[1001], want)
			}
			if found := personal.FindString(strings.ReplaceAll(got.verdicts[1001], c.source.Path, "")); found != "" {
				t.Errorf("the message shows %q of a person: %s", found, got.verdicts[1001])
			}
			if len(got.contacts)+len(got.emails)+len(got.phones) > 0 {
				t.Errorf("rows of an unavailable organization were read: %+v", got)
			}
		})
	}
}

// Organizations that share a file stand or fall each with its own records.
func TestOrganizationsThatShareAFile(t *testing.T) {
	t.Parallel()
	bad := strings.Replace(one, "7", `"x"`, 1)
	for name, c := range map[string]struct {
		text string
		want map[int64]string // how the verdict begins
		rows int
	}{
		"both good": {one + "\n" + others, map[int64]string{1001: "succeeded", 1002: "succeeded"}, 2},
		"a bad record of one": {
			others + "\n" + bad,
			map[int64]string{1001: "unavailable: contacts contacts.jsonl: line 2: id must be", 1002: "succeeded"}, 1,
		},
		"each bad, each its own line": {
			strings.Replace(others, `"Wilhelmina"`, "5", 1) + "\n" + bad,
			map[int64]string{1001: "unavailable: contacts contacts.jsonl: line 2: id", 1002: "unavailable: contacts contacts.jsonl: line 1: first_name"}, 0,
		},
		"the same id in both is no duplicate": {one + "\n" + others, map[int64]string{1001: "succeeded", 1002: "succeeded"}, 2},
		"a record of nobody's is everybody's": {
			one + "\n" + others + "\n" + strings.Replace(two, "1001", "null", 1),
			map[int64]string{1001: "unavailable: contacts contacts.jsonl: line 3: organization_id", 1002: "unavailable: contacts contacts.jsonl: line 3: organization_id"}, 0,
		},
		"a malformed line is everybody's": {
			one + "\n" + others[:30],
			map[int64]string{1001: "unavailable: contacts contacts.jsonl: line 2 is not JSON", 1002: "unavailable: contacts contacts.jsonl: line 2 is not JSON"}, 0,
		},
		"one without contacts is no fault": {one, map[int64]string{1001: "succeeded", 1002: "succeeded"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := extract(t, []int64{1001, 1002}, jsonl(t, c.text+"\n", 1001, 1002))
			for id, want := range c.want {
				if !strings.HasPrefix(got.verdicts[id], want) || want == "succeeded" && got.verdicts[id] != want {
					t.Errorf("organization %d: got %q, want %q", id, got.verdicts[id], want)
				}
			}
			if len(got.contacts) != c.rows {
				t.Errorf("%d contacts were read, want %d", len(got.contacts), c.rows)
			}
		})
	}
}

// A source that cannot be read concerns its own organizations, and a contact without an
// organization's column is of the organization that names the file.
func TestSourcesOfTheirOwn(t *testing.T) {
	t.Parallel()
	missing := jsonl(t, "", 1001)
	missing.Path += ".not"
	got := extract(t, []int64{1001, 1002, 1003}, missing,
		csvFile(t, "ID,First\n7,Wilhelmina\n", contacts.Columns{ID: "ID", FirstName: "First"}, 1002), jsonl(t, others, 1003))
	if !strings.HasPrefix(got.verdicts[1001], "unavailable: contacts contacts.jsonl.not: ") || !strings.HasSuffix(got.verdicts[1001], "check the path") {
		t.Errorf("got %q", got.verdicts[1001])
	}
	if got.verdicts[1002] != "succeeded" || got.verdicts[1003] != "succeeded" {
		t.Errorf("others were drawn in: %v", got.verdicts)
	}
	if len(got.contacts) != 1 || !strings.Contains(got.contacts[0], "'organization_id': 1002, 'contact_id': 7") {
		t.Errorf("got %v, want contact 7 of 1002 alone", got.contacts)
	}
}
