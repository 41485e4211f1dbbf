package control

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// readUsedBy returns a page of what makes up a counter, the newest first, and of how
// much it is one. The page is cut where the rows are: a lifetime has many.
func readUsedBy(ctx context.Context, tx db.Tx, c VelocityCheck, k CounterKey, w Window, skip, take int) (page []UsedBy, total int, err error) {
	where := usedByUsage(k, w)
	if c.Period == PerSpan {
		where = usedBySpan(k, w)
	}
	if total, err = where.count(ctx, tx); err != nil {
		return nil, 0, fmt.Errorf("count: %w", err)
	}
	err = where.each(ctx, tx, skip, take, func(transaction string, at time.Time, u used) error {
		by := UsedBy{Transaction: transaction, Count: int(u.count), At: at}
		var err error
		if !c.Currency.IsZero() {
			by.Amount, err = money.New(u.amount, c.Currency)
		}
		page = append(page, by)
		return err
	})
	return page, total, err
}

// sumUsage adds up what makes up a counter.
func sumUsage(ctx context.Context, tx db.Tx, k CounterKey) (sum used, err error) {
	err = usedByUsage(k, Window{Start: clock.FromMicros(k.Start)}).each(ctx, tx, 0, math.MaxInt32, func(_ string, _ time.Time, u used) error {
		sum.amount, sum.count = sum.amount+u.amount, sum.count+u.count
		return nil
	})
	return sum, err
}

// usedBy selects the rows that make up a counter.
type usedBy struct {
	db.Where
	from, columns string
	scan          func(row db.Scanner, transaction *string, at *int64) (used, error)
}

// usedBySpan selects what lies in a rolling window.
func usedBySpan(k CounterKey, w Window) *usedBy {
	q := &usedBy{from: "velocity_span", columns: "amount, count"}
	q.And("subject_id = ?", k.of().String())
	q.And("counter = ?", k.Counter)
	q.And("at >= ?", clock.Micros(w.Start))
	q.And("(amount <> 0 OR count <> 0)")
	q.scan = func(row db.Scanner, transaction *string, at *int64) (u used, err error) {
		return u, row.Scan(transaction, at, &u.amount, &u.count)
	}
	return q
}

// usedByUsage selects the rows with a line of the counter that says anything but
// nothing.
func usedByUsage(k CounterKey, w Window) *usedBy {
	var ends int64
	if !w.End.IsZero() {
		ends = clock.Micros(w.End)
	}
	q := &usedBy{from: "velocity_usage", columns: "uses"}
	q.And("subject_id = ?", k.of().String())
	q.And("at >= ?", clock.Micros(w.Start))
	const contains = "REPLACE(? || uses, ?, '') <> ? || uses" // no pattern: names have "_" in them
	line := fmt.Sprintf("\n%s %d ", k.Counter, k.Start)
	q.And(contains, "\n", line, "\n")
	q.And("NOT "+contains, "\n", fmt.Sprintf("%s%d 0 0 ", line, ends), "\n")
	q.scan = func(s db.Scanner, transaction *string, at *int64) (u used, err error) {
		row := &usageRow{subject: k.of()}
		var text string
		if err := s.Scan(transaction, at, &text); err != nil {
			return u, err
		}
		err = parseUsage(row, text)
		for _, r := range row.all {
			if r.Key == k {
				u = r.used
			}
		}
		return u, err
	}
	return q
}

func (q *usedBy) count(ctx context.Context, tx db.Tx) (n int, err error) {
	return n, tx.QueryRow(ctx, `SELECT COUNT(*) FROM `+q.from+` WHERE `+q.SQL(), q.Args()...).Scan(&n)
}

// each hands over a page, the newest first.
func (q *usedBy) each(ctx context.Context, tx db.Tx, skip, take int, each func(transaction string, at time.Time, u used) error) error {
	text := `SELECT transaction_id, at, ` + q.columns + ` FROM ` + q.from + ` WHERE ` + q.SQL() +
		` ORDER BY at DESC, transaction_id DESC LIMIT ` + q.Bind(take) + ` OFFSET ` + q.Bind(skip)
	return db.Each(ctx, tx, func(row db.Scanner) error {
		var transaction string
		var at int64
		u, err := q.scan(row, &transaction, &at)
		if err != nil {
			return err
		}
		return each(transaction, clock.FromMicros(at), u)
	}, text, q.Args()...)
}
