package users

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"rollcall/stages/users/directory"
)

// entries reads a whole LDIF text.
func entries(text string) (read []directory.Entry, err error) {
	err = parseLDIF(context.Background(), strings.NewReader(text), func(e directory.Entry) error {
		read = append(read, e)
		return nil
	})
	return read, err
}

func TestLDIFRecords(t *testing.T) {
	t.Parallel()
	ann := directory.Entry{DN: "CN=Ann,DC=x", Place: directory.Place{Unit: "line", Number: 1}, Attributes: map[string][][]byte{"mail": {[]byte("ann@x.example")}}}
	at := func(e directory.Entry, line int) directory.Entry {
		e.Place = directory.Place{Unit: "line", Number: line}
		return e
	}
	with := func(name string, values ...string) directory.Entry {
		e := directory.Entry{DN: ann.DN, Place: ann.Place, Attributes: map[string][][]byte{}}
		for _, value := range values {
			e.Attributes[name] = append(e.Attributes[name], []byte(value))
		}
		return e
	}
	for name, c := range map[string]struct {
		text string
		want []directory.Entry
	}{
		"one record":                        {"dn: CN=Ann,DC=x\nmail: ann@x.example\n", []directory.Entry{ann}},
		"a blank line at the end":           {"dn: CN=Ann,DC=x\nmail: ann@x.example\n\n\n", []directory.Entry{ann}},
		"two records":                       {"dn: CN=Ann,DC=x\nmail: ann@x.example\n\ndn: CN=Ann,DC=x\nmail: ann@x.example\n", []directory.Entry{ann, at(ann, 4)}},
		"several blank lines between":       {"\n\ndn: CN=Ann,DC=x\nmail: ann@x.example\n\n\n\ndn: CN=Ann,DC=x\nmail: ann@x.example\n", []directory.Entry{at(ann, 3), at(ann, 8)}},
		"CRLF":                              {"version: 1\r\n\r\ndn: CN=Ann,DC=x\r\nmail: ann@x.example\r\n\r\n", []directory.Entry{at(ann, 3)}},
		"a version line":                    {"version: 1\n\ndn: CN=Ann,DC=x\nmail: ann@x.example\n", []directory.Entry{at(ann, 3)}},
		"a version line without a blank":    {"version: 1\ndn: CN=Ann,DC=x\nmail: ann@x.example\n", []directory.Entry{at(ann, 2)}},
		"folded values":                     {"dn: CN=A\n nn,\n DC=x\nmail: ann@\n x.example\n", []directory.Entry{ann}},
		"folded with CRLF":                  {"dn: CN=A\r\n nn,DC=x\r\nmail: ann@x.exa\r\n mple\r\n", []directory.Entry{ann}},
		"folded within a name":              {"dn: CN=Ann,DC=x\nma\n il: ann@x.example\n", []directory.Entry{ann}},
		"one blank is the fold's":           {"dn: CN=Ann,DC=x\nsn: O\n  Lee\n", []directory.Entry{with("sn", "O Lee")}},
		"base64":                            {"dn:: Q049QW5uLERDPXg=\nmail:: YW5uQHguZXhhbXBsZQ==\n", []directory.Entry{ann}},
		"base64, folded":                    {"dn: CN=Ann,DC=x\nmail:: YW5uQHgu\n ZXhhbXBsZQ==\n", []directory.Entry{ann}},
		"base64 without a blank":            {"dn::Q049QW5uLERDPXg=\nmail::YW5uQHguZXhhbXBsZQ==\n", []directory.Entry{ann}},
		"octets":                            {"dn: CN=Ann,DC=x\nobjectGUID:: AP8KDQ==\n", []directory.Entry{with("objectguid", "\x00\xff\n\r")}},
		"no blank after the colon":          {"dn:CN=Ann,DC=x\nmail:ann@x.example\n", []directory.Entry{ann}},
		"a value with colons":               {"dn: CN=Ann,DC=x\nproxyAddresses: SMTP:a@x.example\n", []directory.Entry{with("proxyaddresses", "SMTP:a@x.example")}},
		"an empty value":                    {"dn: CN=Ann,DC=x\ntitle:\n", []directory.Entry{with("title", "")}},
		"an empty base64 value":             {"dn: CN=Ann,DC=x\ntitle::\n", []directory.Entry{with("title", "")}},
		"several values keep their order":   {"dn: CN=Ann,DC=x\ncn: b\nCN: a\n", []directory.Entry{with("cn", "b", "a")}},
		"options are dropped":               {"dn: CN=Ann,DC=x\nuserCertificate;binary:: AA==\n", []directory.Entry{with("usercertificate", "\x00")}},
		"comments":                          {"# one\nversion: 1\n#two\n\n# three\ndn: CN=Ann,DC=x\n# four\nmail: ann@x.example\n# five\n", []directory.Entry{at(ann, 6)}},
		"a folded comment":                  {"# one\n two: 2\ndn: CN=Ann,DC=x\nmail: ann@x.example\n", []directory.Entry{at(ann, 3)}},
		"a comment between records":         {"dn: CN=Ann,DC=x\nmail: ann@x.example\n\n# two\n\ndn: CN=Ann,DC=x\nmail: ann@x.example\n", []directory.Entry{ann, at(ann, 6)}},
		"changetype add":                    {"dn: CN=Ann,DC=x\nchangetype: add\nmail: ann@x.example\n", []directory.Entry{ann}},
		"changetype add in any case":        {"DN: CN=Ann,DC=x\nChangeType: Add\nmail: ann@x.example\n", []directory.Entry{ann}},
		"a record without attributes":       {"dn: CN=Ann,DC=x\n", []directory.Entry{{DN: ann.DN, Place: ann.Place}}},
		"an empty dn":                       {"dn:\nobjectClass: top\n", []directory.Entry{{Place: directory.Place{Unit: "line", Number: 1}, Attributes: map[string][][]byte{"objectclass": {[]byte("top")}}}}},
		"UTF-8 as it is":                    {"dn: CN=Zoë,DC=x\n", []directory.Entry{{DN: "CN=Zoë,DC=x", Place: directory.Place{Unit: "line", Number: 1}}}},
		"invalid UTF-8 is for who reads it": {"dn: CN=Ann,DC=x\nsn: L\xe9e\n", []directory.Entry{with("sn", "L\xe9e")}},
		"a part of the values": {
			"dn: CN=Ann,DC=x\nmember;range=0-1: CN=a\nmember;range=0-1: CN=b\nmail: ann@x.example\n",
			[]directory.Entry{{DN: ann.DN, Place: ann.Place, Attributes: ann.Attributes, Partial: []string{"member", "member"}}},
		},
		"the last part of the values": {
			"dn: CN=Ann,DC=x\nmember;range=1500-*: CN=a\nmail: ann@x.example\n",
			[]directory.Entry{{DN: ann.DN, Place: ann.Place, Attributes: ann.Attributes, Partial: []string{"member"}}},
		},
		"comments alone hold no entry": {"# no entries found\n", nil},
		"a version line alone":         {"version: 1\n", nil},
		"blank lines alone":            {"\n\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := entries(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", c.want); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestLDIFRefusals(t *testing.T) {
	t.Parallel()
	const ann = "dn: CN=Ann,DC=x\n"
	for name, c := range map[string]struct {
		text    string
		message string
		read    int
	}{
		"an empty file":                        {"", "line 1: the file is empty: the export failed", 0},
		"cut off within a value":               {ann + "mail: ann@x.exa", "line 2: the file ends in the middle of a line: it was cut off", 0},
		"cut off after a value":                {ann + "mail: ann@x.example", "line 2: the file ends in the middle of a line", 0},
		"cut off in the next record":           {ann + "\ndn: CN=B", "line 3: the file ends in the middle of a line", 1},
		"cut off in a comment":                 {ann + "\n# so", "line 3: the file ends in the middle of a line", 1},
		"cut off in a fold":                    {ann + "sn: a\n b", "line 3: the file ends in the middle of a line", 0},
		"cut off after a blank":                {ann + "\n ", "line 3: the file ends in the middle of a line", 1},
		"no dn":                                {"objectClass: top\n", "line 1: a record must begin with dn:", 0},
		"no dn in the second record":           {ann + "\nmail: a@x.example\n", "line 3: a record must begin with dn:", 1},
		"ldapsearch's summary":                 {ann + "\n# search result\nsearch: 2\nresult: 0 Success\n", "line 4: a record must begin with dn: (got \"search\"); with ldapsearch, export with -LLL", 1},
		"two records without a blank line":     {ann + "sn: a\ndn: CN=B,DC=x\nsn: b\n", "line 3: a second dn: in the record of line 1", 0},
		"changetype modify":                    {ann + "changetype: modify\nreplace: sn\nsn: b\n-\n", "line 2: changetype \"modify\" is a change, not an entry", 0},
		"changetype delete":                    {ann + "changetype: delete\n", "line 2: changetype \"delete\" is a change", 0},
		"changetype modrdn in base64":          {ann + "changetype:: bW9kcmRu\n", "line 2: changetype \"modrdn\" is a change", 0},
		"another version":                      {"version: 2\n" + ann, "line 1: version must be 1", 0},
		"a value elsewhere":                    {ann + "jpegPhoto:< file:///etc/passwd\n", "line 2: attribute \"jpegPhoto\": values in other files (:<) are not read", 0},
		"a dn elsewhere":                       {"dn:< file:///etc/passwd\n", "line 1: attribute \"dn\": values in other files (:<) are not read", 0},
		"bad base64":                           {ann + "sn:: ?\n", "line 2: attribute \"sn\": the value after :: is not base64", 0},
		"base64 without its padding":           {ann + "sn:: YQ\n", "line 2: attribute \"sn\": the value after :: is not base64", 0},
		"bad base64 in the dn":                 {"dn:: ***\n", "line 1: attribute \"dn\": the value after :: is not base64", 0},
		"bad base64, folded":                   {ann + "sn: a\ntitle:: YW5u\n YW5\n", "line 3: attribute \"title\": the value after :: is not base64", 0},
		"invalid UTF-8 in the dn":              {ann + "\ndn: CN=L\xe9e,DC=x\n", "line 3: dn is not valid UTF-8", 1},
		"invalid UTF-8 in a base64 dn":         {"dn:: Q0496Q==\n", "line 1: dn is not valid UTF-8", 0},
		"a line without a colon":               {ann + "mail\n", "line 2: must be of the form name: value", 0},
		"a line without a name":                {ann + ": ann\n", "line 2: must be of the form name: value", 0},
		"a value broken without a fold":        {ann + "description: one\ntwo three: four\n", "line 3: must be of the form name: value", 0},
		"an address where a name should be":    {"ann@x.example: a\n", "line 1: must be of the form name: value", 0},
		"a fold with nothing before":           {" dn: CN=Ann,DC=x\n", "line 1: must be of the form name: value", 0},
		"a fold after a blank line":            {ann + "\n sn: a\n", "line 3: must be of the form name: value", 1},
		"a byte order mark":                    {"\ufeff" + ann, "line 1: must be of the form name: value", 0},
		"UTF-16":                               {"\xff\xfed\x00n\x00:\x00 \x00C\x00\n\x00", "the file is UTF-8 without a byte order mark", 0},
		"a line longer than any value":         {ann + "sn: " + strings.Repeat("a", maxLDIFLine+(64<<10)) + "\n", "line 2: the line is longer than 16 MiB", 0},
		"a folded value longer than any value": {ann + "sn: a\n" + strings.Repeat(" "+strings.Repeat("a", 1<<20)+"\n", 17), "line 2: the value is longer than 16 MiB", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := entries(c.text)
			wantMessage(t, err, c.message)
			if err != nil && !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("the message %.80q does not begin with the line", err)
			}
			if len(got) != c.read {
				t.Errorf("%d records were read, want %d", len(got), c.read)
			}
			for _, private := range []string{"ann@", "CN=", "three"} {
				if err != nil && strings.Contains(err.Error(), private) {
					t.Errorf("the message %q tells %q", err, private)
				}
			}
		})
	}
}

