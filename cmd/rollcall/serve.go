package main

import (
	"github.com/spf13/cobra"

	"rollcall/jobs"
)

func (a *app) serveVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run all jobs by their schedules until SIGTERM",
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := a.config()
			if err != nil {
				return err
			}
			outside, err := a.outside()
			if err != nil {
				return err
			}
			return jobs.Serve(cmd.Context(), config, outside)
		},
	}
}
