package contacts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"rollcall/pipeline"
	"rollcall/schemas"
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

// load fills raw_contacts with one JSON record for each contact of the source, in the file's
// order.
func (s Source) load(ctx context.Context, store *pipeline.Store, number int64) error {
	if info, err := os.Stat(s.Path); err != nil {
		return fmt.Errorf("contacts %s: %w; check the path", s.name(), err)
	} else if info.IsDir() {
		return fmt.Errorf("contacts %s: is a folder, not a file; check the path", s.name())
	}
	if err := s.read(ctx, store, number); err != nil {
		return fmt.Errorf("contacts %s: %w", s.name(), err)
	}
	return nil
}

func (s Source) read(ctx context.Context, store *pipeline.Store, number int64) error {
	if s.Format == Parquet {
		return s.loadParquet(ctx, store, number)
	}
	w := &recordWriter{Writer: store.Writer(rawContacts), source: number}
	defer w.Release()
	load := s.loadJSONL
	if s.Format == CSV {
		load = s.loadCSV
	}
	if err := load(ctx, w); err != nil {
		return err
	}
	return w.Flush(ctx)
}

// rawContacts are the records of all sources; validate.sql looks at them first.
//
//nolint:gochecknoglobals // a constant, made once
var rawContacts = schemas.Table{
	Name: "raw_contacts", Life: schemas.Read,
	Columns: []schemas.Column{
		{Name: "source", Type: schemas.Int64},
		{Name: "position", Type: schemas.Int64},
		{Name: "record", Type: schemas.String},
	},
}

// recordWriter adds one source's records to raw_contacts.
type recordWriter struct {
	*pipeline.Writer

	source, position int64
}

func (w *recordWriter) add(ctx context.Context, record []byte) error {
	w.position++
	return w.Append(ctx, w.source, w.position, string(record))
}

func (s Source) loadParquet(ctx context.Context, store *pipeline.Store, number int64) error {
	path := "'" + strings.ReplaceAll(s.Path, "'", "''") + "'"
	if err := store.Exec(ctx, "INSERT INTO raw_contacts SELECT ?, row_number() OVER (), to_json(t) FROM read_parquet("+path+") t", number); err != nil {
		// A further line would be a hint on options that nobody can set here.
		text, _, _ := strings.Cut(err.Error(), "\n")
		return errors.New(strings.TrimSpace(text) + " (correct or export the file anew)")
	}
	return nil
}
