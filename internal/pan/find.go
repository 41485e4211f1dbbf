package pan

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ContainsPAN reports whether text seems to hold a card number in clear: 13 to
// 19 digits that pass the Luhn check, in any script, with characters that show
// nothing anywhere among them, and written together, in the groupings cards are
// printed in (4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4) with up to three separators
// between groups, or in any other groups with one separator, always of one kind.
// What is percent-encoded counts as what it stands for.
//
// Digits before or after a number do not hide it. Commas separate nothing here:
// lists of years or merchant categories have them. Dates, dotted amounts, phone
// numbers that begin with 0 or +, and IBANs are no card numbers, and neither is
// a longer unbroken run of digits.
func ContainsPAN(text string) bool {
	_, _, found := find(text)
	return found
}

// Mask returns text with what ContainsPAN finds reduced to its first six and
// last four digits.
func Mask(text string) string {
	var out strings.Builder
	for {
		at, digits, found := find(text)
		if !found {
			break
		}
		out.WriteString(text[:at.from] + digits[:6] + strings.Repeat("*", len(digits)-10) + digits[len(digits)-4:])
		text = text[at.to:]
	}
	out.WriteString(text)
	return out.String()
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

// find returns the first card number of text.
func find(text string) (at span, digits string, found bool) {
	if len(text) < 13 {
		return span{}, "", false
	}
	if at, digits, found = findIn(read(text, false)); !found && strings.Contains(text, "%") {
		return findIn(read(text, true))
	}
	return at, digits, found
}

// sign is a character of a text as far as it matters here: a digit, a separator
// or a small ASCII letter; 0 is anything else.
type sign struct {
	c  byte
	at span
}

// read returns the signs of text without characters that show nothing.
func read(text string, percent bool) []sign {
	all := make([]sign, 0, len(text))
	add := func(r rune, at span) {
		if c, shows := signOf(r); shows {
			all = append(all, sign{c, at})
		}
	}
	for i := 0; i < len(text); {
		if encoded := percentEncoded(text[i:]); percent && len(encoded) > 0 {
			for len(encoded) > 0 {
				r, n := utf8.DecodeRune(encoded)
				add(r, span{i, i + 3*n})
				i, encoded = i+3*n, encoded[n:]
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		add(r, span{i, i + n})
		i += n
	}
	return all
}

// percentEncoded returns the bytes that the beginning of text stands for.
func percentEncoded(text string) (out []byte) {
	for len(text) >= 3 && text[0] == '%' {
		b, err := hex.DecodeString(text[1:3])
		if err != nil {
			break
		}
		out, text = append(out, b[0]), text[3:]
	}
	return out
}

// signOf returns what a character is; false for what shows nothing.
func signOf(r rune) (c byte, shows bool) {
	if r >= 0xFF01 && r <= 0xFF5E { // the full-width forms of ASCII
		r -= 0xFF01 - '!'
	}
	switch {
	case r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
		return byte(r), true
	case r >= 'A' && r <= 'Z':
		return byte(r) | 0x20, true
	case r < 0x80 && strings.ContainsRune(`-._/\|:*+~#'`, r):
		return byte(r), true
	case unicode.IsSpace(r):
		return ' ', true
	case r < 0x80:
		return 0, true
	case unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me):
		return 0, false
	case unicode.Is(unicode.Pd, r) || r == 0x2212: // the minus sign
		return '-', true
	case unicode.Is(unicode.Pc, r):
		return '_', true
	case strings.ContainsRune("·•‧∙⋅・。․٫٬", r):
		return '.', true
	case strings.ContainsRune("⁄∕", r):
		return '/', true
	case strings.ContainsRune("’‘ʼ′", r):
		return '\'', true
	}
	return digitOf(r), true
}

// digitOf returns the decimal digit that r is in any script, as ASCII, or 0.
func digitOf(r rune) byte {
	switch {
	case r >= 0x2460 && r <= 0x2468: // circled
		return byte('1' + r - 0x2460)
	case r == 0x24EA:
		return '0'
	case r == 0xB9:
		return '1'
	case r == 0xB2 || r == 0xB3:
		return byte('2' + r - 0xB2)
	case r == 0x2070 || r >= 0x2074 && r <= 0x2079: // raised
		return byte('0' + r - 0x2070)
	case r >= 0x2080 && r <= 0x2089: // lowered
		return byte('0' + r - 0x2080)
	case !unicode.IsDigit(r):
		return 0
	}
	// Each script has its ten digits in a row, from zero on.
	for _, of := range unicode.Nd.R16 {
		if r >= rune(of.Lo) && r <= rune(of.Hi) {
			return byte('0' + (r-rune(of.Lo))%10)
		}
	}
	for _, of := range unicode.Nd.R32 {
		if r >= rune(of.Lo) && r <= rune(of.Hi) {
			return byte('0' + (r-rune(of.Lo))%10)
		}
	}
	return 0
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

// isSeparator reports whether c may stand between the digits of one number.
func isSeparator(c byte) bool { return c != 0 && !isDigit(c) && !isLetter(c) }

// piece is an unbroken run of digits; gap is the separator before it, 0 when
// there are several or none.
type piece struct {
	digits string
	gap    byte
	at     span
}

// gapMax bounds the separators between two groups of one number.
const gapMax = 3

func findIn(all []sign) (at span, digits string, found bool) {
	for i := 0; i < len(all); {
		if !isDigit(all[i].c) {
			i++
			continue
		}
		before, pieces := all[:i], []piece(nil)
		for gap := byte(0); ; {
			from := i
			var b strings.Builder
			for i < len(all) && isDigit(all[i].c) {
				b.WriteByte(all[i].c)
				i++
			}
			pieces = append(pieces, piece{b.String(), gap, span{all[from].at.from, all[i-1].at.to}})
			next := i
			for next < len(all) && next-i < gapMax && isSeparator(all[next].c) {
				next++
			}
			if next == i || next == len(all) || !isDigit(all[next].c) {
				break
			}
			if gap = 0; next == i+1 {
				gap = kindOf(all[i].c)
			}
			i = next
		}
		if at, digits, found = findAmong(pieces, before); found {
			return at, digits, true
		}
	}
	return span{}, "", false
}

// kindOf is the kind of a separator: people mix spaces and dashes.
func kindOf(c byte) byte {
	if c == '-' {
		return ' '
	}
	return c
}

// printed lists how card numbers are grouped where people read them.
var printed = [][]int{{4, 4, 4, 4}, {4, 4, 4, 4, 3}, {4, 6, 5}, {4, 6, 4}}

// findAmong looks at pieces that stand side by side.
func findAmong(pieces []piece, before []sign) (at span, digits string, found bool) {
	iban := country(before) != ""
	for i, p := range pieces {
		if plausible(p.digits) && (i > 0 || !isIBAN(country(before), p.digits)) {
			return p.at, p.digits, true
		}
		for _, grouping := range printed {
			if of := grouped(pieces[i:], grouping); plausible(of) && !(iban && len(pieces[0].digits) == 2) {
				return span{p.at.from, pieces[i+len(grouping)-1].at.to}, of, true
			}
		}
	}
	if iban && len(pieces[0].digits) == 2 {
		return span{}, "", false
	}
	calls := len(before) > 0 && before[len(before)-1].c == '+'
	for from := 0; from < len(pieces); {
		n := dated(pieces[from:])
		if n > 0 {
			from += n
			continue
		}
		to := from + 1
		for to < len(pieces) && pieces[to].gap != 0 && (to == from+1 || pieces[to].gap == pieces[from+1].gap) && dated(pieces[to:]) == 0 {
			to++
		}
		of := pieces[from:to]
		whole := grouped(of, nil)
		if len(of) > 1 && plausible(whole) && whole[0] != '0' && !(calls && from == 0) && !isAmount(of) {
			return span{of[0].at.from, of[len(of)-1].at.to}, whole, true
		}
		if from = to; to < len(pieces) && len(of) > 1 && dated(pieces[to:]) == 0 {
			from = to - 1 // it may begin what has another separator
		}
	}
	return span{}, "", false
}

// grouped returns the digits of the first pieces when they have these lengths,
// else nothing; without lengths, those of all pieces, up to what is too long.
func grouped(pieces []piece, lengths []int) string {
	if len(pieces) < len(lengths) {
		return ""
	}
	if lengths != nil {
		pieces = pieces[:len(lengths)]
	}
	digits := ""
	for i, p := range pieces {
		if lengths != nil && len(p.digits) != lengths[i] {
			return ""
		}
		if digits += p.digits; len(digits) > 19 {
			break
		}
	}
	return digits
}

func plausible(digits string) bool {
	return len(digits) >= 13 && len(digits) <= 19 && ValidLuhn(digits)
}

// dated returns how many of the first pieces make up a date: year, month and
// day, or day and month in either order and year, with one separator.
func dated(pieces []piece) int {
	between := func(s, low, high string) bool { return len(s) == len(low) && s >= low && s <= high }
	year := func(s string) bool { return between(s, "1900", "2099") }
	day := func(a, b string) bool {
		return between(a, "01", "12") && between(b, "01", "31") || between(a, "01", "31") && between(b, "01", "12")
	}
	if first := pieces[0].digits; len(first) == 8 && year(first[:4]) && day(first[4:6], first[6:]) {
		return 1
	}
	if len(pieces) < 3 || pieces[1].gap == 0 || pieces[1].gap != pieces[2].gap {
		return 0
	}
	a, b, c := pieces[0].digits, pieces[1].digits, pieces[2].digits
	if year(a) && day(b, c) || day(a, b) && year(c) {
		return 3
	}
	return 0
}

// isAmount reports whether pieces are a number with its thousands marked.
func isAmount(pieces []piece) bool {
	for i, p := range pieces {
		if i == 0 && len(p.digits) > 3 || i > 0 && (len(p.digits) != 3 || strings.IndexByte("._'", p.gap) < 0) {
			return false
		}
	}
	return len(pieces) > 1
}

// country returns the two letters that stand directly in front as a word, as
// those of an IBAN do (ISO 13616-1).
func country(before []sign) string {
	n := len(before)
	if n < 2 || !isLetter(before[n-1].c) || !isLetter(before[n-2].c) || n > 2 && isLetter(before[n-3].c) {
		return ""
	}
	return string([]byte{before[n-2].c, before[n-1].c})
}

// ibanDigits is how many digits follow the letters in IBANs that have no other
// letters and are as long as a card number (ISO 13616, registry).
var ibanDigits = map[string]int{
	"no": 13, "be": 14, "dk": 16, "fi": 16, "fo": 16, "gl": 16, "si": 17, "at": 18, "ba": 18, "ee": 18, "lt": 18, "xk": 18,
	"ch": 19, "hr": 19, "li": 19,
}

// isIBAN reports whether digits with these letters in front are an IBAN, check
// digits and all (ISO/IEC 7064, MOD 97-10).
func isIBAN(country, digits string) bool {
	if ibanDigits[country] != len(digits) {
		return false
	}
	rest := 0
	for _, c := range []byte(digits[2:] + country + digits[:2]) {
		if isLetter(c) {
			rest = (rest*100 + int(c-'a') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}
