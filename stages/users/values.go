package users

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall/stages/users/directory"
)

// maxText bounds one value, in bytes. Active Directory's own limits are far below: 1,123
// characters for an address, 256 for a name.
const maxText = 16 << 10

// attributeReader reads one entry's attributes. It keeps the first error of a value that must be
// right, and every value that was left out because it is wrong.
type attributeReader struct {
	entry      directory.Entry
	err        error
	unreadable []string
}

// fail names place, entry and attribute, and never a person's data: entries are told apart by
// objectGUID.
func (a *attributeReader) fail(attribute, problem string) {
	if a.err == nil {
		a.err = fmt.Errorf("%s: %s %s", a.place(), attribute, problem)
	}
}

// leaveOut notes a value that cannot be read and that the account can do without.
func (a *attributeReader) leaveOut(attribute, problem string) {
	told := fmt.Sprintf("%s: %s %s", a.place(), attribute, problem)
	if !slices.Contains(a.unreadable, told) { // some values are read more than once
		a.unreadable = append(a.unreadable, told)
	}
}

func (a *attributeReader) place() string {
	if value, ok := a.entry.First(attrObjectGUID); ok {
		if guid, err := parseGUID(value); err == nil {
			return a.entry.Place.String() + " (objectGUID " + guid + ")"
		}
	}
	return a.entry.Place.String()
}

func (a *attributeReader) guid() string {
	value, ok := a.entry.First(attrObjectGUID)
	if !ok {
		a.fail("objectGUID", "is missing; without it the account cannot be told from another: let the account that reads see it, or export it")
		return ""
	}
	guid, err := parseGUID(value)
	if err != nil {
		a.fail("objectGUID", "has "+err.Error()+"; export it in binary (base64) form")
	}
	return guid
}

// text reads a value that describes the account; wrong, it is left out.
func (a *attributeReader) text(attribute string) string {
	value, _ := a.entry.First(attribute)
	if problem := flaw(value); problem != "" {
		a.leaveOut(attribute, problem)
		return ""
	}
	return strings.TrimSpace(string(value))
}

// key reads a value that users are matched by; wrong, it fails the entry: without it the user,
// or one who shares it, could match somebody else.
func (a *attributeReader) key(attribute string) string {
	value, _ := a.entry.First(attribute)
	return a.keyValue(attribute, value)
}

func (a *attributeReader) keyValue(attribute string, value []byte) string {
	if problem := flaw(value); problem != "" {
		a.fail(attribute, problem)
		return ""
	}
	return strings.TrimSpace(string(value))
}

// flaw says what is wrong with a value that should be text; empty if nothing is.
func flaw(value []byte) string {
	switch {
	case len(value) > maxText:
		return fmt.Sprintf("is %d bytes long, more than the %d that are read; correct it in the directory", len(value), maxText)
	case !utf8.Valid(value):
		offset := badOffset(value)
		return fmt.Sprintf("is not valid UTF-8 (octet 0x%02x at %d); correct it in the directory, or export as UTF-8", value[offset], offset)
	case bytes.IndexByte(value, 0) >= 0:
		return "holds a zero octet; correct it in the directory"
	}
	return ""
}

func badOffset(value []byte) int {
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return 0
}

// integer reads a number; one that is none counts as not readable.
func (a *attributeReader) integer(attribute string) *int64 { return a.number(attribute, a.leaveOut) }

// kindInteger reads a number that tells what the account is; wrong, it fails the entry.
func (a *attributeReader) kindInteger(attribute string) *int64 { return a.number(attribute, a.fail) }

func (a *attributeReader) number(attribute string, wrong func(attribute, problem string)) *int64 {
	value, ok := a.entry.First(attribute)
	if !ok {
		return nil
	}
	n, err := parseInteger(value)
	if err != nil {
		wrong(attribute, "is wrong: "+err.Error())
		return nil
	}
	return &n
}

// ticksTime reads a FILETIME attribute; absent, 0 and the largest value are no times.
func (a *attributeReader) ticksTime(attribute string) *time.Time {
	ticks := a.integer(attribute)
	if ticks == nil || *ticks == ticksNone || *ticks == ticksNever {
		return nil
	}
	t, err := fromTicks(*ticks)
	if err != nil {
		a.leaveOut(attribute, "is wrong: "+err.Error())
		return nil
	}
	return &t
}

func (a *attributeReader) generalizedTime(attribute string) *time.Time {
	value, ok := a.entry.First(attribute)
	if !ok {
		return nil
	}
	t, err := parseGeneralizedTime(value)
	if err != nil {
		a.leaveOut(attribute, "is wrong: "+err.Error())
		return nil
	}
	return &t
}
