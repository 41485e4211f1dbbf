package algo

import "strings"

// networkRow gives a range of prefixes of equal length to a network, for PANs
// of the lengths listed (two digits each).
type networkRow struct {
	from, to string
	lengths  string
	network  string
}

// networks holds the prefixes on which public tables agree. Ranges shared by
// co-badged and national schemes (60, 65 beyond Discover, 81, 82, 508, 50 and
// 56–58) are decided by an issuer's own BIN table.
var networks = [...]networkRow{
	{"4", "4", "13 16 19", "visa"},
	{"51", "55", "16", "mastercard"},
	{"222100", "272099", "16", "mastercard"},
	{"34", "34", "15", "amex"},
	{"37", "37", "15", "amex"},
	{"6011", "6011", "16 17 18 19", "discover"},
	{"644", "649", "16 17 18 19", "discover"},
	{"65", "65", "16 17 18 19", "discover"},
	{"3528", "3589", "16 17 18 19", "jcb"},
	{"36", "36", "14 15 16 17 18 19", "diners"},
	{"300", "305", "14 15 16 17 18 19", "diners"},
	{"3095", "3095", "14 15 16 17 18 19", "diners"},
	{"38", "39", "14 15 16 17 18 19", "diners"},
	{"62", "62", "16 17 18 19", "unionpay"},
	{"2200", "2204", "16", "mir"},
	{"9792", "9792", "16", "troy"},
}

// Network names the card network of pan by its longest matching prefix and its
// length (ISO/IEC 7812-1), or reports false.
func Network(pan string) (string, bool) {
	if len(pan) < 12 || len(pan) > 19 || !decimal(pan) {
		return "", false
	}
	length := string([]byte{'0' + byte(len(pan)/10), '0' + byte(len(pan)%10)})
	name, best := "", 0
	for _, r := range networks {
		n := len(r.from)
		if p := pan[:n]; n > best && p >= r.from && p <= r.to && strings.Contains(r.lengths, length) {
			name, best = r.network, n
		}
	}
	return name, best > 0
}

// MaskWidest shows as much of pan as PCI DSS 3.4.1 allows at most: BIN and last
// four. The BIN is eight digits of a PAN of sixteen or more, else six.
func MaskWidest(pan string) (string, error) {
	if len(pan) < 12 || len(pan) > 19 || !decimal(pan) {
		return "", ErrInput
	}
	bin := 6
	if len(pan) >= 16 {
		bin = 8
	}
	return pan[:bin] + strings.Repeat("*", len(pan)-bin-4) + pan[len(pan)-4:], nil
}
