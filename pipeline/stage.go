package pipeline

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// Stage is one step of a recipe. Run returns how many rows it handled. An error ends the run:
// what concerns one organization alone goes to Run.Unavailable instead.
type Stage struct {
	Name string
	Run  func(ctx context.Context, r *Run) (rows int64, err error)
}

// Load writes files of a committed run from the store's tables; it may run again after a crash
// and must write the same bytes.
type Load func(ctx context.Context, s *Store, runID string, files *Files) error

// Recipe is what a job does: extractors side by side, then stages one after another, then the
// engine's own guard, the accounts of the run, commit, loads and publication.
type Recipe struct {
	Job     string
	Extract []Stage
	Stages  []Stage
	// Account runs after the guard and says how each organization fared.
	Account Stage
	Loads   []Load
}

// perform runs one stage and enters it in the ledger.
func (e *Engine) perform(ctx context.Context, r *Run, stage Stage) error {
	started := e.Clock()
	r.Log.Debug().Str("stage", stage.Name).Msg("stage started")
	rows, err := stage.Run(ctx, r)
	if err != nil {
		return fmt.Errorf("%s: %w", stage.Name, err)
	}
	elapsed := e.Clock().Sub(started)
	r.record(stage.Name, rows, elapsed)
	r.Log.Debug().Str("stage", stage.Name).Int64("rows", rows).Dur("duration", elapsed).Msg("stage finished")
	e.checkpoint("after " + stage.Name)
	return nil
}

// performAll runs stages side by side. The first error cancels the others.
func (e *Engine) performAll(ctx context.Context, r *Run, stages []Stage) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, stage := range stages {
		group.Go(func() error { return e.perform(ctx, r, stage) })
	}
	return group.Wait() //nolint:wrapcheck // perform names the stage
}

// StageTiming is one line of the ledger run_stages.
type StageTiming struct {
	Stage   string
	Rows    int64
	Elapsed time.Duration
}
