package issuing

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/sarraf-platform/sarraf/internal/fold"
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
		if latin, ok := fold.Latin(unicode.ToUpper(r)); ok {
			b.WriteString(latin)
		} else if !unicode.Is(unicode.Mn, r) { // a combining accent adds nothing
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}
