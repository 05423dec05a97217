package contacts

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"rollcall/pipeline"
)

// Format is how a contact source is written.
type Format string

// The formats that can be read.
const (
	JSONL   Format = "jsonl"
	CSV     Format = "csv"
	Parquet Format = "parquet"
)

// Input is a file of contacts.
type Input struct {
	Format Format
	Path   string
	// Columns name the headers of a CSV file.
	Columns Columns
}

// Columns name the header that holds each field of a contact in a CSV file. Only ID is needed.
// Without OrganizationID every row belongs to the organization that names the file. The first of
// Emails and of Phones is the primary one.
type Columns struct {
	ID             string   `yaml:"id"`
	OrganizationID string   `yaml:"organization_id"`
	FirstName      string   `yaml:"first_name"`
	LastName       string   `yaml:"last_name"`
	Title          string   `yaml:"title"`
	ContactType    string   `yaml:"contact_type"`
	Location       string   `yaml:"location"`
	Emails         []string `yaml:"emails"`
	Phones         []string `yaml:"phones"`
	PSAID          string   `yaml:"psa_id"`
	ExternalKey    string   `yaml:"external_key"`
	UpdatedAt      string   `yaml:"updated_at"`
}

// Source is an input with the organizations that it is read for. Rows of other organizations
// are left to them.
type Source struct {
	Input

	Organizations []int64
}

// name is the file as messages call it.
func (s Source) name() string { return filepath.Base(s.Path) }

// load fills raw_contacts with one JSON record for each contact of the source.
func (s Source) load(ctx context.Context, store *pipeline.Store, number int64) error {
	if info, err := os.Stat(s.Path); err != nil {
		return fmt.Errorf("contacts %s: %w; check the path", s.name(), err)
	} else if info.IsDir() {
		return fmt.Errorf("contacts %s: is a folder, not a file; check the path", s.name())
	}
	if s.Format != Parquet {
		if err := checkText(s.Path); err != nil {
			return fmt.Errorf("contacts %s: %w", s.name(), err)
		}
	}
	query, err := s.query(ctx, store)
	if err != nil {
		return fmt.Errorf("contacts %s: %w", s.name(), err)
	}
	if err := store.Exec(ctx, "INSERT INTO raw_contacts SELECT ?, row_number() OVER (), record FROM ("+query+")", number); err != nil {
		return fmt.Errorf("contacts %s: %w", s.name(), readable(err))
	}
	return nil
}

// query yields the column record, one JSON object a contact, in the file's order.
func (s Source) query(ctx context.Context, store *pipeline.Store) (string, error) {
	path := literal(s.Path)
	switch s.Format {
	case JSONL:
		return "SELECT json AS record FROM read_ndjson_objects(" + path + ")", nil
	case Parquet:
		return "SELECT to_json(t) AS record FROM read_parquet(" + path + ") t", nil
	case CSV:
		return s.csvQuery(ctx, store)
	default:
		return "", fmt.Errorf("format %q is not known", s.Format)
	}
}

// readable keeps what DuckDB says of a file, without its hints on options that rollcall's users
// cannot set and without excerpts of the file, which is personal data.
func readable(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	text, _, _ = strings.Cut(text, " Try ")
	for _, excerpt := range []string{"Original Line", "CSV Error on Line"} {
		text, _, _ = strings.Cut(text, excerpt)
	}
	return errors.New(strings.TrimSpace(text) + " (correct or export the file anew)")
}

// checkText makes sure that a text file is UTF-8 and was not cut off, and says where it is not.
func checkText(path string) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open it: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	number := 0
	for lines.Scan() {
		number++
		if !utf8.Valid(lines.Bytes()) {
			return fmt.Errorf("line %d is not valid UTF-8: export the file as UTF-8", number)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	return nil
}

// maxLine bounds a line of a text file, in bytes.
const maxLine = 16 << 20

// lineOf is the number of the line that holds the n-th record of a JSONL file; blank lines hold
// none.
func lineOf(path string, record int64) int64 {
	file, err := os.Open(path)
	if err != nil {
		return record
	}
	defer file.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	var line, records int64
	for lines.Scan() {
		line++
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if records++; records == record {
			return line
		}
	}
	return record
}

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// headers are the columns of a CSV file.
func headers(ctx context.Context, store *pipeline.Store, reader string) (map[string]bool, error) {
	found := map[string]bool{}
	err := store.Query(ctx, func(scan func(...any) error) error {
		var name string
		var rest [5]sql.NullString
		if err := scan(&name, &rest[0], &rest[1], &rest[2], &rest[3], &rest[4]); err != nil {
			return err
		}
		found[name] = true
		return nil
	}, "DESCRIBE SELECT * FROM "+reader)
	if err != nil {
		return nil, readable(err)
	}
	return found, nil
}
