package jobs_test

import (
	"context"
	"errors"
	"flag"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"rollcall/jobs"
)

var update = flag.Bool("update", false, "write what the replay cases produce as what they must")

// fewestCases guards against a suite that is not found any more.
const fewestCases = 20

// Every case under testdata/replay produces what it must, night by night.
func TestReplay(t *testing.T) {
	t.Parallel()
	cases, err := jobs.FindCases([]string{"../testdata/replay"})
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < fewestCases {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			diff, err := c.Replay(context.Background(), mem, *update)
			if err != nil {
				t.Fatal(err)
			}
			if diff != "" {
				t.Errorf("%s\n%s", c.Why, diff)
			}
			mem.AssertSize(t, 0)
		})
	}
}

// An empty suite fails.
func TestReplayOfNothingFails(t *testing.T) {
	t.Parallel()
	if _, err := jobs.FindCases([]string{t.TempDir()}); !errors.Is(err, jobs.ErrNoCases) {
		t.Errorf("got %v", err)
	}
}
