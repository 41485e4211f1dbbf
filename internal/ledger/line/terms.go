package line

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// dueMax is how many days after its cut a term is due at the latest, however long
// a holiday is: before the next cut, which is 28 days later at the earliest.
const dueMax = 27

// Millionths is a share or a rate: 35,000 is 3.5 %.
type Millionths int64

const one Millionths = 1_000_000

// of is the share of an amount, half up.
func (m Millionths) of(minor int64) int64 { return mulDivHalfUp(minor, int64(m), int64(one)) }

// Terms are what a line goes by.
type Terms struct {
	CutDay  int // 1 to 28: the day of the month on which a term ends
	DueDays int // from the cut to the due date, before it is moved to a business day
	Rates   []Rates
	Taxes   []Taxes
	// The minimum payment is Minimum of the debt up to a limit of MinimumLimit (in
	// minor units), and MinimumAbove beyond.
	Minimum, MinimumAbove Millionths
	MinimumLimit          int64
	// OverLimitIsDue adds what is owed beyond the limit to the minimum payment.
	OverLimitIsDue bool
	// CashShare is the share of the limit that may be drawn as cash.
	CashShare Millionths
	// MissedBlocksCash missed minimum payments in a calendar year block cash,
	// MissedBlocksAll running ones everything. 0 blocks never.
	MissedBlocksCash, MissedBlocksAll int
	// Points is what of a purchase is given in points, of which ten are counted of
	// each: see [Terms.PointsOf].
	Points   Millionths
	Holidays []clock.Date
}

// Rates are the monthly rates from a date on, for a term debt of at most UpTo
// (minor units; 0 is any).
type Rates struct {
	From                    clock.Date
	UpTo                    int64
	Contractual, Late, Cash Millionths
}

// Taxes are those on interest from a date on.
type Taxes struct {
	From       clock.Date
	KKDF, BSMV Millionths
}

// DefaultTerms are the usual ones, with rates that hold from ever on. They are no
// legal advice.
func DefaultTerms() Terms {
	return Terms{
		CutDay: 14, DueDays: 10,
		Rates:   []Rates{{Contractual: 35_000, Late: 38_000, Cash: 35_000}},
		Taxes:   []Taxes{{KKDF: 150_000, BSMV: 150_000}},
		Minimum: 200_000, MinimumAbove: 400_000, MinimumLimit: 50_000_00, OverLimitIsDue: true,
		CashShare: 200_000, MissedBlocksCash: 3, MissedBlocksAll: 3, Points: 1_000,
	}
}

// Check reports what is wrong with the terms.
func (t Terms) Check() error {
	if t.CutDay < 1 || t.CutDay > 28 {
		return fmt.Errorf("the cut is on day %d, which is not between 1 and 28", t.CutDay)
	}
	if t.DueDays < 1 || t.DueDays > 20 {
		return fmt.Errorf("the due date is %d days after the cut, which is not between 1 and 20", t.DueDays)
	}
	if len(t.Rates) == 0 || len(t.Taxes) == 0 {
		return fmt.Errorf("the terms have no rates or no taxes")
	}
	shares := []Millionths{t.Minimum, t.MinimumAbove, t.CashShare, t.Points}
	for _, r := range t.Rates {
		shares = append(shares, r.Contractual, r.Late, r.Cash)
	}
	for _, x := range t.Taxes {
		shares = append(shares, x.KKDF, x.BSMV)
	}
	for _, s := range shares {
		if s < 0 || s > one {
			return fmt.Errorf("a share of %d millionths is not between 0 and 1,000,000", s)
		}
	}
	if t.MissedBlocksCash < 0 || t.MissedBlocksAll < 0 || t.MinimumLimit < 0 {
		return fmt.Errorf("a number of the terms is below zero")
	}
	return nil
}

