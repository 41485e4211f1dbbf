package fold

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestFold_ignoresCaseAccentsAndDots(t *testing.T) {
	for _, same := range [][]string{
		{"ısparta", "ISPARTA", "isparta", "İSPARTA", "Isparta"},
		{"Çağrı", "CAGRI", "çağri", "ÇAĞRI", "c\u0327ag\u0306ri"},
		{"Şükrü Öz", "SUKRU OZ", "şükrü öz"},
		{"Ångström", "angstrom", "ÅNGSTRÖM"},
		{"Straße", "STRASSE"},
	} {
		for _, s := range same {
			if got, want := Text(s), Text(same[0]); got != want {
				t.Errorf("%q: got %q, want %q as for %q", s, got, want, same[0])
			}
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.StringMatching(`[a-zA-ZçğıöşüÇĞİÖŞÜ .'-]{0,30}`).Draw(rt, "text")
		folded := Text(s)
		if Text(folded) != folded {
			rt.Fatalf("folding %q twice differs from once", s)
		}
		for name, other := range map[string]string{
			"upper": strings.ToUpper(s), "lower": strings.ToLower(s),
			"Turkish upper": strings.ToUpperSpecial(unicode.TurkishCase, s),
			"Turkish lower": strings.ToLowerSpecial(unicode.TurkishCase, s),
		} {
			if Text(other) != folded {
				rt.Fatalf("%s of %q folds to %q, want %q", name, s, Text(other), folded)
			}
		}
		for _, w := range Words(s) {
			if strings.ContainsAny(w, "%_ '.-") || w == "" {
				rt.Fatalf("%q is no word", w)
			}
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, seed := range []string{"İstanbul", "ısparta", "Straße %_", "\xff\xfe", "ﬁ", "日本"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, w := range Words(text) {
			if w == "" || strings.ContainsAny(w, "%_ \x00") {
				t.Fatalf("%q has the word %q", text, w)
			}
		}
	})
}
