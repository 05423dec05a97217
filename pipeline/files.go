package pipeline

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"rollcall/schemas"
)

// Files writes the files of one run under runs/<run_id>. Until the manifest is there the folder
// is unfinished, and a new start begins it afresh.
type Files struct {
	folder     string
	checkpoint func(string)
	entries    []fileEntry
	rows       int64
}

// fileEntry is what the manifest says of a file.
type fileEntry struct {
	path      string // below the run's folder, with slashes
	mediatype string
	bytes     int64
	hash      string
	rows      int64
	columns   []schemas.Column
}

func (e *Engine) newFiles(runID string) (*Files, error) {
	folder := filepath.Join(e.DataDir, "runs", runID)
	// The manifest goes first: while it is there, every file that it names is.
	if err := os.Remove(filepath.Join(folder, manifestName)); err == nil {
		if err := syncFolder(folder); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("clear the unfinished folder: %w", err)
	}
	if err := os.RemoveAll(folder); err != nil {
		return nil, fmt.Errorf("clear the unfinished folder: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("create the run's folder: %w", err)
	}
	return &Files{folder: folder, checkpoint: e.checkpoint}, nil
}

// place makes the folder of a file and returns its full path. name is rollcall's own, below
// the run's folder, with slashes; names from the outside never get here.
func (f *Files) place(name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("file name %q leaves the run's folder", name)
	}
	full := filepath.Join(f.folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return "", fmt.Errorf("create the folder of %s: %w", name, err)
	}
	return full, nil
}

// Table writes a run's rows of a history table as JSON lines and as Parquet, in the table's
// order.
func (f *Files) Table(ctx context.Context, s *Store, runID, name string, t schemas.Table) error {
	rows, err := s.Count(ctx, "SELECT count(*) FROM "+t.Name+" WHERE run_id = ?", runID)
	if err != nil {
		return err
	}
	query := fmt.Sprintf("SELECT %s FROM %s WHERE run_id = '%s' ORDER BY %s",
		t.ColumnList(), t.Name, strings.ReplaceAll(runID, "'", "''"), schemas.List(t.Order))
	for _, format := range []struct{ extension, options, mediatype string }{
		{".jsonl", "FORMAT json, ARRAY false", "application/x-ndjson"},
		{".parquet", "FORMAT parquet, COMPRESSION zstd", "application/vnd.apache.parquet"},
	} {
		full, err := f.place(name + format.extension)
		if err != nil {
			return err
		}
		if err := s.Exec(ctx, fmt.Sprintf("COPY (%s) TO '%s' (%s)", query, strings.ReplaceAll(full, "'", "''"), format.options)); err != nil {
			return fmt.Errorf("write %s: %w", name+format.extension, err)
		}
		if err := f.finish(name+format.extension, format.mediatype, rows, t.Columns); err != nil {
			return err
		}
	}
	return nil
}

// Create opens a file for a load that writes it itself. Close it with FileWriter.Finish.
func (f *Files) Create(name, mediatype string, columns []schemas.Column) (*FileWriter, error) {
	full, err := f.place(name)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(full, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	return &FileWriter{Writer: bufio.NewWriter(file), files: f, file: file, name: name, mediatype: mediatype, columns: columns}, nil
}

// FileWriter writes one file of a run.
type FileWriter struct {
	*bufio.Writer
	// Rows is counted by whoever writes.
	Rows int64

	files     *Files
	file      *os.File
	name      string
	mediatype string
	columns   []schemas.Column
}

// Finish completes the file and enters it in the manifest.
func (w *FileWriter) Finish() error {
	if err := errors.Join(w.Flush(), w.file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", w.name, err)
	}
	return w.files.finish(w.name, w.mediatype, w.Rows, w.columns)
}

// finish closes a file's permissions, forces it to disk and notes its size and hash.
func (f *Files) finish(name, mediatype string, rows int64, columns []schemas.Column) (err error) {
	full := filepath.Join(f.folder, filepath.FromSlash(name))
	if err := os.Chmod(full, 0o600); err != nil {
		return fmt.Errorf("close %s to others: %w", name, err)
	}
	file, err := os.Open(full)
	if err != nil {
		return fmt.Errorf("read %s back: %w", name, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	digest := sha256.New()
	bytes, err := io.Copy(digest, file)
	if err != nil {
		return fmt.Errorf("read %s back: %w", name, err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("force %s to disk: %w", name, err)
	}
	f.entries = append(f.entries, fileEntry{
		path: path.Clean(name), mediatype: mediatype, bytes: bytes,
		hash: "sha256:" + hex.EncodeToString(digest.Sum(nil)), rows: rows, columns: columns,
	})
	f.rows += rows
	f.checkpoint("after file " + name)
	return nil
}

// syncFolders forces the folders' own entries to disk, the run's in runs/ included: without them
// a power cut could take files away that the manifest names.
func (f *Files) syncFolders() error {
	folders := []string{filepath.Dir(f.folder)}
	err := filepath.WalkDir(f.folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("list the run's folders: %w", err)
	}
	for _, folder := range folders {
		if err := syncFolder(folder); err != nil {
			return err
		}
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the folder %s: %w", filepath.Base(path), err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("force the folder %s to disk: %w", filepath.Base(path), err)
	}
	return nil
}
