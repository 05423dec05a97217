package pipeline

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"rollcall/schemas"
)

// columns of every table that is kept, in words.
const columnsQuery = `SELECT string_agg(concat_ws(' ', table_name, column_name, data_type, is_nullable), chr(10) ORDER BY table_name, column_name)
	FROM duckdb_columns() WHERE NOT internal AND table_name <> 'store_version'`

func columns(t *testing.T, s *Store) (text string) {
	t.Helper()
	err := s.Query(context.Background(), func(scan func(...any) error) error { return scan(&text) }, columnsQuery)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A store of version 1 gets what a new one has, keeps its rows, and is migrated once.
func TestStoreOfVersion1IsMigrated(t *testing.T) {
	t.Parallel()
	ctx, folder := context.Background(), t.TempDir()
	fresh, err := OpenStore(ctx, filepath.Join(folder, "fresh", "store.duckdb"), memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	path := filepath.Join(folder, "old", "store.duckdb")
	old, err := OpenStore(ctx, path, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Exec(ctx, `ALTER TABLE collectors DROP controllers; ALTER TABLE collectors DROP silent_controllers; ALTER TABLE collectors DROP certificate_expires;
		ALTER TABLE run_organizations DROP excluded; ALTER TABLE run_organizations DROP exclusions;
		INSERT INTO collectors VALUES (1001, 'hq', 'complete', NULL, 7, 'run'); UPDATE store_version SET version = 1;`); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := OpenStore(ctx, path, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := columns(t, s), columns(t, fresh); got != want {
			t.Errorf("the tables are\n%s\nand should be\n%s", got, want)
		}
		if n, err := s.Count(ctx, "SELECT sum(users_seen) FROM collectors WHERE controllers IS NULL"); err != nil || n != 7 {
			t.Errorf("the old row is not there: %d, %v", n, err)
		}
		if version, err := s.Count(ctx, "SELECT sum(version) FROM store_version"); err != nil || version != schemas.Version {
			t.Errorf("the version is %d: %v", version, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
