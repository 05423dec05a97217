package keys

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// plainLetters maps the letters that Unicode does not decompose although people type them
// without their stroke or ligature.
var plainLetters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d",
	'þ': "th", 'ł': "l", 'ħ': "h", 'ı': "i",
}

// Name returns the key of a first or last name: trimmed, NFKC, case folded, without
// diacritics, apostrophes and dots, hyphens of every kind as spaces, inner white space as one
// space. It returns "" when nothing is left.
func Name(name string) string {
	if isASCII(name) {
		return squeeze(strings.ToLower(name))
	}
	folded := cases.Fold().String(norm.NFKC.String(name))
	var b strings.Builder
	b.Grow(len(folded))
	for _, r := range norm.NFD.String(folded) {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
			continue
		}
		if plain, ok := plainLetters[r]; ok {
			b.WriteString(plain)
			continue
		}
		b.WriteRune(r)
	}
	return squeeze(norm.NFC.String(b.String()))
}

// squeeze drops apostrophes and dots and turns every run of hyphens and white space into one
// space, none at the ends.
func squeeze(folded string) string {
	var b strings.Builder
	b.Grow(len(folded))
	gap := false
	for _, r := range folded {
		switch {
		case isApostrophe(r) || r == '.':
			continue
		case unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Pd, r) || r == '−' || r == '\u00ad':
			gap = true
		default:
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isApostrophe lists what keyboards, word processors and directories put into O’Brien.
func isApostrophe(r rune) bool {
	switch r {
	case '\'', '`', '´', '‘', '’', '‛', 'ʹ', 'ʻ', 'ʼ', 'ʽ', 'ˈ', '′', '＇', '\u055a', '\u05f3', '\ua78c':
		return true
	}
	return false
}
