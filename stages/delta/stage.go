package delta

import (
	"context"
	"embed"

	"rollcall/pipeline"
	"rollcall/schemas"
)

//go:embed match_deltas.sql enrichment_deltas.sql measures.sql account.sql
var scripts embed.FS

// Stage compares the state with what is to follow it.
func Stage() pipeline.Stage {
	return pipeline.ScriptStage("delta",
		"SELECT (SELECT count(*) FROM next_match_deltas) + (SELECT count(*) FROM next_enrichment_deltas)",
		pipeline.Scripts(scripts, "match_deltas.sql", "enrichment_deltas.sql", "measures.sql")...)
}

// Account says how each organization fared, after the guard.
func Account() pipeline.Stage {
	return pipeline.ScriptStage("account", "SELECT count(*) FROM next_run_organizations",
		pipeline.Scripts(scripts, "account.sql")...)
}

// Files writes the deltas of a committed run.
func Files(ctx context.Context, s *pipeline.Store, runID string, files *pipeline.Files) error {
	if err := files.Table(ctx, s, runID, "deltas/match", schemas.MatchDeltas); err != nil {
		return err
	}
	return files.Table(ctx, s, runID, "deltas/enrichment", schemas.EnrichmentDeltas)
}
