package jobs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"rollcall/stages/users"
)

// CheckSecrets tells which secrets that the configuration names, and which files of credentials,
// are not there.
func CheckSecrets(config *Config, outside Outside) []error {
	var missing []error
	for _, o := range config.Organizations {
		for _, k := range o.Collectors {
			note := func(key string, err error) {
				if err != nil {
					missing = append(missing, fmt.Errorf("organization %d, collector %s, credentials.%s: %w", o.ID, k.Name, key, err))
				}
			}
			if k.Credentials.Password.IsSet() {
				_, err := k.Credentials.Password.Read(outside.Environment)
				note("password", err)
			}
			note("keytab", readable(k.Credentials.Keytab))
			note("krb5_conf", readable(k.Credentials.Krb5Conf))
			note("certificate", readable(k.Credentials.Certificate))
			note("key", readable(k.Credentials.Key))
		}
	}
	return missing
}

// readable tells what is wrong with a file; nothing if none is named.
func readable(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	return file.Close() //nolint:wrapcheck // nothing was written
}

// SourceCheck is what --connect found of one source.
type SourceCheck struct {
	Organization int64
	Source       string
	Err          error
	// Inspection is what a collector's read found; nil for other sources.
	Inspection *users.Inspection
}

// CheckSources reads every collector as a night does, without keeping anything, and looks for
// every contact file.
func CheckSources(ctx context.Context, config *Config, outside Outside) []SourceCheck {
	var results []SourceCheck
	for _, k := range collectors(config, outside, outside.Clock()) {
		found, err := k.Inspect(ctx, outside.Clock)
		results = append(results, SourceCheck{k.Organization, "collector " + k.Name, err, &found})
	}
	for _, s := range sources(config) {
		info, err := os.Stat(s.Path)
		if err == nil && info.IsDir() {
			err = fmt.Errorf("%s is a folder, not a file", filepath.Base(s.Path))
		}
		for _, organization := range s.Organizations {
			results = append(results, SourceCheck{organization, "contacts " + filepath.Base(s.Path), err, nil})
		}
	}
	return results
}
