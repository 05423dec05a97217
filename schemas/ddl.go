package schemas

import (
	"fmt"
	"strings"
)

// quote makes a text a SQL literal. Only declarations of this package pass through it.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func (t Table) create(kind, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE %s %s (", kind, name)
	for i, c := range t.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %s", identifier(c.Name), SQLType(c.Type))
		if !c.Nullable {
			b.WriteString(" NOT NULL")
		}
	}
	b.WriteString(");\n")
	return b.String()
}

// CreateTemporary returns the DDL of the table that a run's stages fill.
func (t Table) CreateTemporary() string { return t.create("OR REPLACE TEMP TABLE", t.Next()) }

// CreateState returns the DDL of the table in the run's own store. Keys are not constraints: they
// are asserted before a commit (Table.DuplicateKeys), which costs no index.
func (t Table) CreateState() string { return t.create("TABLE", t.Name) }

// CreatePublished returns the DDL of the table with its COMMENTs in an attached database.
func (t Table) CreatePublished(database string) string {
	name := database + ".main." + t.Name
	return t.create("TABLE", name) + comments("TABLE", name, t.Description, t.Columns)
}

// Create returns the DDL of the view with its COMMENTs in the current database.
func (v View) Create() string {
	return fmt.Sprintf("CREATE OR REPLACE VIEW %s AS\n%s;\n", v.Name, strings.TrimRight(v.SQL, "; \n")) +
		comments("VIEW", v.Name, v.Description, v.Columns)
}

func comments(kind, name, description string, columns []Column) string {
	var b strings.Builder
	fmt.Fprintf(&b, "COMMENT ON %s %s IS %s;\n", kind, name, quote(description))
	for _, c := range columns {
		fmt.Fprintf(&b, "COMMENT ON COLUMN %s.%s IS %s;\n", name, identifier(c.Name), quote(c.Description))
	}
	return b.String()
}

// DuplicateKeys returns a query for how many keys occur more than once in the table's twin.
func (t Table) DuplicateKeys() string {
	key := List(t.Key)
	return fmt.Sprintf("SELECT count(*) FROM (SELECT %s FROM %s GROUP BY %s HAVING count(*) > 1)", key, t.Next(), key)
}
