package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
)

// verifyCredit tells every credit line's movements to a new line, day by day, and
// compares what it comes to: parts, terms that ended, state.
func verifyCredit(ctx context.Context, tx db.Tx) (Invariant, error) {
	v := Invariant{Name: "a credit line is what its movements make of it, to the day"}
	type opened struct {
		account AccountID
		on      clock.Date
	}
	all, err := db.Collect(ctx, tx, func(row db.Scanner) (o opened, err error) { return o, row.Scan(&o.account, &o.on) },
		`SELECT account_id, opened_on FROM credit_line ORDER BY account_id`)
	if err != nil {
		return v, err
	}
	for _, o := range all {
		v.Checked++
		wrong, err := retell(ctx, tx, o.account, o.on)
		if err != nil {
			return v, err
		}
		if wrong != "" {
			v.Break(o.account.String() + ": " + wrong)
		}
	}
	return v, nil
}

// retell says what is wrong with a line.
func retell(ctx context.Context, tx db.Tx, account AccountID, from clock.Date) (wrong string, err error) {
	var stored *CreditLine
	if err := readCredit(ctx, tx, []AccountID{account}, func(_ AccountID, c *CreditLine) { stored = c }); err != nil {
		return "", err
	}
	cuts, err := Cuts(ctx, tx, account)
	if err != nil {
		return "", err
	}
	spent := map[string]int64{} // by holder, since the last cut
	l := line.New(stored.Line.Terms, stored.Limit, from)
	roll := func(to clock.Date) string {
		for l.Day.Before(to) {
			stop := l.Terms.NextCut(l.Day).AddDays(1)
			if to.Before(stop) {
				stop = to
			}
			n := len(cuts) - 1
			if n >= 0 && cuts[n].On.AddDays(1) == stop {
				l.Limit = cuts[n].Limit // as it was then
			}
			for _, got := range l.Roll(stop) {
				if n < 0 || cuts[n].On != got.On || cuts[n].Due != got.Due || cuts[n].Regions != got.Regions {
					return fmt.Sprintf("the term that ended on %s", got.On)
				}
				cuts = cuts[:n]
				clear(spent)
			}
		}
		return ""
	}
	told := map[line.Bucket]int64{}
	err = eachMovement(ctx, tx, account, 1, math.MaxInt64, func(m Movement) error {
		for part, minor := range m.Parts {
			told[part] += minor
		}
		if wrong != "" || m.IsCharge() { // of what cuts charge the line knows by itself
			return nil
		}
		if wrong = roll(m.Entry.BusinessOn); wrong == "" {
			p := m.Entry.Purpose
			p.tell(l, m.Side, m.Minor)
			spent[p.Holder] += p.takes(m.Side, m.Minor)
		}
		return nil
	})
	if errors.Is(err, errPurpose) {
		return err.Error(), nil
	}
	if err != nil || wrong != "" {
		return wrong, err
	}
	if wrong = roll(stored.Day); wrong != "" {
		return wrong, nil
	}
	l.Limit = stored.Limit
	if l.Text() != stored.Text() || len(cuts) > 0 {
		return "its state", nil
	}
	for holder, s := range stored.Shares {
		if spent[holder] != s.Spent {
			return "the share of " + holder, nil
		}
	}
	for _, b := range line.Buckets() {
		if told[b] != l.In(b) {
			return "its part " + b.String(), nil
		}
	}
	return "", nil
}
