package jobs

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	// The driver registers itself under the name duckdb.
	_ "github.com/duckdb/duckdb-go/v2"
)

//go:embed transcript.sql
var transcriptSQL string

// transcript is everything that a night produced, as text to be compared.
type transcript struct {
	strings.Builder

	folder string
}

// section adds a part; the case's folder, which differs from run to run, is called DIR.
func (t *transcript) section(name, text string) {
	fmt.Fprintf(t, "-- %s --\n%s", name, strings.ReplaceAll(text, t.folder, "DIR"))
}

// published adds the analysts' tables: each query of transcript.sql is a section, named by the
// comment above it.
func (t *transcript) published(ctx context.Context, dataDir string) (err error) {
	db, err := sql.Open("duckdb", filepath.Join(dataDir, "published", "rollcall.duckdb")+"?access_mode=read_only")
	if err != nil {
		return fmt.Errorf("open the published file: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for part := range strings.SplitSeq(transcriptSQL, ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, query, _ := strings.Cut(strings.TrimPrefix(part, "-- "), "\n")
		text, err := rowsAsText(ctx, db, query)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		t.section(name, text)
	}
	return nil
}

func rowsAsText(ctx context.Context, db *sql.DB, query string) (text string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var b strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return "", err
		}
		b.WriteString(line + "\n")
	}
	return b.String(), rows.Err()
}

// files adds the run's text files. Parquet says the same as the JSON lines beside it, and the
// manifest holds its hash, which changes with DuckDB's version.
func (t *transcript) files(folder string) error {
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, ".parquet") || entry.Name() == "datapackage.json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		t.section(filepath.ToSlash(name), string(text))
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the run's files: %w", err)
	}
	return nil
}
