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