// Extend reports why t are not earlier terms with nothing but additions: rates and
// taxes that come into force after a day, and holidays on which nothing that has
// ended by then can be due. Only such may take the place of terms that lines go by:
// else what has ended could not be told again.
func (t Terms) Extend(earlier Terms, today clock.Date) error {
	a, b := t, earlier
	a.Rates, a.Taxes, a.Holidays, b.Rates, b.Taxes, b.Holidays = nil, nil, nil, nil, nil, nil
	if !reflect.DeepEqual(a, b) {
		return errors.New("what has no date is another")
	}
	if len(t.Rates) < len(earlier.Rates) || !slices.Equal(t.Rates[:len(earlier.Rates)], earlier.Rates) ||
		len(t.Taxes) < len(earlier.Taxes) || !slices.Equal(t.Taxes[:len(earlier.Taxes)], earlier.Taxes) ||
		len(t.Holidays) < len(earlier.Holidays) || !slices.Equal(t.Holidays[:len(earlier.Holidays)], earlier.Holidays) {
		return errors.New("what stands must stay, at the beginning of its list")
	}
	for _, r := range t.Rates[len(earlier.Rates):] {
		if !today.Before(r.From) {
			return fmt.Errorf("rates from %s do not begin after %s", r.From, today)
		}
	}
	for _, x := range t.Taxes[len(earlier.Taxes):] {
		if !today.Before(x.From) {
			return fmt.Errorf("taxes from %s do not begin after %s", x.From, today)
		}
	}
	for _, h := range t.Holidays[len(earlier.Holidays):] {
		if first := today.AddDays(dueMax); h.Before(first) {
			return fmt.Errorf("a holiday on %s is before %s: a term that has ended may be due then", h, first)
		}
	}
	return nil
}

// PointsOf is what points a purchase brings, in tenths, of an amount in minor units
// of a currency with two digits; the rest is left out.
func (t Terms) PointsOf(minor int64) int64 {
	n := new(big.Int).Mul(big.NewInt(minor), big.NewInt(int64(t.Points)))
	return n.Quo(n, big.NewInt(int64(one)*10)).Int64()
}

// LateRateOn is the monthly rate of what is past due on a day, of the term debt so
// far.
func (l *Line) LateRateOn(day clock.Date) Millionths { return l.Terms.ratesOn(day, l.billed).Late }

// ratesOn are the rates of a day for a term debt: of those that came into force
// last, the lowest tier that reaches so far, else the highest.
func (t Terms) ratesOn(day clock.Date, debt int64) Rates {
	var tiers []Rates
	for _, r := range t.Rates {
		switch {
		case day.Before(r.From) || len(tiers) > 0 && r.From.Before(tiers[0].From):
		case len(tiers) > 0 && tiers[0].From.Before(r.From):
			tiers = append(tiers[:0], r)
		default:
			tiers = append(tiers, r)
		}
	}
	if len(tiers) == 0 {
		return Rates{} // before the first of them nothing bears interest
	}
	slices.SortStableFunc(tiers, func(a, b Rates) int { return cmp.Compare(reach(a), reach(b)) })
	for _, r := range tiers {
		if debt <= reach(r) {
			return r
		}
	}
	return tiers[len(tiers)-1]
}

// reach is the highest debt of a tier.
func reach(r Rates) int64 {
	if r.UpTo == 0 {
		return math.MaxInt64
	}
	return r.UpTo
}

// taxesOn are the taxes of a day.
func (t Terms) taxesOn(day clock.Date) Taxes {
	var found Taxes
	for _, x := range t.Taxes {
		if !day.Before(x.From) && !x.From.Before(found.From) {
			found = x
		}
	}
	return found
}

// NextCut is the first cut on or after a day.
func (t Terms) NextCut(day clock.Date) clock.Date {
	cut := clock.Date{Year: day.Year, Month: day.Month, Day: t.CutDay}
	if cut.Before(day) {
		cut = cut.AddMonths(1)
	}
	return cut
}

// Due is when what a term ended with is due: a business day.
func (t Terms) Due(cut clock.Date) clock.Date {
	due := cut.AddDays(t.DueDays)
	for latest := cut.AddDays(dueMax); due.Before(latest) && t.isHoliday(due); {
		due = due.AddDays(1)
	}
	return due
}

func (t Terms) isHoliday(day clock.Date) bool {
	weekday := day.In(time.UTC).Weekday()
	return weekday == time.Saturday || weekday == time.Sunday || slices.Contains(t.Holidays, day)
}

// minimumOf is the share of a debt that is due at least.
func (t Terms) minimumOf(limit int64) Millionths {
	if limit <= t.MinimumLimit {
		return t.Minimum
	}
	return t.MinimumAbove
}
