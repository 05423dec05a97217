package jobs_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rollcall/jobs"
)

const servedConfig = `data_dir: ./data
jobs:
  often: {kind: nightly, schedule: "@every 1s"}
  other: {kind: nightly, schedule: "@every 1s"}
organizations:
  - id: 1001
    name: Contoso
    collectors:
      - {name: hq, ldif: hq.ldif}
    contacts: {jsonl: contacts.jsonl}
`

// The schedules run jobs, never two at once, and the end of the context ends a run cleanly: what
// was begun is either rolled back or complete.
func TestServe(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.write(t, "rollcall.yaml", servedConfig)
	b.write(t, "hq.ldif", person{"1", "Ann", "Lee", "ann@contoso.example"}.ldif(""))
	b.write(t, "contacts.jsonl", `{"id":1,"organization_id":1001,"emails":[{"value":"ann@contoso.example"}]}`+"\n")
	config, err := jobs.LoadConfig(filepath.Join(b.folder, "rollcall.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex
	running, begun, complete := 0, 0, 0
	checkpoint := func(point string) {
		mu.Lock()
		defer mu.Unlock()
		switch point {
		case "begin":
			if running++; running > 1 {
				t.Error("two runs at once")
			}
			if begun++; begun == 4 {
				stop() // as SIGTERM does, in the middle of a run
			}
		case "after publish":
			running--
			complete++
		}
	}
	// Logical time never goes backwards: every look at the clock is a minute later.
	var ticks time.Duration
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		ticks += time.Minute
		return time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC).Add(ticks)
	}
	out := &strings.Builder{}
	if err := jobs.Serve(ctx, config, jobs.Outside{Clock: clock, Memory: b.memory, Log: zerolog.Nop(), Out: out, Checkpoint: checkpoint}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	if begun != 4 || complete != 3 {
		t.Errorf("%d runs begun and %d complete, want 4 and 3", begun, complete)
	}
	mu.Unlock()
	if !strings.Contains(out.String(), "-often: succeeded") || !strings.Contains(out.String(), "-other: succeeded") {
		t.Errorf("not both jobs ran:\n%s", out)
	}
	// The folder is free again.
	if outcome, err := jobs.RunJob(t.Context(), config, "often", clock(), jobs.Outside{Clock: clock, Memory: b.memory, Log: zerolog.Nop(), Out: out}); err != nil {
		t.Errorf("the run after the stop: %v, %v", outcome, err)
	}
}

// Nothing to serve is an error, not a service that does nothing.
func TestServeWithoutSchedules(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.write(t, "rollcall.yaml", crowdConfig)
	config, err := jobs.LoadConfig(filepath.Join(b.folder, "rollcall.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := jobs.Serve(t.Context(), config, jobs.Outside{Clock: time.Now, Log: zerolog.Nop()}); !errors.Is(err, jobs.ErrNoSchedule) {
		t.Errorf("got %v", err)
	}
}
