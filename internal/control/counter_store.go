package control

import (
	"context"
	"maps"
	"slices"

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

const counterColumns = `id, tenant_id, counter, subject, window_start, amount, count`

var (
	counterLookup = &db.Lookup{Head: `SELECT ` + counterColumns + ` FROM velocity_counter WHERE id IN `, Tail: ` ORDER BY id`, Lock: true}
	counterInsert = &db.Bulk{
		Head: `INSERT INTO velocity_counter (` + counterColumns + `) VALUES `, Columns: 7, Tail: ` ON CONFLICT (id) DO NOTHING`,
	}
	counterUpdate = &db.Bulk{
		Head: `WITH v (id, amount, count) AS (VALUES `, Columns: 3, Types: []string{"TEXT", "BIGINT", "BIGINT"},
		Tail: `) UPDATE velocity_counter SET amount = v.amount, count = v.count FROM v WHERE velocity_counter.id = v.id`,
	}
	usageLookup = &db.Lookup{Head: `SELECT u.transaction_id, u.amount, u.count, u.at, c.id, c.tenant_id, c.counter, c.subject, c.window_start
		FROM velocity_usage u JOIN velocity_counter c ON c.id = u.counter_id WHERE u.transaction_id IN `}
	usageInsert = &db.Bulk{
		Head: `INSERT INTO velocity_usage (transaction_id, counter_id, amount, count, at) VALUES `, Columns: 5,
	}
	usageUpdate = &db.Bulk{
		Head: `WITH v (transaction_id, counter_id, amount, count) AS (VALUES `, Columns: 4, Types: []string{"TEXT", "TEXT", "BIGINT", "BIGINT"},
		Tail: `) UPDATE velocity_usage SET amount = v.amount, count = v.count FROM v
			WHERE velocity_usage.transaction_id = v.transaction_id AND velocity_usage.counter_id = v.counter_id`,
	}
	spanSum = &db.Bulk{
		Head: `WITH v (counter_id, since) AS (VALUES `, Columns: 2, Types: []string{"TEXT", "BIGINT"},
		Tail: `) SELECT v.counter_id, v.since, COALESCE(SUM(u.amount), 0), COALESCE(SUM(u.count), 0)
			FROM v LEFT JOIN velocity_usage u ON u.counter_id = v.counter_id AND u.at >= v.since GROUP BY v.counter_id, v.since`,
	}
)

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
			var id string
			r := &counterRow{}
			err := row.Scan(&id, &r.key.Tenant, &r.key.Counter, &r.key.Subject, &r.key.Start, &r.used.amount, &r.used.count)
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
			rows = append(rows, id, k.Tenant, k.Counter, k.Subject, k.Start, 0, 0)
		}
	}
	if err := counterInsert.Exec(ctx, tx, rows); err != nil {
		return err
	}
	return read()
}

func (c *Counters) readUsage(ctx context.Context, tx db.Tx, transactions []string) error {
	return usageLookup.Query(ctx, tx, nil, transactions, func(row db.Scanner) error {
		var transaction, id string
		var at int64
		u := &usageRow{}
		k := CounterKey{}
		if err := row.Scan(&transaction, &u.used.amount, &u.used.count, &at, &id, &k.Tenant, &k.Counter, &k.Subject, &k.Start); err != nil {
			return err
		}
		u.was, u.at = u.used, clock.FromMicros(at)
		c.usage[usageKey{transaction, id}] = u
		if c.counters[id] == nil {
			c.counters[id] = &counterRow{key: k}
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

func writeCounters(ctx context.Context, tx db.Tx, counters, counterChanges, usage, usageChanges []any) error {
	for _, w := range []struct {
		bulk *db.Bulk
		args []any
	}{{counterInsert, counters}, {counterUpdate, counterChanges}, {usageInsert, usage}, {usageUpdate, usageChanges}} {
		if err := w.bulk.Exec(ctx, tx, w.args); err != nil {
			return err
		}
	}
	return nil
}
