package main

import (
	"context"
	"database/sql"
	"fmt"

	"rollcall/jobs"
)

// waiting is a decision that the next run will apply, as the lists show it.
type waiting struct {
	OrganizationID int64  `json:"organization_id"`
	ObjectGUID     string `json:"object_guid"`
	Place          int    `json:"place"`
	Words          string `json:"words"`
}

// pending are the decisions that no run has applied yet.
func (a *app) pending(ctx context.Context, db *sql.DB) ([]waiting, error) {
	config, err := a.config()
	if err != nil {
		return nil, err
	}
	decisions, _, err := jobs.Decisions(ctx, config)
	if err != nil {
		return nil, err
	}
	list, err := jobs.Pending(ctx, db, decisions)
	if err != nil {
		return nil, err
	}
	all := make([]waiting, len(list))
	for i, d := range list {
		words := d.Action
		switch {
		case d.ContactID != nil:
			words += fmt.Sprintf(" contact %d", *d.ContactID)
		case d.Undoes != "":
			words += " of " + d.Undoes
		}
		all[i] = waiting{d.OrganizationID, d.ObjectGUID, i, words + ", by " + d.By}
	}
	return all, nil
}
