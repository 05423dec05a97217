package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"rollcall/jobs"
	"rollcall/stages/match"
)

// readRequests reads a CSV file of decisions to take, such as an edited list of
// `rollcall users --format csv`. A column says whom: object_guid, or user; organization_id,
// contact_id and reason are read where they are; all others are left alone.
func readRequests(path, action string, organization int64, reason string) ([]jobs.Request, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("read the file of --from: %w", err)
	}
	refuse := func(line int, format string, args ...any) error {
		return usagef("%s:%d: "+format, append([]any{filepath.Base(path), line}, args...)...)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		return nil, refuse(1, "is not UTF-8 text; save it as CSV UTF-8")
	}
	rows := csv.NewReader(bytes.NewReader(text))
	if first, _, _ := bytes.Cut(text, []byte("\n")); !bytes.Contains(first, []byte(",")) && bytes.Contains(first, []byte(";")) {
		rows.Comma = ';' // as spreadsheets of many countries write it
	}
	header, err := rows.Read()
	if err != nil {
		return nil, refuse(1, "cannot be read as CSV with a header: %v", err)
	}
	columns := map[string]int{}
	for i, name := range header {
		columns[strings.ToLower(strings.TrimSpace(name))] = i
	}
	whom, known := columns["object_guid"]
	if !known {
		if whom, known = columns["user"]; !known {
			return nil, refuse(1, "no column object_guid, nor user; `rollcall users --format csv` writes one")
		}
	}
	if _, known := columns["contact_id"]; action == match.ActionMatch && !known {
		return nil, refuse(1, "no column contact_id, which a match needs")
	}
	var requests []jobs.Request
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var malformed *csv.ParseError
		if errors.As(err, &malformed) {
			return nil, refuse(malformed.Line, "cannot be read as CSV: %v", malformed.Err)
		}
		if err != nil {
			return nil, usagef("read the file of --from: %w", err)
		}
		line, _ := rows.FieldPos(0)
		value := func(name string) string {
			if i, known := columns[name]; known {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		r := jobs.Request{Action: action, User: strings.TrimSpace(row[whom]), Organization: organization, Reason: value("reason"), Place: fmt.Sprintf("%s:%d", filepath.Base(path), line)}
		if reason != "" || isReason(r.Reason) {
			r.Reason = reason // the list's own column of that name says why a user is unmatched
		}
		if text := value("organization_id"); text != "" {
			if r.Organization, err = strconv.ParseInt(text, 10, 64); err != nil {
				return nil, refuse(line, "organization_id must be a whole number (got %q)", text)
			}
		}
		if action == match.ActionMatch {
			text := value("contact_id")
			if text == "" {
				continue // not edited
			}
			if r.Contact, err = strconv.ParseInt(text, 10, 64); err != nil {
				return nil, refuse(line, "contact_id must be a whole number (got %q)", text)
			}
		}
		requests = append(requests, r)
	}
	return requests, nil
}

// isReason tells whether a text is one of the reasons of an unmatched user.
func isReason(text string) bool { return reasonInWords(text) != "" }
