package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// verifySpans checks that what is added up of rolling windows is what transactions
// have.
func verifySpans(ctx context.Context, tx db.Tx) (ledger.Invariant, error) {
	v := ledger.Invariant{Name: "what lies in a rolling window belongs to a transaction"}
	err := db.Each(ctx, tx, func(s db.Scanner) error {
		var transaction, counter string
		var uses *string // nil of a transaction without any
		var lies used
		if err := s.Scan(&transaction, &counter, &lies.amount, &lies.count, &uses); err != nil {
			return err
		}
		v.Checked++
		row := &usageRow{}
		if uses == nil || parseUsage(row, *uses) != nil || !slices.ContainsFunc(row.all, func(r *counted) bool {
			return r.IsSpan && r.Key.Counter == counter && r.used == lies
		}) {
			v.Break(transaction + " " + counter)
		}
		return nil
	}, `SELECT s.transaction_id, s.counter, s.amount, s.count, u.uses FROM velocity_span s LEFT JOIN velocity_usage u
		ON u.subject_id = s.subject_id AND u.at = s.at AND u.transaction_id = s.transaction_id`)
	return v, err
}

// VerifyUsage checks what was used of velocity limits at a moment. It reads all of
// it, subject after subject.
func VerifyUsage(ctx context.Context, tx db.Tx, now clock.Real) ([]ledger.Invariant, error) {
	v := usageCheck{
		now:   now,
		ended: ledger.Invariant{Name: "what has fallen out of a velocity counter had ended"},
		sums:  ledger.Invariant{Name: "a velocity counter is the sum of what transactions have of it"},
		parts: ledger.Invariant{Name: "nothing is counted of what nothing stands of"},
	}
	err := db.Each(ctx, tx, v.row, `SELECT c.id, c.tenant_id, c.subject, c.counters, c.since, u.transaction_id, u.at, u.uses,
			COALESCE(s.amount, 0), COALESCE(s.count, 0), `+access.AheadOf("c.tenant_id")+`
		FROM velocity_counter c LEFT JOIN velocity_usage u ON u.subject_id = c.id
		LEFT JOIN (SELECT subject_id, at, transaction_id, SUM(amount) AS amount, SUM(count) AS count FROM velocity_span
			GROUP BY subject_id, at, transaction_id) s
			ON s.subject_id = u.subject_id AND s.at = u.at AND s.transaction_id = u.transaction_id
		ORDER BY c.id`)
	if err != nil {
		return nil, fmt.Errorf("verify usage: %w", err)
	}
	v.finish()
	err = db.Each(ctx, tx, func(s db.Scanner) error {
		var subject, transaction string
		if err := s.Scan(&subject, &transaction); err != nil {
			return err
		}
		v.sums.Checked++
		v.sums.Break(transaction + " of " + subject)
		return nil
	}, `SELECT u.subject_id, u.transaction_id FROM velocity_usage u LEFT JOIN velocity_counter c ON c.id = u.subject_id WHERE c.id IS NULL`)
	if err != nil {
		return nil, fmt.Errorf("verify whose usage it is: %w", err)
	}
	spans, err := verifySpans(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("verify rolling windows: %w", err)
	}
	return []ledger.Invariant{v.sums, v.parts, v.ended, spans}, nil
}

// CountedFees is what an adjusting limit without end has of what a life cycle costs.
type CountedFees struct {
	Counter string
	Lowers  bool // refunds lower it
	Fees    int64
}

// FeesCounted returns, by life cycle, what limits that never end and that adjust
// have of its fees, in minor units of its account.
func FeesCounted(ctx context.Context, tx db.Tx, cycles []string) (map[string][]CountedFees, error) {
	c := NewCounters()
	if err := c.readUsage(ctx, tx, cycles, func(access.TenantID) time.Time { return time.Time{} }); err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	all := map[string][]CountedFees{}
	for _, r := range c.usage {
		if r.CountsFees && r.Adjusts && r.Ends.IsZero() {
			all[r.Cycle] = append(all[r.Cycle], CountedFees{r.Key.String(), r.Lowers, r.Fees})
		}
	}
	return all, nil
}

