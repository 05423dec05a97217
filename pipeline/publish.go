package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"rollcall/schemas"
)

// publish writes the analysts' file beside its place and renames it over the old one: a reader
// that has the old one open keeps it, a new reader sees the new one, nobody sees half of one.
// It returns the rows published.
func (e *Engine) publish(ctx context.Context, s *Store) (int64, error) {
	folder := filepath.Join(e.DataDir, "published")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return 0, fmt.Errorf("create the folder: %w", err)
	}
	partial := filepath.Join(folder, "rollcall.duckdb.partial")
	for _, leftover := range []string{partial, partial + ".wal"} {
		if err := os.Remove(leftover); err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, fmt.Errorf("remove a leftover: %w", err)
		}
	}
	rows, err := s.copyPublished(ctx, partial)
	if err != nil {
		return 0, err
	}
	e.checkpoint("inside publish")
	if err := forceToDisk(partial); err != nil {
		return 0, err
	}
	if err := replaceFile(partial, filepath.Join(folder, "rollcall.duckdb")); err != nil {
		return 0, err
	}
	e.checkpoint("after publish")
	return rows, nil
}

// copyPublished makes a new database file with every published table and view. USE makes the
// new file the place where the views find their tables.
func (s *Store) copyPublished(ctx context.Context, path string) (rows int64, err error) {
	home, err := s.catalog(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.Exec(ctx, "ATTACH '"+strings.ReplaceAll(path, "'", "''")+"' AS published"); err != nil {
		return 0, fmt.Errorf("create the file: %w", err)
	}
	// DETACH folds the log into the file; it must follow on failure too, or the store could
	// not be published again.
	defer func() {
		if detach := s.Exec(context.WithoutCancel(ctx), "USE "+home+"; DETACH published"); detach != nil {
			err = errors.Join(err, fmt.Errorf("close the file: %w", detach))
		}
	}()
	// One transaction: each statement on its own would be forced to disk.
	if err := s.Exec(ctx, "BEGIN TRANSACTION"); err != nil {
		return 0, fmt.Errorf("begin: %w", err)
	}
	rows, err = s.fillPublished(ctx, home)
	if err != nil {
		return 0, errors.Join(err, s.Exec(context.WithoutCancel(ctx), "ROLLBACK"))
	}
	if err := s.Exec(ctx, "COMMIT"); err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	return rows, nil
}

func (s *Store) fillPublished(ctx context.Context, home string) (rows int64, err error) {
	for _, t := range schemas.Tables() {
		if !t.Published {
			continue
		}
		columns := t.ColumnList()
		if err := s.Exec(ctx, t.CreatePublished("published")+
			"INSERT INTO published.main."+t.Name+" SELECT "+columns+" FROM "+home+".main."+t.Name); err != nil {
			return 0, fmt.Errorf("copy %s: %w", t.Name, err)
		}
		n, err := s.Count(ctx, "SELECT count(*) FROM published.main."+t.Name)
		if err != nil {
			return 0, err
		}
		rows += n
	}
	if err := s.Exec(ctx, "USE published"); err != nil {
		return 0, fmt.Errorf("turn to the file: %w", err)
	}
	for _, v := range schemas.Views() {
		if err := s.Exec(ctx, v.Create()); err != nil {
			return 0, fmt.Errorf("create the view %s: %w", v.Name, err)
		}
	}
	return rows, nil
}

// catalog is the name DuckDB gave the store's database.
func (s *Store) catalog(ctx context.Context) (string, error) {
	var name string
	err := s.Query(ctx, func(scan func(...any) error) error { return scan(&name) }, "SELECT current_database()")
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`, err
}

func forceToDisk(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", filepath.Base(path), err)
	}
	if err := errors.Join(file.Chmod(0o600), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("force %s to disk: %w", filepath.Base(path), err)
	}
	return nil
}
