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

// Applied tells which decisions a run has applied.
type Applied struct {
	seen map[string]bool     // by the last run
	left map[int64]time.Time // organizations that it left as they were, and since when
}

// Pending tells whether a decision waits for the next run.
func (a Applied) Pending(d match.Decision) bool {
	since, left := a.left[d.OrganizationID]
	return !a.seen[d.ID] || left && !d.At.Before(since)
}

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

func readApplied(ctx context.Context, published *sql.DB) (Applied, error) {
	applied := Applied{seen: map[string]bool{}, left: map[int64]time.Time{}}
	err := scanAll(ctx, published, "SELECT decision_id FROM decisions", func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		applied.seen[id] = true
		return err
	})
	if err != nil {
		return applied, err
	}
	return applied, scanAll(ctx, published, appliedSQL, func(scan func(...any) error) error {
		var organization int64
		var since sql.NullTime
		err := scan(&organization, &since)
		applied.left[organization] = since.Time
		return err
	})
}

// scanAll runs a query on the published file and calls row for every row of it.
func scanAll(ctx context.Context, published *sql.DB, query string, row func(scan func(...any) error) error, args ...any) (err error) {
	rows, err := published.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("query the published file: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return fmt.Errorf("query the published file: %w", err)
		}
	}
	return rows.Err()
}
