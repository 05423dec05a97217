package jobs_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/rs/zerolog"

	"rollcall/jobs"
	"rollcall/pipeline"
)

// bundle is a folder with a configuration and its inputs.
type bundle struct {
	folder string
	memory memory.Allocator
	// policies are more keys of the one organization of readServer.
	policies string
	// more are more of its collectors.
	more string
}

// newBundle makes a folder whose record batches are checked to be released.
func newBundle(t *testing.T) bundle {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return bundle{folder: t.TempDir(), memory: mem}
}

func (b bundle) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(b.folder, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// run runs the nightly job at a logical time. The clock is another one, so that nothing of it
// can get into the files unseen.
func (b bundle) run(now string, checkpoint func(string)) (pipeline.Outcome, error) {
	at, err := time.Parse(time.RFC3339, now)
	if err != nil {
		return pipeline.Outcome{}, err
	}
	config, err := jobs.LoadConfig(filepath.Join(b.folder, "rollcall.yaml"))
	if err != nil {
		return pipeline.Outcome{}, err
	}
	return jobs.RunJob(context.Background(), config, "nightly", at, jobs.Outside{
		Clock: time.Now, Environment: os.LookupEnv, Memory: b.memory, Log: zerolog.Nop(),
		Out: new(strings.Builder), Checkpoint: checkpoint,
	})
}

func (b bundle) mustRun(t *testing.T, now string) {
	t.Helper()
	outcome, err := b.run(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if outcome.Status != pipeline.Succeeded {
		t.Fatalf("run %s: %s", outcome.RunID, outcome.Status)
	}
}

// digests are the SHA-256 of every file below runs/, by its path.
func (b bundle) digests(t *testing.T) map[string]string {
	t.Helper()
	runs := filepath.Join(b.folder, "data", "runs")
	found := map[string]string{}
	err := filepath.WalkDir(runs, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		name, err := filepath.Rel(runs, path)
		found[filepath.ToSlash(name)] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("the runs wrote no files")
	}
	return found
}

// mustEqual compares two sets of files.
func mustEqual(t *testing.T, want, got map[string]string) {
	t.Helper()
	for name, digest := range want {
		if got[name] != digest {
			t.Errorf("%s: %s", name, map[bool]string{true: "differs", false: "is missing"}[got[name] != ""])
		}
	}
	for name := range got {
		if want[name] == "" {
			t.Errorf("%s: should not be there", name)
		}
	}
}

// copyTo copies the bundle, data folder included.
func (b bundle) copyTo(t *testing.T, folder string) bundle {
	t.Helper()
	if err := os.CopyFS(folder, os.DirFS(b.folder)); err != nil {
		t.Fatal(err)
	}
	return bundle{folder: folder, memory: b.memory}
}

// person is one made-up person for the tests' inputs.
type person struct{ number, first, last, mail string }

func (p person) ldif(extra string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "dn: CN=u%s,OU=People,DC=contoso,DC=example\nobjectClass: user\nsAMAccountType: 805306368\n", p.number)
	fmt.Fprintf(&b, "objectGUID:: %s\n", guidFor(p.number))
	for _, a := range [][2]string{{"givenName", p.first}, {"sn", p.last}, {"mail", p.mail}} {
		if a[1] != "" {
			fmt.Fprintf(&b, "%s: %s\n", a[0], a[1])
		}
	}
	b.WriteString("userAccountControl: 512\nmsDS-User-Account-Control-Computed: 0\naccountExpires: 0\nlastLogon: 134000000000000000\npwdLastSet: 133900000000000000\nmsDS-UserPasswordExpiryTimeComputed: 134100000000000000\n")
	b.WriteString(extra + "\n")
	return b.String()
}
