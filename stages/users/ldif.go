package users

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/stages/users/directory"
)

// maxLDIFLine bounds one logical line, in bytes: photos are long, a file without line ends is a
// mistake.
const maxLDIFLine = 16 << 20

// readLDIF streams the content records of an LDIF file (RFC 2849) to visit. The library that
// goes with go-ldap holds a file in memory as a whole and does not say lines, so the few rules of
// content records are here. Change records other than "add" are refused.
func readLDIF(ctx context.Context, path string, visit func(directory.Entry) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the LDIF file: %w; check the collector's ldif path", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := parseLDIF(ctx, file, visit); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}

// parseLDIF is readLDIF without the file. Errors begin with the line.
func parseLDIF(ctx context.Context, r io.Reader, visit func(directory.Entry) error) error {
	p := ldifParser{lines: bufio.NewReaderSize(r, 64<<10)}
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("line %d: %w", p.line, err)
		}
		entry, err := p.entry()
		if errors.Is(err, io.EOF) && p.line == 0 {
			return p.errorf("the file is empty: the export failed; export it anew")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := visit(entry); err != nil {
			return err
		}
	}
}

type ldifParser struct {
	lines *bufio.Reader
	line  int // number of the last line read
	start int // line where the current logical line began
}

// entry reads one record; io.EOF after the last.
func (p *ldifParser) entry() (directory.Entry, error) {
	var e directory.Entry
	for {
		line, err := p.logical()
		if errors.Is(err, io.EOF) && e.Place.Number != 0 {
			return e, nil
		}
		if err != nil {
			return e, err
		}
		switch {
		case len(line) == 0 && e.Place.Number == 0:
			continue // blank lines between records
		case len(line) == 0:
			return e, nil
		}
		name, value, err := p.attribute(line)
		if err != nil {
			return e, err
		}
		switch lower := strings.ToLower(name); {
		case e.Place.Number == 0 && lower == "version":
			if string(value) != "1" {
				return e, p.errorf("version must be 1 (got %.20q)", value)
			}
		case e.Place.Number == 0:
			if lower != "dn" {
				return e, p.errorf("a record must begin with dn: (got %.40q); with ldapsearch, export with -LLL", name)
			}
			if !utf8.Valid(value) {
				return e, p.errorf("dn is not valid UTF-8; export the directory as UTF-8")
			}
			e.DN, e.Place = string(value), directory.Place{Unit: "line", Number: p.start}
		case lower == "changetype":
			if !strings.EqualFold(string(value), "add") {
				return e, p.errorf("changetype %.20q is a change, not an entry; export entries", value)
			}
		case lower == "dn":
			// Read on, the second entry would vanish in the first.
			return e, p.errorf("a second dn: in the record of %s; a blank line must stand between records: export the file anew", e.Place)
		default:
			e.Add(name, value)
		}
	}
}

// attribute splits "name: value", "name:: base64" and refuses "name:< url".
func (p *ldifParser) attribute(line []byte) (string, []byte, error) {
	name, rest, found := bytes.Cut(line, []byte(":"))
	if !found || len(name) == 0 || name[0] == ';' || bytes.ContainsFunc(name, notInName) {
		return "", nil, p.errorf("must be of the form name: value (got %d bytes without a name before a colon); a folded line begins with one space, and the file is UTF-8 without a byte order mark", len(line))
	}
	switch {
	case bytes.HasPrefix(rest, []byte(":")):
		text := bytes.TrimSpace(rest[1:])
		value := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		n, err := base64.StdEncoding.Decode(value, text)
		if err != nil {
			return "", nil, p.errorf("attribute %.60q: the value after :: is not base64; export the file anew", name)
		}
		return string(name), value[:n], nil
	case bytes.HasPrefix(rest, []byte("<")):
		return "", nil, p.errorf("attribute %.60q: values in other files (:<) are not read; export with the values in the file", name)
	}
	return string(name), bytes.TrimLeft(rest, " "), nil
}

// notInName tells the characters that no attribute's name holds, nor its options such as
// ;range=0-*.
func notInName(r rune) bool {
	return !strings.ContainsRune("-.;_=*", r) && (r > 'z' || !unicode.IsLetter(r) && !unicode.IsDigit(r))
}

// logical reads one line with its continuations; comments are skipped. The returned slice is
// the caller's. A blank line is empty.
func (p *ldifParser) logical() ([]byte, error) {
	for {
		line, err := p.physical()
		if err != nil {
			return nil, err
		}
		p.start = p.line
		for {
			next, err := p.peek()
			if err != nil {
				return nil, err
			}
			if next != ' ' || len(line) == 0 {
				break
			}
			more, err := p.physical()
			if err != nil {
				return nil, err
			}
			if line = append(line, more[1:]...); len(line) > maxLDIFLine {
				return nil, p.errorf("the value is longer than %d MiB", maxLDIFLine>>20)
			}
		}
		if len(line) > 0 && line[0] == '#' {
			continue
		}
		return line, nil
	}
}

func (p *ldifParser) peek() (byte, error) {
	next, err := p.lines.Peek(1)
	if errors.Is(err, io.EOF) {
		return 0, nil
	}
	if err != nil {
		return 0, p.errorf("read: %w", err)
	}
	return next[0], nil
}

// physical reads one line without its end. A last line without an end means that the file was
// cut off while it was written: believing it would make the missing accounts look absent.
func (p *ldifParser) physical() ([]byte, error) {
	var line []byte
	for {
		part, err := p.lines.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			p.line++
			return bytes.TrimRight(line, "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
			if len(line) > maxLDIFLine {
				p.line++
				p.start = p.line
				return nil, p.errorf("the line is longer than %d MiB; is this an LDIF file?", maxLDIFLine>>20)
			}
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			p.line++
			p.start = p.line
			return nil, p.errorf("the file ends in the middle of a line: it was cut off; export it anew")
		default:
			p.line++
			p.start = p.line
			return nil, p.errorf("read: %w", err)
		}
	}
}

// errorf names the line where the current logical line began.
func (p *ldifParser) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, append([]any{max(p.start, 1)}, args...)...)
}
