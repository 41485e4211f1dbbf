package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// stale is how long a window is kept after its end: who decided within it, on a
// node whose clock is behind or while he waited for a lock, still counts there.
const stale = 24 * time.Hour

// readUsage returns what is used of a control under one key. That of a span is
// added up.
func readUsage(ctx context.Context, tx db.Tx, c VelocityCheck, k CounterKey, w Window) (Usage, error) {
	sum, err := readUsed(ctx, tx, c.Period == PerSpan, k, w)
	u := Usage{Count: int(sum.count)}
	if err != nil || c.Currency.IsZero() {
		return u, err
	}
	u.Amount, err = money.New(min(sum.amount, money.MaxMinor), c.Currency) // many together may be more
	return u, err
}

func readUsed(ctx context.Context, tx db.Tx, isSpan bool, k CounterKey, w Window) (sum used, err error) {
	if isSpan {
		err := tx.QueryRow(ctx, `SELECT COALESCE(SUM(amount), 0), COALESCE(SUM(count), 0) FROM velocity_span
			WHERE subject_id = $1 AND counter = $2 AND at >= $3`, k.of().String(), k.Counter, clock.Micros(w.Start)).Scan(&sum.amount, &sum.count)
		return sum, err
	}
	var since int64
	text, _, err := db.One(ctx, tx, func(row db.Scanner) (text string, err error) {
		return text, row.Scan(&text, &since)
	}, `SELECT counters, since FROM velocity_counter WHERE id = $1`, k.of().String())
	if err != nil {
		return sum, err
	}
	isThere := false
	err = parseCounters(k.of(), text, func(r *counterRow) {
		if r.key == k {
			sum, isThere = r.used, true
		}
	})
	if err == nil && !isThere && k.mayHaveEndedBy(since) {
		return sumUsage(ctx, tx, k)
	}
	return sum, err
}

func scanText(row db.Scanner) (text string, err error) { return text, row.Scan(&text) }

// eachSpanRow hands over what lies in a rolling window, the newest first.
func eachSpanRow(ctx context.Context, tx db.Tx, k CounterKey, from time.Time, each func(string, time.Time, used) error) error {
	return db.Each(ctx, tx, func(row db.Scanner) error {
		var transaction string
		var at int64
		var u used
		if err := row.Scan(&transaction, &at, &u.amount, &u.count); err != nil {
			return err
		}
		return each(transaction, clock.FromMicros(at), u)
	}, `SELECT transaction_id, at, amount, count FROM velocity_span WHERE subject_id = $1 AND counter = $2 AND at >= $3
		ORDER BY at DESC, transaction_id DESC`, k.of().String(), k.Counter, clock.Micros(from))
}

var (
	counterLookup = &db.Lookup{Head: `SELECT tenant_id, subject, counters, since FROM velocity_counter WHERE id IN `, Tail: ` ORDER BY id`, Lock: true, Together: true}
	counterInsert = &db.Bulk{
		Head: `INSERT INTO velocity_counter (id, tenant_id, subject, counters, since) VALUES `, Columns: 5,
		Types: []string{"TEXT", "TEXT", "TEXT", "TEXT", "BIGINT"}, Tail: ` ON CONFLICT (id) DO NOTHING RETURNING id`,
	}
	counterUpdate = &db.Bulk{
		Head: `WITH v (id, counters, since) AS (VALUES `, Columns: 3, Types: []string{"TEXT", "TEXT", "BIGINT"},
		Tail:  `) UPDATE velocity_counter SET counters = v.counters, since = v.since FROM v WHERE velocity_counter.id = v.id`,
		Alone: `UPDATE velocity_counter SET counters = $2, since = $3 WHERE id = $1`,
	}
	usageLookup = &db.Lookup{Head: `SELECT u.cycle_id, u.transaction_id, u.at, u.uses, c.tenant_id, c.subject
		FROM velocity_usage u JOIN velocity_counter c ON c.id = u.subject_id WHERE u.cycle_id IN `}
	usageInsert = &db.Bulk{
		Head: `INSERT INTO velocity_usage (subject_id, at, transaction_id, cycle_id, uses) VALUES `, Columns: 5,
	}
	usageUpdate = &db.Bulk{
		Head: `WITH v (cycle_id, transaction_id, subject_id, uses) AS (VALUES `, Columns: 4, Types: []string{"TEXT", "TEXT", "TEXT", "TEXT"},
		Tail: `) UPDATE velocity_usage SET uses = v.uses FROM v WHERE velocity_usage.cycle_id = v.cycle_id
			AND velocity_usage.transaction_id = v.transaction_id AND velocity_usage.subject_id = v.subject_id`,
		Alone: `UPDATE velocity_usage SET uses = $4 WHERE cycle_id = $1 AND transaction_id = $2 AND subject_id = $3`,
	}
	spanInsert = &db.Bulk{
		Head: `INSERT INTO velocity_span (subject_id, counter, at, transaction_id, amount, count) VALUES `, Columns: 6,
	}
	spanUpdate = &db.Bulk{
		Head: `WITH v (subject_id, counter, at, transaction_id, amount, count) AS (VALUES `, Columns: 6,
		Types: []string{"TEXT", "TEXT", "BIGINT", "TEXT", "BIGINT", "BIGINT"},
		Tail: `) UPDATE velocity_span SET amount = v.amount, count = v.count FROM v WHERE velocity_span.subject_id = v.subject_id
			AND velocity_span.counter = v.counter AND velocity_span.at = v.at AND velocity_span.transaction_id = v.transaction_id`,
		Alone: `UPDATE velocity_span SET amount = $5, count = $6 WHERE subject_id = $1 AND counter = $2 AND at = $3 AND transaction_id = $4`,
	}
	spanDelete = &db.Bulk{
		Head: `WITH v (subject_id, counter, at, transaction_id) AS (VALUES `, Columns: 4, Types: []string{"TEXT", "TEXT", "BIGINT", "TEXT"},
		Tail: `) DELETE FROM velocity_span WHERE EXISTS (SELECT 1 FROM v WHERE velocity_span.subject_id = v.subject_id
			AND velocity_span.counter = v.counter AND velocity_span.at = v.at AND velocity_span.transaction_id = v.transaction_id)`,
		Alone: `DELETE FROM velocity_span WHERE subject_id = $1 AND counter = $2 AND at = $3 AND transaction_id = $4`,
	}
	spanSum = &db.Bulk{
		Head: `WITH v (place, subject_id, counter, since) AS (VALUES `, Columns: 4, Types: []string{"BIGINT", "TEXT", "TEXT", "BIGINT"},
		Tail: `) SELECT v.place, COALESCE(SUM(s.amount), 0), COALESCE(SUM(s.count), 0)
			FROM v LEFT JOIN velocity_span s ON s.subject_id = v.subject_id AND s.counter = v.counter AND s.at >= v.since GROUP BY v.place`,
	}
)

