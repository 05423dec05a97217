package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"rollcall/stages/match"
)

// Pending are the decisions that wait for the next run, in their order, without those that were
// undone before any run saw them.
func Pending(ctx context.Context, published *sql.DB, decisions []match.Decision) ([]match.Decision, error) {
	applied, err := readApplied(ctx, published)
	if err != nil {
		return nil, err
	}
	undone := match.Undone(decisions)
	var pending []match.Decision
	for _, d := range decisions {
		takesBackNothing := d.Action == match.ActionUndo && !applied[d.Undoes]
		if !applied[d.ID] && !undone[d.ID] && !takesBackNothing {
			pending = append(pending, d)
		}
	}
	return pending, nil
}

// readApplied tells by id which decisions the runs have applied: those on an organization that
// was left as it was are not among them.
func readApplied(ctx context.Context, published *sql.DB) (applied map[string]bool, err error) {
	rows, err := published.QueryContext(ctx, "SELECT decision_id FROM decisions")
	if err != nil {
		return nil, fmt.Errorf("look which decisions are applied: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	applied = map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look which decisions are applied: %w", err)
		}
		applied[id] = true
	}
	return applied, rows.Err()
}
