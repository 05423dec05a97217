package jobs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

const (
	killPointVariable  = "ROLLCALL_TEST_KILL_AT"
	killFolderVariable = "ROLLCALL_TEST_KILL_FOLDER"
	killedNight        = "2026-11-02T02:00:00Z"
)

// runAndDie runs the second night and kills its own process at a point.
func runAndDie(folder, point string) error {
	b := bundle{folder: folder, memory: memory.DefaultAllocator}
	_, err := b.run(killedNight, func(at string) {
		if at == point {
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				panic(err)
			}
			select {} // the signal is on its way
		}
	})
	return errors.Join(fmt.Errorf("the point %q was not reached", point), err)
}

// killBundle is a folder after its first night, with the inputs of the second.
func killBundle(t *testing.T) bundle {
	t.Helper()
	b := newBundle(t)
	r := rand.New(rand.NewPCG(11, 11))
	b.write(t, "rollcall.yaml", crowdConfig)
	for night := range 2 {
		entries, contacts := crowd(r)
		b.write(t, "hq.ldif", strings.Join(entries[:60], ""))
		b.write(t, "branch.ldif", strings.Join(entries[50:70], ""))
		b.write(t, "contacts.jsonl", strings.Join(contacts[:60], "\n")+"\n")
		if night == 0 {
			b.mustRun(t, "2026-11-01T02:00:00Z")
		}
	}
	return b
}

// A process that is killed at any boundary of a run's life, and inside commit, load and publish,
// leaves nothing that the next start does not mend: the same run again, and the night after it,
// end with the files of an uninterrupted one, byte for byte.
func TestKilledAnywhereTheFilesAreTheSame(t *testing.T) {
	t.Parallel()
	first := killBundle(t)
	calm := first.copyTo(t, filepath.Join(t.TempDir(), "calm"))
	var mu sync.Mutex
	var points []string
	if _, err := calm.run(killedNight, func(at string) {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(points, at) {
			points = append(points, at)
		}
	}); err != nil {
		t.Fatal(err)
	}
	calm.mustRun(t, "2026-11-03T02:00:00Z")
	want := calm.digests(t)
	for _, must := range []string{"after users", "after match", "after guard", "before commit", "inside commit", "after commit", "before manifest", "after manifest", "inside publish", "after publish"} {
		if !slices.Contains(points, must) {
			t.Fatalf("a run has no point %q any more: %q", must, points)
		}
	}
	for _, point := range thin(points) {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			b := first.copyTo(t, filepath.Join(t.TempDir(), "killed"))
			killed := exec.Command(os.Args[0])
			killed.Env = append(os.Environ(), killPointVariable+"="+point, killFolderVariable+"="+b.folder)
			output, err := killed.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the process was not killed: %v\n%s", err, output)
			}
			b.mustRun(t, killedNight)
			b.mustRun(t, "2026-11-03T02:00:00Z")
			mustEqual(t, want, b.digests(t))
		})
	}
}

// thin keeps every point but most of the commit's tables, which are alike.
func thin(points []string) []string {
	tables := 0
	return slices.DeleteFunc(slices.Clone(points), func(point string) bool {
		if !strings.HasPrefix(point, "inside commit, ") {
			return false
		}
		tables++
		return tables%8 != 1
	})
}
