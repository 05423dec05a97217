package fakedc

import (
	"fmt"
	"strconv"
	"strings"
)

// valueRange is a request for some of an attribute's values, counted from zero.
type valueRange struct {
	name string // lower-cased
	low  int
	high int // the last one; negative means all that remain
}

// readRange reads a requested attribute of the form "member;range=1500-*".
func readRange(lower string) (v valueRange, ok bool) {
	name, option, ok := strings.Cut(lower, ";range=")
	if !ok {
		return v, false
	}
	first, last, ok := strings.Cut(option, "-")
	if !ok {
		return v, false
	}
	v = valueRange{name: name, high: -1}
	var err error
	if v.low, err = strconv.Atoi(first); err != nil {
		return v, false
	}
	if last == "*" {
		return v, true
	}
	v.high, err = strconv.Atoi(last)
	return v, err == nil && v.high >= v.low
}

// inRanges returns the attributes a request asks for as selected does, but at
// most that many values of each, if most is not zero. Of an attribute with more,
// the first values come under the name of their range, next to the attribute's
// own name without any.
func (e *entry) inRanges(names []string, most int) []attribute {
	if most == 0 {
		return e.selected(names)
	}
	var whole []string
	var parts []attribute
	for _, name := range names {
		if v, ok := readRange(name); ok {
			parts = append(parts, e.part(v, most)...)
		} else {
			whole = append(whole, name)
		}
	}
	var list []attribute
	if len(whole) > 0 || len(names) == 0 {
		for _, a := range e.selected(whole) {
			if len(a.values) <= most {
				list = append(list, a)
				continue
			}
			list = append(list, attribute{a.name, nil})
			list = append(list, e.part(valueRange{name: strings.ToLower(a.name), high: -1}, most)...)
		}
	}
	return append(list, parts...)
}

// part returns one range of values, under a name that ends in an asterisk if it
// reaches the last value. A range behind the last value is left out, as is one
// of an attribute that the entry does not have.
func (e *entry) part(v valueRange, most int) []attribute {
	i, ok := e.index[v.name]
	if !ok || v.low < 0 || v.low >= len(e.attributes[i].values) {
		return nil
	}
	a := e.attributes[i]
	end := min(len(a.values), v.low+most)
	if v.high >= 0 && v.high < end {
		end = v.high + 1
	}
	last := "*"
	if end < len(a.values) {
		last = strconv.Itoa(end - 1)
	}
	return []attribute{{fmt.Sprintf("%s;range=%d-%s", a.name, v.low, last), a.values[v.low:end]}}
}
