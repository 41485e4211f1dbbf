package control

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// readUsage returns what is used of a control under one key. That of a span is
// added up.
func readUsage(ctx context.Context, tx db.Tx, c VelocityCheck, k CounterKey, w Window) (Usage, error) {
	query, args := `SELECT amount, count FROM velocity_counter WHERE id = $1`, []any{k.String()}
	if c.Period == PerSpan {
		query = `SELECT COALESCE(SUM(amount), 0), COALESCE(SUM(count), 0) FROM velocity_usage WHERE counter_id = $1 AND at >= $2`
		args = append(args, clock.Micros(w.Start))
	}
	var minor, count int64
	_, _, err := db.One(ctx, tx, func(row db.Scanner) (struct{}, error) { return struct{}{}, row.Scan(&minor, &count) }, query, args...)
	u := Usage{Count: int(count)}
	if err != nil || c.Currency.IsZero() {
		return u, err
	}
	u.Amount, err = money.New(minor, c.Currency)
	return u, err
}

// readUsedBy returns what makes up a counter, the newest first.
func readUsedBy(ctx context.Context, tx db.Tx, c VelocityCheck, k CounterKey, w Window, skip, take int) ([]UsedBy, int, error) {
	where := &db.Where{}
	where.And("counter_id = ?", k.String())
	where.And("(amount > 0 OR count > 0)")
	if c.Period == PerSpan {
		where.And("at >= ?", clock.Micros(w.Start))
	}
	total, err := db.Count(ctx, tx, "SELECT 1 FROM velocity_usage WHERE "+where.SQL(), where.Args()...)
	if err != nil {
		return nil, 0, err
	}
	query := "SELECT transaction_id, amount, count, at FROM velocity_usage WHERE " + where.SQL() +
		" ORDER BY at DESC, transaction_id DESC LIMIT " + where.Bind(take) + " OFFSET " + where.Bind(skip)
	page, err := db.Collect(ctx, tx, func(s db.Scanner) (UsedBy, error) {
		var u UsedBy
		var minor, at int64
		if err := s.Scan(&u.Transaction, &minor, &u.Count, &at); err != nil {
			return u, err
		}
		u.At = clock.FromMicros(at)
		if c.Currency.IsZero() {
			return u, nil
		}
		var err error
		u.Amount, err = money.New(minor, c.Currency)
		return u, err
	}, query, where.Args()...)
	return page, total, err
}

const counterColumns = `id, tenant_id, counter, subject, window_start, amount, count, alerts`

var (
	counterLookup = &db.Lookup{Head: `SELECT ` + counterColumns + ` FROM velocity_counter WHERE id IN `, Tail: ` ORDER BY id`, Lock: true}
	counterInsert = &db.Bulk{
		Head: `INSERT INTO velocity_counter (` + counterColumns + `) VALUES `, Columns: 8, Tail: ` ON CONFLICT (id) DO NOTHING`,
	}
	counterUpdate = &db.Bulk{
		Head: `WITH v (id, amount, count, alerts) AS (VALUES `, Columns: 4, Types: []string{"TEXT", "BIGINT", "BIGINT", "TEXT"},
		Tail: `) UPDATE velocity_counter SET amount = v.amount, count = v.count, alerts = v.alerts FROM v WHERE velocity_counter.id = v.id`,
	}
	usageLookup = &db.Lookup{Head: `SELECT u.cycle_id, u.transaction_id, u.amount, u.count, u.whole_amount, u.whole_count, u.whole, u.standing,
			u.at, u.ends_at, u.adjusts, u.lowers, c.id, c.tenant_id, c.counter, c.subject, c.window_start
		FROM velocity_usage u JOIN velocity_counter c ON c.id = u.counter_id
		WHERE (u.ends_at IS NULL OR u.ends_at > $1) AND u.cycle_id IN `}
	usageInsert = &db.Bulk{
		Head: `INSERT INTO velocity_usage (cycle_id, transaction_id, counter_id, amount, count, whole_amount, whole_count, whole, standing,
			at, ends_at, adjusts, lowers) VALUES `, Columns: 13,
	}
	usageUpdate = &db.Bulk{
		Head: `WITH v (cycle_id, transaction_id, counter_id, amount, count, whole_amount, whole_count, whole, standing) AS (VALUES `, Columns: 9,
		Types: []string{"TEXT", "TEXT", "TEXT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT"},
		Tail: `) UPDATE velocity_usage SET amount = v.amount, count = v.count, whole_amount = v.whole_amount, whole_count = v.whole_count,
			whole = v.whole, standing = v.standing FROM v
			WHERE velocity_usage.cycle_id = v.cycle_id AND velocity_usage.transaction_id = v.transaction_id
				AND velocity_usage.counter_id = v.counter_id`,
	}
	spanSum = &db.Bulk{
		Head: `WITH v (counter_id, since) AS (VALUES `, Columns: 2, Types: []string{"TEXT", "BIGINT"},
		Tail: `) SELECT v.counter_id, v.since, COALESCE(SUM(u.amount), 0), COALESCE(SUM(u.count), 0)
			FROM v LEFT JOIN velocity_usage u ON u.counter_id = v.counter_id AND u.at >= v.since GROUP BY v.counter_id, v.since`,
	}
)