// SpanUse is what a transaction has of a rolling window.
type SpanUse struct {
	Transaction   string
	At            time.Time
	Amount, Count int64 // the amount in minor units of the counter's currency
}

// SpanUses returns what is used under a key since a moment, oldest first.
func SpanUses(ctx context.Context, tx db.Tx, k CounterKey, from time.Time) (all []SpanUse, err error) {
	err = eachSpanRow(ctx, tx, k, from, func(transaction string, at time.Time, u used) error {
		all = append(all, SpanUse{transaction, at, u.amount, u.count})
		return nil
	})
	slices.Reverse(all)
	return all, err
}

// lock locks the rows of subjects that are not locked yet, in the order of their
// names, makes those that are missing and reads their counters. Windows that ended
// long ago fall out when they are written.
//
// Nobody waits for a name while he holds a greater one, so nobody waits for ever:
// who would have to begins anew ([db.Again]), and then makes one row after the other.
func (c *Counters) lock(ctx context.Context, tx db.Tx, wanted map[subjectKey]bool, now func(access.TenantID) time.Time) error {
	var missing []subjectKey
	for k := range wanted {
		if c.subjects[k] == nil {
			missing = append(missing, k)
		}
	}
	slices.SortFunc(missing, subjectKey.compare)
	if err := c.inOrder(tx, missing); err != nil {
		return err
	}
	if !db.RunsAgain(tx) {
		if err := c.lockRows(ctx, tx, missing, now); err != nil {
			return err
		}
		missing = slices.DeleteFunc(missing, func(k subjectKey) bool { return c.subjects[k] != nil })
		if err := c.inOrder(tx, missing); err != nil {
			return err
		}
		if len(missing) == 0 {
			return nil
		}
		made, err := c.makeRows(ctx, tx, missing, now)
		if err != nil || made == len(missing) {
			return err
		}
		// Another one made some of them meanwhile, and greater ones are held.
		if err := db.Again(tx); err != nil {
			return err
		}
	}
	// A row that is not there cannot be locked: whoever comes first makes it, and
	// holds it by that.
	for _, k := range missing {
		made, err := c.makeRows(ctx, tx, []subjectKey{k}, now)
		if err != nil {
			return err
		}
		if made == 1 {
			continue
		}
		if err := c.lockRows(ctx, tx, []subjectKey{k}, now); err != nil {
			return err
		}
	}
	return nil
}

// inOrder says to begin anew when one of names, which are sorted, comes before one
// that is locked.
func (c *Counters) inOrder(tx db.Tx, names []subjectKey) error {
	for k := range c.subjects {
		if len(names) > 0 && names[0].compare(k) < 0 {
			return db.Again(tx)
		}
	}
	return nil
}

