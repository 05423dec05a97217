package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/rs/zerolog"
)

// Status is how a run ended.
type Status string

// The statuses of a run (design section 8).
const (
	Succeeded Status = "succeeded"
	Partial   Status = "partial" // an organization was unavailable
	Held      Status = "held"    // the guard held an organization
	Failed    Status = "failed"
)

// Errors that refuse a run before it starts.
var (
	ErrComplete      = errors.New("this run is complete")
	ErrTimeBackwards = errors.New("logical time never goes backwards")
)

// Engine runs recipes on one data folder. Everything from the outside comes in through its
// fields; Clock, Memory and DataDir are required.
type Engine struct {
	DataDir string
	Clock   func() time.Time
	Memory  memory.Allocator
	Log     zerolog.Logger
	// Progress, if set, is told of rows as they are read.
	Progress func(stage string, rows int64)
	// Checkpoint, if set, is called at every boundary of a run's life with its name. Tests
	// kill the process there.
	Checkpoint func(point string)
}

// Options of one run.
type Options struct {
	// Now is the logical time; whole seconds count.
	Now    time.Time
	DryRun bool
	// Organizations are those that the run works on.
	Organizations []int64
	// Accepted organizations pass the guard once.
	Accepted []int64
	// Report, if set, is called once the run's outcome is known and before it is committed; it
	// may read the run's temporary tables.
	Report func(ctx context.Context, r *Run, status Status) error
}

// Run is one execution of a recipe at one logical time.
type Run struct {
	ID       string
	Job      string
	Now      time.Time
	DryRun   bool
	Store    *Store
	Log      zerolog.Logger
	Progress func(stage string, rows int64)

	started time.Time
	mu      sync.Mutex
	timings []StageTiming
}

// Outcome is what a run came to.
type Outcome struct {
	RunID  string
	Status Status
	// Finished are runs that had been interrupted after their commit and are complete now; the
	// run itself is among them if it was one of these.
	Finished []string
}

// RunID makes the id of a job's run at a logical time: it sorts by time, and the same job at the
// same time has the same id.
func RunID(job string, now time.Time) string {
	return now.UTC().Format("20060102T150405Z") + "-" + job
}

