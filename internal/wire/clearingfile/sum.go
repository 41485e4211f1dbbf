package clearingfile

import (
	"math"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/money"
)

// tally counts presentments and adds them up by currency.
type tally struct {
	count  int
	totals map[money.Currency]*Total
}

// add counts p. It reports a sum that no longer fits.
func (t *tally) add(p *Presentment) *FormatError {
	if t.totals == nil {
		t.totals = map[money.Currency]*Total{}
	}
	currency := p.Transaction.Currency()
	total := t.totals[currency]
	if total == nil {
		total = &Total{Currency: currency}
		t.totals[currency] = total
	}
	side := &total.Debit
	if p.Credits() {
		side = &total.Credit
	}
	if *side > math.MaxInt64-p.Transaction.Minor() {
		return &FormatError{Member: "transactionAmount", Problem: TooMuch}
	}
	*side += p.Transaction.Minor()
	t.count++
	return nil
}

// trailer is what a trailer of the presentments counted so far says.
func (t *tally) trailer() Trailer {
	out := Trailer{Count: t.count}
	for _, total := range t.totals {
		out.Totals = append(out.Totals, *total)
	}
	slices.SortFunc(out.Totals, func(a, b Total) int { return strings.Compare(a.Currency.Code(), b.Currency.Code()) })
	return out
}

// verify reports where a trailer disagrees with what was counted.
func (t *tally) verify(said Trailer) *FormatError {
	if said.Count != t.count {
		return &FormatError{Member: "count", Problem: WrongCount}
	}
	counted := t.trailer().Totals
	said.Totals = slices.Clone(said.Totals)
	slices.SortFunc(said.Totals, func(a, b Total) int { return strings.Compare(a.Currency.Code(), b.Currency.Code()) })
	if !slices.Equal(said.Totals, counted) {
		return &FormatError{Member: "totals", Problem: WrongTotal}
	}
	return nil
}
