package main

import (
	"database/sql"
	_ "embed"

	"github.com/spf13/cobra"
)

//go:embed runs.sql
var runsSQL string

func (a *app) runsVerb() *cobra.Command {
	verb := &cobra.Command{Use: "runs", Short: "List the published runs, the latest first"}
	format := formatFlag(verb)
	verb.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.onPublished(cmd.Context(), func(db *sql.DB) error {
			return list(cmd.Context(), a.out, db, *format, runsSQL)
		})
	}
	return verb
}
