package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// finishInterrupted works the outbox off: files of committed runs that a crash left owed, oldest
// first. It returns the runs that are complete now.
func (e *Engine) finishInterrupted(ctx context.Context, s *Store, loads []Load) ([]string, error) {
	var owed []string
	err := s.Query(ctx, func(scan func(...any) error) error {
		var id string
		if err := scan(&id); err != nil {
			return err
		}
		owed = append(owed, id)
		return nil
	}, "SELECT DISTINCT run_id FROM outbox ORDER BY run_id")
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	for i, id := range owed {
		e.Log.Info().Str("run_id", id).Msg("finishing an interrupted run")
		if err := e.deliver(ctx, s, loads, id); err != nil {
			return owed[:i], fmt.Errorf("finish the interrupted run %s: %w", id, err)
		}
	}
	return owed, nil
}

// deliver writes what a committed run owes: its files, then the published database.
func (e *Engine) deliver(ctx context.Context, s *Store, loads []Load, runID string) error {
	load, err := s.Count(ctx, "SELECT count(*) FROM outbox WHERE run_id = ? AND task = 'load'", runID)
	if err != nil {
		return err
	}
	if load > 0 {
		if err := e.load(ctx, s, loads, runID); err != nil {
			return fmt.Errorf("load: %w", err)
		}
	}
	e.checkpoint("before publish")
	started := e.Clock()
	rows, err := e.publish(ctx, s)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	// The published file cannot hold the time of its own publication; the next one does.
	if err := s.Exec(ctx, "DELETE FROM outbox WHERE run_id = ?", runID); err != nil {
		return fmt.Errorf("publish: clear the outbox: %w", err)
	}
	return s.recordStage(ctx, runID, StageTiming{Stage: "publish", Rows: rows, Elapsed: e.Clock().Sub(started)})
}

// load writes a run's files and notes in the ledger that they are complete.
func (e *Engine) load(ctx context.Context, s *Store, loads []Load, runID string) error {
	started := e.Clock()
	files, err := e.newFiles(runID)
	if err != nil {
		return err
	}
	for _, load := range loads {
		if err := load(ctx, s, runID, files); err != nil {
			return err
		}
	}
	e.checkpoint("before manifest")
	hash, err := files.writeManifest(ctx, s, runID)
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	e.checkpoint("after manifest")
	if err := s.Exec(ctx, "BEGIN TRANSACTION"); err != nil {
		return fmt.Errorf("note the files: %w", err)
	}
	finished := e.Clock()
	err = s.Exec(ctx, "UPDATE runs SET finished_at = ?, manifest_hash = ? WHERE run_id = ?", finished.UTC(), hash, runID)
	if err == nil {
		err = s.recordStage(ctx, runID, StageTiming{Stage: "load", Rows: files.rows, Elapsed: finished.Sub(started).Round(time.Microsecond)})
	}
	if err == nil {
		err = s.Exec(ctx, "DELETE FROM outbox WHERE run_id = ? AND task = 'load'", runID)
	}
	if err == nil {
		err = s.Exec(ctx, "COMMIT")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("note the files: %w", err), s.Exec(ctx, "ROLLBACK"))
	}
	return nil
}
