package main

import (
	"errors"

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
	verb.RunE = func(cmd *cobra.Command, args []string) (err error) {
		config, err := a.config()
		if err != nil {
			return err
		}
		db, err := openPublished(cmd.Context(), config)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		return list(cmd.Context(), a.out, db, *format, args[0])
	}
	return verb
}
