package match

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// decisionsIn makes a decisions file with a text.
func decisionsIn(t *testing.T, text string) DecisionsFile {
	t.Helper()
	f := DecisionsFile{filepath.Join(t.TempDir(), "data", "decisions.jsonl")}
	if err := errors.Join(os.MkdirAll(filepath.Dir(f.Path), 0o700), os.WriteFile(f.Path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f DecisionsFile) text(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// add appends one decision.
func (f DecisionsFile) add(id string) error {
	return f.Append(context.Background(), func([]Decision) ([]Decision, error) {
		d := say(id, ActionIgnore, ann)
		d.At = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
		return []Decision{d}, nil
	})
}

func TestReadDecisions(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if got, torn, err := (DecisionsFile{filepath.Join(folder, "none.jsonl")}).Read(t.Context()); err != nil || got != nil || torn != 0 {
		t.Errorf("no file: got %v, %d, %v, want no decisions", got, torn, err)
	}
	if _, _, err := (DecisionsFile{folder}).Read(t.Context()); err == nil {
		t.Error("a folder was read as decisions")
	}
	_, _, err := decisionsIn(t, line("1", "forget", "")).Read(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "decisions.jsonl: line 1: action must be") {
		t.Errorf("got %v, want file and line", err)
	}
}

// A writer that is killed leaves a part of a line. It is no decision, and loses no other one.
func TestTornLastLine(t *testing.T) {
	t.Parallel()
	good := line("1", "ignore", "")
	for cut := 1; cut < len(good)-1; cut += 7 {
		f := decisionsIn(t, good+strings.Replace(good, `"1"`, `"2"`, 1)[:cut])
		read, torn, err := f.Read(t.Context())
		if err != nil || len(read) != 1 || torn != cut {
			t.Fatalf("cut at %d: %d decisions, %d bytes torn, %v", cut, len(read), torn, err)
		}
		if err := f.add("3"); err != nil {
			t.Fatal(err)
		}
		read, torn, err = f.Read(t.Context())
		if err != nil || len(read) != 2 || torn != 0 || read[1].ID != "3" {
			t.Fatalf("cut at %d, after another: %+v, %d bytes torn, %v", cut, read, torn, err)
		}
		if aside, err := os.ReadFile(f.Path + ".torn"); err != nil || len(aside) != cut+1 {
			t.Errorf("cut at %d: %d bytes were set aside: %v", cut, len(aside), err)
		}
	}
}

func TestLastLineWithoutAnEnd(t *testing.T) {
	t.Parallel()
	f := decisionsIn(t, strings.TrimSuffix(line("1", "ignore", ""), "\n"))
	if err := f.add("2"); err != nil {
		t.Fatal(err)
	}
	if read, torn, err := f.Read(t.Context()); err != nil || len(read) != 2 || torn != 0 {
		t.Errorf("%d decisions, %d bytes torn, %v", len(read), torn, err)
	}
}

// What cannot be read is never skipped, and nothing is written after it.
func TestBadLineIsNotTorn(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"in the middle":                `{"id":"2","at` + "\n" + line("3", "ignore", ""),
		"a whole line that is wrong":   line("1", "forget", ""),
		"wrong, without an end":        strings.TrimSuffix(line("1", "forget", ""), "\n"),
		"no JSON, with its end":        "ignore ann\n",
		"torn, after another bad line": line("1", "forget", "") + `{"id":"2`,
	} {
		f := decisionsIn(t, text)
		if _, _, err := f.Read(t.Context()); err == nil {
			t.Errorf("%s: was read", name)
		}
		if err := f.add("4"); err == nil || f.text(t) != text {
			t.Errorf("%s: something was written after it: %v", name, err)
		}
	}
}

// Several processes decide at once: none of their decisions is lost or torn. This test is the
// processes, too.
func TestConcurrentDecisions(t *testing.T) {
	const processes, each = 8, 25
	if path := os.Getenv("ROLLCALL_TEST_DECISIONS"); path != "" {
		for n := range each {
			if err := (DecisionsFile{path}).add(fmt.Sprintf("%d-%d", os.Getpid(), n)); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	t.Parallel()
	f := decisionsIn(t, "")
	done := make(chan struct{})
	var readers, writers sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if _, torn, err := f.Read(context.Background()); err != nil || torn > 0 {
					t.Errorf("a reader saw %d torn bytes: %v", torn, err)
					return
				}
			}
		}
	})
	for range processes {
		writers.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestConcurrentDecisions$")
			cmd.Env = append(os.Environ(), "ROLLCALL_TEST_DECISIONS="+f.Path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	read, torn, err := f.Read(context.Background())
	if err != nil || torn != 0 || len(read) != processes*each {
		t.Errorf("%d of %d decisions, %d bytes torn, %v", len(read), processes*each, torn, err)
	}
}
