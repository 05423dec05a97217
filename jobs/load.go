package jobs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// ErrConfig marks every error of the configuration.
var ErrConfig = errors.New("configuration")

// configFile is the shape of a file: rollcall.yaml itself, or one that organizations_from
// names, which holds organizations only.
type configFile struct {
	DataDir           string         `yaml:"data_dir"`
	Jobs              map[string]Job `yaml:"jobs"`
	Limits            Limits         `yaml:"limits"`
	Defaults          rawNode        `yaml:"defaults"`
	Organizations     []rawNode      `yaml:"organizations"`
	OrganizationsFrom string         `yaml:"organizations_from"`
}

// rawNode keeps a part of the file to be decoded over the defaults.
type rawNode struct{ ast.Node }

// UnmarshalYAML keeps the node.
func (r *rawNode) UnmarshalYAML(node ast.Node) error {
	r.Node = node
	return nil
}

// document is one parsed file with what is needed to say where something stands.
type document struct {
	path string // as a person named it
	root ast.Node
	body configFile
}

// LoadConfig reads, checks and completes the configuration. It dials nobody and reads no
// secret; every error names file, line, field, rule and value.
func LoadConfig(path string) (*Config, error) {
	main, err := readDocument(path)
	if err != nil {
		return nil, err
	}
	base := standardOrganization()
	if main.body.Defaults.Node != nil {
		if err := main.decode(main.body.Defaults.Node, &base); err != nil {
			return nil, err
		}
		main.resolvePaths(&base)
	}
	documents := []document{main}
	if main.body.OrganizationsFrom != "" {
		more, err := readOrganizationFiles(main)
		if err != nil {
			return nil, err
		}
		documents = append(documents, more...)
	}
	config := &Config{DataDir: main.body.DataDir, Jobs: main.body.Jobs, Limits: main.body.Limits}
	check := &checker{main: main, ids: map[int64]string{}}
	for _, d := range documents {
		for i, node := range d.body.Organizations {
			organization := base.clone()
			if err := d.decode(node.Node, &organization); err != nil {
				return nil, err
			}
			d.resolvePaths(&organization)
			check.organization(d, fmt.Sprintf("$.organizations[%d]", i), &organization)
			config.Organizations = append(config.Organizations, organization)
		}
	}
	check.whole(main, config)
	if err := check.err(); err != nil {
		return nil, err
	}
	config.DataDir = main.resolve(config.DataDir)
	return config, nil
}

// clone copies the parts of an organization that decoding would otherwise share with the next.
func (o Organization) clone() Organization {
	o.Collectors = append([]Collector(nil), o.Collectors...)
	o.Match.EmailFrom = append([]string(nil), o.Match.EmailFrom...)
	o.LastLogon.From = append([]string(nil), o.LastLogon.From...)
	o.Exclude.OU = append([]string(nil), o.Exclude.OU...)
	o.Exclude.Filter = append(Texts(nil), o.Exclude.Filter...)
	if o.Contacts.CSV != nil {
		csv := *o.Contacts.CSV
		o.Contacts.CSV = &csv
	}
	return o
}

func readDocument(path string) (document, error) {
	d := document{path: path, body: configFile{Limits: standardLimits()}}
	text, err := os.ReadFile(path)
	if err != nil {
		return d, fmt.Errorf("%w: read it: %w; name it with --config FILE", ErrConfig, err)
	}
	if line := badLine(text); line > 0 {
		return d, fmt.Errorf("%w: %s:%d: is not UTF-8 text; save the file as UTF-8", ErrConfig, path, line)
	}
	file, err := parser.ParseBytes(bytes.TrimPrefix(text, []byte("\ufeff")), 0)
	if err != nil {
		return d, d.explain(err)
	}
	for _, part := range file.Docs {
		switch {
		case part.Body == nil || part.Body.Type() == ast.CommentType:
		case d.root == nil:
			d.root = part.Body
		default:
			return d, fmt.Errorf("%w: %s:%d: a second YAML document begins here; a file holds one, take the line --- out",
				ErrConfig, path, nodeLine(part.Body))
		}
	}
	if d.root == nil {
		return d, fmt.Errorf("%w: %s: the file is empty; see README.md for a first one", ErrConfig, path)
	}
	return d, d.decode(d.root, &d.body)
}

// badLine is the first line that is not UTF-8 text, 0 without one. The YAML library would end the
// file at a zero octet.
func badLine(text []byte) int {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return number
		}
	}
	return 0
}

