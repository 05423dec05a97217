package filter

import (
	"errors"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// ErrMalformed is for a filter that is not one.
var ErrMalformed = errors.New("malformed filter")

// child returns the i-th part of a packet, or nil if there is no such part; octets takes nil
// for malformed, so that lookups can be chained.
func child(p *ber.Packet, i int) *ber.Packet {
	if p == nil || i >= len(p.Children) {
		return nil
	}
	return p.Children[i]
}

// octets reads a string under whatever tag it was sent.
func octets(p *ber.Packet) (string, error) {
	if p == nil || p.TagType != ber.TypePrimitive {
		return "", ErrMalformed
	}
	return p.Data.String(), nil
}
