package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rollcall/jobs"
	"rollcall/stages/match"
)

func (a *app) decisionsVerb() *cobra.Command {
	var organization int64
	verb := &cobra.Command{Use: "decisions", Short: "List what people decided: who, when, why, and whether it stands"}
	format := formatFlag(verb)
	verb.Flags().Int64Var(&organization, "org", 0, "only decisions on users of organization `N`")
	verb.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := a.config()
		if err != nil {
			return err
		}
		decisions, torn, err := jobs.Decisions(cmd.Context(), config)
		if err != nil {
			return err
		}
		if torn > 0 {
			fmt.Fprintf(a.err, "The last line of decisions.jsonl, %d bytes, was torn off while it was written and is no decision: whoever took it takes it again.\n", torn)
		}
		pending := map[string]bool{}
		err = a.onPublished(cmd.Context(), func(db *sql.DB) error {
			waiting, err := jobs.Pending(cmd.Context(), db, decisions)
			for _, d := range waiting {
				pending[d.ID] = true
			}
			return err
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		undone := match.Undone(decisions)
		var rows [][]any
		for _, d := range decisions {
			if organization != 0 && d.OrganizationID != organization {
				continue
			}
			state := "applied"
			switch {
			case undone[d.ID]:
				state = "undone"
			case pending[d.ID]:
				state = "pending"
			}
			var contact any
			if d.ContactID != nil {
				contact = *d.ContactID
			}
			rows = append(rows, []any{d.ID, d.At, d.By, d.Action, d.OrganizationID, d.ObjectGUID, contact, d.Undoes, state, d.Reason})
		}
		return write(a.out, *format, []string{"decision", "at", "by", "action", "organization_id", "object_guid", "contact_id", "undoes", "state", "reason"}, rows)
	}
	return verb
}
