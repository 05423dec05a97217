package jobs

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// valueError is the message of a value that cannot be decoded; the loader adds file, line and
// field. It never holds a secret.
type valueError struct {
	node ast.Node
	rule string
}

func (e *valueError) Error() string { return e.rule }

// Secret names where a secret lies. The file itself never holds one.
type Secret struct {
	Env  string `yaml:"env"`
	File string `yaml:"file"`
}

// UnmarshalYAML refuses a literal: it would end up in backups and version control.
func (s *Secret) UnmarshalYAML(node ast.Node) error {
	type plain Secret
	if _, ok := node.(ast.ScalarNode); ok {
		return &valueError{node: node, rule: "a literal secret is refused: name an environment variable, {env: NAME}, or a file, {file: PATH}"}
	}
	if err := yaml.NodeToValue(node, (*plain)(s), yaml.Strict()); err != nil {
		return &valueError{node: node, rule: "must be {env: NAME} or {file: PATH}"}
	}
	if (s.Env == "") == (s.File == "") {
		return &valueError{node: node, rule: "must have exactly one of env and file"}
	}
	return nil
}

// IsSet tells whether the configuration names a secret at all.
func (s Secret) IsSet() bool { return s.Env != "" || s.File != "" }

// Read fetches the secret. The error names where it was looked for, never what was found.
func (s Secret) Read(lookup func(string) (string, bool)) (string, error) {
	if s.Env != "" {
		value, ok := lookup(s.Env)
		if !ok || value == "" {
			return "", fmt.Errorf("environment variable %s is not set or empty", s.Env)
		}
		return value, nil
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		return "", fmt.Errorf("read the secret's file: %w", err)
	}
	value := strings.TrimRight(string(text), "\r\n")
	if value == "" {
		return "", fmt.Errorf("the secret's file %s is empty", s.File)
	}
	return value, nil
}

// Share is a part of a whole, from 0 to 1; written as 20% (or 0.2).
type Share float64

var errShare = errors.New("not a share")

// UnmarshalYAML takes 20% and 0.2.
func (s *Share) UnmarshalYAML(node ast.Node) error {
	value, err := parseShare(node.GetToken().Value)
	if err != nil {
		return &valueError{node: node, rule: "must be a share from 0% to 100%, such as 20%"}
	}
	*s = Share(value)
	return nil
}

func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return 0, fmt.Errorf("parse a share: %w", err)
	}
	if percent {
		value /= 100
	}
	if !(value >= 0 && value <= 1) {
		return 0, errShare
	}
	return value, nil
}