// SpanUse is what a transaction has of a rolling window.
type SpanUse struct {
	Transaction   string
	At            time.Time
	Amount, Count int64 // the amount in minor units of the counter's currency
}

// SpanUses returns what is used under a key since a moment, oldest first.
func SpanUses(ctx context.Context, tx db.Tx, k CounterKey, from time.Time) ([]SpanUse, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (u SpanUse, err error) {
		var at int64
		err = row.Scan(&u.Transaction, &at, &u.Amount, &u.Count)
		u.At = clock.FromMicros(at)
		return u, err
	}, `SELECT transaction_id, at, amount, count FROM velocity_usage WHERE counter_id = $1 AND at >= $2 ORDER BY at, transaction_id`,
		k.String(), clock.Micros(from))
}

// lock makes the counters that are missing and locks all of them, with those of
// the usage that was read, in the order of their keys.
func (c *Counters) lock(ctx context.Context, tx db.Tx, wanted map[string]CounterKey) error {
	for id, r := range c.counters {
		wanted[id] = r.key
	}
	ids := slices.Sorted(maps.Keys(wanted))
	clear(c.counters)
	read := func() error {
		return counterLookup.Query(ctx, tx, nil, ids, func(row db.Scanner) error {
			var id, alerts string
			r := &counterRow{}
			err := row.Scan(&id, &r.key.Tenant, &r.key.Counter, &r.key.Subject, &r.key.Start, &r.used.amount, &r.used.count, &alerts)
			if err == nil {
				r.alerts, err = parseAlerts(alerts)
			}
			c.counters[id] = r
			return err
		})
	}
	if err := read(); err != nil || len(c.counters) == len(ids) {
		return err
	}
	// A row that is not there cannot be locked: it is made first, by whoever comes
	// first, and all are locked anew in their order.
	var rows []any
	for _, id := range ids {
		if c.counters[id] == nil {
			k := wanted[id]
			rows = append(rows, id, k.Tenant, k.Counter, k.Subject, k.Start, 0, 0, "")
		}
	}
	if err := counterInsert.Exec(ctx, tx, rows); err != nil {
		return err
	}
	return read()
}

func (c *Counters) readUsage(ctx context.Context, tx db.Tx, cycles []string, now func(access.TenantID) time.Time) error {
	earliest := clock.Micros(now(access.TenantID{})) // no tenant is behind the clock
	return usageLookup.Query(ctx, tx, []any{earliest}, cycles, func(row db.Scanner) error {
		r := &usageRow{}
		var id string
		var at int64
		var ends *int64
		k := &r.Key
		err := row.Scan(&r.Cycle, &r.Transaction, &r.used.amount, &r.used.count, &r.whole.amount, &r.whole.count, &r.Of, &r.standing,
			&at, &ends, &r.Adjusts, &r.Lowers, &id, &k.Tenant, &k.Counter, &k.Subject, &k.Start)
		if err != nil {
			return err
		}
		r.was, r.At = r.used, clock.FromMicros(at)
		if end := momentOf(ends); end != nil {
			r.Ends = *end
			if !r.Ends.After(now(k.Tenant)) {
				return nil
			}
		}
		c.usage[usageKey{r.Transaction, id}] = r
		if c.counters[id] == nil {
			c.counters[id] = &counterRow{key: *k}
		}
		return nil
	})
}

func (c *Counters) readSpans(ctx context.Context, tx db.Tx, spans []SpanOf) error {
	var args []any
	for _, s := range spans {
		k := spanKey{s.Key.String(), clock.Micros(s.From)}
		if c.spans[k] == nil {
			c.spans[k] = &used{}
			args = append(args, k.counter, k.from)
		}
	}
	return spanSum.Query(ctx, tx, args, func(row db.Scanner) error {
		var k spanKey
		var sum used
		if err := row.Scan(&k.counter, &k.from, &sum.amount, &sum.count); err != nil {
			return err
		}
		*c.spans[k] = sum
		return nil
	})
}

// counterWrites are the rows that [Counters.Write] writes.
type counterWrites struct{ counters, counterChanges, usage, usageChanges []any }

func (w *counterWrites) write(ctx context.Context, tx db.Tx) error {
	for _, rows := range []struct {
		bulk *db.Bulk
		args []any
	}{{counterInsert, w.counters}, {counterUpdate, w.counterChanges}, {usageInsert, w.usage}, {usageUpdate, w.usageChanges}} {
		if err := rows.bulk.Exec(ctx, tx, rows.args); err != nil {
			return err
		}
	}
	return nil
}
