package fee

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// appliedDocument is an [Applied] as it is stored. Amounts are minor units of
// Currency. It was JSON once, under these names, and is still read as that.
type appliedDocument struct {
	Code, Name, Group, Link          string
	Version                          int
	Type, Base, Timing               string
	OnDeclined, OnReversal, OnRefund bool
	Currency, Calculation            string
	Fixed, Rate                      int64
	Min, Max                         *int64
	Tiers                            []appliedTier
	Taxes                            []appliedTax
	Free                             *appliedFree
	// Of a Due only:
	Most        *int64
	StandsAlone bool
}

type appliedTier struct {
	From, Rate, Fixed int64
	To                *int64
}

type appliedTax struct {
	Type       string
	Rate       int64
	IsIncluded bool
}

type appliedFree struct {
	Count  int
	Amount *int64
	Period string
}

// Document is the stored form of an applied fee with what it is computed on,
// which [ParseDue] reads.
func (d Due) Document() string {
	a, t := d.Applied, d.Terms
	out := appliedDocument{
		Code: a.Code, Name: a.Name, Group: a.Group, Link: a.Link, Version: a.Version,
		Type: string(a.Type), Base: string(a.Base), Timing: string(a.Timing),
		OnDeclined: a.OnDeclined, OnReversal: a.RefundOnReversal, OnRefund: a.RefundOnRefund,
		Currency: t.Fixed.Currency().Code(), Calculation: string(t.Calculation), Fixed: t.Fixed.Minor(), Rate: int64(t.Rate),
		Min: minorOf(t.Min), Max: minorOf(t.Max), Most: minorOf(d.Most), StandsAlone: d.StandsAlone,
	}
	for _, r := range t.Tiers {
		out.Tiers = append(out.Tiers, appliedTier{From: r.From.Minor(), To: minorOf(r.To), Rate: int64(r.Rate), Fixed: r.Fixed.Minor()})
	}
	for _, x := range t.Taxes {
		out.Taxes = append(out.Taxes, appliedTax{string(x.Type), int64(x.Rate), x.IsIncluded})
	}
	if f := a.Free; f != nil {
		out.Free = &appliedFree{f.Count, minorOf(f.Amount), string(f.Period)}
	}
	return out.text()
}

// ParseDue reads the stored form. Nothing has moved, nothing was charged.
func ParseDue(text string) (Due, error) {
	d, err := parseApplied(text)
	if err != nil {
		return Due{}, fmt.Errorf("read applied fee: %w", err)
	}
	currency, err := money.ParseCurrency(d.Currency)
	if err != nil {
		return Due{}, fmt.Errorf("read applied fee: %w", err)
	}
	amount := func(minor int64) money.Amount {
		a, failed := money.New(minor, currency)
		if err == nil {
			err = failed
		}
		return a
	}
	optional := func(minor *int64) *money.Amount {
		if minor == nil {
			return nil
		}
		a := amount(*minor)
		return &a
	}
	a := Applied{
		Code: d.Code, Name: d.Name, Group: d.Group, Link: d.Link, Version: d.Version,
		Type: AmountType(d.Type), Base: Base(d.Base), Timing: Timing(d.Timing),
		OnDeclined: d.OnDeclined, RefundOnReversal: d.OnReversal, RefundOnRefund: d.OnRefund,
		Terms: Terms{
			Calculation: Calculation(d.Calculation), Fixed: amount(d.Fixed), Rate: money.Rate(d.Rate),
			Min: optional(d.Min), Max: optional(d.Max),
		},
	}
	for _, r := range d.Tiers {
		a.Terms.Tiers = append(a.Terms.Tiers, Tier{From: amount(r.From), To: optional(r.To), Rate: money.Rate(r.Rate), Fixed: amount(r.Fixed)})
	}
	for _, x := range d.Taxes {
		a.Terms.Taxes = append(a.Terms.Taxes, Tax{TaxType(x.Type), money.Rate(x.Rate), x.IsIncluded})
	}
	if f := d.Free; f != nil {
		a.Free = &Free{Count: f.Count, Amount: optional(f.Amount), Period: control.Period(f.Period)}
	}
	most := optional(d.Most)
	if err == nil && slices.ContainsFunc(a.Terms.Taxes, func(t Tax) bool { return t.Rate < 0 }) {
		err = errors.New("a tax has a rate below zero")
	}
	if err != nil {
		return Due{}, fmt.Errorf("read applied fee: %w", err)
	}
	due := NewDue(a)
	due.Most, due.StandsAlone = most, d.StandsAlone
	return due, nil
}
