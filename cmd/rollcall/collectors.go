package main

import (
	"database/sql"
	_ "embed"

	"github.com/spf13/cobra"
)

//go:embed collectors.sql
var collectorsSQL string

func (a *app) collectorsVerb() *cobra.Command {
	var organization int64
	verb := &cobra.Command{Use: "collectors", Short: "List the collectors: how the last read of each went, and what it left out"}
	format := formatFlag(verb)
	verb.Flags().Int64Var(&organization, "org", 0, "only collectors of organization `N`")
	verb.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.onPublished(cmd.Context(), func(db *sql.DB) error {
			return list(cmd.Context(), a.out, db, *format, collectorsSQL, unless(organization, 0))
		})
	}
	return verb
}