// makeRows makes the rows of those of subjects, which are sorted, that have none, and
// returns how many. Nothing was counted in them.
func (c *Counters) makeRows(ctx context.Context, tx db.Tx, subjects []subjectKey, now func(access.TenantID) time.Time) (made int, err error) {
	args := make([]any, 0, len(subjects)*counterInsert.Columns)
	named := make(map[string]subjectKey, len(subjects))
	for _, k := range subjects {
		name := k.String()
		args = append(args, name, k.tenant, k.subject, "", 0)
		named[name] = k
	}
	err = counterInsert.Query(ctx, tx, args, func(row db.Scanner) error {
		var name string
		if err := row.Scan(&name); err != nil {
			return err
		}
		k := named[name]
		c.subjects[k] = &subjectRow{since: clock.Micros(now(k.tenant).Add(-stale))}
		made++
		return nil
	})
	return made, err
}

// lockRows locks and reads the rows of subjects that are there.
func (c *Counters) lockRows(ctx context.Context, tx db.Tx, subjects []subjectKey, now func(access.TenantID) time.Time) error {
	ids := make([]string, len(subjects))
	for i, k := range subjects {
		ids[i] = k.String()
	}
	return counterLookup.Query(ctx, tx, nil, ids, func(row db.Scanner) error {
		var k subjectKey
		var text string
		s := &subjectRow{}
		if err := row.Scan(&k.tenant, &k.subject, &text, &s.since); err != nil {
			return err
		}
		s.since = max(s.since, clock.Micros(now(k.tenant).Add(-stale)))
		c.subjects[k] = s
		return parseCounters(k, text, func(r *counterRow) { c.counters[r.key] = r })
	})
}

// readUsage reads what life cycles have, and finds in it what may still change.
func (c *Counters) readUsage(ctx context.Context, tx db.Tx, cycles []string, now func(access.TenantID) time.Time) error {
	clear(c.rows)
	clear(c.usage)
	return usageLookup.Query(ctx, tx, nil, cycles, func(s db.Scanner) error {
		row, err := scanUsage(s)
		if err != nil {
			return err
		}
		c.rows[rowKey{row.transaction, row.subject}] = row
		for _, r := range row.all {
			if !r.hasEnded(now(row.subject.tenant)) {
				c.usage[usageKey{row.transaction, r.Key}] = r
			}
		}
		return nil
	})
}

// scanUsage reads a row as usageLookup names its columns.
func scanUsage(s db.Scanner) (*usageRow, error) {
	row := &usageRow{}
	var at int64
	var text string
	if err := s.Scan(&row.cycle, &row.transaction, &at, &text, &row.subject.tenant, &row.subject.subject); err != nil {
		return nil, err
	}
	row.at = clock.FromMicros(at)
	return row, parseUsage(row, text)
}

// AddUp reads what was used of rolling windows, for [Counters.Used] to tell.
func (c *Counters) AddUp(ctx context.Context, tx db.Tx, spans []SpanOf) error {
	var sums []*used
	var args []any
	for _, s := range spans {
		k := spanKey{s.Key, clock.Micros(s.From)}
		if c.spans[k] == nil {
			c.spans[k] = &used{}
			args = append(args, len(sums), s.Key.of().String(), s.Key.Counter, k.from)
			sums = append(sums, c.spans[k])
		}
	}
	err := spanSum.Query(ctx, tx, args, func(row db.Scanner) error {
		var place int
		var sum used
		if err := row.Scan(&place, &sum.amount, &sum.count); err != nil {
			return err
		}
		*sums[place] = sum
		return nil
	})
	if err != nil {
		return fmt.Errorf("add up usage: %w", err)
	}
	return nil
}

// spanRow names a row of velocity_span.
type spanRow struct {
	subject, counter string
	at               int64 // in microseconds
	transaction      string
}

// counterWrites are the rows that [Counters.Write] writes.
type counterWrites struct{ counters, usage, usageChanges, gone, spans, spanChanges []any }

// spansOf adds what a transaction has of rolling windows.
func (w *counterWrites) spansOf(row *usageRow) {
	for _, r := range row.all {
		if !r.IsSpan || !r.dirty {
			continue
		}
		values := []any{row.subject.String(), r.Key.Counter, clock.Micros(row.at), row.transaction, r.used.amount, r.used.count}
		if r.isNew {
			w.spans = append(w.spans, values...)
		} else {
			w.spanChanges = append(w.spanChanges, values...)
		}
	}
}

func (w *counterWrites) write(ctx context.Context, tx db.Tx) error {
	for _, rows := range []struct {
		bulk *db.Bulk
		args []any
	}{
		{counterUpdate, w.counters}, {usageInsert, w.usage}, {usageUpdate, w.usageChanges},
		{spanDelete, w.gone}, {spanInsert, w.spans}, {spanUpdate, w.spanChanges},
	} {
		if err := rows.bulk.Exec(ctx, tx, rows.args); err != nil {
			return err
		}
	}
	return nil
}
