package contacts

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"unicode/utf8"
)

// maxLine bounds a line of a JSONL file, in bytes.
const maxLine = 16 << 20

var byteOrderMark = []byte("\ufeff") //nolint:gochecknoglobals // a constant

// loadJSONL takes every line as it is. DuckDB's reader tells wrong lines, and lets JSON pass that
// is none.
func (s Source) loadJSONL(ctx context.Context, w *recordWriter) error {
	return eachLine(s.Path, func(line int64, text []byte) error {
		if !utf8.Valid(text) {
			return fmt.Errorf("line %d is not valid UTF-8: export the file as UTF-8", line)
		}
		var syntax *json.SyntaxError
		var raw json.RawMessage
		if err := json.Unmarshal(text, &raw); errors.As(err, &syntax) {
			return fmt.Errorf("line %d is not JSON (at octet %d): correct the line, or export the file anew if it was cut off", line, syntax.Offset)
		}
		return w.add(ctx, text)
	})
}

// eachLine hands over the lines that hold something, one after another.
func eachLine(path string, visit func(line int64, text []byte) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open it: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	var line int64
	for lines.Scan() {
		line++
		text := lines.Bytes()
		if line == 1 {
			text = bytes.TrimPrefix(text, byteOrderMark)
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		if err := visit(line, text); err != nil {
			return err
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d MiB; is this a file of JSON lines?", line+1, maxLine>>20)
	} else if err != nil {
		return fmt.Errorf("read line %d: %w", line+1, err)
	}
	return nil
}

// lineOf is the number of the line that holds the n-th record; blank lines hold none.
func lineOf(path string, record int64) int64 {
	found, records := record, int64(0)
	done := errors.New("found")
	_ = eachLine(path, func(line int64, _ []byte) error { // it was read a moment ago
		if records++; records == record {
			found = line
			return done
		}
		return nil
	})
	return found
}
