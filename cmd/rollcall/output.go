package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// formatFlag adds --format to a verb that lists.
func formatFlag(verb *cobra.Command) *string {
	return verb.Flags().String("format", "table", "table, csv or json")
}

// list runs a query and writes its rows.
func list(ctx context.Context, w io.Writer, db *sql.DB, format, query string, args ...any) (err error) {
	if _, err := formatOf(format); err != nil {
		return err
	}
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	var all [][]any
	for rows.Next() {
		values := make([]any, len(columns))
		places := make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return fmt.Errorf("query: %w", err)
		}
		all = append(all, values)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("query: %w", err)
	}
	return write(w, format, columns, all)
}

// write writes rows in the format that was asked for.
func write(w io.Writer, format string, columns []string, rows [][]any) error {
	as, err := formatOf(format)
	if err != nil {
		return err
	}
	return as(w, columns, rows)
}

func formatOf(format string) (func(io.Writer, []string, [][]any) error, error) {
	as, ok := map[string]func(io.Writer, []string, [][]any) error{"table": writeTable, "csv": writeCSV, "json": writeJSON}[format]
	if !ok {
		return nil, usagef("--format must be table, csv or json (got %q)", format)
	}
	return as, nil
}

func writeTable(w io.Writer, columns []string, rows [][]any) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(columns, "\t"))
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, value := range row {
			cells[i] = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace(cell(value))
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	_, err := fmt.Fprintf(w, "(%d rows)\n", len(rows))
	return err //nolint:wrapcheck // the writer's own
}

func writeCSV(w io.Writer, columns []string, rows [][]any) error {
	table := csv.NewWriter(w)
	table.UseCRLF = true // RFC 4180
	all := [][]string{columns}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, value := range row {
			cells[i] = cell(value)
		}
		all = append(all, cells)
	}
	return table.WriteAll(all) //nolint:wrapcheck // the writer's own
}

// writeJSON writes one object a row, columns in the query's order.
func writeJSON(w io.Writer, columns []string, rows [][]any) error {
	for _, row := range rows {
		var line strings.Builder
		for i, value := range row {
			if t, ok := value.(time.Time); ok {
				value = cell(t)
			}
			name, err := json.Marshal(columns[i])
			if err != nil {
				return fmt.Errorf("encode %s: %w", columns[i], err)
			}
			text, err := json.Marshal(value)
			if err != nil {
				return fmt.Errorf("encode %s: %w", columns[i], err)
			}
			line.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
			line.Write(name)
			line.WriteByte(':')
			line.Write(text)
		}
		if _, err := fmt.Fprintf(w, "%s}\n", line.String()); err != nil {
			return err //nolint:wrapcheck // the writer's own
		}
	}
	return nil
}

// cell is a value as text: nothing for null, times in UTC.
func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.999999Z")
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = cell(item)
		}
		return strings.Join(parts, " ")
	default:
		return fmt.Sprint(v)
	}
}
