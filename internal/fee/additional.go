package fee

import (
	"errors"
	"fmt"
	"strings"

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

// What the flags of a line say.
const (
	flagIsDebit = 1 << iota
	flagIsRefundable
	flagIsPending
)

var errAdditionalText = errors.New("not the text of additional amounts")

// AdditionalDocument is the stored form of a transaction's additional amounts: a
// line for each, its members with tabs after them; empty for none.
func AdditionalDocument(all []Additional) string {
	if len(all) == 0 {
		return ""
	}
	w := memberWriter{make([]byte, 0, 96*len(all))}
	for _, a := range all {
		w.text(string(a.Type))
		w.text(a.Code)
		w.text(a.Name)
		w.int(flagIf(a.IsDebit, flagIsDebit) | flagIf(a.IsRefundable, flagIsRefundable) | flagIf(a.IsPending, flagIsPending))
		w.text(a.Charge.Fee.Currency().Code())
		w.int(a.Charge.Fee.Minor())
		w.int(int64(len(a.Charge.Taxes)))
		for _, t := range a.Charge.Taxes {
			w.text(string(t.Type))
			w.int(int64(t.Rate))
			w.int(flagIf(t.IsIncluded, 1))
			w.int(t.Amount.Minor())
		}
		w.out = append(w.out, '\n')
	}
	return string(w.out)
}

// ParseAdditional reads the stored form.
func ParseAdditional(text string) (all []Additional, err error) {
	for line := range strings.Lines(text) {
		a, err := parseAdditional(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("read additional amounts: %w", err)
		}
		all = append(all, a)
	}
	return all, nil
}

func parseAdditional(line string) (a Additional, err error) {
	r := memberReader{rest: line}
	a.Type, a.Code, a.Name = AmountType(r.text()), r.text(), r.text()
	flags := r.int()
	a.IsDebit, a.IsRefundable, a.IsPending = flags&flagIsDebit != 0, flags&flagIsRefundable != 0, flags&flagIsPending != 0
	currency, err := money.ParseCurrency(r.text())
	if err != nil {
		return a, err
	}
	if a.Charge.Fee, err = money.New(r.int(), currency); err != nil {
		return a, err
	}
	for range r.count() {
		t := TaxLine{Tax: Tax{TaxType(r.text()), money.Rate(r.int()), r.int() != 0}}
		if t.Amount, err = money.New(r.int(), currency); err != nil {
			return a, err
		}
		a.Charge.Taxes = append(a.Charge.Taxes, t)
	}
	if r.bad || r.rest != "" {
		return a, errAdditionalText
	}
	return a, nil
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
