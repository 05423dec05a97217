package main

import (
	"database/sql"

	"github.com/spf13/cobra"
)

func (a *app) queryVerb() *cobra.Command {
	verb := &cobra.Command{
		Use:     "query SQL",
		Short:   "Ask the published file",
		Example: `  rollcall query "SELECT status, count(*) FROM contact_matching GROUP BY status"`,
		Args:    cobra.ExactArgs(1),
	}
	format := formatFlag(verb)
	verb.RunE = func(cmd *cobra.Command, args []string) error {
		return a.onPublished(cmd.Context(), func(db *sql.DB) error {
			return list(cmd.Context(), a.out, db, *format, args[0])
		})
	}
	return verb
}
