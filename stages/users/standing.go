package users

import (
	"context"
	"fmt"

	"rollcall/pipeline"
)

// Standing takes the users as the last run left them instead of reading them. An organization
// that was never read has none, and is left alone.
func Standing() pipeline.Stage {
	return pipeline.Stage{Name: "users", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		var unread []int64
		err := r.Store.Query(ctx, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			unread = append(unread, id)
			return err
		}, `SELECT a.organization_id FROM active_organizations a
			LEFT JOIN organizations o ON o.organization_id = a.organization_id WHERE o.organization_id IS NULL ORDER BY 1`)
		if err != nil {
			return 0, err
		}
		for _, id := range unread {
			if err := r.Unavailable(ctx, id, "was never read, so there is nothing to decide on: run the job without --decisions-only first"); err != nil {
				return 0, err
			}
		}
		if err := r.Store.RunScripts(ctx, pipeline.Scripts(scripts, "standing.sql")...); err != nil {
			return 0, err
		}
		return r.Store.Count(ctx, "SELECT count(*) FROM read_users")
	}}
}

// MergeStanding is Merge after Standing.
func MergeStanding() pipeline.Stage {
	return pipeline.ScriptStage("merge", "SELECT count(*) FROM next_ad_users", pipeline.Scripts(scripts, "standing_collectors.sql", "merge.sql")...)
}

// Delete takes a collector, and the users that only it had seen, out of what Standing took over.
func Delete(organization int64, collector string) pipeline.Stage {
	return pipeline.Stage{Name: "delete", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		if err := r.Store.Exec(ctx, "INSERT INTO deleted_collectors VALUES (?, ?)", organization, collector); err != nil {
			return 0, fmt.Errorf("note the collector: %w", err)
		}
		return 1, r.Store.RunScripts(ctx, pipeline.Scripts(scripts, "delete.sql")...)
	}}
}
