package push

import (
	"context"
	"embed"
	"fmt"

	"rollcall/pipeline"
)

//go:embed push.sql
var scripts embed.FS

// Stage says what goes to the PSAs.
func Stage() pipeline.Stage {
	all := pipeline.Scripts(scripts, "push.sql")
	return pipeline.Stage{Name: "push", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		if err := r.Store.Exec(ctx, "CREATE OR REPLACE TEMP TABLE psa_limits (psa VARCHAR, field VARCHAR, max_length BIGINT, required BOOLEAN)"); err != nil {
			return 0, fmt.Errorf("prepare the limits: %w", err)
		}
		for _, l := range limits {
			if err := r.Store.Exec(ctx, "INSERT INTO psa_limits VALUES (?, ?, ?, ?)", l.psa, l.field, l.maxLength, l.required); err != nil {
				return 0, fmt.Errorf("enter the limits of %s: %w", l.psa, err)
			}
		}
		if err := r.Store.RunScripts(ctx, all...); err != nil {
			return 0, err
		}
		return r.Store.Count(ctx, "SELECT count(*) FROM next_push_items")
	}}
}
