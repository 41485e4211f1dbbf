package pan

// CheckDigit returns the digit, as ASCII, that makes body a valid number when
// it is appended (ISO/IEC 7812-1, Annex B). It panics when body is not all
// digits.
func CheckDigit(body string) byte {
	if !allDigits(body) {
		panic("pan: check digit of something that is not digits")
	}
	return '0' + byte((10-luhnSum(body, true)%10)%10)
}

// ValidLuhn reports whether s is two or more digits of which the last is the
// check digit of the others.
func ValidLuhn(s string) bool {
	return len(s) >= 2 && allDigits(s) && luhnSum(s, false)%10 == 0
}

// luhnSum adds the digits from the right, doubling every second one: the last
// one first when doubleLast is set, that is when the check digit is missing.
func luhnSum(digits string, doubleLast bool) int {
	sum, double := 0, doubleLast
	for i := len(digits) - 1; i >= 0; i-- {
		d := int(digits[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return sum
}

// ContainsPAN reports whether text seems to hold a card number in clear: 13 to
// 19 digits, with single spaces or dashes allowed between them, that pass the
// Luhn check.
//
// A run of digits is taken whole, as each unbroken piece of it, and in the
// groupings cards are printed in (4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4), so that
// digits before or after a number do not hide it. The grouped digits of an
// IBAN are left alone, and a longer unbroken run is no card number.
func ContainsPAN(text string) bool {
	for i := 0; i < len(text); {
		if !isDigit(text[i]) {
			i++
			continue
		}
		start := i
		var pieces []string
		for {
			from := i
			for i < len(text) && isDigit(text[i]) {
				i++
			}
			pieces = append(pieces, text[from:i])
			if i+1 >= len(text) || text[i] != ' ' && text[i] != '-' || !isDigit(text[i+1]) {
				break
			}
			i++
		}
		if runHoldsPAN(pieces, looksLikeIBAN(text[:start], pieces)) {
			return true
		}
	}
	return false
}

// printed lists how card numbers are grouped where people read them.
var printed = [][]int{{4, 4, 4, 4}, {4, 4, 4, 4, 3}, {4, 6, 5}, {4, 6, 4}}

func runHoldsPAN(pieces []string, iban bool) bool {
	whole := ""
	for i, p := range pieces {
		if plausible(p) {
			return true
		}
		if len(whole) <= 19 {
			whole += p
		}
		if iban {
			continue
		}
		for _, grouping := range printed {
			if plausible(grouped(pieces[i:], grouping)) {
				return true
			}
		}
	}
	return plausible(whole)
}

// grouped returns the digits of the first pieces when they have these lengths,
// else nothing.
func grouped(pieces []string, lengths []int) string {
	if len(pieces) < len(lengths) {
		return ""
	}
	digits := ""
	for i, n := range lengths {
		if len(pieces[i]) != n {
			return ""
		}
		digits += pieces[i]
	}
	return digits
}

func plausible(digits string) bool {
	return len(digits) >= 13 && len(digits) <= 19 && ValidLuhn(digits)
}

// looksLikeIBAN reports whether the run starts with the two check digits that
// follow an IBAN's country letters (ISO 13616-1).
func looksLikeIBAN(before string, pieces []string) bool {
	n := len(before)
	return len(pieces) > 1 && len(pieces[0]) == 2 && n >= 2 && isLetter(before[n-1]) && isLetter(before[n-2])
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