func readOrganizationFiles(main document) ([]document, error) {
	pattern := main.resolve(main.body.OrganizationsFrom)
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("%w: %s:%d: organizations_from: must name at least one file (got %q)",
			ErrConfig, main.path, main.line("$.organizations_from"), main.body.OrganizationsFrom)
	}
	sort.Strings(paths)
	documents := make([]document, 0, len(paths))
	for _, path := range paths {
		d, err := readDocument(path)
		if err != nil {
			return nil, err
		}
		for _, key := range []string{"data_dir", "jobs", "limits", "defaults", "organizations_from"} {
			if d.has("$." + key) {
				return nil, fmt.Errorf("%w: %s:%d: %s: a file of organizations_from may hold organizations only; move it to %s",
					ErrConfig, path, d.line("$."+key), key, filepath.Base(main.path))
			}
		}
		documents = append(documents, d)
	}
	return documents, nil
}

func (d document) decode(node ast.Node, into any) error {
	if err := decodeNode(node, into); err != nil {
		return d.explain(err)
	}
	return nil
}

// resolvePaths makes the paths of an organization absolute that stand in this file.
func (d document) resolvePaths(o *Organization) {
	paths := []*string{&o.Contacts.JSONL, &o.Contacts.Parquet}
	if o.Contacts.CSV != nil {
		paths = append(paths, &o.Contacts.CSV.Path)
	}
	for i := range o.Collectors {
		k := &o.Collectors[i]
		paths = append(paths, &k.LDIF, &k.CAFile, &k.Credentials.Password.File,
			&k.Credentials.Keytab, &k.Credentials.Krb5Conf, &k.Credentials.Certificate, &k.Credentials.Key)
	}
	for _, path := range paths {
		*path = d.resolve(*path)
	}
}

// resolve makes a path of the file absolute.
func (d document) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	full, err := filepath.Abs(filepath.Join(filepath.Dir(d.path), path))
	if err != nil {
		return filepath.Join(filepath.Dir(d.path), path)
	}
	return full
}

// explain turns the YAML library's errors into ours: file, line, field, rule, value. Source
// excerpts are left out, they could hold a secret.
func (d document) explain(err error) error {
	var value *valueError
	if errors.As(err, &value) {
		place := strings.TrimPrefix(fmt.Sprintf("%s: %s", fieldOf(value.node), value.rule), ": ")
		return fmt.Errorf("%w: %s:%d: %s", ErrConfig, d.path, nodeLine(value.node), place)
	}
	var other yaml.Error
	if errors.As(err, &other) && other.GetToken() != nil {
		message, hint := other.GetMessage(), "put text with special characters in quotes"
		switch {
		case strings.HasPrefix(message, "mapping key "), strings.HasPrefix(message, "duplicate key "):
			hint = "keep one of them"
		case strings.HasPrefix(message, "could not find alias "):
			message, hint = "*name is there without its &name", "both must stand in the same organization; what all share goes under defaults"
		default:
			message, _, _ = strings.Cut(message, ` "`) // what else is quoted could be anything
		}
		return fmt.Errorf("%w: %s:%d: cannot be read as YAML: %s; %s", ErrConfig, d.path, other.GetToken().Position.Line, message, hint)
	}
	return fmt.Errorf("%w: %s: %w", ErrConfig, d.path, err)
}

func quoteValue(value string) string {
	if runes := []rune(value); len(runes) > 60 {
		value = string(runes[:60]) + "…"
	}
	return fmt.Sprintf("%q", value)
}

// has tells whether there is a value at a path.
func (d document) has(path string) bool { return d.find(path) != nil }

func (d document) find(path string) ast.Node {
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	node, err := p.FilterNode(d.root)
	if err != nil {
		return nil
	}
	return node
}

// line is the line where a path's value stands, or the nearest that is above it in the tree.
func (d document) line(path string) int {
	for path != "" {
		if node := d.find(path); node != nil {
			return nodeLine(node)
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut <= 0 {
			break
		}
		path = path[:cut]
	}
	return 1
}

func nodeLine(node ast.Node) int {
	if mapping, ok := node.(*ast.MappingNode); ok && len(mapping.Values) > 0 {
		return nodeLine(mapping.Values[0])
	}
	if pair, ok := node.(*ast.MappingValueNode); ok {
		return pair.Key.GetToken().Position.Line
	}
	return node.GetToken().Position.Line
}

// fieldOf is the place of a node in words such as organizations[0].psa.kind.
func fieldOf(node ast.Node) string { return fieldAt(node.GetPath()) }

// fieldAt is a path without what YAML's tools need of it.
func fieldAt(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".")
}
