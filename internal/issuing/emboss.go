package issuing

import (
	"regexp"
	"strings"
	"unicode"
)

// embossMax is the length of an embossed line where the product says nothing.
const embossMax = 26

var embossable = regexp.MustCompile(`^[A-Z0-9 .\-/&']{2,26}$`)

// EmbossName makes a name of what can be printed on a plastic: upper case by
// Turkish rules (a dotted and a dotless i are one letter on the plastic),
// accents dropped, letters outside A–Z written as the bureau's character set
// spells them. It returns false for a name with other characters, two spaces
// side by side, fewer than 2 characters, or more than limit.
func EmbossName(name string, limit int) (string, bool) {
	line := embossLetters(strings.TrimSpace(name))
	if len(line) > limit || strings.Contains(line, "  ") || !embossable.MatchString(line) {
		return "", false
	}
	return line, true
}

// embossPerson makes the default line of a person's names: as many of them in
// full as fit, then initials, then cut.
func embossPerson(name, middle, surname string, limit int) (string, bool) {
	initial := func(s string) string {
		if r := []rune(s); len(r) > 0 {
			return string(r[0])
		}
		return ""
	}
	for _, parts := range [][]string{
		{name, middle, surname},
		{name, initial(middle), surname},
		{name, surname},
		{initial(name), surname},
	} {
		if line, ok := EmbossName(strings.Join(strings.Fields(strings.Join(parts, " ")), " "), limit); ok {
			return line, true
		}
	}
	return embossCut(initial(name)+" "+surname, limit)
}

// embossCut makes a line of the beginning of a text too long for one.
func embossCut(text string, limit int) (string, bool) {
	line := embossLetters(strings.Join(strings.Fields(text), " "))
	return EmbossName(line[:min(len(line), limit)], limit)
}

func embossLetters(s string) string {
	var b strings.Builder
	for _, r := range s {
		if latin, ok := latinOf(unicode.ToUpper(r)); ok {
			b.WriteString(latin)
		} else if !unicode.Is(unicode.Mn, r) { // a combining accent adds nothing
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}

// latinOf spells an accented capital in A–Z. It covers the Latin-1 and Latin
// Extended-A blocks, which hold every letter of the languages written with
// Latin letters in Europe, and the capital dotted I.
func latinOf(r rune) (string, bool) {
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
