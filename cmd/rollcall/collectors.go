package main

import (
	"database/sql"
	_ "embed"
	"errors"

	"github.com/spf13/cobra"

	"rollcall/jobs"
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
	verb.AddCommand(a.deleteCollectorVerb())
	return verb
}

func (a *app) deleteCollectorVerb() *cobra.Command {
	var organization int64
	var by string
	var dryRun bool
	verb := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a collector that was taken out of the configuration, with the users that only it had seen",
	}
	verb.Flags().Int64Var(&organization, "org", 0, "organization `N` of the collector")
	verb.Flags().StringVar(&by, "by", "", "who decides (default: who is logged in)")
	verb.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would change")
	verb.Args = asUsage(cobra.ExactArgs(1))
	verb.RunE = func(cmd *cobra.Command, args []string) error {
		if organization == 0 {
			return usagef("--org must name the collector's organization")
		}
		config, err := a.config()
		if err != nil {
			return err
		}
		outside, err := a.outside()
		if err != nil {
			return err
		}
		outside.DryRun = dryRun
		if by == "" {
			if by, err = loggedIn(); err != nil {
				return err
			}
		}
		return a.onPublished(cmd.Context(), func(db *sql.DB) error {
			d := jobs.Decider{Config: config, Published: db, Clock: a.clock, NewID: newDecisionID, By: by}
			err := jobs.DeleteCollector(cmd.Context(), d, organization, args[0], outside)
			if errors.Is(err, jobs.ErrRefused) {
				return &usageError{err}
			}
			return err
		})
	}
	return verb
}
