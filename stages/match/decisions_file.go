package match

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// DecisionsFile is decisions.jsonl: append-only, locked while somebody reads or writes, and on
// the disk before anybody is told so. It is the one thing that cannot be computed again.
type DecisionsFile struct {
	Path string
}

// lockPoll is how often a lock that another process holds is tried again.
const lockPoll = 10 * time.Millisecond

// Read returns the decisions and the length in bytes of a torn last line: what a writer left that
// was killed before it could say that it had written. A torn line is no decision.
func (f DecisionsFile) Read(ctx context.Context) (decisions []Decision, torn int, err error) {
	if _, err := os.Stat(f.Path); errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil // no decisions yet, and nothing to lock
	}
	lock := f.lock()
	if _, err := lock.TryRLockContext(ctx, lockPoll); err != nil {
		return nil, 0, fmt.Errorf("lock the decisions: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	text, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, 0, fmt.Errorf("read the decisions: %w", err)
	}
	return f.parse(text)
}

// Append adds what decide makes of the decisions that are there, all of it or nothing; nobody else
// reads or writes meanwhile. A torn last line is moved aside first.
func (f DecisionsFile) Append(ctx context.Context, decide func(standing []Decision) ([]Decision, error)) (err error) {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return fmt.Errorf("create the folder of the decisions: %w", err)
	}
	lock := f.lock()
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("lock the decisions: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	file, err := os.OpenFile(f.Path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the decisions: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("read the decisions: %w", err)
	}
	standing, torn, err := f.parse(text)
	if err != nil {
		return err
	}
	more, err := decide(standing)
	if err != nil || len(more) == 0 {
		return err
	}
	lines, err := encode(more)
	if err != nil {
		return err
	}
	end := int64(len(text) - torn)
	if torn > 0 {
		if err := f.setAside(file, text[end:]); err != nil {
			return err
		}
	} else if end > 0 && text[end-1] != '\n' {
		lines = append([]byte("\n"), lines...) // somebody's editor left the last line without an end
	}
	_, err = file.WriteAt(lines, end)
	if err := errors.Join(err, file.Sync()); err != nil {
		// All of it or nothing: what did fit on the disk is taken back.
		return errors.Join(fmt.Errorf("write the decisions: %w", err), file.Truncate(end), file.Sync())
	}
	if len(text) == 0 {
		return syncFolder(filepath.Dir(f.Path))
	}
	return nil
}

// syncFolder brings a new file's name to the disk.
func syncFolder(path string) (err error) {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("write the folder of the decisions to the disk: %w", err)
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("write the folder of the decisions to the disk: %w", err)
	}
	return nil
}

// lock is a file of its own: the decisions themselves may be replaced, from a backup say.
func (f DecisionsFile) lock() *flock.Flock {
	return flock.New(f.Path+".lock", flock.SetPermissions(0o600))
}

// parse reads the decisions. A last line without an end that is no decision is torn; anything
// else that cannot be read is an error, because to skip it could undo what a person decided.
func (f DecisionsFile) parse(text []byte) ([]Decision, int, error) {
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	decisions, err := parseDecisions(bytes.NewReader(text))
	if err == nil {
		return decisions, 0, nil
	}
	if rest := len(text) - len(whole); rest > 0 && !json.Valid(text[len(whole):]) {
		if before, err := parseDecisions(bytes.NewReader(whole)); err == nil {
			return before, rest, nil
		}
	}
	return nil, 0, fmt.Errorf("%s: %w", filepath.Base(f.Path), err)
}

// setAside moves a torn last line to a file of its own, where a person can look at it.
func (f DecisionsFile) setAside(file *os.File, torn []byte) (err error) {
	aside, err := os.OpenFile(f.Path+".torn", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("set a torn decision aside: %w", err)
	}
	_, err = aside.Write(append(torn, '\n'))
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return fmt.Errorf("set a torn decision aside: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("cut a torn decision off: %w", err)
	}
	if err := file.Truncate(info.Size() - int64(len(torn))); err != nil {
		return fmt.Errorf("cut a torn decision off: %w", err)
	}
	return nil
}

func encode(decisions []Decision) ([]byte, error) {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	for _, d := range decisions {
		if err := encoder.Encode(d); err != nil {
			return nil, fmt.Errorf("encode decision %s: %w", d.ID, err)
		}
	}
	return lines.Bytes(), nil
}
