package pipeline

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/duckdb/duckdb-go/v2"

	"rollcall/schemas"
)

// Store is the run's own DuckDB database, on one connection: temporary tables live as long as
// it does. Its methods may be called from several goroutines; they take turns.
type Store struct {
	mu     sync.Mutex
	db     *sql.DB
	conn   *sql.Conn
	memory memory.Allocator
}

// settings make every session the same wherever it runs: times in UTC, no extension fetched
// from anywhere, insertion order kept.
//
//nolint:gochecknoglobals // a constant list
var settings = []string{
	"SET TimeZone = 'UTC'",
	"SET autoinstall_known_extensions = false",
	"SET autoload_known_extensions = false",
	"SET preserve_insertion_order = true",
}

// OpenStore opens or creates the store at path, its folder included.
func OpenStore(ctx context.Context, path string, mem memory.Allocator) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the store's folder: %w", err)
	}
	connector, err := duckdb.NewConnector(path, func(conn driver.ExecerContext) error {
		for _, setting := range settings {
			if _, err := conn.ExecContext(ctx, setting, nil); err != nil {
				return fmt.Errorf("%s: %w", setting, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w; if another program has it open, close that; if the file is damaged, restore state/ from a backup", path, err)
	}
	db := sql.OpenDB(connector)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the store %s: %w; if another program has it open, close that; if the file is damaged, restore state/ from a backup", path, err), db.Close())
	}
	s := &Store{db: db, conn: conn, memory: mem}
	if err := s.prepare(ctx, path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare creates what is missing and checks the version of what is there.
func (s *Store) prepare(ctx context.Context, path string) error {
	if err := s.Exec(ctx, "CREATE TABLE IF NOT EXISTS store_version (version BIGINT NOT NULL)"); err != nil {
		return fmt.Errorf("prepare the store: %w", err)
	}
	version, err := s.Count(ctx, "SELECT COALESCE(max(version), 0) FROM store_version")
	if err != nil {
		return err
	}
	switch {
	case version > schemas.Version:
		return fmt.Errorf("the store %s has version %d, this rollcall writes version %d: use the rollcall that wrote it, or a newer one", path, version, schemas.Version)
	case version == 0:
		ddl := ""
		for _, t := range schemas.Tables() {
			if t.Life != schemas.Read {
				ddl += t.CreateState()
			}
		}
		return s.alter(ctx, ddl, schemas.Version)
	}
	for next := version + 1; next <= schemas.Version; next++ {
		if err := s.alter(ctx, schemas.Migration(next), next); err != nil {
			return err
		}
	}
	return nil
}

// alter brings the tables to a version, in one transaction: a start that is killed has done all of
// it or nothing.
func (s *Store) alter(ctx context.Context, ddl string, version int64) error {
	err := s.Exec(ctx, fmt.Sprintf("BEGIN;\n%s\nDELETE FROM store_version;\nINSERT INTO store_version VALUES (%d);\nCOMMIT;", ddl, version))
	if err != nil {
		rollback := s.Exec(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(fmt.Errorf("bring the store's tables to version %d: %w", version, err), rollback)
	}
	return nil
}

// CreateRunTables makes the temporary tables that the extractors and stages fill, empty.
func (s *Store) CreateRunTables(ctx context.Context) error {
	ddl := ""
	for _, t := range schemas.Tables() {
		if t.Life != schemas.Engine {
			ddl += t.CreateTemporary()
		}
	}
	if err := s.Exec(ctx, ddl); err != nil {
		return fmt.Errorf("create the run's tables: %w", err)
	}
	return nil
}

// Exec runs one or more statements; arguments are bound to the last.
func (s *Store) Exec(ctx context.Context, query string, args ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.conn.ExecContext(ctx, query, args...)
	return err //nolint:wrapcheck // every caller names the action
}

// Count runs a query that yields one number; NULL counts as 0.
func (s *Store) Count(ctx context.Context, query string, args ...any) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n sql.NullInt64
	if err := s.conn.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return n.Int64, nil
}

// Query runs a query and calls row for every row of the result, with a function that scans it.
// row must not use the store.
func (s *Store) Query(ctx context.Context, row func(scan func(...any) error) error, query string, args ...any) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// raw gives f the driver's connection, for what database/sql has no call for; the caller holds
// the lock.
func (s *Store) raw(f func(conn *duckdb.Conn) error) error {
	//nolint:wrapcheck // f's own error
	return s.conn.Raw(func(c any) error {
		conn, ok := c.(*duckdb.Conn)
		if !ok {
			return fmt.Errorf("the store's driver is %T, not DuckDB's", c)
		}
		return f(conn)
	})
}

// Functions registers scalar functions for the scripts that follow.
func (s *Store) Functions(functions map[string]duckdb.ScalarFunc) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, f := range functions {
		if err := duckdb.RegisterScalarUDF(s.conn, name, f); err != nil {
			return fmt.Errorf("register the function %s: %w", name, err)
		}
	}
	return nil
}

// Close ends the connection; DuckDB folds its log into the file.
func (s *Store) Close() error {
	return errors.Join(s.conn.Close(), s.db.Close())
}
