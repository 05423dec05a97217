package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
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
			failed, results := 0, replayAll(cmd.Context(), cases, a.memory, update)
			for i, c := range cases {
				switch r := results[i]; {
				case r.err != nil:
					failed++
					fmt.Fprintf(a.out, "FAIL  %s: %v\n", c.Name, r.err)
				case r.diff != "" && update:
					fmt.Fprintf(a.out, "wrote %s\n", c.Name)
				case r.diff != "":
					failed++
					fmt.Fprintf(a.out, "FAIL  %s\n%s", c.Name, r.diff)
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

type replayed struct {
	diff string
	err  error
}

// replayAll runs the cases side by side, as many as there are processors, and keeps their order.
func replayAll(ctx context.Context, cases []jobs.Case, mem memory.Allocator, update bool) []replayed {
	results := make([]replayed, len(cases))
	var group sync.WaitGroup
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, c := range cases {
		places <- struct{}{}
		group.Go(func() {
			results[i].diff, results[i].err = c.Replay(ctx, mem, update)
			<-places
		})
	}
	group.Wait()
	return results
}
