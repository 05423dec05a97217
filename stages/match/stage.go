package match

import (
	"context"
	"embed"
	"fmt"
	"slices"

	"rollcall/pipeline"
)

//go:embed links.sql excluded.sql contention.sql pool.sql match.sql decide.sql standing.sql
var scripts embed.FS

// tiers are the scripts of the stage, in their order.
//
//nolint:gochecknoglobals // a constant list
var tiers = []string{"links.sql", "excluded.sql", "contention.sql", "pool.sql", "match.sql", "decide.sql"}

// Stage links users to contacts and gives every user its status.
func Stage() pipeline.Stage { return stage(tiers...) }

// StageOnStanding is Stage in a run that has read nothing.
func StageOnStanding() pipeline.Stage { return stage(append(slices.Clone(tiers), "standing.sql")...) }

func stage(names ...string) pipeline.Stage {
	all := pipeline.Scripts(scripts, names...)
	return pipeline.Stage{Name: "match", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		if err := r.Store.RunScripts(ctx, all...); err != nil {
			return 0, err
		}
		broken, err := r.Store.Count(ctx, "SELECT count(*) FROM broken_links")
		if err != nil {
			return 0, err
		}
		if broken > 0 {
			return 0, fmt.Errorf("%d contacts would be linked to several users; nothing was committed, please report this", broken)
		}
		return r.Store.Count(ctx, "SELECT count(*) FROM next_user_matching WHERE status = 'matched'")
	}}
}
