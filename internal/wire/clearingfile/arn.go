package clearingfile

import (
	"errors"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// sequenceLimit is the first sequence number that eleven digits cannot hold.
const sequenceLimit = 100_000_000_000

// ARN makes an acquirer reference number: the digit 7, the acquirer's six
// digits, the day as YDDD, eleven digits of sequence, and the Luhn digit over
// the rest. It is unique as long as the sequence does not repeat within ten
// years of a day.
func ARN(acquirer string, day clock.Date, sequence int64) (string, error) {
	if len(acquirer) != 6 || sequence < 0 || sequence >= sequenceLimit {
		return "", errors.New("acquirer reference: the acquirer has six digits and the sequence at most eleven")
	}
	for _, c := range acquirer {
		if !isDigit(c) {
			return "", errors.New("acquirer reference: the acquirer has six digits")
		}
	}
	body := fmt.Sprintf("7%s%d%03d%011d", acquirer, day.Year%10, day.In(time.UTC).YearDay(), sequence)
	return body + string(pan.CheckDigit(body)), nil
}
