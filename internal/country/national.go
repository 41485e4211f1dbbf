package country

import "github.com/sarraf-platform/sarraf/internal/fault"

// ValidTCKN reports whether s is a Turkish citizen's number: eleven digits, the
// first not 0, with its two check digits. The tenth is the Euclidean remainder
// of 7·odd − even by 10.
func ValidTCKN(s string) bool {
	if len(s) != 11 || !fault.AllDigits(s) || s[0] == '0' {
		return false
	}
	odd, even, sum := 0, 0, 0
	for i := range 9 {
		d := int(s[i] - '0')
		sum += d
		if i%2 == 0 {
			odd += d
		} else {
			even += d
		}
	}
	tenth := ((7*odd-even)%10 + 10) % 10
	return int(s[9]-'0') == tenth && int(s[10]-'0') == (sum+tenth)%10
}

// ValidVKN reports whether s is a Turkish tax number: ten digits, the last a
// check digit.
func ValidVKN(s string) bool {
	if len(s) != 10 || !fault.AllDigits(s) {
		return false
	}
	sum := 0
	for i := range 9 {
		t := (int(s[i]-'0') + 9 - i) % 10
		if t == 0 {
			continue
		}
		v := t << (9 - i) % 9
		if v == 0 {
			v = 9
		}
		sum += v
	}
	return int(s[9]-'0') == (10-sum%10)%10
}
