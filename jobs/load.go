package jobs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

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
	}
	documents := []document{main}
	if main.body.OrganizationsFrom != "" {
		more, err := readOrganizationFiles(main)
		if err != nil {
			return nil, err
		}
		documents = append(documents, more...)
	}
	config := &Config{DataDir: main.body.DataDir, Jobs: main.body.Jobs}
	check := &checker{}
	for _, d := range documents {
		for i, node := range d.body.Organizations {
			organization := base.clone()
			if err := d.decode(node.Node, &organization); err != nil {
				return nil, err
			}
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
	o.Exclude.OU = append([]string(nil), o.Exclude.OU...)
	return o
}

func readDocument(path string) (document, error) {
	d := document{path: path}
	text, err := os.ReadFile(path)
	if err != nil {
		return d, fmt.Errorf("%w: read it: %w; name it with --config FILE", ErrConfig, err)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return d, d.explain(err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return d, fmt.Errorf("%w: %s: the file is empty; see README.md for a first one", ErrConfig, path)
	}
	d.root = file.Docs[0].Body
	return d, d.decode(d.root, &d.body)
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
		if d.body.DataDir != "" || d.body.Jobs != nil || d.body.Defaults.Node != nil || d.body.OrganizationsFrom != "" {
			return nil, fmt.Errorf("%w: %s: a file of organizations_from may hold organizations only", ErrConfig, path)
		}
		documents = append(documents, d)
	}
	return documents, nil
}

func (d document) decode(node ast.Node, into any) error {
	if err := yaml.NodeToValue(node, into, yaml.Strict()); err != nil {
		return d.explain(err)
	}
	return nil
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
		return fmt.Errorf("%w: %s:%d: %s: %s", ErrConfig, d.path, nodeLine(value.node), d.fieldOf(value.node), value.rule)
	}
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%w: %s:%d: %s: unknown key; check its spelling and its indentation",
			ErrConfig, d.path, unknown.Token.Position.Line, d.fieldAt(unknown.Token.Position.Offset, unknown.Token.Value))
	}
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%w: %s:%d: %s: must be %s (got %s)", ErrConfig, d.path, wrong.Token.Position.Line,
			d.fieldAt(wrong.Token.Position.Offset, ""), wantedType(wrong), quoteValue(wrong.Token.Value))
	}
	var other yaml.Error
	if errors.As(err, &other) && other.GetToken() != nil {
		return fmt.Errorf("%w: %s:%d: %s", ErrConfig, d.path, other.GetToken().Position.Line, other.GetMessage())
	}
	return fmt.Errorf("%w: %s: %w", ErrConfig, d.path, err)
}

func wantedType(e *yaml.TypeError) string {
	if e.DstType == nil {
		return "of another type"
	}
	if e.DstType.String() == "time.Duration" {
		return "a duration such as 90s or 2h"
	}
	switch kind := e.DstType.Kind().String(); kind {
	case "int", "int64":
		return "a whole number"
	case "bool":
		return "true or false"
	case "slice":
		return "a list"
	case "struct", "map":
		return "a mapping of keys to values"
	default:
		return "a " + kind
	}
}

func quoteValue(value string) string {
	if len(value) > 60 {
		value = value[:60] + "…"
	}
	return fmt.Sprintf("%q", value)
}

// line is the line where a path's value stands, or the nearest that is above it in the tree.
func (d document) line(path string) int {
	for path != "" {
		if p, err := yaml.PathString(path); err == nil {
			if node, err := p.FilterNode(d.root); err == nil && node != nil {
				return nodeLine(node)
			}
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
func (d document) fieldOf(node ast.Node) string {
	return strings.TrimPrefix(strings.TrimPrefix(node.GetPath(), "$"), ".")
}

// fieldAt finds the node at an offset of the file.
func (d document) fieldAt(offset int, key string) string {
	found := &finder{offset: offset}
	ast.Walk(found, d.root)
	if found.node == nil {
		return key
	}
	field := d.fieldOf(found.node)
	if key != "" && !strings.HasSuffix(field, key) {
		field = strings.TrimPrefix(field+"."+key, ".")
	}
	return field
}

type finder struct {
	offset int
	node   ast.Node
}

// Visit keeps the innermost node whose token stands at the offset.
func (f *finder) Visit(node ast.Node) ast.Visitor {
	if t := node.GetToken(); t != nil && t.Position.Offset == f.offset {
		f.node = node
	}
	return f
}
