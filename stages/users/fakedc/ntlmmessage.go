package fakedc

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // NTLM is made of it
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //nolint:gosec,staticcheck // NTLM is made of it
)

// The messages of NTLM (MS-NLMP 2.2.1) by their type, and what all begin with.
const (
	ntlmSignature    = "NTLMSSP\x00"
	ntlmNegotiate    = 1
	ntlmChallenge    = 2
	ntlmAuthenticate = 3
)

// ntlmChallengeSize is how many random octets a server challenge has.
const ntlmChallengeSize = 8

// ntlmFlags is what the server agrees to: Unicode, NTLM with extended session
// security, 56 and 128 bit keys, and that a domain and information about it
// follow. Neither sealing nor an exchange of keys is among it.
const ntlmFlags uint32 = 0x00000001 | 0x00000004 | 0x00000200 | 0x00008000 | 0x00010000 |
	0x00080000 | 0x00800000 | 0x20000000 | 0x80000000

// The parts of the information about the server (MS-NLMP 2.2.2.1).
const (
	avNetBIOSComputer = 1
	avNetBIOSDomain   = 2
	avDNSComputer     = 3
	avDNSDomain       = 4
	avTimestamp       = 7
)

// unixInFiletime is the beginning of Unix time in the 100 nanoseconds since 1601
// in which Windows counts.
const unixInFiletime = 116444736000000000

// isNTLM reports whether a token is an NTLM message of the type.
func isNTLM(token string, kind uint32) bool {
	return len(token) >= 12 && token[:8] == ntlmSignature && binary.LittleEndian.Uint32([]byte(token[8:12])) == kind
}

// challengeMessage encodes a server challenge as the message that carries it.
func (s *Server) challengeMessage(challenge []byte) string {
	host := s.options.HostName
	computer, _, _ := strings.Cut(host, ".")
	now := s.options.Now()
	filetime := binary.LittleEndian.AppendUint64(nil, uint64(now.Unix()*1e7+int64(now.Nanosecond()/100)+unixInFiletime)) //nolint:gosec // positive since 1601
	domain := utf16LE(s.netBIOSDomain())

	var about []byte
	for _, part := range []struct {
		kind  uint16
		value []byte
	}{
		{avNetBIOSDomain, domain},
		{avNetBIOSComputer, utf16LE(strings.ToUpper(computer))},
		{avDNSDomain, utf16LE(domainOf(s.context))},
		{avDNSComputer, utf16LE(host)},
		{avTimestamp, filetime},
	} {
		about = binary.LittleEndian.AppendUint16(about, part.kind)
		about = binary.LittleEndian.AppendUint16(about, uint16(len(part.value))) //nolint:gosec // a DNS name is short
		about = append(about, part.value...)
	}
	about = append(about, 0, 0, 0, 0) // no more of them

	const header = 48
	m := []byte(ntlmSignature)
	m = binary.LittleEndian.AppendUint32(m, ntlmChallenge)
	m = appendField(m, len(domain), header)
	m = binary.LittleEndian.AppendUint32(m, ntlmFlags)
	m = append(m, challenge...)
	m = append(m, make([]byte, 8)...) // reserved
	m = appendField(m, len(about), header+len(domain))
	m = append(m, domain...)
	return string(append(m, about...))
}

// appendField appends where in a message a field of variable length stands.
func appendField(m []byte, length, offset int) []byte {
	m = binary.LittleEndian.AppendUint16(m, uint16(length))    //nolint:gosec // a few names
	m = binary.LittleEndian.AppendUint16(m, uint16(length))    //nolint:gosec // as above
	return binary.LittleEndian.AppendUint32(m, uint32(offset)) //nolint:gosec // as above
}

// authenticate is what the client answers to a challenge.
type authenticate struct {
	user, domain string
	// proof is the keyed hash of the challenge and of blob, which the client
	// chose.
	proof, blob []byte
}

// readAuthenticate reads the client's answer. Only NTLM version 2 in Unicode is
// understood; a response of version 1 always has 24 octets.
func readAuthenticate(token string) (a authenticate, ok bool) {
	const userField, domainField, responseField, flagsAt, header, oldResponse = 36, 28, 20, 60, 64, 24
	if len(token) < header || !isNTLM(token, ntlmAuthenticate) {
		return a, false
	}
	m := []byte(token)
	user, userOK := field(m, userField)
	domain, domainOK := field(m, domainField)
	response, responseOK := field(m, responseField)
	unicode := binary.LittleEndian.Uint32(m[flagsAt:])&1 != 0
	if !userOK || !domainOK || !responseOK || !unicode || len(response) <= oldResponse {
		return a, false
	}
	return authenticate{
		user: fromUTF16LE(user), domain: fromUTF16LE(domain),
		proof: response[:md5.Size], blob: response[md5.Size:],
	}, true
}

// field finds a field of variable length by the place of its description.
func field(m []byte, at int) ([]byte, bool) {
	length := int64(binary.LittleEndian.Uint16(m[at:]))
	offset := int64(binary.LittleEndian.Uint32(m[at+4:]))
	if offset+length > int64(len(m)) {
		return nil, false
	}
	return m[offset : offset+length], true
}

// proves reports whether the answer was made with the password.
func (a authenticate) proves(password string, challenge []byte) bool {
	return hmac.Equal(a.proof, a.expected(password, challenge))
}

// expected is the proof that goes with the password (MS-NLMP 3.3.2).
func (a authenticate) expected(password string, challenge []byte) []byte {
	hash := md4.New() //nolint:gosec // NTLM is made of it
	hash.Write(utf16LE(password))
	key := hmacMD5(hash.Sum(nil), utf16LE(strings.ToUpper(a.user)+a.domain))
	return hmacMD5(key, challenge, a.blob)
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(md5.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

func utf16LE(text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}

func fromUTF16LE(raw []byte) string {
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(raw[2*i:])
	}
	return string(utf16.Decode(units))
}
