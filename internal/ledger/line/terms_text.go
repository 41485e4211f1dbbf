package line

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// Text is the stored form of terms: a line for each of them, its name first.
func (t Terms) Text() string {
	var b strings.Builder
	put := func(name string, all ...any) {
		b.WriteString(name)
		for _, v := range all {
			if d, ok := v.(clock.Date); ok {
				v = dateText(d)
			}
			fmt.Fprintf(&b, " %v", v)
		}
		b.WriteByte('\n')
	}
	put("cut", t.CutDay, t.DueDays)
	put("minimum", t.Minimum, t.MinimumAbove, t.MinimumLimit, t.OverLimitIsDue)
	put("cash", t.CashShare)
	put("missed", t.MissedBlocksCash, t.MissedBlocksAll)
	put("points", t.Points)
	for _, r := range t.Rates {
		put("rates", r.From, r.UpTo, r.Contractual, r.Late, r.Cash)
	}
	for _, x := range t.Taxes {
		put("taxes", x.From, x.KKDF, x.BSMV)
	}
	for _, h := range t.Holidays {
		put("holiday", h)
	}
	return b.String()
}

// ParseTerms reads what [Terms.Text] wrote.
func ParseTerms(text string) (t Terms, err error) {
	for row := range strings.Lines(text) {
		f := fields{rest: strings.Split(strings.TrimSuffix(row, "\n"), " ")}
		share := func() Millionths { return Millionths(f.int()) }
		switch f.next() {
		case "cut":
			t.CutDay, t.DueDays = int(f.int()), int(f.int())
		case "minimum":
			t.Minimum, t.MinimumAbove, t.MinimumLimit = share(), share(), f.int()
			t.OverLimitIsDue, err = strconv.ParseBool(f.next())
			f.bad = f.bad || err != nil
		case "cash":
			t.CashShare = share()
		case "missed":
			t.MissedBlocksCash, t.MissedBlocksAll = int(f.int()), int(f.int())
		case "points":
			t.Points = share()
		case "rates":
			t.Rates = append(t.Rates, Rates{f.date(), f.int(), share(), share(), share()})
		case "taxes":
			t.Taxes = append(t.Taxes, Taxes{f.date(), share(), share()})
		case "holiday":
			t.Holidays = append(t.Holidays, f.date())
		default:
			f.bad = true
		}
		if f.bad || len(f.rest) > 0 {
			return Terms{}, fmt.Errorf("%w: terms %q", ErrText, row)
		}
	}
	if err := t.Check(); err != nil {
		return Terms{}, fmt.Errorf("%w: %w", ErrText, err)
	}
	return t, nil
}
