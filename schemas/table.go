package schemas

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// Life tells when the rows of a table come and go (see the package's doc comment).
type Life int

// The lives of a table.
const (
	Read Life = iota
	Replaced
	Observed
	Appended
	Recorded
	Engine
)

// Column is one column of a table or view.
type Column struct {
	Name        string
	Type        arrow.DataType
	Nullable    bool
	Description string
}

// Table declares one table. Key lists the columns that together are unique; a null equals a null.
type Table struct {
	Name        string
	Description string
	Columns     []Column
	Key         []string
	Life        Life
	// Published tables are copied into the analysts' file.
	Published bool
	// Order, if set, is the ORDER BY of the table's rows in files.
	Order []string
}

// The Arrow types that columns are made of. Times are UTC with microseconds: nanoseconds
// overflow on Active Directory's sentinels.
var (
	Int64     arrow.DataType = arrow.PrimitiveTypes.Int64
	Float64   arrow.DataType = arrow.PrimitiveTypes.Float64
	String    arrow.DataType = arrow.BinaryTypes.String
	Bool      arrow.DataType = arrow.FixedWidthTypes.Boolean
	Time      arrow.DataType = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	Int64List arrow.DataType = arrow.ListOf(arrow.PrimitiveTypes.Int64)
	TextList  arrow.DataType = arrow.ListOf(arrow.BinaryTypes.String)
)

func required(name string, typ arrow.DataType, description string) Column {
	return Column{Name: name, Type: typ, Description: description}
}

func nullable(name string, typ arrow.DataType, description string) Column {
	return Column{Name: name, Type: typ, Nullable: true, Description: description}
}

// Arrow returns the table's Arrow schema, columns in their declared order.
func (t Table) Arrow() *arrow.Schema {
	fields := make([]arrow.Field, len(t.Columns))
	for i, c := range t.Columns {
		fields[i] = arrow.Field{Name: c.Name, Type: c.Type, Nullable: c.Nullable}
	}
	return arrow.NewSchema(fields, nil)
}

// ColumnNames returns the columns' names in their declared order.
func (t Table) ColumnNames() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// ColumnList returns the columns as the text of a SELECT list.
func (t Table) ColumnList() string { return List(t.ColumnNames()) }

// List quotes names and joins them with commas: a column may be called what SQL calls a keyword.
func List(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = identifier(name)
	}
	return strings.Join(quoted, ", ")
}

func identifier(name string) string { return `"` + name + `"` }

// Next is the name of the twin that the stages of a run fill.
func (t Table) Next() string {
	if t.Life == Read {
		return t.Name
	}
	return "next_" + t.Name
}

// SQLType is DuckDB's name of an Arrow type. The set of types is closed, so a missing one is a
// fault in a declaration.
func SQLType(t arrow.DataType) string {
	switch t.ID() {
	case arrow.INT64:
		return "BIGINT"
	case arrow.FLOAT64:
		return "DOUBLE"
	case arrow.STRING:
		return "VARCHAR"
	case arrow.BOOL:
		return "BOOLEAN"
	case arrow.TIMESTAMP:
		return "TIMESTAMPTZ"
	case arrow.LIST:
		return SQLType(t.(*arrow.ListType).Elem()) + "[]"
	default:
		panic(fmt.Sprintf("schemas: no DuckDB type for Arrow's %s", t))
	}
}

// FieldType is the Data Package name of a column's type.
func FieldType(t arrow.DataType) string {
	switch t.ID() {
	case arrow.INT64:
		return "integer"
	case arrow.FLOAT64:
		return "number"
	case arrow.BOOL:
		return "boolean"
	case arrow.TIMESTAMP:
		return "datetime"
	case arrow.LIST:
		return "array"
	default:
		return "string"
	}
}
