package jobs

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall/pipeline"
	"rollcall/stages/contacts"
	"rollcall/stages/delta"
	"rollcall/stages/match"
	"rollcall/stages/push"
	"rollcall/stages/users"
)

//go:embed delete_users.sql
var deleteUsersSQL string

// DeleteCollector removes a collector that the configuration does not name any more, with the
// users that only it had seen, their links and their decisions (design section 6). It is a run of
// its own, with its deltas; the decisions are undone, because their file is only ever added to.
func DeleteCollector(ctx context.Context, d Decider, organization int64, name string, outside Outside) error {
	if err := mayBeDeleted(ctx, d, organization, name); err != nil {
		return err
	}
	var gone []string
	err := scanAll(ctx, d.Published, deleteUsersSQL, func(scan func(...any) error) error {
		var guid string
		err := scan(&guid)
		gone = append(gone, guid)
		return err
	}, organization, name)
	if err != nil {
		return err
	}
	one := *d.Config
	one.Organizations = slices.DeleteFunc(slices.Clone(one.Organizations), func(o Organization) bool { return o.ID != organization })
	// A person asks for it by name: the guard need not ask again.
	outside.Accept = []int64{organization}
	if _, err := runRecipe(ctx, &one, deletion(d.Config, organization, name), d.Clock().UTC().Truncate(time.Second), outside); err != nil {
		return err
	}
	if outside.DryRun {
		return nil
	}
	return d.forget(ctx, organization, gone)
}

// mayBeDeleted refuses a collector that is not known, or that the next night would bring back.
func mayBeDeleted(ctx context.Context, d Decider, organization int64, name string) error {
	place := slices.IndexFunc(d.Config.Organizations, func(o Organization) bool { return o.ID == organization })
	if place < 0 {
		return refuse("organization %d is not in the configuration", organization)
	}
	if slices.ContainsFunc(d.Config.Organizations[place].Collectors, func(k Collector) bool { return k.Name == name }) {
		return refuse("collector %s is in the configuration of organization %d: take it out there first, or the next night brings it back", name, organization)
	}
	var there bool
	err := d.Published.QueryRowContext(ctx, "SELECT true FROM collectors WHERE organization_id = $1 AND collector = $2", organization, name).Scan(&there)
	if errors.Is(err, sql.ErrNoRows) {
		return refuse("organization %d has no collector %q; `rollcall collectors` lists them", organization, name)
	}
	if err != nil {
		return fmt.Errorf("look for the collector: %w", err)
	}
	return nil
}

// deletion is a run that reads nothing and leaves a collector out.
func deletion(config *Config, organization int64, name string) pipeline.Recipe {
	one := *config
	one.Organizations = slices.DeleteFunc(slices.Clone(one.Organizations), func(o Organization) bool { return o.ID != organization })
	return pipeline.Recipe{
		Job:     "collectors-delete",
		Extract: []pipeline.Stage{settings(&one)},
		Stages: []pipeline.Stage{
			users.Standing(),
			users.Delete(organization, name),
			contacts.Standing(),
			match.Decisions(decisionsPath(config)),
			users.MergeStanding(),
			contacts.Next(),
			match.StageOnStanding(),
			delta.Stage(),
			push.Stage(),
		},
		Account: delta.Account(),
		Loads:   loads(),
	}
}

// forget undoes every decision that stands on the users.
func (d Decider) forget(ctx context.Context, organization int64, gone []string) error {
	return match.DecisionsFile{Path: decisionsPath(d.Config)}.Append(ctx, func(before []match.Decision) ([]match.Decision, error) {
		undone := match.Undone(before)
		var undos []match.Decision
		for _, decision := range before {
			if decision.Action == match.ActionUndo || undone[decision.ID] || decision.OrganizationID != organization || !slices.Contains(gone, decision.ObjectGUID) {
				continue
			}
			id, err := d.NewID()
			if err != nil {
				return nil, fmt.Errorf("make an id: %w", err)
			}
			undos = append(undos, match.Decision{
				ID: id, At: d.Clock().UTC().Truncate(time.Microsecond), By: d.By, Action: match.ActionUndo,
				OrganizationID: organization, ObjectGUID: decision.ObjectGUID, Reason: "its collector was deleted", Undoes: decision.ID,
			})
		}
		return undos, nil
	})
}
