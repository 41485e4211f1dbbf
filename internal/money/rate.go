package money

import (
	"math/bits"
	"slices"
)

// Rounding says what becomes of the part of a minor unit that a computation
// leaves over. All four are symmetric about zero.
type Rounding int

// The roundings. The zero value is HalfUp, the one that contracts ask for when
// a computed amount is posted.
const (
	HalfUp   Rounding = iota // to the nearest, a half away from zero
	HalfEven                 // to the nearest, a half to the even neighbour
	Up                       // away from zero
	Down                     // towards zero
)

// String returns the rounding's name in snake_case.
func (r Rounding) String() string {
	switch r {
	case HalfUp:
		return "half_up"
	case HalfEven:
		return "half_even"
	case Up:
		return "up"
	case Down:
		return "down"
	}
	return "unknown"
}

// Rate is a ratio in parts per million: 17_500 is 1.75 %.
type Rate int64

// Apply returns a × r, rounded to a minor unit. It returns ErrRange when the
// result is outside ±10^15.
func (r Rate) Apply(a Amount, rounding Rounding) (Amount, error) {
	return a.MulDiv(int64(r), 1_000_000, rounding)
}

// MulDiv returns a × num ÷ den in a's currency, computed exactly and rounded
// once. It returns ErrZeroDivisor when den is zero, and ErrRange when the
// result is outside ±10^15.
func (a Amount) MulDiv(num, den int64, r Rounding) (Amount, error) {
	if den == 0 {
		return Amount{}, ErrZeroDivisor
	}
	quotient, remainder, ok := mulDiv(magnitude(a.minor), magnitude(num), magnitude(den))
	if !ok {
		return Amount{}, ErrRange
	}
	if roundsAway(quotient, remainder, magnitude(den), r) {
		quotient++
	}
	if quotient > uint64(MaxMinor) {
		return Amount{}, ErrRange
	}
	minor := int64(quotient)
	if (a.minor < 0) != ((num < 0) != (den < 0)) {
		minor = -minor
	}
	return New(minor, a.currency)
}

// Split divides a in proportion to the weights. The parts always sum to a:
// each gets its share rounded towards zero, and the minor units left over go
// one each to the largest remainders, the earlier part first when they tie.
// It returns ErrWeights unless no weight is negative and their sum is positive
// and fits an int64.
func (a Amount) Split(weights ...int64) ([]Amount, error) {
	var sum uint64
	for _, w := range weights {
		if w < 0 || uint64(w) > 1<<63-1-sum {
			return nil, ErrWeights
		}
		sum += uint64(w)
	}
	if sum == 0 {
		return nil, ErrWeights
	}
	left := magnitude(a.minor)
	shares := make([]uint64, len(weights))
	remainders := make([]uint64, len(weights))
	order := make([]int, len(weights))
	for i, w := range weights {
		order[i] = i
		// The quotient is at most |a|, so it always fits.
		shares[i], remainders[i], _ = mulDiv(magnitude(a.minor), uint64(w), sum)
		left -= shares[i]
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case remainders[i] > remainders[j]:
			return -1
		case remainders[i] < remainders[j]:
			return 1
		}
		return 0
	})
	for _, i := range order[:left] {
		shares[i]++
	}
	parts := make([]Amount, len(weights))
	for i, s := range shares {
		minor := int64(s)
		if a.minor < 0 {
			minor = -minor
		}
		parts[i] = Amount{minor: minor, currency: a.currency}
	}
	return parts, nil
}

// mulDiv returns x × y ÷ z over 128 bits; ok is false when the quotient needs
// more than 64.
func mulDiv(x, y, z uint64) (quotient, remainder uint64, ok bool) {
	hi, lo := bits.Mul64(x, y)
	if hi >= z {
		return 0, 0, false
	}
	quotient, remainder = bits.Div64(hi, lo, z)
	return quotient, remainder, quotient <= uint64(MaxMinor)
}

// roundsAway reports whether quotient, with remainder of den left over, is
// rounded away from zero.
func roundsAway(quotient, remainder, den uint64, r Rounding) bool {
	if remainder == 0 {
		return false
	}
	// Compared as a difference, since twice the remainder may not fit.
	rest := den - remainder
	switch r {
	case HalfUp:
		return remainder >= rest
	case HalfEven:
		return remainder > rest || remainder == rest && quotient%2 == 1
	case Up:
		return true
	case Down:
		return false
	}
	panic("money: unknown rounding")
}

// magnitude returns |x|, also of the least int64, which has no negative.
func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}