// usageCheck goes through what transactions have, and compares it with each
// subject's counters when all of it was seen.
type usageCheck struct {
	sums, parts, ended ledger.Invariant
	now                clock.Real
	subject            string
	since              int64
	counters           map[CounterKey]*counterRow
	added              map[CounterKey]*counterRow // what transactions have
}

// usageLine is a row of what VerifyUsage reads.
type usageLine struct {
	subject, counters string
	of                subjectKey
	since             int64
	transaction, uses *string // nil of a subject without any
	at                *int64
	inSpans           used
	ahead             int64 // of the tenant
}

func (v *usageCheck) row(s db.Scanner) error {
	var l usageLine
	err := s.Scan(&l.subject, &l.of.tenant, &l.of.subject, &l.counters, &l.since, &l.transaction, &l.at, &l.uses,
		&l.inSpans.amount, &l.inSpans.count, &l.ahead)
	if err != nil {
		return err
	}
	if l.subject != v.subject {
		v.finish()
		v.subject, v.since = l.subject, l.since
		if v.ended.Checked++; clock.FromMicros(l.since).After(access.AheadFromMicros(l.ahead).At(v.now)) {
			v.ended.Break(l.subject)
		}
		v.counters, v.added = map[CounterKey]*counterRow{}, map[CounterKey]*counterRow{}
		if err := parseCounters(l.of, l.counters, func(r *counterRow) { v.counters[r.key] = r }); err != nil {
			v.sums.Checked++
			v.sums.Break(l.subject)
		}
	}
	if l.transaction == nil {
		return nil
	}
	row := &usageRow{transaction: *l.transaction, subject: l.of, at: clock.FromMicros(*l.at)}
	if err := parseUsage(row, *l.uses); err != nil {
		v.parts.Checked++
		v.parts.Break(row.transaction)
		return nil
	}
	v.add(row, l.inSpans)
	return nil
}

// add adds up what a transaction has, and compares what it has of rolling windows
// with their rows.
func (v *usageCheck) add(row *usageRow, inSpans used) {
	for _, r := range row.all {
		v.parts.Checked++
		amount := r.used.amount - r.feesUsed()
		if r.Of > 0 && r.standing == 0 && amount != 0 || r.standing == r.Of && amount != r.whole.amount || r.used.count > r.whole.count {
			v.parts.Break(row.transaction + " " + r.Key.String())
		}
		sum := v.added[r.Key]
		if sum == nil {
			sum = &counterRow{key: r.Key}
			v.added[r.Key] = sum
		}
		if r.Ends.IsZero() {
			sum.kept = true // for ever
		} else {
			sum.ends = max(sum.ends, clock.Micros(r.Ends))
		}
		if r.IsSpan {
			inSpans.amount, inSpans.count = inSpans.amount-r.used.amount, inSpans.count-r.used.count
			continue
		}
		sum.used.amount += r.used.amount
		sum.used.count += r.used.count
	}
	if inSpans != (used{}) {
		v.sums.Break(row.transaction + " in rolling windows")
	}
}

// finish compares the counters of a subject with what was added up. A window that
// ended before the counters' row says has fallen out of that.
func (v *usageCheck) finish() {
	for k, r := range v.counters {
		v.sums.Checked++
		if sum := v.added[k]; sum == nil && r.used != (used{}) || sum != nil && sum.used != r.used {
			v.sums.Break(k.String())
		}
	}
	for k, sum := range v.added {
		if v.counters[k] == nil && sum.used != (used{}) && (sum.kept || sum.ends > v.since) {
			v.sums.Checked++
			v.sums.Break(k.String())
		}
	}
}
