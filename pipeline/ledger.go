package pipeline

import (
	"context"
	"fmt"
	"time"
)

// mayRun refuses a run that is complete, or older than the last committed one.
func (s *Store) mayRun(ctx context.Context, r *Run) error {
	done, err := s.Count(ctx, "SELECT count(*) FROM runs WHERE run_id = ? AND status <> 'failed'", r.ID)
	if err != nil {
		return err
	}
	if done > 0 {
		return fmt.Errorf("%w: %s; give a later --now for another one", ErrComplete, r.ID)
	}
	later, err := s.Count(ctx, "SELECT count(*) FROM runs WHERE now > ? AND status <> 'failed'", r.Now)
	if err != nil {
		return err
	}
	if later > 0 {
		return fmt.Errorf("%w: --now %s is before the last run's; give a later one", ErrTimeBackwards, r.Now.Format(time.RFC3339))
	}
	return nil
}

// recordCommit enters the run, its stages and its outbox; it is part of the commit.
func (s *Store) recordCommit(ctx context.Context, r *Run, status Status) error {
	if err := s.forget(ctx, r.ID); err != nil {
		return err
	}
	if err := s.Exec(ctx, "INSERT INTO runs VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL)",
		r.ID, r.Job, string(status), r.Now, r.started.UTC()); err != nil {
		return fmt.Errorf("enter the run: %w", err)
	}
	for _, t := range r.timings {
		if err := s.recordStage(ctx, r.ID, t); err != nil {
			return err
		}
	}
	if err := s.Exec(ctx, "INSERT INTO outbox VALUES (?, 'load'), (?, 'publish')", r.ID, r.ID); err != nil {
		return fmt.Errorf("fill the outbox: %w", err)
	}
	return nil
}

// forget drops the ledger of an earlier failed run of the same id.
func (s *Store) forget(ctx context.Context, runID string) error {
	if err := s.Exec(ctx, "DELETE FROM runs WHERE run_id = ?", runID); err != nil {
		return fmt.Errorf("forget the failed run: %w", err)
	}
	if err := s.Exec(ctx, "DELETE FROM run_stages WHERE run_id = ?", runID); err != nil {
		return fmt.Errorf("forget the failed run's stages: %w", err)
	}
	return nil
}

func (s *Store) recordStage(ctx context.Context, runID string, t StageTiming) error {
	if err := s.Exec(ctx, "INSERT INTO run_stages VALUES (?, ?, ?, ?)", runID, t.Stage, t.Rows, t.Elapsed.Seconds()); err != nil {
		return fmt.Errorf("enter the stage %s: %w", t.Stage, err)
	}
	return nil
}

// recordFailure enters a run that committed nothing. The message is the error's.
func (s *Store) recordFailure(ctx context.Context, r *Run, finished time.Time, failure error) error {
	if err := s.forget(ctx, r.ID); err != nil {
		return err
	}
	if err := s.Exec(ctx, "INSERT INTO runs VALUES (?, ?, 'failed', ?, ?, ?, ?, NULL)",
		r.ID, r.Job, r.Now, r.started.UTC(), finished.UTC(), failure.Error()); err != nil {
		return fmt.Errorf("enter the failed run: %w", err)
	}
	return nil
}

func (s *Store) runStatus(ctx context.Context, runID string) (Status, error) {
	var status string
	err := s.Query(ctx, func(scan func(...any) error) error { return scan(&status) },
		"SELECT status FROM runs WHERE run_id = ?", runID)
	return Status(status), err
}
