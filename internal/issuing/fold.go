package issuing

import (
	"strings"
	"unicode"
)

// fold reduces text to what people mean when they search: lower case, accents
// dropped, and the Turkish dotted and dotless i one letter with their capitals.
// Letters outside the Latin script keep their own lower case.
func fold(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.Is(unicode.Mn, r) { // a combining accent
			continue
		}
		if latin, ok := latinOf(unicode.ToUpper(r)); ok {
			b.WriteString(strings.ToLower(latin))
			continue
		}
		b.WriteRune(unicode.ToLower(unicode.ToUpper(r)))
	}
	return b.String()
}

// foldedWords are the words of the folded text, each once, in order. A word is
// a run of letters and digits.
func foldedWords(text string) []string {
	words := strings.FieldsFunc(fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
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
