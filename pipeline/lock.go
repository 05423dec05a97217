package pipeline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// ErrAnotherRun tells that another process holds the data folder.
var ErrAnotherRun = errors.New("another run is going on")

// lockFolder takes the data folder for this process. The operating system drops the lock with
// the process, so a killed run leaves nothing to clean up.
func lockFolder(dataDir string) (release func() error, err error) {
	folder := filepath.Join(dataDir, "state")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("create %s: %w; check that data_dir exists and is writable", folder, err)
	}
	path := filepath.Join(folder, "run.lock")
	lock := flock.New(path, flock.SetPermissions(0o600))
	taken, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w; check that data_dir is writable", path, err)
	}
	if !taken {
		return nil, fmt.Errorf("%w: it holds %s; wait for it to end", ErrAnotherRun, path)
	}
	return lock.Unlock, nil
}
