package keys

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// domains converts a host name to its ASCII form (IDNA, RFC 5891) with the leniency that mail
// directories need: underscores and leading digits occur in internal domains.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// maxAddress is the longest address that gets a key, in bytes: 64 for the local part, 255 for
// the domain and the @ (RFC 5321, 4.5.3.1). IDNA conversion is quadratic, so a bound is needed.
const maxAddress = 64 + 1 + 255

// Email returns the key of an e-mail address: trimmed, NFKC, case folded, the domain in its
// ASCII form. It returns "" for an address that is empty or malformed. The local part is kept
// whole: dots and plus tags mean something to the receiving host alone.
func Email(address string) string {
	address = strings.TrimSpace(address)
	if address == "" || len(address) > maxAddress {
		return ""
	}
	if !isASCII(address) {
		address = cases.Fold().String(norm.NFKC.String(address))
		// Folding can undo the composition (İ becomes i and a combining dot).
		address = norm.NFKC.String(address)
	} else {
		address = strings.ToLower(address)
	}
	local, domain, found := strings.Cut(address, "@")
	if !found || local == "" || domain == "" || strings.Contains(domain, "@") {
		return ""
	}
	if strings.ContainsFunc(address, forbiddenInAddress) {
		return ""
	}
	domain = strings.TrimSuffix(domain, ".")
	ascii, err := domains.ToASCII(domain)
	if err != nil || ascii == "" || strings.HasPrefix(ascii, ".") || strings.Contains(ascii, "..") {
		return ""
	}
	return local + "@" + ascii
}

// forbiddenInAddress tells the characters that make an address malformed here: white space and
// control characters, and the separators of an address list (a field holding two addresses is
// not an address).
func forbiddenInAddress(r rune) bool {
	switch r {
	case ',', ';', '<', '>', '"':
		return true
	}
	return unicode.IsSpace(r) || unicode.IsControl(r)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
