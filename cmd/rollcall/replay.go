package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/jobs"
)

func (a *app) replayVerb() *cobra.Command {
	var update bool
	verb := &cobra.Command{
		Use:   "replay DIR…",
		Short: "Run whole nights as test cases and compare what they produce",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cases, err := jobs.FindCases(args)
			if err != nil {
				return err
			}
			failed := 0
			for _, c := range cases {
				diff, err := c.Replay(cmd.Context(), a.memory, update)
				switch {
				case err != nil:
					failed++
					fmt.Fprintf(a.out, "FAIL  %s: %v\n", c.Name, err)
				case diff != "" && update:
					fmt.Fprintf(a.out, "wrote %s\n", c.Name)
				case diff != "":
					failed++
					fmt.Fprintf(a.out, "FAIL  %s\n%s", c.Name, diff)
				default:
					fmt.Fprintf(a.out, "ok    %s: %s\n", c.Name, c.Why)
				}
			}
			fmt.Fprintf(a.out, "%d passed, %d failed\n", len(cases)-failed, failed)
			if failed > 0 {
				return fmt.Errorf("%d of %d cases differ", failed, len(cases))
			}
			return nil
		},
	}
	verb.Flags().BoolVar(&update, "update", false, "write what the nights produce as what they must produce")
	return verb
}
