package schemas

import (
	"fmt"
	"io"
	"strings"
)

// WriteDictionary writes the data dictionary as Markdown: the views and tables of the published
// file, then the tables that only a run sees. docs/dictionary.md is its output, checked in CI.
func WriteDictionary(w io.Writer) error {
	d := dictionary{w: w}
	d.printf("# Data dictionary\n\n")
	d.printf("Written by `rollcall dictionary`; do not edit. Times are UTC with microseconds.\n")
	d.printf("\n## Views of the published file\n")
	for _, v := range Views() {
		d.section(v.Name, v.Description, "", v.Columns)
	}
	d.printf("\n## Tables of the published file\n")
	for _, t := range Tables() {
		if t.Published {
			d.section(t.Name, t.Description, strings.Join(t.Key, ", "), t.Columns)
		}
	}
	d.printf("\n## Tables of the run's own store\n\nNobody else opens these; they are here for whoever works on rollcall.\n")
	for _, t := range Tables() {
		if !t.Published {
			d.section(t.Name, t.Description, strings.Join(t.Key, ", "), t.Columns)
		}
	}
	return d.err
}

type dictionary struct {
	w   io.Writer
	err error
}

func (d *dictionary) printf(format string, args ...any) {
	if d.err == nil {
		_, d.err = fmt.Fprintf(d.w, format, args...)
	}
}

func (d *dictionary) section(name, description, key string, columns []Column) {
	d.printf("\n### %s\n\n%s", name, description)
	if key != "" {
		d.printf(" Key: %s.", key)
	}
	d.printf("\n\n| column | type | null | meaning |\n|---|---|---|---|\n")
	for _, c := range columns {
		null := ""
		if c.Nullable {
			null = "yes"
		}
		d.printf("| %s | %s | %s | %s |\n", c.Name, SQLType(c.Type), null, c.Description)
	}
}
