package match

import (
	"context"
	"embed"
	"fmt"

	"rollcall/pipeline"
)

//go:embed links.sql excluded.sql contention.sql pool.sql match.sql decide.sql
var scripts embed.FS

// Stage links users to contacts and gives every user its status.
func Stage() pipeline.Stage {
	all := pipeline.Scripts(scripts, "links.sql", "excluded.sql", "contention.sql", "pool.sql", "match.sql", "decide.sql")
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
