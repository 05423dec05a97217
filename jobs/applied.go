package jobs

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"rollcall/stages/match"
)

//go:embed applied.sql
var appliedSQL string

// Applied tells which decisions a run has applied: by organization, when the last run began that
// did not leave it as it was.
type Applied map[int64]time.Time

// Pending tells whether a decision waits for the next run.
func (a Applied) Pending(d match.Decision) bool { return !d.At.Before(a[d.OrganizationID]) }

// Pending are the decisions that wait for the next run, in their order, without those that were
// undone before any run saw them.
func Pending(ctx context.Context, published *sql.DB, decisions []match.Decision) ([]match.Decision, error) {
	applied, err := readApplied(ctx, published)
	if err != nil {
		return nil, err
	}
	undone := match.Undone(decisions)
	byID := map[string]match.Decision{}
	var pending []match.Decision
	for _, d := range decisions {
		byID[d.ID] = d
		before, isUndo := byID[d.Undoes]
		if applied.Pending(d) && !undone[d.ID] && (!isUndo || !applied.Pending(before)) {
			pending = append(pending, d)
		}
	}
	return pending, nil
}

func readApplied(ctx context.Context, published *sql.DB) (applied Applied, err error) {
	rows, err := published.QueryContext(ctx, appliedSQL)
	if err != nil {
		return nil, fmt.Errorf("look which decisions are applied: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	applied = Applied{}
	for rows.Next() {
		var organization int64
		var at time.Time
		if err := rows.Scan(&organization, &at); err != nil {
			return nil, fmt.Errorf("look which decisions are applied: %w", err)
		}
		applied[organization] = at
	}
	return applied, rows.Err()
}
