package fee

import (
	"encoding/json"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/money"
)

// Additional is what one transaction costs, or gives back, besides its price: a
// line of its additional amounts (contract §9.1).
type Additional struct {
	Type         AmountType
	Code, Name   string
	IsDebit      bool // it costs; else it is given back
	IsRefundable bool // with what is reversed
	IsPending    bool // the balance did not cover it when it began, or by now
	Charge       Charge
}

// additionalDocument is the stored form. Its names are only added to.
type additionalDocument struct {
	Type, Code, Name                 string
	IsDebit, IsRefundable, IsPending bool
	Currency                         string
	Fee                              int64
	Taxes                            []additionalTax
}

type additionalTax struct {
	Type       string
	Rate       int64
	IsIncluded bool
	Amount     int64
}

// AdditionalDocument is the stored form of a transaction's additional amounts;
// empty for none.
func AdditionalDocument(all []Additional) string {
	if len(all) == 0 {
		return ""
	}
	documents := make([]additionalDocument, len(all))
	for i, a := range all {
		d := additionalDocument{
			Type: string(a.Type), Code: a.Code, Name: a.Name, IsDebit: a.IsDebit, IsRefundable: a.IsRefundable, IsPending: a.IsPending,
			Currency: a.Charge.Fee.Currency().Code(), Fee: a.Charge.Fee.Minor(),
		}
		for _, t := range a.Charge.Taxes {
			d.Taxes = append(d.Taxes, additionalTax{string(t.Type), int64(t.Rate), t.IsIncluded, t.Amount.Minor()})
		}
		documents[i] = d
	}
	text, err := json.Marshal(documents)
	if err != nil {
		panic("fee: additional amounts cannot be written: " + err.Error()) // they have only text and numbers
	}
	return string(text)
}

// ParseAdditional reads the stored form.
func ParseAdditional(text string) ([]Additional, error) {
	if text == "" {
		return nil, nil
	}
	var documents []additionalDocument
	if err := json.Unmarshal([]byte(text), &documents); err != nil {
		return nil, fmt.Errorf("read additional amounts: %w", err)
	}
	all := make([]Additional, len(documents))
	for i, d := range documents {
		currency, err := money.ParseCurrency(d.Currency)
		if err != nil {
			return nil, fmt.Errorf("read additional amounts: %w", err)
		}
		a := Additional{
			Type: AmountType(d.Type), Code: d.Code, Name: d.Name, IsDebit: d.IsDebit, IsRefundable: d.IsRefundable, IsPending: d.IsPending,
		}
		if a.Charge.Fee, err = money.New(d.Fee, currency); err != nil {
			return nil, fmt.Errorf("read additional amounts: %w", err)
		}
		for _, t := range d.Taxes {
			amount, err := money.New(t.Amount, currency)
			if err != nil {
				return nil, fmt.Errorf("read additional amounts: %w", err)
			}
			a.Charge.Taxes = append(a.Charge.Taxes, TaxLine{Tax{TaxType(t.Type), money.Rate(t.Rate), t.IsIncluded}, amount})
		}
		all[i] = a
	}
	return all, nil
}

// Sums are the fees and the taxes of additional amounts: what costs less what is
// given back, and the taxes that lie inside the fees aside. What is pending is
// in them.
func Sums(all []Additional, c money.Currency) (fees, taxes money.Amount) {
	fees, taxes = money.Zero(c), money.Zero(c)
	for _, a := range all {
		sign := func(x money.Amount) money.Amount {
			if a.IsDebit {
				return x
			}
			return x.Neg()
		}
		fees = add(fees, sign(a.Charge.Fee))
		for _, t := range a.Charge.Taxes {
			if !t.IsIncluded {
				taxes = add(taxes, sign(t.Amount))
			}
		}
	}
	return fees, taxes
}

// additional is the line of a change of what a fee comes to: more costs, less is
// given back.
func (d *Due) additional(change Charge, pending bool) Additional {
	a := Additional{
		Type: d.Type, Code: d.Code, Name: d.Name, IsDebit: true, IsRefundable: d.RefundOnReversal, IsPending: pending, Charge: change,
	}
	if change.Fee.Sign() < 0 {
		a.IsDebit, a.IsPending, a.Charge = false, false, change.negated()
	}
	return a
}

func (c Charge) negated() Charge {
	n := Charge{Fee: c.Fee.Neg()}
	for _, t := range c.Taxes {
		n.Taxes = append(n.Taxes, TaxLine{t.Tax, t.Amount.Neg()})
	}
	return n
}

func (c Charge) isZero() bool {
	for _, t := range c.Taxes {
		if !t.Amount.IsZero() {
			return false
		}
	}
	return c.Fee.IsZero()
}

// Line is the line of a fee that comes to a charge.
func (a Applied) Line(charge Charge) Additional {
	due := NewDue(a)
	return due.additional(charge, false)
}
