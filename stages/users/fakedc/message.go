package fakedc

import (
	"errors"
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// errMalformed is what every reading function reports for a message that is not
// LDAP. The connection is closed, since what follows cannot be trusted either.
var errMalformed = errors.New("malformed message")

// request is an LDAP message from a client.
type request struct {
	id       int64
	op       *ber.Packet
	controls []*ber.Packet
}

// result is the outcome that ends every answer.
type result struct {
	code      uint16
	matchedDN string
	message   string
	referrals []string
}

func readRequest(p *ber.Packet) (request, error) {
	id, err := integer(child(p, 0))
	if err != nil {
		return request{}, fmt.Errorf("read message id: %w", err)
	}
	r := request{id: id, op: child(p, 1)}
	if r.op == nil || r.op.ClassType != ber.ClassApplication {
		return request{}, fmt.Errorf("read operation: %w", errMalformed)
	}
	if c := child(p, 2); c != nil {
		if c.ClassType != ber.ClassContext || c.Tag != 0 {
			return request{}, fmt.Errorf("read controls: %w", errMalformed)
		}
		r.controls = c.Children
	}
	return r, nil
}

// child returns the i-th part of a packet, or nil if there is no such part. The
// readers below take nil for malformed, so that lookups can be chained.
func child(p *ber.Packet, i int) *ber.Packet {
	if p == nil || i >= len(p.Children) {
		return nil
	}
	return p.Children[i]
}

func integer(p *ber.Packet) (int64, error) {
	if p == nil {
		return 0, errMalformed
	}
	n, ok := p.Value.(int64)
	if !ok {
		return 0, errMalformed
	}
	return n, nil
}

func boolean(p *ber.Packet) (bool, error) {
	if p == nil {
		return false, errMalformed
	}
	b, ok := p.Value.(bool)
	if !ok {
		return false, errMalformed
	}
	return b, nil
}

// octets reads a string under whatever tag it was sent.
func octets(p *ber.Packet) (string, error) {
	if p == nil || p.TagType != ber.TypePrimitive {
		return "", errMalformed
	}
	return p.Data.String(), nil
}

// octetString works for any bytes: BER carries Go strings unchanged.
func octetString(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func application(tag ber.Tag) *ber.Packet {
	return ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
}

// resultOp encodes a result as the operation with the tag.
func resultOp(tag ber.Tag, r result) *ber.Packet {
	op := application(tag)
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(r.code), ""))
	op.AppendChild(octetString(r.matchedDN))
	op.AppendChild(octetString(r.message))
	if len(r.referrals) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "")
		for _, url := range r.referrals {
			list.AppendChild(octetString(url))
		}
		op.AppendChild(list)
	}
	return op
}

func entryOp(dn string, list []attribute, typesOnly bool) *ber.Packet {
	attributes := ber.NewSequence("")
	for _, a := range list {
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		if !typesOnly {
			for _, v := range a.values {
				set.AppendChild(octetString(string(v)))
			}
		}
		one := ber.NewSequence("")
		one.AppendChild(octetString(a.name))
		one.AppendChild(set)
		attributes.AppendChild(one)
	}
	op := application(ldap.ApplicationSearchResultEntry)
	op.AppendChild(octetString(dn))
	op.AppendChild(attributes)
	return op
}

func referenceOp(urls []string) *ber.Packet {
	op := application(ldap.ApplicationSearchResultReference)
	for _, url := range urls {
		op.AppendChild(octetString(url))
	}
	return op
}
