package personalization

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// What chips of ours have in common (EMV Book 3, annexes A and C).
const (
	// interchange is the AIP: cardholder verification and terminal risk
	// management, no offline data authentication.
	interchange = "1800"
	// usage is the AUC: everything everywhere; the host says no.
	usage = "FF00"
	// Issuer action codes: online whenever the terminal can go there, and no
	// approval without.
	actionDefault, actionDenial, actionOnline = "F8F8FCF800", "0000000000", "F8F8FCF8F0"
	// Cardholder verification methods: enciphered PIN online, signature, none,
	// each when the terminal supports it; the PIN in the chip before them.
	methods, methodsOffline = "0000000000000000" + "4203" + "1E03" + "1F03", "0000000000000000" + "4103" + "4203" + "1E03" + "1F03"
)

// tagsOf are the data elements of a chip that are no secret.
func tagsOf(p issuing.PlasticToMake, offlinePIN bool) []Tag {
	e := p.Card.Expires
	last := clock.Date{Year: e.Year, Month: e.Month, Day: 1}.AddMonths(1).AddDays(-1)
	verification := methods
	if offlinePIN {
		verification = methodsOffline
	}
	tags := []Tag{
		{"82", interchange},
		{"8E", verification},
		{"5F24", fmt.Sprintf("%02d%02d%02d", last.Year%100, int(last.Month), last.Day)},
		{"5F28", numeric(p.BIN.Country.Numeric())},
		{"5F30", numeric(p.Card.ServiceCode)},
		{"5F34", p.Card.PSN},
		{"9F07", usage},
		{"9F0D", actionDefault},
		{"9F0E", actionDenial},
		{"9F0F", actionOnline},
		{"9F42", numeric(p.Product.Currency.Numeric())},
	}
	if n := limitsOf(p).OfflineCount; n > 0 {
		tags = append(tags, Tag{"9F14", fmt.Sprintf("%02X", n)}, Tag{"9F23", fmt.Sprintf("%02X", n)})
	} else {
		tags = append(tags, Tag{"9F14", "00"}, Tag{"9F23", "00"})
	}
	if l := p.Variant.LanguageCode; len(l) == 2 {
		tags = append(tags, Tag{"5F2D", strings.ToUpper(hex.EncodeToString([]byte(strings.ToLower(l))))})
	}
	return tags
}

// numeric is three digits as two bytes.
func numeric(digits string) string { return strings.Repeat("0", max(0, 4-len(digits))) + digits }

// offlineCountMax is what two hexadecimal digits hold.
const offlineCountMax = 255

// limitsOf is what the chip may do without asking: nothing, but for the taps
// that its product allows. Where the product lets its cards decide offline at
// all, as many in a row as taps.
func limitsOf(p issuing.PlasticToMake) Limits {
	var l Limits
	limit := p.Product.ContactlessLimit
	if limit == nil || !p.Product.ContactlessEnabled {
		return l
	}
	l.Currency, l.ContactlessAmount = limit.Transaction.Currency().Code(), limit.Transaction.Minor()
	if limit.Cumulative != nil {
		l.ContactlessCumulative = limit.Cumulative.Minor()
	}
	if limit.ConsecutiveCount != nil {
		l.ContactlessCount = min(*limit.ConsecutiveCount, offlineCountMax)
	}
	if p.Offline {
		l.OfflineCount = l.ContactlessCount
	}
	return l
}
