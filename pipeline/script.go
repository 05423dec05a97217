package pipeline

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// Script is a commented SQL file that moves rows from temporary tables to others. It takes its
// parameters from tables (run_context, read_settings), so that an analyst can read and run it
// as it stands.
type Script struct {
	Name string
	SQL  string
}

// Scripts loads the named .sql files that lie beside a stage. A missing file is a fault of the
// build, so it panics at start.
func Scripts(files embed.FS, names ...string) []Script {
	scripts := make([]Script, len(names))
	for i, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("pipeline: script %s is not embedded: %v", name, err))
		}
		scripts[i] = Script{Name: path.Base(name), SQL: string(text)}
	}
	return scripts
}

// RunScripts runs scripts one after another.
func (s *Store) RunScripts(ctx context.Context, scripts ...Script) error {
	for _, script := range scripts {
		if err := s.Exec(ctx, script.SQL); err != nil {
			return fmt.Errorf("run %s: %w", script.Name, withoutData(err))
		}
	}
	return nil
}

// withoutData keeps the kind of an error that could quote a value, which may be personal data.
func withoutData(err error) error {
	var failure *duckdb.Error
	if !errors.As(err, &failure) {
		return err
	}
	switch failure.Type {
	case duckdb.ErrorTypeConversion, duckdb.ErrorTypeConstraint, duckdb.ErrorTypeInvalidInput, duckdb.ErrorTypeOutOfRange:
		kind, _, _ := strings.Cut(failure.Msg, ":")
		return fmt.Errorf("%s (the value is withheld, it may be personal data); please report this", kind)
	default:
		return err
	}
}

// ScriptStage is a stage made of scripts; its rows are counted by the query.
func ScriptStage(name, count string, scripts ...Script) Stage {
	return Stage{Name: name, Run: func(ctx context.Context, r *Run) (int64, error) {
		if err := r.Store.RunScripts(ctx, scripts...); err != nil {
			return 0, err
		}
		return r.Store.Count(ctx, count)
	}}
}