// Run performs a recipe. It returns ErrAnotherRun, ErrComplete or ErrTimeBackwards when it did
// not start; any other error means that the run failed and nothing of it was committed, or
// that files of a committed run are still owed and will be written at the next start.
func (e *Engine) Run(ctx context.Context, recipe Recipe, options Options) (outcome Outcome, err error) {
	release, err := lockFolder(e.DataDir)
	if err != nil {
		return Outcome{}, err
	}
	defer func() { err = errors.Join(err, release()) }()
	store, err := OpenStore(ctx, e.storePath(), e.Memory)
	if err != nil {
		return Outcome{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	now := options.Now.UTC().Truncate(time.Second)
	r := &Run{
		ID: RunID(recipe.Job, now), Job: recipe.Job, Now: now, DryRun: options.DryRun,
		Store: store, Log: e.Log.With().Str("run_id", RunID(recipe.Job, now)).Logger(),
		Progress: e.progress, started: e.Clock(),
	}
	outcome.RunID = r.ID
	if !r.DryRun { // which writes nothing, not even what is owed
		if outcome.Finished, err = e.finishInterrupted(ctx, store, recipe.Loads); err != nil {
			return outcome, err
		}
	}
	for _, id := range outcome.Finished {
		if id == r.ID {
			outcome.Status, err = store.runStatus(ctx, id)
			return outcome, err
		}
	}
	if err := store.mayRun(ctx, r); err != nil {
		return outcome, err
	}
	outcome.Status, err = e.night(ctx, recipe, r, options)
	if err != nil && !r.DryRun && outcome.Status == Failed {
		// The context may be the reason of the failure; the ledger is written all the same.
		err = errors.Join(err, store.recordFailure(context.WithoutCancel(ctx), r, e.Clock(), err))
	}
	return outcome, err
}

// night is a run from reading to publication.
func (e *Engine) night(ctx context.Context, recipe Recipe, r *Run, options Options) (Status, error) {
	if err := r.begin(ctx, options); err != nil {
		return Failed, err
	}
	e.checkpoint("begin")
	if err := e.performAll(ctx, r, recipe.Extract); err != nil {
		return Failed, err
	}
	for _, stage := range append(append([]Stage{}, recipe.Stages...), guardStage, recipe.Account) {
		if err := e.perform(ctx, r, stage); err != nil {
			return Failed, err
		}
	}
	status, err := r.status(ctx)
	if err != nil {
		return Failed, err
	}
	if options.Report != nil {
		if err := options.Report(ctx, r, status); err != nil {
			return Failed, fmt.Errorf("report: %w", err)
		}
	}
	if r.DryRun {
		return status, nil
	}
	if err := e.commit(ctx, r, status); err != nil {
		return Failed, err
	}
	// Committed: from here on a signal no longer stops the run, or files would be missing
	// until the next start.
	if err := e.deliver(context.WithoutCancel(ctx), r.Store, recipe.Loads, r.ID); err != nil {
		return status, fmt.Errorf("the run is committed, but not all of its files are written: %w; check that data_dir is writable and not full, the next start writes them", err)
	}
	return status, nil
}

// begin makes the run's temporary tables and tells scripts the run and its organizations.
func (r *Run) begin(ctx context.Context, options Options) error {
	if err := r.Store.CreateRunTables(ctx); err != nil {
		return err
	}
	if err := r.Store.Exec(ctx, `CREATE OR REPLACE TEMP TABLE run_context (run_id VARCHAR NOT NULL, now TIMESTAMPTZ NOT NULL);
		CREATE OR REPLACE TEMP TABLE verdicts (organization_id BIGINT NOT NULL, status VARCHAR NOT NULL, message VARCHAR);
		CREATE OR REPLACE TEMP TABLE verdict_messages (organization_id BIGINT NOT NULL, message VARCHAR NOT NULL);
		CREATE OR REPLACE TEMP TABLE accepted (organization_id BIGINT NOT NULL);
		CREATE OR REPLACE TEMP TABLE guard_measures (organization_id BIGINT NOT NULL, measure VARCHAR NOT NULL,
			before BIGINT NOT NULL, after BIGINT NOT NULL, max_share DOUBLE, max_count BIGINT);
		-- Organizations that nothing speaks against so far.
		CREATE OR REPLACE TEMP VIEW active_organizations AS
			SELECT organization_id FROM verdicts WHERE status = 'succeeded';`); err != nil {
		return fmt.Errorf("begin the run: %w", err)
	}
	if err := r.Store.Exec(ctx, "INSERT INTO run_context VALUES (?, ?)", r.ID, r.Now); err != nil {
		return fmt.Errorf("begin the run: %w", err)
	}
	for _, id := range options.Organizations {
		if err := r.Store.Exec(ctx, "INSERT INTO verdicts VALUES (?, 'succeeded', NULL)", id); err != nil {
			return fmt.Errorf("enter organization %d: %w", id, err)
		}
	}
	for _, id := range options.Accepted {
		if err := r.Store.Exec(ctx, "INSERT INTO accepted VALUES (?)", id); err != nil {
			return fmt.Errorf("accept organization %d: %w", id, err)
		}
	}
	return nil
}

// Unavailable marks an organization whose source could not be read whole: this run leaves it
// exactly as it was. message is for a person and holds neither personal data nor secrets.
func (r *Run) Unavailable(ctx context.Context, organization int64, message string) error {
	r.Log.Warn().Int64("organization_id", organization).Str("reason", message).Msg("organization left as it was")
	if err := r.Store.Exec(ctx, "UPDATE verdicts SET status = 'unavailable' WHERE organization_id = ?", organization); err != nil {
		return fmt.Errorf("mark organization %d unavailable: %w", organization, err)
	}
	if err := r.Store.Exec(ctx, "INSERT INTO verdict_messages VALUES (?, ?)", organization, message); err != nil {
		return fmt.Errorf("mark organization %d unavailable: %w", organization, err)
	}
	return nil
}

// status sums the organizations up. What a person must act on comes first.
func (r *Run) status(ctx context.Context) (Status, error) {
	held, err := r.Store.Count(ctx, "SELECT count(*) FROM verdicts WHERE status = 'held'")
	if err != nil {
		return Failed, err
	}
	unavailable, err := r.Store.Count(ctx, "SELECT count(*) FROM verdicts WHERE status = 'unavailable'")
	switch {
	case err != nil:
		return Failed, err
	case held > 0:
		return Held, nil
	case unavailable > 0:
		return Partial, nil
	default:
		return Succeeded, nil
	}
}

func (r *Run) record(stage string, rows int64, elapsed time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timings = append(r.timings, StageTiming{Stage: stage, Rows: rows, Elapsed: elapsed})
}

func (e *Engine) storePath() string { return filepath.Join(e.DataDir, "state", "rollcall.duckdb") }

func (e *Engine) checkpoint(point string) {
	if e.Checkpoint != nil {
		e.Checkpoint(point)
	}
}

func (e *Engine) progress(stage string, rows int64) {
	if e.Progress != nil {
		e.Progress(stage, rows)
	}
}
