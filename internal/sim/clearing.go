package sim

import (
	"fmt"
	"io"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/wire/clearingfile"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Present makes the clearing record of a payment: what the merchant wants paid
// in the end. answer is the platform's, nil when nobody was asked. The record
// is the only one of its payment and final; a caller who wants several parts
// changes that.
func (t *Terminal) Present(r *Request, answer *iso8583.Message, amount money.Amount) (clearingfile.Presentment, error) {
	a, m := t.Acquirer, r.Message
	now := t.Ahead.Now(a.Clock)
	arn, err := clearingfile.ARN(filled(a.ID, 6), clock.DateOf(now, t.Zone), a.presented.Add(1))
	if err != nil {
		return clearingfile.Presentment{}, err
	}
	local, err := iso8583.LocalDateTime(m.Bytes(iso8583.LocalDate), m.Bytes(iso8583.LocalTime), now)
	if err != nil {
		return clearingfile.Presentment{}, fmt.Errorf("read local time: %w", err)
	}
	p := clearingfile.Presentment{
		Kind:                   clearingfile.Purchase,
		Function:               clearingfile.FirstPresentment,
		PAN:                    r.card.PAN,
		ARN:                    arn,
		Transaction:            amount,
		RRN:                    m.TrimmedText(iso8583.RRN),
		STAN:                   m.Text(iso8583.STAN),
		AcquiringInstitutionID: a.ID,
		TerminalID:             t.ID,
		CardAcceptorID:         t.Merchant,
		MerchantName:           t.Name,
		MerchantCity:           t.City,
		MerchantCountry:        t.Country,
		MCC:                    t.MCC,
		LocalDateTime:          local,
		POSEntryMode:           m.Text(iso8583.POSEntryMode),
		SequenceNumber:         1,
		SequenceCount:          1,
		Final:                  true,
	}
	switch Kind(m.Text(iso8583.ProcessingCode)[:2]) {
	case Cash:
		p.Kind = clearingfile.Cash
	case Refund:
		p.Kind = clearingfile.Refund
	}
	if answer != nil {
		p.AuthorizationCode = answer.TrimmedText(iso8583.AuthorizationCode)
	}
	return p, nil
}

// Clear writes a clearing file with these records.
func (a *Acquirer) Clear(w io.Writer, h clearingfile.Header, records []clearingfile.Presentment) error {
	out, err := clearingfile.NewWriter(w, h)
	if err != nil {
		return fmt.Errorf("begin clearing file: %w", err)
	}
	for i := range records {
		if err := out.Write(&records[i]); err != nil {
			return fmt.Errorf("write record %d: %w", i+1, err)
		}
	}
	return out.Close()
}
