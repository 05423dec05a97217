package pipeline

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/duckdb/duckdb-go/v2"

	"rollcall/schemas"
)

// batchRows is the size of a record batch: large enough for DuckDB's vectors, small enough that
// a directory is never in memory as a whole.
const batchRows = 8192

// Writer builds record batches for one temporary table and moves each into DuckDB as it fills.
// It is for one goroutine; several writers may fill one table.
type Writer struct {
	store   *Store
	table   schemas.Table
	builder *array.RecordBuilder
	pending int
	rows    int64
}

// Writer returns a writer for the table's temporary twin. Release it when done.
func (s *Store) Writer(table schemas.Table) *Writer {
	return &Writer{store: s, table: table, builder: array.NewRecordBuilder(s.memory, table.Arrow())}
}

// Append adds a row, one value a column in the table's order: int64, float64, bool, string,
// time.Time, a pointer to one of these, []string, or nil for null.
func (w *Writer) Append(ctx context.Context, values ...any) error {
	if len(values) != len(w.table.Columns) {
		return fmt.Errorf("append to %s: %d values for %d columns", w.table.Next(), len(values), len(w.table.Columns))
	}
	for i, value := range values {
		if err := appendValue(w.builder.Field(i), value); err != nil {
			return fmt.Errorf("append to %s.%s: %w", w.table.Next(), w.table.Columns[i].Name, err)
		}
	}
	w.pending++
	if w.pending < batchRows {
		return nil
	}
	return w.Flush(ctx)
}

// Text is a value for a nullable column: an empty string is null.
func Text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Flush moves the rows appended so far into DuckDB.
func (w *Writer) Flush(ctx context.Context) error {
	if w.pending == 0 {
		return nil
	}
	batch := w.builder.NewRecordBatch()
	defer batch.Release()
	w.rows += int64(w.pending)
	w.pending = 0
	return w.store.Ingest(ctx, w.table, batch)
}

// Rows is the number of rows that are in DuckDB.
func (w *Writer) Rows() int64 { return w.rows }

// Release frees the builder; rows that were not flushed are gone.
func (w *Writer) Release() { w.builder.Release() }

// Ingest moves a record batch into the table's temporary twin and asserts that every row
// arrived. A view on an Arrow stream yields its rows once and silently nothing on a second
// scan, hence exactly one INSERT … SELECT and the count.
func (s *Store) Ingest(ctx context.Context, table schemas.Table, batch arrow.RecordBatch) error {
	const view = "arriving_batch"
	reader, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
	if err != nil {
		return fmt.Errorf("ingest %s: %w", table.Next(), err)
	}
	defer reader.Release()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw(func(conn *duckdb.Conn) error {
		stream, err := duckdb.NewArrowFromConn(conn)
		if err != nil {
			return fmt.Errorf("ingest %s: %w", table.Next(), err)
		}
		release, err := stream.RegisterView(reader, view)
		if err != nil {
			return fmt.Errorf("ingest %s: %w", table.Next(), err)
		}
		defer release()
		result, err := conn.ExecContext(ctx, "INSERT INTO "+table.Next()+" SELECT * FROM "+view, []driver.NamedValue{})
		if err != nil {
			return fmt.Errorf("ingest %s: %w", table.Next(), err)
		}
		arrived, err := result.RowsAffected()
		if err != nil {
			return fmt.Errorf("ingest %s: count: %w", table.Next(), err)
		}
		if arrived != batch.NumRows() {
			return fmt.Errorf("ingest %s: %d of %d rows arrived", table.Next(), arrived, batch.NumRows())
		}
		return nil
	})
}

var errType = errors.New("value does not fit the column")

// appendValue appends one value to a column's builder.
func appendValue(b array.Builder, value any) error {
	switch v := value.(type) {
	case *string:
		return appendPointer(b, v)
	case *int64:
		return appendPointer(b, v)
	case *time.Time:
		return appendPointer(b, v)
	case *bool:
		return appendPointer(b, v)
	}
	if value == nil {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		if v, ok := value.(string); ok {
			b.Append(v)
			return nil
		}
	case *array.Int64Builder:
		if v, ok := value.(int64); ok {
			b.Append(v)
			return nil
		}
	case *array.Float64Builder:
		if v, ok := value.(float64); ok {
			b.Append(v)
			return nil
		}
	case *array.BooleanBuilder:
		if v, ok := value.(bool); ok {
			b.Append(v)
			return nil
		}
	case *array.ListBuilder:
		if v, ok := value.([]string); ok {
			b.Append(true)
			for _, text := range v {
				if err := appendValue(b.ValueBuilder(), text); err != nil {
					return err
				}
			}
			return nil
		}
	case *array.TimestampBuilder:
		if v, ok := value.(time.Time); ok {
			b.Append(arrow.Timestamp(v.UnixMicro()))
			return nil
		}
	}
	return fmt.Errorf("%w: %T", errType, value)
}

func appendPointer[T any](b array.Builder, v *T) error {
	if v == nil {
		b.AppendNull()
		return nil
	}
	return appendValue(b, *v)
}
