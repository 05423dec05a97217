package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/rs/zerolog"

	"rollcall/pipeline"
	"rollcall/schemas"
)

// newEngine is an engine on an empty folder. Its record batches are checked to be released.
func newEngine(t *testing.T) *pipeline.Engine {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return &pipeline.Engine{DataDir: t.TempDir(), Clock: time.Now, Memory: mem, Log: zerolog.Nop()}
}

func idle(name string) pipeline.Stage {
	return pipeline.Stage{Name: name, Run: func(context.Context, *pipeline.Run) (int64, error) { return 0, nil }}
}

// recipe is a job of one stage.
func recipe(stage func(ctx context.Context, r *pipeline.Run) error) pipeline.Recipe {
	return pipeline.Recipe{Job: "test", Account: idle("account"), Stages: []pipeline.Stage{{
		Name: "work", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) { return 0, stage(ctx, r) },
	}}}
}

func at(day int) pipeline.Options {
	return pipeline.Options{Now: time.Date(2026, 11, day, 2, 0, 0, 0, time.UTC), Organizations: []int64{1, 2}}
}

// More rows than one batch holds arrive, all of them, and nulls stay nulls.
func TestWriterMovesEveryRow(t *testing.T) {
	t.Parallel()
	const rows = 20_000
	_, err := newEngine(t).Run(t.Context(), recipe(func(ctx context.Context, r *pipeline.Run) error {
		w := r.Store.Writer(schemas.ReadUserAliases)
		defer w.Release()
		for i := range rows {
			if err := w.Append(ctx, int64(1), "hq", fmt.Sprint(i), fmt.Sprintf("a%d@x.example", i)); err != nil {
				return err
			}
		}
		if err := w.Flush(ctx); err != nil {
			return err
		}
		n, err := r.Store.Count(ctx, "SELECT count(DISTINCT object_guid) FROM read_user_aliases")
		if n != rows || w.Rows() != rows {
			t.Errorf("%d rows in the table, %d written, want %d", n, w.Rows(), rows)
		}
		return err
	}), at(1))
	if err != nil {
		t.Fatal(err)
	}
}

// A value that does not fit its column is refused before it gets to DuckDB.
func TestWriterRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	_, err := newEngine(t).Run(t.Context(), recipe(func(ctx context.Context, r *pipeline.Run) error {
		w := r.Store.Writer(schemas.ReadUserAliases)
		defer w.Release()
		if err := w.Append(ctx, int64(1), "hq"); err == nil || !strings.Contains(err.Error(), "2 values for 4 columns") {
			t.Errorf("too few values: %v", err)
		}
		if err := w.Append(ctx, "1", "hq", "guid", "key"); err == nil || !strings.Contains(err.Error(), "organization_id") {
			t.Errorf("a text for a number: %v", err)
		}
		return nil
	}), at(1))
	if err != nil {
		t.Fatal(err)
	}
}

func enterOrganizations(ctx context.Context, r *pipeline.Run, ids ...int64) error {
	w := r.Store.Writer(schemas.Organizations)
	defer w.Release()
	for _, id := range ids {
		if err := w.Append(ctx, id, r.ID, nil, false, nil, nil); err != nil {
			return err
		}
	}
	return w.Flush(ctx)
}

// A key that occurs twice never gets into the state; the failed run is in the ledger, and the same
// run can be done again.
func TestDuplicateKeysFailTheRun(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	_, err := e.Run(t.Context(), recipe(func(ctx context.Context, r *pipeline.Run) error {
		return enterOrganizations(ctx, r, 1, 2, 2)
	}), at(1))
	if err == nil || !strings.Contains(err.Error(), "check the keys of next_organizations: 1 occur more than once") {
		t.Fatalf("got %v", err)
	}
	outcome, err := e.Run(t.Context(), recipe(func(ctx context.Context, r *pipeline.Run) error {
		failed, err := r.Store.Count(ctx, "SELECT count(*) FROM runs WHERE status = 'failed' AND run_id = ?", r.ID)
		if failed != 1 {
			t.Errorf("%d failed runs in the ledger", failed)
		}
		return errors.Join(err, enterOrganizations(ctx, r, 1, 2))
	}), at(1))
	if err != nil || outcome.Status != pipeline.Succeeded {
		t.Fatalf("the same run again: %v, %v", outcome, err)
	}
}

// An organization that was marked unavailable keeps its rows; the others' are replaced.
func TestUnavailableOrganizationsKeepTheirRows(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	enter := func(ctx context.Context, r *pipeline.Run) error { return enterOrganizations(ctx, r, 1, 2) }
	if _, err := e.Run(t.Context(), recipe(enter), at(1)); err != nil {
		t.Fatal(err)
	}
	outcome, err := e.Run(t.Context(), recipe(func(ctx context.Context, r *pipeline.Run) error {
		return errors.Join(enter(ctx, r), r.Unavailable(ctx, 2, "its source is down"))
	}), at(2))
	if err != nil || outcome.Status != pipeline.Partial {
		t.Fatalf("%v, %v", outcome, err)
	}
	_, err = e.Run(t.Context(), recipe(func(ctx context.Context, r *pipeline.Run) error {
		var names []string
		err := r.Store.Query(ctx, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			names = append(names, name)
			return err
		}, "SELECT name FROM organizations ORDER BY organization_id")
		if got := strings.Join(names, " "); got != "20261102T020000Z-test 20261101T020000Z-test" {
			t.Errorf("the organizations are from %s", got)
		}
		return errors.Join(err, enter(ctx, r))
	}), at(3))
	if err != nil {
		t.Fatal(err)
	}
}

// Each limit of the guard, just within and just beyond.
func TestGuard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after int64
		share, count  string // of guard_measures; NULL if the limit is not meant
		held          bool
	}{
		"to zero":                          {1, 0, "0.2", "NULL", true},
		"from nothing":                     {0, 0, "0.2", "NULL", false},
		"by 20 of 40, more than the share": {40, 20, "0.2", "NULL", false},
		"by 21 of 40, beyond both":         {40, 19, "0.2", "NULL", true},
		"by 21 of 200, within the share":   {200, 179, "0.2", "NULL", false},
		"by 41 of 200, beyond both":        {200, 159, "0.2", "NULL", true},
		"growing":                          {10, 1000, "0.2", "NULL", false},
		"50 creations":                     {0, 50, "NULL", "50", false},
		"51 creations":                     {0, 51, "NULL", "50", true},
		"one creation where none may be":   {0, 1, "NULL", "0", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			measure := func(ctx context.Context, r *pipeline.Run) error {
				return r.Store.Exec(ctx, "INSERT INTO guard_measures VALUES (1, 'users', ?, ?, "+c.share+", "+c.count+")", c.before, c.after)
			}
			want := pipeline.Succeeded
			if c.held {
				want = pipeline.Held
			}
			e := newEngine(t)
			if outcome, err := e.Run(t.Context(), recipe(measure), at(1)); err != nil || outcome.Status != want {
				t.Errorf("got %v, %v, want %s", outcome, err, want)
			}
			accepting := at(2)
			accepting.Accepted = []int64{1}
			if outcome, err := e.Run(t.Context(), recipe(measure), accepting); err != nil || outcome.Status != pipeline.Succeeded {
				t.Errorf("accepted: got %v, %v", outcome, err)
			}
		})
	}
}
