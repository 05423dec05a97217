package push

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"rollcall/pipeline"
	"rollcall/schemas"
)

// envelope is one row of contacts.jsonl. It holds no clock time, so the same input gives the
// same bytes.
type envelope struct {
	Op       string          `json:"op"`
	Key      string          `json:"key"`
	TargetID *string         `json:"target_id"`
	Before   json.RawMessage `json:"before"`
	After    json.RawMessage `json:"after"`
	Changed  []string        `json:"changed"`
}

// envelopeColumns describe the envelope in the manifest.
//
//nolint:gochecknoglobals // a constant table
var envelopeColumns = []schemas.Column{
	{Name: "op", Type: schemas.String, Description: "c creates a contact, u updates one."},
	{Name: "key", Type: schemas.String, Description: "Stable key of the row: contact_key of a creation, contact-<contact_id> of an update."},
	{Name: "target_id", Type: schemas.String, Nullable: true, Description: "The PSA's id of the contact; null for a creation."},
	{Name: "before", Type: schemas.String, Nullable: true, Description: "Changed fields as they were; null for a creation."},
	{Name: "after", Type: schemas.String, Description: "Changed fields as they are to be."},
	{Name: "changed", Type: schemas.TextList, Description: "Names of the changed fields."},
}

// exceptionColumns describe exceptions.csv. It is for people, so no cell may start a formula.
//
//nolint:gochecknoglobals // a constant table
var exceptionColumns = []schemas.Column{
	{Name: "key", Type: schemas.String, Description: "Stable key of the row."},
	{Name: "op", Type: schemas.String, Description: "c or u."},
	{Name: "reason", Type: schemas.String, Description: "Why the row was not pushed."},
	{Name: "changed", Type: schemas.String, Description: "Fields of the row."},
}

type row struct {
	organization                        int64
	psa, key, op, before, after, reason sql.NullString
	target                              sql.NullString
	changed                             []string
}

// Files writes the push files of a committed run: for each organization with rows,
// push/<psa>/<organization_id>/contacts.jsonl and exceptions.csv.
func Files(ctx context.Context, s *pipeline.Store, runID string, files *pipeline.Files) error {
	var open *set
	err := s.Query(ctx, func(scan func(...any) error) error {
		var r row
		var changed duckdb.Composite[[]string]
		if err := scan(&r.organization, &r.psa, &r.key, &r.op, &r.target, &r.before, &r.after, &changed, &r.reason); err != nil {
			return fmt.Errorf("read a push row: %w", err)
		}
		r.changed = changed.Get()
		// psa is one of a fixed list and the organization a number: both are safe in a path.
		folder := fmt.Sprintf("push/%s/%d", r.psa.String, r.organization)
		if open == nil || open.folder != folder {
			if err := open.finish(); err != nil {
				return err
			}
			var err error
			if open, err = newSet(files, folder); err != nil {
				return err
			}
		}
		return open.write(r)
	}, `SELECT organization_id, psa, "key", op, target_id, "before", "after", changed, reason
		FROM push_rows WHERE run_id = ? ORDER BY psa, organization_id, "key"`, runID)
	return errors.Join(err, open.finish())
}

// set is the pair of files of one organization.
type set struct {
	folder     string
	contacts   *pipeline.FileWriter
	exceptions *pipeline.FileWriter
	table      *csv.Writer
}

func newSet(files *pipeline.Files, folder string) (*set, error) {
	contacts, err := files.Create(folder+"/contacts.jsonl", "application/x-ndjson", envelopeColumns)
	if err != nil {
		return nil, err
	}
	exceptions, err := files.Create(folder+"/exceptions.csv", "text/csv", exceptionColumns)
	if err != nil {
		return nil, err
	}
	table := csv.NewWriter(exceptions)
	table.UseCRLF = true // RFC 4180
	s := &set{folder: folder, contacts: contacts, exceptions: exceptions, table: table}
	header := make([]string, len(exceptionColumns))
	for i, c := range exceptionColumns {
		header[i] = c.Name
	}
	return s, s.table.Write(header) //nolint:wrapcheck // to memory
}

func (s *set) write(r row) error {
	if r.reason.Valid {
		s.exceptions.Rows++
		return s.table.Write([]string{r.key.String, r.op.String, r.reason.String, strings.Join(r.changed, " ")}) //nolint:wrapcheck // to memory
	}
	e := envelope{Op: r.op.String, Key: r.key.String, Before: json.RawMessage("null"), After: json.RawMessage(r.after.String), Changed: r.changed}
	if r.target.Valid {
		e.TargetID = &r.target.String
	}
	if r.before.Valid {
		e.Before = json.RawMessage(r.before.String)
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode %s: %w", e.Key, err)
	}
	s.contacts.Rows++
	if _, err := s.contacts.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", s.folder, err)
	}
	return nil
}

// finish completes both files; a nil set has none.
func (s *set) finish() error {
	if s == nil {
		return nil
	}
	s.table.Flush()
	return errors.Join(s.table.Error(), s.contacts.Finish(), s.exceptions.Finish())
}
