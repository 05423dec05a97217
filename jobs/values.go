package jobs

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// decodeNode decodes a part of the file over what into holds already.
func decodeNode(node ast.Node, into any) error {
	if err := misfit(node, reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	return yaml.NodeToValue(node, into, yaml.Strict()) //nolint:wrapcheck // the loader explains it
}

// misfit finds the first value at or below a node that its Go type cannot hold, and the first
// key that is not known. The YAML library takes 10.5 for 10 and an empty entry of a list for
// nothing, and its messages speak of Go.
func misfit(node ast.Node, typ reflect.Type) error {
	if _, own := reflect.New(typ).Interface().(yaml.NodeUnmarshaler); own {
		return nil // it sees to that itself
	}
	switch n := node.(type) {
	case *ast.AnchorNode:
		return misfit(n.Value, typ)
	case *ast.AliasNode, *ast.NullNode:
		return nil // checked where its anchor is; nothing
	}
	if typ == reflect.TypeFor[Texts]() {
		switch node.(type) {
		case *ast.SequenceNode:
			return misfitList(node, typ)
		case ast.ScalarNode:
			return misfitScalar(node, reflect.TypeFor[string]())
		}
		return &valueError{node: node, rule: "must be a text or a list of texts (got " + kindOf(node) + ")"}
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return misfit(node, typ.Elem())
	case reflect.Struct, reflect.Map:
		return misfitMapping(node, typ)
	case reflect.Slice:
		return misfitList(node, typ)
	}
	return misfitScalar(node, typ)
}

func misfitMapping(node ast.Node, typ reflect.Type) error {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		return &valueError{node: node, rule: "must be a mapping of keys to values (got " + kindOf(node) + ")"}
	}
	for pair := mapping.MapRange(); pair.Next(); {
		wanted := typ
		switch {
		case pair.Key().IsMergeKey():
		case typ.Kind() == reflect.Map:
			wanted = typ.Elem()
		default:
			if wanted, ok = fieldType(typ, pair.Key().GetToken().Value); !ok {
				return &valueError{node: pair.Key(), rule: "unknown key; check its spelling and its indentation"}
			}
		}
		if err := misfit(pair.Value(), wanted); err != nil {
			return err
		}
	}
	return nil
}

// fieldType is the type of the field that has the given key.
func fieldType(typ reflect.Type, key string) (reflect.Type, bool) {
	for i := range typ.NumField() {
		if f := typ.Field(i); f.Tag.Get("yaml") == key && f.IsExported() {
			return f.Type, true
		}
	}
	return nil, false
}

func misfitList(node ast.Node, typ reflect.Type) error {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		return &valueError{node: node, rule: "must be a list (got " + kindOf(node) + ")"}
	}
	for _, entry := range list.Values {
		if entry.Type() == ast.NullType {
			return &valueError{node: entry, rule: "is empty; fill it or take the dash out"}
		}
		if err := misfit(entry, typ.Elem()); err != nil {
			return err
		}
	}
	return nil
}

func misfitScalar(node ast.Node, typ reflect.Type) error {
	var fits bool
	var wanted string
	switch {
	case typ == reflect.TypeFor[time.Duration]():
		_, err := time.ParseDuration(node.GetToken().Value)
		fits, wanted = err == nil, "a duration such as 90s or 2h"
	case typ.Kind() == reflect.Bool:
		fits, wanted = node.Type() == ast.BoolType, "true or false"
	case typ.Kind() == reflect.String:
		_, fits = node.(ast.ScalarNode)
		wanted = "text"
	default:
		wanted = "a whole number"
		if n, ok := node.(*ast.IntegerNode); ok {
			_, unsigned := n.Value.(uint64)
			fits = !unsigned || n.Value.(uint64) <= math.MaxInt64
		}
	}
	if fits {
		return nil
	}
	got := kindOf(node)
	if _, ok := node.(ast.ScalarNode); ok {
		got = quoteValue(node.GetToken().Value)
	}
	return &valueError{node: node, rule: "must be " + wanted + " (got " + got + ")"}
}

// kindOf names what a node is, without its value, which could be a secret in the wrong place.
func kindOf(node ast.Node) string {
	switch node.(type) {
	case ast.MapNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

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
	if err := decodeNode(node, (*plain)(s)); err != nil {
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

// UnmarshalYAML takes a source for the default one's place; a CSV file keeps the defaults that it
// does not change.
func (c *Contacts) UnmarshalYAML(node ast.Node) error {
	type plain Contacts
	own := plain{}
	if err := decodeNode(node, &own); err != nil {
		return err
	}
	if own.CSV != nil && c.CSV != nil {
		own.CSV = c.CSV
		if err := decodeNode(node, &own); err != nil {
			return err
		}
	}
	*c = Contacts(own)
	return nil
}

// Texts is a list of texts, of which a single one may stand alone.
type Texts []string

// UnmarshalYAML takes one text or a list. It decodes with the decoder that it is called by, which
// knows the anchors.
func (t *Texts) UnmarshalYAML(decode func(any) error) error {
	var list []string
	if err := decode(&list); err == nil {
		*t = list
		return nil
	}
	var text string
	if err := decode(&text); err != nil {
		return err
	}
	*t = Texts{text}
	return nil
}

// Share is a part of a whole, from 0 to 1; written as 20% (or 0.2).
type Share float64

var errShare = errors.New("not a share")

// UnmarshalYAML takes 20% and 0.2.
func (s *Share) UnmarshalYAML(node ast.Node) error {
	value, err := parseShare(node.GetToken().Value)
	if err != nil {
		return &valueError{node: node, rule: "must be a share from 0% to 100%, such as 20% (got " + quoteValue(node.GetToken().Value) + ")"}
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
