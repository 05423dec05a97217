package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/rs/zerolog"

	"rollcall/pipeline"
)

// Outside is everything that comes in from outside of the configuration.
type Outside struct {
	Clock       func() time.Time
	Environment func(string) (string, bool)
	Memory      memory.Allocator
	// Resolver asks DNS for domain controllers; nil is the machine's.
	Resolver *net.Resolver
	// Pause waits before a read begins anew; nil is a plain wait.
	Pause func(context.Context, time.Duration) error
	Log   zerolog.Logger
	// Out takes the summary.
	Out io.Writer
	// Progress, if set, is told of rows as they are read.
	Progress func(stage string, rows int64)
	// Checkpoint, if set, is called at every boundary of a run (tests kill the process there).
	Checkpoint func(point string)
	// Accept lists organizations that pass the guard once.
	Accept []int64
	// DryRun commits and writes nothing.
	DryRun bool
}

// ErrUsage marks what the caller asked for in vain.
var ErrUsage = errors.New("usage")

// RunJob runs a job of the configuration once, at a logical time, and writes the summary.
func RunJob(ctx context.Context, config *Config, name string, now time.Time, outside Outside) (pipeline.Outcome, error) {
	job, ok := config.Jobs[name]
	if !ok {
		return pipeline.Outcome{}, fmt.Errorf("%w: no job %q in the configuration; there is %s", ErrUsage, name, jobNames(config))
	}
	for _, id := range outside.Accept {
		if !slices.ContainsFunc(config.Organizations, func(o Organization) bool { return o.ID == id }) {
			return pipeline.Outcome{}, fmt.Errorf("%w: --accept %d: no such organization in the configuration", ErrUsage, id)
		}
	}
	if job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, job.Timeout, fmt.Errorf("the job's timeout of %s is over", job.Timeout))
		defer cancel()
	}
	now = now.UTC().Truncate(time.Second)
	engine := &pipeline.Engine{
		DataDir: config.DataDir, Clock: outside.Clock, Memory: outside.Memory, Log: outside.Log,
		Progress: outside.Progress, Checkpoint: outside.Checkpoint,
	}
	var summary Summary
	outcome, err := engine.Run(ctx, nightly(name, config, outside, now), pipeline.Options{
		Now: now, DryRun: outside.DryRun, Organizations: organizationIDs(config), Accepted: outside.Accept,
		Report: func(ctx context.Context, r *pipeline.Run, status pipeline.Status) (err error) {
			summary, err = summarise(ctx, r, status)
			return err
		},
	})
	for _, id := range outcome.Finished {
		fmt.Fprintf(outside.Out, "Run %s had been interrupted; its files are complete now.\n", id)
	}
	if err == nil && summary.RunID != "" {
		summary.DataDir = config.DataDir
		err = summary.Write(outside.Out)
	}
	return outcome, err
}

func organizationIDs(config *Config) []int64 {
	ids := make([]int64, len(config.Organizations))
	for i, o := range config.Organizations {
		ids[i] = o.ID
	}
	return ids
}

func jobNames(config *Config) string {
	if len(config.Jobs) == 0 {
		return "none"
	}
	names := make([]string, 0, len(config.Jobs))
	for name := range config.Jobs {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}
