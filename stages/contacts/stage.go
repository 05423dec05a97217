package contacts

import (
	"context"
	"embed"
	"fmt"

	"rollcall/pipeline"
)

//go:embed validate.sql contacts.sql next.sql
var scripts embed.FS

// Extract reads all contact sources into read_contacts, read_contact_emails and
// read_contact_phones. A source that cannot be read, or holds a bad record, makes the
// organizations concerned unavailable; it never ends the run.
func Extract(sources []Source) pipeline.Stage {
	return pipeline.Stage{Name: "contacts", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		if err := registerFunctions(r.Store); err != nil {
			return 0, err
		}
		if err := r.Store.Exec(ctx, rawContacts.CreateTemporary()+
			"CREATE OR REPLACE TEMP TABLE source_organizations (source BIGINT NOT NULL, organization_id BIGINT NOT NULL)"); err != nil {
			return 0, fmt.Errorf("prepare: %w", err)
		}
		for i, source := range sources {
			if err := source.extract(ctx, r, int64(i)); err != nil {
				return 0, err
			}
		}
		if err := r.Store.RunScripts(ctx, pipeline.Scripts(scripts, "validate.sql")...); err != nil {
			return 0, err
		}
		if err := refuseBad(ctx, r, sources); err != nil {
			return 0, err
		}
		if err := r.Store.RunScripts(ctx, pipeline.Scripts(scripts, "contacts.sql")...); err != nil {
			return 0, err
		}
		rows, err := r.Store.Count(ctx, "SELECT count(*) FROM read_contacts")
		r.Log.Info().Int("sources", len(sources)).Int64("contacts", rows).Msg("contacts read")
		return rows, err
	}}
}

func (s Source) extract(ctx context.Context, r *pipeline.Run, number int64) error {
	if err := s.load(ctx, r.Store, number); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("contacts: %w", context.Cause(ctx))
		}
		for _, organization := range s.Organizations {
			if err := r.Unavailable(ctx, organization, err.Error()); err != nil {
				return err
			}
		}
		return nil
	}
	for _, organization := range s.Organizations {
		if err := r.Store.Exec(ctx, "INSERT INTO source_organizations VALUES (?, ?)", number, organization); err != nil {
			return fmt.Errorf("note the source of organization %d: %w", organization, err)
		}
	}
	return nil
}

// refuseBad makes the organizations of bad records unavailable, with the first of each.
func refuseBad(ctx context.Context, r *pipeline.Run, sources []Source) error {
	type bad struct {
		organization, source, position, more int64
		problem                              string
	}
	var found []bad
	err := r.Store.Query(ctx, func(scan func(...any) error) error {
		var b bad
		if err := scan(&b.organization, &b.source, &b.position, &b.problem, &b.more); err != nil {
			return err
		}
		found = append(found, b)
		return nil
	}, "SELECT organization_id, source, position, problem, more FROM first_problems ORDER BY organization_id")
	if err != nil {
		return fmt.Errorf("read the problems: %w", err)
	}
	for _, b := range found {
		source := sources[b.source]
		place := fmt.Sprintf("record %d", b.position)
		if source.Format == JSONL {
			place = fmt.Sprintf("line %d", lineOf(source.Path, b.position))
		}
		message := fmt.Sprintf("contacts %s: %s: %s", source.name(), place, b.problem)
		if b.more > 0 {
			message += fmt.Sprintf(" (and %d more)", b.more)
		}
		if err := r.Unavailable(ctx, b.organization, message); err != nil {
			return err
		}
	}
	return nil
}

// Next turns tonight's contacts into what will be the state.
func Next() pipeline.Stage {
	return pipeline.ScriptStage("documented", "SELECT count(*) FROM next_contacts", pipeline.Scripts(scripts, "next.sql")...)
}
