package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/jobs"
)

func (a *app) checkVerb() *cobra.Command {
	var connect bool
	verb := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration; with --connect also every collector and contact source",
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := a.config()
			if err != nil {
				return err
			}
			outside, err := a.outside()
			if err != nil {
				return err
			}
			missing := jobs.CheckSecrets(config, outside)
			for _, problem := range missing {
				fmt.Fprintf(a.out, "%s\n", problem)
			}
			if len(missing) > 0 {
				return fmt.Errorf("%w: %d secrets are missing", jobs.ErrConfig, len(missing))
			}
			fmt.Fprintf(a.out, "%s: the configuration is right: %d organizations, %d jobs.\n", a.configPath, len(config.Organizations), len(config.Jobs))
			if !connect {
				return nil
			}
			failed := 0
			for _, result := range jobs.CheckSources(cmd.Context(), config, outside) {
				state := "ok"
				if result.Err != nil {
					state = result.Err.Error()
					failed++
				}
				fmt.Fprintf(a.out, "%d %s: %s\n", result.Organization, result.Source, state)
				if result.Err == nil && result.Inspection != nil {
					writeInspection(a.out, *result.Inspection, outside.Clock())
				}
			}
			if failed > 0 {
				return fmt.Errorf("%d sources cannot be read", failed)
			}
			return nil
		},
	}
	verb.Flags().BoolVar(&connect, "connect", false, "also read every collector, keeping nothing, and look for every contact file")
	return verb
}
