package keys_test

import (
	"testing"
	"unicode/utf8"

	"rollcall/schemas/keys"
)

func TestEmail(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ann@Contoso.Example":           "ann@contoso.example",
		"  ann@contoso.example\t":       "ann@contoso.example",
		"ann@contoso.example.":          "ann@contoso.example",
		"JÜRGEN@Bücher.example":         "jürgen@xn--bcher-kva.example",
		"ju\u0308rgen@bücher.example":   "jürgen@xn--bcher-kva.example",
		"ann@xn--bcher-kva.example":     "ann@xn--bcher-kva.example",
		"ａｎｎ@contoso.example":           "ann@contoso.example",
		"ann+tag.x@contoso.example":     "ann+tag.x@contoso.example",
		"svc_mail@corp_internal.local":  "svc_mail@corp_internal.local",
		"":                              "",
		"   ":                           "",
		"ann":                           "",
		"@contoso.example":              "",
		"ann@":                          "",
		"ann@@contoso.example":          "",
		"ann@a@b.example":               "",
		"ann lee@contoso.example":       "",
		"ann@contoso.example, b@c.test": "",
		"Ann <ann@contoso.example>":     "",
		"ann@contoso..example":          "",
	} {
		if got := keys.Email(in); got != want {
			t.Errorf("Email(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ann":            "ann",
		"  Mary   Jane ": "mary jane",
		"O’Brien":        "obrien",
		"O'Brien":        "obrien",
		"O`Brien":        "obrien",
		"Smith-Jones":    "smith jones",
		"Smith Jones":    "smith jones",
		"Smith–Jones":    "smith jones",
		"Smith\u2011J.":  "smith j",
		"Strauß":         "strauss",
		"STRAUSS":        "strauss",
		"Łukasz":         "lukasz",
		"İbrahim":        "ibrahim",
		"Ibrahim":        "ibrahim",
		"Kadı":           "kadi",
		"Ægir":           "aegir",
		"Œuvre":          "oeuvre",
		"Søren":          "soren",
		"Đorđe":          "dorde",
		"Guðrún":         "gudrun",
		"Þór":            "thor",
		"Ħal":            "hal",
		"José":           "jose",
		"Jose\u0301":     "jose",
		"Μαρία":          "μαρια",
		"Ковалёв":        "ковалев",
		"김":              "김",
		"St. John":       "st john",
		"":               "",
		" - ' . ":        "",
	} {
		if got := keys.Name(in); got != want {
			t.Errorf("Name(%q) = %q, want %q", in, got, want)
		}
	}
}

// A key of a key is the key: otherwise two spellings could meet or part depending on which of
// them had been normalised before.
func FuzzKeysAreStable(f *testing.F) {
	for _, seed := range []string{"Ann Lee", "İ", "ß", "ŁUKASZ", "a@Bücher.example", "ﬁ", "\u1e9e", "ά̓", "ΣΑΣ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // directories and files are checked for UTF-8 before keys are made
		}
		if k := keys.Name(s); keys.Name(k) != k {
			t.Errorf("Name(%q) = %q, and of that %q", s, k, keys.Name(k))
		}
		if k := keys.Email(s); keys.Email(k) != k {
			t.Errorf("Email(%q) = %q, and of that %q", s, k, keys.Email(k))
		}
	})
}
