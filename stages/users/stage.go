package users

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"rollcall/pipeline"
	"rollcall/schemas"
)

//go:embed collectors.sql merge.sql
var scripts embed.FS

// status of a collector's read.
const (
	complete      = "complete"
	failed        = "failed"
	noCredentials = "no_credentials"
)

// Extract reads all collectors, so many at a time, into read_users and read_collectors. A
// collector that fails makes its organization unavailable; it never ends the run.
func Extract(collectors []Collector, parallel int) pipeline.Stage {
	return pipeline.Stage{Name: "users", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		var total atomic.Int64
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(parallel)
		for _, k := range collectors {
			group.Go(func() error {
				seen, err := k.extract(ctx, r)
				total.Add(seen)
				return err
			})
		}
		err := group.Wait()
		return total.Load(), err
	}}
}

// extract reads one collector and enters how it went.
func (k Collector) extract(ctx context.Context, r *pipeline.Run) (int64, error) {
	var result outcome
	var message string
	status := complete
	if k.hasCredentials() {
		var err error
		if result, err = k.read(ctx, r); err != nil {
			if ctx.Err() != nil {
				// The run is being stopped; that is no fault of the collector's.
				return 0, fmt.Errorf("collector %s: %w", k.Name, errors.Join(context.Cause(ctx), err))
			}
			status, message, result = failed, err.Error(), outcome{}
			if err := r.Unavailable(ctx, k.Organization, fmt.Sprintf("collector %s: %s", k.Name, message)); err != nil {
				return 0, err
			}
		} else {
			message = result.message()
		}
	} else {
		status, message = noCredentials, "No Active Directory users were found as AD credentials were not specified"
	}
	r.Log.Info().Int64("organization_id", k.Organization).Str("collector", k.Name).
		Str("status", status).Int64("users", result.users).Msg("collector read")
	reads := r.Store.Writer(schemas.ReadCollectors)
	defer reads.Release()
	if err := reads.Append(ctx, k.Organization, k.Name, status, pipeline.Text(message), result.users,
		result.controllers, result.silent, result.certificate); err != nil {
		return 0, err
	}
	return result.users, reads.Flush(ctx)
}

// Merge makes one user of what several collectors saw, keeps who is merely not read tonight and
// finds who is gone.
func Merge() pipeline.Stage {
	return pipeline.ScriptStage("merge", "SELECT count(*) FROM next_ad_users", pipeline.Scripts(scripts, "collectors.sql", "merge.sql")...)
}