func TestLDIFWithinTheLimitIsRead(t *testing.T) {
	t.Parallel()
	photo := strings.Repeat("a", 8<<20)
	got, err := entries("dn: CN=Ann,DC=x\njpegPhoto: " + photo + "\nsn: Lee\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || string(got[0].Attributes["jpegphoto"][0]) != photo || string(got[0].Attributes["sn"][0]) != "Lee" {
		t.Error("the long value or what follows it is not as written")
	}
}

var errDisk = errors.New("the disk is broken")

func TestLDIFReadErrorsNameTheLine(t *testing.T) {
	t.Parallel()
	r := io.MultiReader(strings.NewReader("dn: CN=Ann,DC=x\nsn: Lee\n"), failing{})
	err := parseLDIF(context.Background(), r, func(directory.Entry) error { return nil })
	wantMessage(t, err, "line 2: read: the disk is broken")
	if !errors.Is(err, errDisk) {
		t.Errorf("%v does not wrap its cause", err)
	}
}

// failing is a reader that cannot read.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

func TestLDIFStopsWhenTheRunStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	read := 0
	err := parseLDIF(ctx, &generator{records: 1000}, func(directory.Entry) error {
		if read++; read == 10 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || read != 10 {
		t.Errorf("got %v after %d records", err, read)
	}
}

func TestLDIFVisitorsErrorEndsTheRead(t *testing.T) {
	t.Parallel()
	read := 0
	err := parseLDIF(context.Background(), &generator{records: 1000}, func(directory.Entry) error {
		read++
		return errDisk
	})
	if !errors.Is(err, errDisk) || read != 1 {
		t.Errorf("got %v after %d records", err, read)
	}
}

func TestLDIFFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct{ path, message string }{
		"missing":  {filepath.Join(folder, "missing.ldif"), "check the collector's ldif path"},
		"a folder": {folder, "read: "},
		"empty":    {write("empty.ldif", ""), "empty.ldif: line 1: the file is empty"},
		"cut off":  {write("cut.ldif", "dn: CN=A"), "cut.ldif: line 1: the file ends in the middle of a line"},
		"good":     {write("good.ldif", "dn: CN=A\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := readLDIF(context.Background(), c.path, func(directory.Entry) error { return nil })
			if c.message == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantMessage(t, err, c.message)
		})
	}
}

