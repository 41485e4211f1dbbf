package clearingfile

import (
	"fmt"
	"io"
	"time"

	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/wire/jsonline"
)

// Writer writes one file. It is not safe for concurrent use.
type Writer struct {
	dst   io.Writer
	line  int
	tally tally
}

// NewWriter writes the header to dst and returns a writer of what follows. It
// refuses a header that no reader would take.
func NewWriter(dst io.Writer, h Header) (*Writer, error) {
	w := &Writer{dst: dst}
	line, err := jsonline.Encode(headerText{
		Type:         headerType,
		Format:       format,
		Version:      version,
		Network:      h.Network,
		FileID:       h.FileID,
		CreatedAt:    h.CreatedAt.UTC().Format(time.RFC3339Nano),
		BusinessDate: h.BusinessDate.String(),
	})
	if err != nil {
		return nil, err
	}
	if _, fault := readHeader(line); fault != nil {
		return nil, w.at(fault)
	}
	return w, w.write(line)
}

// Write writes one presentment. One that a reader would not take is refused
// with a *[FormatError], nothing is written, and the writer can go on.
func (w *Writer) Write(p *Presentment) error {
	line, err := jsonline.Encode(p.text())
	if err != nil {
		return err
	}
	if len(line) > jsonline.LineMax {
		return w.at(&FormatError{Problem: TooLong})
	}
	// What was made is read before it is written: there is one set of rules.
	back, fault := readPresentment(line)
	if fault == nil {
		fault = w.tally.add(&back)
	}
	if fault != nil {
		return w.at(fault)
	}
	return w.write(line)
}

// Close writes the trailer. It does not close what is written to, which is
// for the caller to make durable.
func (w *Writer) Close() error {
	t := w.tally.trailer()
	text := trailerText{Type: trailerType, Count: t.Count, Totals: []totalText{}}
	for _, total := range t.Totals {
		text.Totals = append(text.Totals, totalText{total.Currency.Code(), total.Debit, total.Credit})
	}
	line, err := jsonline.Encode(text)
	if err != nil {
		return err
	}
	return w.write(line)
}

// write writes a line and its end.
func (w *Writer) write(line []byte) error {
	if _, err := w.dst.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write clearing file: %w", err)
	}
	w.line++
	return nil
}

// at puts the line to be written into a fault.
func (w *Writer) at(fault *FormatError) error {
	fault.Line = w.line + 1
	return fault
}

// text is p as it is written.
func (p *Presentment) text() presentmentText {
	t := presentmentText{
		Type:                   presentmentType,
		Kind:                   string(p.Kind),
		Function:               string(p.Function),
		Reversal:               p.Reversal,
		ARN:                    p.ARN,
		OriginalARN:            p.OriginalARN,
		MessageReason:          p.MessageReason,
		Transaction:            amountOf(p.Transaction),
		Billing:                amountOf(p.Billing),
		Settlement:             amountOf(p.Settlement),
		AuthorizationCode:      p.AuthorizationCode,
		RRN:                    p.RRN,
		STAN:                   p.STAN,
		NetworkTransactionID:   p.NetworkTransactionID,
		AcquiringInstitutionID: p.AcquiringInstitutionID,
		TerminalID:             p.TerminalID,
		CardAcceptorID:         p.CardAcceptorID,
		MCC:                    p.MCC,
		LocalDateTime:          p.LocalDateTime.Format(localLayout),
		POSEntryMode:           p.POSEntryMode,
		Final:                  &p.Final,
	}
	if !p.PAN.IsZero() {
		t.PAN = p.PAN.Reveal()
	}
	if p.MerchantName != "" || p.MerchantCity != "" || !p.MerchantCountry.IsZero() {
		t.Merchant = &merchantText{Name: p.MerchantName, City: p.MerchantCity}
		if !p.MerchantCountry.IsZero() {
			t.Merchant.Country = p.MerchantCountry.Alpha2()
		}
	}
	if p.SequenceCount > 1 || p.SequenceNumber > 1 {
		t.Sequence = &sequenceText{p.SequenceNumber, p.SequenceCount}
	}
	return t
}

// amountOf is an amount as it is written, nil when there is none.
func amountOf(a money.Amount) *amountText {
	if a.Currency().IsZero() {
		return nil
	}
	return &amountText{a.Minor(), a.Currency().Code()}
}
