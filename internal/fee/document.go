package fee

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Fees are kept as JSON text in control_definition.document: the fee without its
// head and its amounts, and the amounts in minor units of the fee's currency,
// since money refuses to become JSON. Member names are the stored form: they are
// only added to.

// transactionDocument is the text of a fee on transactions.
type transactionDocument struct {
	Fee                         OnTransaction
	Fixed, Min, Max, FreeAmount *int64
	Tiers                       []tierDocument
}

type tierDocument struct {
	From, Fixed int64
	To          *int64
	Rate        money.Rate
}

func encodeOnTransaction(f OnTransaction) (string, error) {
	d := transactionDocument{Fee: f, Fixed: minorOf(f.Fixed), Min: minorOf(f.Min), Max: minorOf(f.Max), FreeAmount: minorOf(f.FreeAmount)}
	d.Fee.Head, d.Fee.Tiers = control.Head{}, nil
	d.Fee.Fixed, d.Fee.Min, d.Fee.Max, d.Fee.FreeAmount = nil, nil, nil, nil
	for _, t := range f.Tiers {
		d.Tiers = append(d.Tiers, tierDocument{t.From.Minor(), t.Fixed.Minor(), minorOf(t.To), t.Rate})
	}
	text, err := json.Marshal(d)
	return string(text), err
}

func decodeOnTransaction(document string) (OnTransaction, error) {
	var d transactionDocument
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return OnTransaction{}, fmt.Errorf("read fee on transactions: %w", err)
	}
	f := d.Fee
	r := amountReader{currency: f.Currency}
	f.Fixed, f.Min, f.Max, f.FreeAmount = r.amount(d.Fixed), r.amount(d.Min), r.amount(d.Max), r.amount(d.FreeAmount)
	for _, t := range d.Tiers {
		f.Tiers = append(f.Tiers, Tier{From: r.must(t.From), To: r.amount(t.To), Rate: t.Rate, Fixed: r.must(t.Fixed)})
	}
	if r.err != nil {
		return OnTransaction{}, fmt.Errorf("read fee on transactions: %w", r.err)
	}
	return f, nil
}

func minorOf(a *money.Amount) *int64 {
	if a == nil {
		return nil
	}
	minor := a.Minor()
	return &minor
}

// amountReader reads amounts of one currency and remembers what was wrong.
type amountReader struct {
	currency money.Currency
	err      error
}

func (r *amountReader) amount(minor *int64) *money.Amount {
	if minor == nil {
		return nil
	}
	a := r.must(*minor)
	return &a
}

func (r *amountReader) must(minor int64) money.Amount {
	a, err := money.New(minor, r.currency)
	r.err = errors.Join(r.err, err)
	return a
}