// The policy in a domain's own entry, which an export of the domain begins with, is for the
// entries after it; the entry itself is no account.
func TestLDIFPolicyOfTheDomain(t *testing.T) {
	t.Parallel()
	const guid = "objectGUID:: 4AQlP4lP0xGaDAMF6Cwz4Q==\n"
	path := filepath.Join(t.TempDir(), "domain.ldif")
	if err := os.WriteFile(path, []byte("dn: DC=x\nobjectClass: domainDNS\nmaxPwdAge: -36288000000000\n\n"+
		"dn: OU=Staff,DC=x\nobjectClass: organizationalUnit\n\n"+
		"dn: CN=Ann,OU=Staff,DC=x\nobjectClass: user\nuserAccountControl: 512\npwdLastSet: 134327232000000000\n"+guid), 0o600); err != nil {
		t.Fatal(err)
	}
	var read []User
	k := Collector{LDIF: path, Rules: rules()}
	policy := Policy{FineGrained: map[string]int64{}}
	err := k.readFile(context.Background(), &policy, func(e directory.Entry) error {
		u, isAccount, err := k.Rules.User(e, policy)
		if isAccount {
			read = append(read, u)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != 1 || read[0].PasswordState != "estimated" {
		t.Fatalf("got %+v", read)
	}
	if got := read[0].PasswordExpires.Sub(*read[0].LastPasswordReset).Hours(); got != 42*24 {
		t.Errorf("the password lasts %v hours, want 42 days", got)
	}
}

var filler = strings.Repeat("a", 100)

// generator writes an LDIF file while it is read.
type generator struct {
	records int // how many there are
	written int // how many have been written so far
	pending []byte
}

func (g *generator) Read(p []byte) (int, error) {
	for len(g.pending) == 0 {
		if g.written == g.records {
			return 0, io.EOF
		}
		g.pending = fmt.Appendf(nil, "dn: CN=Person %d,OU=Staff,DC=contoso,DC=example\nobjectClass: user\nmail: person%d@contoso.example\n"+
			"description: "+filler+"\n\n", g.written, g.written)
		g.written++
	}
	n := copy(p, g.pending)
	g.pending = g.pending[n:]
	return n, nil
}

// A directory is never in memory as a whole: the parser is never further ahead than its buffer,
// and what it has delivered is not kept. The heap is measured, so this test runs alone.
//
//nolint:paralleltest // see above
func TestLDIFIsStreamed(t *testing.T) {
	const records, recordBytes, buffer, tolerated = 200_000, 200, 64 << 10, 4 << 20
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	g := &generator{records: records}
	before, peak := heap(), uint64(0)
	visited, ahead := 0, 0
	err := parseLDIF(context.Background(), g, func(directory.Entry) error {
		visited++
		ahead = max(ahead, g.written-visited)
		if visited%(records/8) == 0 {
			peak = max(peak, heap())
		}
		return nil
	})
	if err != nil || visited != records {
		t.Fatalf("read %d records: %v", visited, err)
	}
	if limit := 2 * buffer / recordBytes; ahead > limit {
		t.Errorf("the parser is %d records ahead, want at most %d", ahead, limit)
	}
	if grown := int64(min(peak, math.MaxInt64)) - int64(min(before, math.MaxInt64)); grown > tolerated {
		t.Errorf("the heap grew by %d KiB, want at most %d", grown>>10, tolerated>>10)
	}
}
