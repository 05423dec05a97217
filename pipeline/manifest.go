package pipeline

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"rollcall/schemas"
)

// manifestName is the file whose presence means that a run's files are complete.
const manifestName = "datapackage.json"

// manifest is datapackage.json (Data Package v2): its presence means that every file it names is
// complete. It holds no clock time, so the same run gives the same bytes.
type manifest struct {
	Schema           string     `json:"$schema"`
	Name             string     `json:"name"`
	RunID            string     `json:"run_id"`
	Job              string     `json:"job"`
	Now              string     `json:"now"`
	Status           string     `json:"status"`
	PrevManifestHash string     `json:"prev_manifest_hash,omitempty"`
	Resources        []resource `json:"resources"`
}

type resource struct {
	Name      string      `json:"name"`
	Path      string      `json:"path"`
	Type      string      `json:"type"`
	MediaType string      `json:"mediatype"`
	Encoding  string      `json:"encoding,omitempty"`
	Bytes     int64       `json:"bytes"`
	Hash      string      `json:"hash"`
	Rows      int64       `json:"rows"`
	Schema    tableSchema `json:"schema"`
}

type tableSchema struct {
	Fields []field `json:"fields"`
}

type field struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
}

// writeManifest writes datapackage.json, last and atomically, and returns its hash. The hash of
// the run before chains the manifests, so that a missing or altered one shows.
func (f *Files) writeManifest(ctx context.Context, s *Store, runID string) (string, error) {
	m := manifest{
		Schema: "https://datapackage.org/profiles/2.0/datapackage.json",
		Name:   strings.ToLower(runID), RunID: runID, Resources: []resource{},
	}
	var previous sql.NullString
	err := s.Query(ctx, func(scan func(...any) error) error { return scan(&m.Job, &m.Status, &m.Now, &previous) },
		`SELECT job, status, strftime(now, '%Y-%m-%dT%H:%M:%SZ'),
			(SELECT p.manifest_hash FROM runs p WHERE p.run_id < r.run_id AND p.manifest_hash IS NOT NULL ORDER BY p.run_id DESC LIMIT 1)
		 FROM runs r WHERE run_id = ?`, runID)
	if err != nil {
		return "", err
	}
	m.PrevManifestHash = previous.String
	sort.Slice(f.entries, func(i, j int) bool { return f.entries[i].path < f.entries[j].path })
	for _, e := range f.entries {
		m.Resources = append(m.Resources, e.resource())
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	text = append(text, '\n')
	if err := f.syncFolders(); err != nil {
		return "", err
	}
	if err := writeAtomically(filepath.Join(f.folder, manifestName), text); err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

func (e fileEntry) resource() resource {
	r := resource{
		Name: strings.ToLower(strings.NewReplacer("/", "-", ".", "-").Replace(e.path)),
		Path: e.path, Type: "table", MediaType: e.mediatype, Bytes: e.bytes, Hash: e.hash, Rows: e.rows,
	}
	if !strings.HasSuffix(e.path, ".parquet") {
		r.Encoding = "utf-8"
	}
	for _, c := range e.columns {
		r.Schema.Fields = append(r.Schema.Fields, field{Name: c.Name, Type: schemas.FieldType(c.Type), Description: c.Description})
	}
	return r
}

// writeAtomically writes a file beside its place, forces it to disk and renames it.
func writeAtomically(path string, text []byte) error {
	partial := path + ".partial"
	file, err := os.OpenFile(partial, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("create %s: %w", filepath.Base(partial), err)
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(partial), err)
	}
	return replaceFile(partial, path)
}

// replaceFile renames a finished file over its place and forces the folder's entry to disk.
func replaceFile(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("put %s in place: %w", filepath.Base(to), err)
	}
	return syncFolder(filepath.Dir(to))
}
