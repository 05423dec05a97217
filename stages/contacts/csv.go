package contacts

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// loadCSV makes the record of each row from the configured columns (RFC 4180 with a header line;
// everything is text). DuckDB's reader guesses at a file's form, and leaves rows out that do not
// fit its guess.
func (s Source) loadCSV(ctx context.Context, w *recordWriter) (err error) {
	file, err := os.Open(s.Path)
	if err != nil {
		return fmt.Errorf("open it: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text := bufio.NewReader(file)
	if mark, _ := text.Peek(len(byteOrderMark)); bytes.Equal(mark, byteOrderMark) {
		_, _ = text.Discard(len(mark)) // it is in the buffer
	}
	rows := csv.NewReader(text)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("is empty; export it with a line of column names")
	}
	if err != nil {
		return explainCSV(err)
	}
	columns, err := findColumns(header, s.Columns)
	if err != nil {
		return err
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return explainCSV(err)
		}
		for i, value := range row {
			if line, _ := rows.FieldPos(i); !utf8.ValidString(value) {
				return fmt.Errorf("line %d is not valid UTF-8: export the file as UTF-8", line)
			}
		}
		record, err := json.Marshal(columns.record(row, s.Organizations[0]))
		if err != nil {
			return fmt.Errorf("encode a record: %w", err)
		}
		if err := w.add(ctx, record); err != nil {
			return err
		}
	}
}

// explainCSV says what is wrong with a line, and nothing of what it holds.
func explainCSV(err error) error {
	var wrong *csv.ParseError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("read it: %w", err)
	}
	advice := "export the file anew"
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		return fmt.Errorf("line %d has more or fewer fields than the first line; put values with commas in quotes, or %s", wrong.Line, advice)
	case errors.Is(err, csv.ErrQuote) && wrong.StartLine != wrong.Line:
		return fmt.Errorf("line %d: the quotes that open on line %d do not close rightly; %s", wrong.Line, wrong.StartLine, advice)
	case errors.Is(err, csv.ErrQuote), errors.Is(err, csv.ErrBareQuote):
		return fmt.Errorf("line %d: quotes stand in the middle of a value; double them and put the value in quotes, or %s", wrong.Line, advice)
	default:
		return fmt.Errorf("line %d: %w; %s", wrong.Line, wrong.Err, advice)
	}
}

// places are the columns' numbers; -1 is for a field that the file does not have.
type places struct {
	id, organization, firstName, lastName, title, contactType, location, psaID, externalKey, updatedAt int

	emails, phones []int
}

// findColumns finds the configured headers; each must be there once.
func findColumns(header []string, c Columns) (places, error) {
	count, number := map[string]int{}, map[string]int{}
	for i, name := range header {
		name = strings.TrimSpace(name)
		count[name]++
		number[name] = i
	}
	var problem error
	find := func(name string) int {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			return -1
		case count[name] == 0 && problem == nil:
			problem = fmt.Errorf("has no column %q; correct contacts.csv.columns in the configuration, or the file's header", name)
		case count[name] > 1 && problem == nil:
			problem = fmt.Errorf("has %d columns %q; give each a name of its own in the file's header", count[name], name)
		}
		return number[name]
	}
	all := func(names []string) []int {
		found := make([]int, len(names))
		for i, name := range names {
			found[i] = find(name)
		}
		return found
	}
	return places{
		id: find(c.ID), organization: find(c.OrganizationID), firstName: find(c.FirstName), lastName: find(c.LastName),
		title: find(c.Title), contactType: find(c.ContactType), location: find(c.Location),
		psaID: find(c.PSAID), externalKey: find(c.ExternalKey), updatedAt: find(c.UpdatedAt),
		emails: all(c.Emails), phones: all(c.Phones),
	}, problem
}

// record is a row as a line of contacts.jsonl has it. Without a column for the organization the
// row belongs to the one given.
func (p places) record(row []string, organization int64) map[string]any {
	text := func(place int) any {
		if place < 0 || strings.TrimSpace(row[place]) == "" {
			return nil
		}
		return strings.TrimSpace(row[place])
	}
	// What is no whole number stays text, and is refused by validate.sql.
	number := func(place int) any {
		value := text(place)
		if digits, ok := value.(string); ok {
			if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
				return n
			}
		}
		return value
	}
	list := func(places []int) []any {
		values := make([]any, len(places)) // a blank one keeps its place
		for i, place := range places {
			values[i] = map[string]any{"value": text(place), "primary": i == 0}
		}
		return values
	}
	record := map[string]any{
		"id": number(p.id), "organization_id": organization,
		"first_name": text(p.firstName), "last_name": text(p.lastName), "title": text(p.title),
		"contact_type": text(p.contactType), "location": text(p.location),
		"emails": list(p.emails), "phones": list(p.phones),
		"psa_id": text(p.psaID), "external_key": text(p.externalKey), "updated_at": text(p.updatedAt),
	}
	if p.organization >= 0 {
		record["organization_id"] = number(p.organization)
	}
	return record
}
