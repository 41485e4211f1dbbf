package ledger

import (
	"context"
	"fmt"

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

// movement is what an entry did to a credit account.
type movement struct {
	entry, purpose string
	event          string
	on             clock.Date
	side           Side
	minor          int64
	parts          map[string]int64
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
	told := map[string]int64{}
	err = eachMovement(ctx, tx, account, 0, func(m movement) error {
		for part, minor := range m.parts {
			told[part] += minor
		}
		if wrong != "" || m.event == "C1" { // of interest the line knows by itself
			return nil
		}
		p, err := parsePurpose(m.purpose)
		if err != nil {
			wrong = "entry " + m.entry
			return nil
		}
		if wrong = roll(m.on); wrong == "" {
			p.tell(l, m.side, m.minor)
			spent[p.Holder] += p.takes(m.side, m.minor)
		}
		return nil
	})
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
		if told[b.String()] != l.In(b) {
			return "its part " + b.String(), nil
		}
	}
	return "", nil
}

// eachMovement hands over what entries did to a credit account after a position of
// its statement, in order.
func eachMovement(ctx context.Context, tx db.Tx, account AccountID, after int64, each func(movement) error) error {
	var m movement
	err := db.Each(ctx, tx, func(row db.Scanner) error {
		var entry, event, part string
		var purpose *string
		var on clock.Date
		var side Side
		var minor int64
		if err := row.Scan(&entry, &event, &on, &side, &minor, &part, &purpose); err != nil {
			return err
		}
		if purpose != nil && m.entry != "" { // the first posting of the next movement
			if err := each(m); err != nil {
				return err
			}
			m = movement{}
		}
		if m.entry == "" {
			m = movement{entry: entry, event: event, on: on, side: side, parts: map[string]int64{}}
		}
		if purpose != nil {
			m.purpose = *purpose
		}
		m.minor += minor
		change := minor
		if (side == Credit) != (part == "CREDIT") {
			change = -minor
		}
		m.parts[part] += change
		return nil
	}, `SELECT e.id, e.event, e.business_on, p.side, p.amount, p.part, p.purpose FROM posting p JOIN entry e ON e.id = p.entry_id
		WHERE p.account_id = $1 AND p.position > $2 ORDER BY p.position`, account, after)
	if err == nil && m.entry != "" {
		err = each(m)
	}
	return err
}
