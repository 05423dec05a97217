package pipeline

import (
	"context"
	"embed"
)

//go:embed guard.sql
var guardFiles embed.FS

// guardStage holds the organizations whose numbers look like a fault (guard.sql).
//
//nolint:gochecknoglobals // a constant, made once
var guardStage = Stage{Name: "guard", Run: func(ctx context.Context, r *Run) (int64, error) {
	if err := r.Store.RunScripts(ctx, Scripts(guardFiles, "guard.sql")...); err != nil {
		return 0, err
	}
	err := r.Store.Query(ctx, func(scan func(...any) error) error {
		var organization int64
		var message string
		if err := scan(&organization, &message); err != nil {
			return err
		}
		r.Log.Warn().Int64("organization_id", organization).Str("reason", message).Msg("organization held by the guard")
		return nil
	}, "SELECT organization_id, message FROM verdicts WHERE status = 'held' ORDER BY organization_id")
	if err != nil {
		return 0, err
	}
	return r.Store.Count(ctx, "SELECT count(*) FROM tripped")
}}
