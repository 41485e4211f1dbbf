package rule

import (
	"cmp"
	"math/bits"
	"strconv"
	"strings"
)

// Number is an exact decimal: Coefficient ÷ 10^Exponent. Integers, days and
// times of day are numbers with exponent 0.
type Number struct {
	Coefficient int64
	Exponent    uint8 // at most fractionMax
}

// What a decimal may have: 18 digits in all keep every product of a comparison
// within 128 bits.
const (
	digitsMax   = 18
	fractionMax = 9
)

// ParseNumber reads a JSON number exactly. It is false for what is no number,
// and for one with more digits than a Number holds.
func ParseNumber(text string) (Number, bool) {
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.Atoi(text[i+1:])
		if err != nil || e < -digitsMax || e > digitsMax {
			return Number{}, false
		}
		mantissa, exponent = text[:i], e
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" || strings.Contains(mantissa, ".") && fraction == "" || !allDigits(whole+fraction) {
		return Number{}, false
	}
	digits, scale := strings.TrimLeft(whole+fraction, "0"), len(fraction)-exponent
	for scale > 0 && strings.HasSuffix(digits, "0") {
		digits, scale = digits[:len(digits)-1], scale-1
	}
	if digits == "" {
		return Number{}, true
	}
	if scale < 0 {
		digits, scale = digits+strings.Repeat("0", -scale), 0
	}
	if len(digits) > digitsMax || scale > fractionMax {
		return Number{}, false
	}
	c, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return Number{}, false
	}
	if negative {
		c = -c
	}
	return Number{c, uint8(scale)}, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Compare is negative, zero or positive as n is less than, equal to or greater
// than m.
func (n Number) Compare(m Number) int {
	if n.Exponent == m.Exponent {
		return cmp.Compare(n.Coefficient, m.Coefficient)
	}
	if (n.Coefficient < 0) != (m.Coefficient < 0) {
		return cmp.Compare(n.Coefficient, m.Coefficient)
	}
	nHigh, nLow := bits.Mul64(magnitude(n.Coefficient), power(m.Exponent))
	mHigh, mLow := bits.Mul64(magnitude(m.Coefficient), power(n.Exponent))
	c := cmp.Or(cmp.Compare(nHigh, mHigh), cmp.Compare(nLow, mLow))
	if n.Coefficient < 0 {
		return -c
	}
	return c
}

func magnitude(c int64) uint64 {
	if c < 0 {
		return -uint64(c)
	}
	return uint64(c)
}

// power is 10^e.
func power(e uint8) uint64 {
	p := uint64(1)
	for range e {
		p *= 10
	}
	return p
}

// String is the number without an exponent, as JSON and people write it.
func (n Number) String() string {
	text := strconv.FormatUint(magnitude(n.Coefficient), 10)
	if e := int(n.Exponent); e > 0 {
		text = strings.Repeat("0", max(0, e+1-len(text))) + text
		text = text[:len(text)-e] + "." + text[len(text)-e:]
	}
	if n.Coefficient < 0 {
		return "-" + text
	}
	return text
}
