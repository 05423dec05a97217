package main

import (
	_ "embed"
	"errors"

	"github.com/spf13/cobra"
)

//go:embed runs.sql
var runsSQL string

func (a *app) runsVerb() *cobra.Command {
	verb := &cobra.Command{Use: "runs", Short: "List the published runs, the latest first"}
	format := formatFlag(verb)
	verb.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		config, err := a.config()
		if err != nil {
			return err
		}
		db, err := openPublished(cmd.Context(), config)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		return list(cmd.Context(), a.out, db, *format, runsSQL)
	}
	return verb
}
