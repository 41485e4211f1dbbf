// Package fold reduces text to what people mean when they search: Turkish and
// other Latin letters lose their case, accents and dots on i.
package fold

import (
	"strings"
	"unicode"
)

// Text reduces text to what people mean when they search: lower case, accents
// dropped, and the Turkish dotted and dotless i one letter with their capitals.
// Letters outside the Latin script keep their own lower case.
func Text(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.Is(unicode.Mn, r) { // a combining accent
			continue
		}
		if latin, ok := Latin(unicode.ToUpper(r)); ok {
			b.WriteString(strings.ToLower(latin))
			continue
		}
		b.WriteRune(unicode.ToLower(unicode.ToUpper(r)))
	}
	return b.String()
}

// Words are the words of the folded text, each once, in order. A word is
// a run of letters and digits.
func Words(text string) []string {
	words := strings.FieldsFunc(Text(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	seen := map[string]bool{}
	kept := words[:0]
	for _, w := range words {
		if !seen[w] {
			seen[w] = true
			kept = append(kept, w)
		}
	}
	return kept
}

// Name is what lists of definitions search: the folded words of code and
// name, each after a blank.
func Name(code, name string) string {
	text := ""
	for _, word := range Words(code + " " + name) {
		text += " " + word
	}
	return text
}

// Latin spells an accented capital in A–Z. It covers the Latin-1 and Latin
// Extended-A blocks, which hold every letter of the languages written with
// Latin letters in Europe, and the capital dotted I.
func Latin(r rune) (string, bool) {
	switch {
	case r == 0x130:
		return "I", true
	case r == 0xDF || r == 0x1E9E:
		return "SS", true
	case r >= 0xC0 && r <= 0xDE:
		// A grave to Thorn, in the order of the block.
		s := [...]string{
			"A", "A", "A", "A", "A", "A", "AE", "C", "E", "E", "E", "E", "I", "I", "I", "I",
			"D", "N", "O", "O", "O", "O", "O", "", "O", "U", "U", "U", "U", "Y", "TH",
		}[r-0xC0]
		return s, s != ""
	case r >= 0x100 && r <= 0x17E:
		for _, run := range extendedA {
			if r <= run.last {
				return run.letter, true
			}
		}
	case r == 0x218:
		return "S", true
	case r == 0x21A:
		return "T", true
	}
	return "", false
}

// extendedA spells the runs of Latin Extended-A by their last code point.
var extendedA = []struct {
	last   rune
	letter string
}{
	{0x105, "A"}, {0x10D, "C"}, {0x111, "D"}, {0x11B, "E"}, {0x123, "G"}, {0x127, "H"}, {0x131, "I"},
	{0x133, "IJ"}, {0x135, "J"}, {0x138, "K"}, {0x142, "L"}, {0x14B, "N"}, {0x151, "O"}, {0x153, "OE"},
	{0x159, "R"}, {0x161, "S"}, {0x167, "T"}, {0x173, "U"}, {0x175, "W"}, {0x178, "Y"}, {0x17E, "Z"},
}
