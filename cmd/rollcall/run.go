package main

import (
	"time"

	"github.com/spf13/cobra"

	"rollcall/jobs"
)

func (a *app) runVerb() *cobra.Command {
	var now string
	var dryRun bool
	var accept []int64
	verb := &cobra.Command{
		Use:   "run JOB",
		Short: "Run a job once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := a.config()
			if err != nil {
				return err
			}
			outside, err := a.outside()
			if err != nil {
				return err
			}
			at := a.clock()
			if now != "" {
				if at, err = time.Parse(time.RFC3339, now); err != nil {
					return usagef("--now must be a time such as 2026-11-01T02:00:00Z (got %q)", now)
				}
			}
			outside.DryRun, outside.Accept = dryRun, accept
			progress := a.startProgress()
			outside.Progress = progress.add
			outside.Out = progress.clearing(a.out)
			outcome, err := jobs.RunJob(cmd.Context(), config, args[0], at, outside)
			progress.stop()
			a.status = outcome.Status
			return err
		},
	}
	verb.Flags().StringVar(&now, "now", "", "logical `TIME` of the run (default: the clock)")
	verb.Flags().BoolVar(&dryRun, "dry-run", false, "do everything but commit and write, and print what would change")
	verb.Flags().Int64SliceVar(&accept, "accept", nil, "let `ORG` through the guard once")
	return verb
}
