package jobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/aymanbagabas/go-udiff"
	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"
)

// Case is a replay case: a directory with case.yaml, the inputs of each night in night1/,
// night2/, … (a night sees the files of the nights before, unless it brings its own; an empty
// file NAME.removed takes NAME away) and what each night must produce in want/night1.txt, ….
type Case struct {
	Name   string
	Dir    string
	Why    string  `yaml:"why"`
	Nights []Night `yaml:"nights"`
}

// Night is one run of a case.
type Night struct {
	// Now is the logical time, and the clock's time as well.
	Now    time.Time `yaml:"now"`
	Accept []int64   `yaml:"accept"`
	DryRun bool      `yaml:"dry_run"`
	// Environment is the whole environment that the run sees.
	Environment map[string]string `yaml:"environment"`
}

// ErrNoCases tells that a suite is empty, which never counts as passed.
var ErrNoCases = errors.New("no replay cases")

// FindCases finds all cases at or below the given directories, sorted by name.
func FindCases(dirs []string) ([]Case, error) {
	var cases []Case
	for _, dir := range dirs {
		before := len(cases)
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() != "case.yaml" {
				return err
			}
			c, err := loadCase(path)
			cases = append(cases, c)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("find replay cases: %w", err)
		}
		if len(cases) == before {
			return nil, fmt.Errorf("%w: there is no case.yaml at or below %s", ErrNoCases, dir)
		}
	}
	sort.Slice(cases, func(i, j int) bool { return cases[i].Dir < cases[j].Dir })
	return cases, nil
}

func loadCase(path string) (Case, error) {
	c := Case{Dir: filepath.Dir(path)}
	c.Name = filepath.Base(c.Dir)
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read the case: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict()); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	if c.Why == "" || len(c.Nights) == 0 {
		return c, fmt.Errorf("%s: must say why and have at least one night", path)
	}
	return c, nil
}

// Replay runs the case's nights in a folder of its own and returns how what they produce differs
// from what they must, empty if it does not. With update, it is written as what they must.
func (c Case) Replay(ctx context.Context, mem memory.Allocator, update bool) (diff string, err error) {
	folder, err := os.MkdirTemp("", "rollcall-replay-")
	if err != nil {
		return "", fmt.Errorf("make the case's folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	var diffs strings.Builder
	for i, night := range c.Nights {
		name := fmt.Sprintf("night%d", i+1)
		if err := overlay(filepath.Join(c.Dir, name), folder); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		got, err := night.run(ctx, folder, mem)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		d, err := compare(filepath.Join(c.Dir, "want", name+".txt"), got, update)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		diffs.WriteString(d)
	}
	return diffs.String(), nil
}

// overlay copies a night's files over those of the nights before.
func overlay(from, to string) error {
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		if taken, ok := strings.CutSuffix(target, ".removed"); ok {
			return os.Remove(taken)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o600)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a night may bring nothing new
	}
	if err != nil {
		return fmt.Errorf("copy the night's files: %w", err)
	}
	return nil
}

// run runs the night and writes down everything it produced.
func (n Night) run(ctx context.Context, folder string, mem memory.Allocator) (string, error) {
	record := &transcript{folder: folder}
	config, err := LoadConfig(filepath.Join(folder, "rollcall.yaml"))
	if err != nil {
		record.section("error", err.Error()+"\n")
		return record.String(), nil //nolint:nilerr // a refusal is what such a case wants to see
	}
	var summary strings.Builder
	outcome, err := RunJob(ctx, config, "nightly", n.Now, Outside{
		Clock: func() time.Time { return n.Now }, Memory: mem, Log: zerolog.Nop(), Out: &summary,
		Environment: func(name string) (string, bool) { value, ok := n.Environment[name]; return value, ok },
		Accept:      n.Accept, DryRun: n.DryRun,
	})
	if err != nil {
		record.section("error", err.Error()+"\n")
	}
	record.section("summary", summary.String())
	if n.DryRun || err != nil {
		return record.String(), nil //nolint:nilerr // as above
	}
	if err := record.published(ctx, config.DataDir); err != nil {
		return "", err
	}
	if err := record.files(filepath.Join(config.DataDir, "runs", outcome.RunID)); err != nil {
		return "", err
	}
	return record.String(), nil
}

// compare tells how what a night produced differs from what it must.
func compare(path, got string, update bool) (string, error) {
	want, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read what is wanted: %w", err)
	}
	diff := udiff.Unified("want "+filepath.Base(path), "got", string(want), got)
	if diff == "" || !update {
		return diff, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // test data, in the repository
		return "", fmt.Errorf("write what is wanted: %w", err)
	}
	if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
		return "", fmt.Errorf("write what is wanted: %w", err)
	}
	return diff, nil
}
