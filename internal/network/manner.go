package network

import (
	"encoding/base64"
	"regexp"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// What the tags of DE48 look like (docs/dialect-generic.md). The reference of a
// series' first transaction is for those who follow it; nothing here does.
var (
	recurringSyntax  = regexp.MustCompile(`^([124]([ -~]{12})?|3)$`)
	walletSyntax     = regexp.MustCompile(`^[01][0-9A-Za-z]{0,10}$`)
	instalmentSyntax = regexp.MustCompile(`^[0-9]{2}([0-9]{2})?$`)
	eciSyntax        = regexp.MustCompile(`^[0-9]{2,3}$`)
)

var storedCards = map[byte]authorization.StoredCard{
	'1': authorization.RecurringPayment, '2': authorization.UnscheduledUse, '3': authorization.ChosenByHolder,
	'4': authorization.FurtherInstalment,
}

// maxCAVV is how long a value from 3-D Secure is at most, in base64.
const maxCAVV = 40

// decodeManner reads what a tag of DE48 says of how the payment is made. Tags it
// does not know are passed over.
func decodeManner(tag int, v string, m *authorization.Manner) error {
	var fits bool
	switch tag {
	case iso8583.TagRecurring:
		if fits = recurringSyntax.MatchString(v); fits {
			m.StoredCard = storedCards[v[0]]
		}
	case iso8583.TagWallet:
		if fits = walletSyntax.MatchString(v); fits {
			m.IsTokenised, m.Wallet = v[0] == '1', v[1:]
		}
	case iso8583.TagInstalments:
		if fits = instalmentSyntax.MatchString(v); fits {
			m.InstalmentCount, m.InstalmentNo = digits(v[:2]), digits(v[2:])
			fits = m.InstalmentCount > 0 && m.InstalmentNo <= m.InstalmentCount
		}
	case iso8583.TagECI:
		if fits = eciSyntax.MatchString(v); fits {
			m.ECI = v
		}
	case iso8583.TagCAVV:
		_, err := base64.StdEncoding.DecodeString(v)
		fits = err == nil && v != "" && len(v) <= maxCAVV
		m.HasCAVV = fits
	default:
		return nil
	}
	if !fits {
		return fieldError{iso8583.PrivateElements, "a tag is not what the dialect says"}
	}
	return nil
}

// digits is the number that at most two digits are.
func digits(text string) (n int) {
	for i := range len(text) {
		n = n*10 + int(text[i]-'0')
	}
	return n
}
