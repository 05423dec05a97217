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

// parallelReads bounds how many collectors are read at once.
const parallelReads = 4

// Extract reads all collectors side by side into read_users and read_collectors. A collector
// that fails makes its organization unavailable; it never ends the run.
func Extract(collectors []Collector) pipeline.Stage {
	return pipeline.Stage{Name: "users", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		var total atomic.Int64
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(parallelReads)
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
	var message string
	var seen int64
	var err error
	status := complete
	if !k.hasCredentials() {
		status, message = noCredentials, "No Active Directory users were found as AD credentials were not specified"
	} else if seen, message, err = k.read(ctx, r); err != nil {
		if ctx.Err() != nil {
			// The run is being stopped; that is no fault of the collector's.
			return 0, fmt.Errorf("collector %s: %w", k.Name, errors.Join(context.Cause(ctx), err))
		}
		status, message, seen = failed, err.Error(), 0
		if err := r.Unavailable(ctx, k.Organization, fmt.Sprintf("collector %s: %s", k.Name, message)); err != nil {
			return 0, err
		}
	}
	r.Log.Info().Int64("organization_id", k.Organization).Str("collector", k.Name).
		Str("status", status).Int64("users", seen).Msg("collector read")
	reads := r.Store.Writer(schemas.ReadCollectors)
	defer reads.Release()
	if err := reads.Append(ctx, k.Organization, k.Name, status, pipeline.Text(message), seen); err != nil {
		return 0, err
	}
	return seen, reads.Flush(ctx)
}

// Merge makes one user of what several collectors saw, keeps who is merely not read tonight and
// finds who is gone.
func Merge() pipeline.Stage {
	return pipeline.ScriptStage("merge", "SELECT count(*) FROM next_ad_users", pipeline.Scripts(scripts, "collectors.sql", "merge.sql")...)
}
