package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	// The driver registers itself under the name duckdb.
	_ "github.com/duckdb/duckdb-go/v2"

	"rollcall/jobs"
)

// onPublished runs f on the analysts' file of the configuration.
func (a *app) onPublished(ctx context.Context, f func(db *sql.DB) error) (err error) {
	config, err := a.config()
	if err != nil {
		return err
	}
	db, err := openPublished(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return f(db)
}

// openPublished opens the analysts' file for reading. A run that publishes meanwhile replaces
// the file; this reader keeps the one it has.
func openPublished(ctx context.Context, config *jobs.Config) (*sql.DB, error) {
	path := filepath.Join(config.DataDir, "published", "rollcall.duckdb")
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("nothing is published yet in %s: run a job first, such as `rollcall run nightly`", config.DataDir)
		}
		return nil, fmt.Errorf("open the published file: %w", err)
	}
	db, err := sql.Open("duckdb", path+"?access_mode=read_only&autoinstall_known_extensions=false")
	if err != nil {
		return nil, fmt.Errorf("open the published file: %w", err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "SET TimeZone = 'UTC'"); err != nil {
		return nil, errors.Join(fmt.Errorf("open the published file: %w", err), db.Close())
	}
	return db, nil
}
