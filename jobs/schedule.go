package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/robfig/cron/v3"

	"rollcall/pipeline"
)

// ErrNoSchedule tells that there is nothing to serve.
var ErrNoSchedule = errors.New("no job of the configuration has a schedule")

// Serve runs all scheduled jobs until ctx ends. Never two runs at once: a job waits for another
// one that is running, and a job that is still waiting or running is not started again. When ctx
// ends, a run that has not committed is stopped and rolled back, one that has finishes its files.
func Serve(ctx context.Context, config *Config, outside Outside) error {
	var turn sync.Mutex
	schedule := cron.New(cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	for name, job := range config.Jobs {
		if job.Schedule == "" {
			continue
		}
		if _, err := schedule.AddFunc(job.Schedule, func() {
			turn.Lock()
			defer turn.Unlock()
			serveOne(ctx, config, name, outside)
		}); err != nil {
			return fmt.Errorf("schedule the job %s: %w", name, err)
		}
		outside.Log.Info().Str("job", name).Str("schedule", job.Schedule).Msg("job scheduled")
	}
	if len(schedule.Entries()) == 0 {
		return fmt.Errorf("%w: %w; add jobs.<name>.schedule", ErrConfig, ErrNoSchedule)
	}
	schedule.Start()
	<-ctx.Done()
	outside.Log.Info().Msg("stopping")
	<-schedule.Stop().Done()
	return nil
}

func serveOne(ctx context.Context, config *Config, name string, outside Outside) {
	if ctx.Err() != nil {
		return
	}
	outcome, err := RunJob(ctx, config, name, outside.Clock(), outside)
	log := outside.Log.With().Str("job", name).Str("run_id", outcome.RunID).Logger()
	switch {
	case errors.Is(err, pipeline.ErrAnotherRun), errors.Is(err, pipeline.ErrComplete), errors.Is(err, pipeline.ErrTimeBackwards):
		log.Error().Err(err).Msg("run not started")
	case err != nil:
		log.Error().Err(err).Msg("run failed")
	case outcome.Status != pipeline.Succeeded:
		log.Warn().Str("status", string(outcome.Status)).Msg("run finished")
	default:
		log.Info().Str("status", string(outcome.Status)).Msg("run finished")
	}
}
