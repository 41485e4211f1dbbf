package control

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
)

// Counters are velocity counters whose rows are locked until a transaction ends,
// with what some card transactions have of them. Each change is seen by what is
// asked after it; Write keeps all of them.
//
// It is used by one goroutine.
type Counters struct {
	counters map[string]*counterRow // by CounterKey.String
	usage    map[usageKey]*usageRow
	spans    map[spanKey]*used // what the rows of a rolling window had at first
}

// used is an amount, in minor units, and a count.
type used struct{ amount, count int64 }

type counterRow struct {
	key   CounterKey
	used  used
	isNew bool
	dirty bool
}

type usageKey struct {
	transaction string // its identifier
	counter     string
}

type usageRow struct {
	used  used
	was   used // when it was read
	at    time.Time
	isNew bool
	dirty bool
}

type spanKey struct {
	counter string
	from    int64 // in microseconds
}

// SpanOf asks for what was used of a rolling window from a moment on.
type SpanOf struct {
	Key  CounterKey
	From time.Time
}

// OpenCounters locks counters, in one order, and reads them with what the named
// transactions have of any. Counters of those are locked too.
func OpenCounters(ctx context.Context, tx db.Tx, keys []CounterKey, spans []SpanOf, transactions []string) (*Counters, error) {
	c := &Counters{counters: map[string]*counterRow{}, usage: map[usageKey]*usageRow{}, spans: map[spanKey]*used{}}
	if err := c.readUsage(ctx, tx, transactions); err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	wanted := map[string]CounterKey{}
	for _, k := range keys {
		wanted[k.String()] = k
	}
	if err := c.lock(ctx, tx, wanted); err != nil {
		return nil, fmt.Errorf("lock counters: %w", err)
	}
	if len(transactions) > 0 {
		// Others may have changed it until the counters were locked.
		clear(c.usage)
		if err := c.readUsage(ctx, tx, transactions); err != nil {
			return nil, fmt.Errorf("read usage again: %w", err)
		}
	}
	if err := c.readSpans(ctx, tx, spans); err != nil {
		return nil, fmt.Errorf("add up usage: %w", err)
	}
	return c, nil
}

// Used returns what is used under a key; of a rolling window what was since from,
// which must have been asked for. from is not looked at else.
func (c *Counters) Used(k CounterKey, isSpan bool, from time.Time) (amount, count int64) {
	id := k.String()
	if !isSpan {
		if row := c.counters[id]; row != nil {
			return row.used.amount, row.used.count
		}
		return 0, 0
	}
	var sum used
	if s := c.spans[spanKey{id, from.UnixMicro()}]; s != nil {
		sum = *s
	}
	for at, u := range c.usage { // what changed since
		if at.counter == id && !u.at.Before(from) {
			sum.amount += u.used.amount - u.was.amount
			sum.count += u.used.count - u.was.count
		}
	}
	return sum.amount, sum.count
}

// Use adds what a transaction uses under a key. at is when its life cycle began.
func (c *Counters) Use(k CounterKey, transaction string, amount, count int64, at time.Time) {
	id := k.String()
	row := c.counters[id]
	if row == nil {
		row = &counterRow{key: k, isNew: true}
		c.counters[id] = row
	}
	row.used.amount += amount
	row.used.count += count
	row.dirty = true
	u := c.usage[usageKey{transaction, id}]
	if u == nil {
		u = &usageRow{at: at, isNew: true}
		c.usage[usageKey{transaction, id}] = u
	}
	u.used.amount += amount
	u.used.count += count
	u.dirty = true
}

// Usages returns the counters that a transaction has something of.
func (c *Counters) Usages(transaction string) []CounterKey {
	var keys []CounterKey
	for at, u := range c.usage {
		if at.transaction == transaction && (u.used != used{}) {
			keys = append(keys, c.counters[at.counter].key)
		}
	}
	slices.SortFunc(keys, func(a, b CounterKey) int { return cmp.Compare(a.String(), b.String()) })
	return keys
}

// Of returns what a transaction has under a key.
func (c *Counters) Of(k CounterKey, transaction string) (amount, count int64) {
	if u := c.usage[usageKey{transaction, k.String()}]; u != nil {
		return u.used.amount, u.used.count
	}
	return 0, 0
}

// Return takes back from what a transaction used under a key, at most all of it.
func (c *Counters) Return(k CounterKey, transaction string, amount, count int64) {
	id := k.String()
	u := c.usage[usageKey{transaction, id}]
	if u == nil {
		return
	}
	amount, count = min(amount, u.used.amount), min(count, u.used.count)
	u.used.amount -= amount
	u.used.count -= count
	u.dirty = true
	row := c.counters[id]
	row.used.amount -= amount
	row.used.count -= count
	row.dirty = true
}

// Write keeps what was changed.
func (c *Counters) Write(ctx context.Context, tx db.Tx) error {
	var inserts, updates []any
	for _, id := range slices.Sorted(maps.Keys(c.counters)) {
		switch r := c.counters[id]; {
		case !r.dirty:
		case r.isNew:
			inserts = append(inserts, id, r.key.Tenant, r.key.Counter, r.key.Subject, r.key.Start, r.used.amount, r.used.count)
		default:
			updates = append(updates, id, r.used.amount, r.used.count)
		}
	}
	var rows, changes []any
	for at, u := range c.usage {
		switch {
		case !u.dirty:
		case u.isNew:
			rows = append(rows, at.transaction, at.counter, u.used.amount, u.used.count, u.at.UnixMicro())
		default:
			changes = append(changes, at.transaction, at.counter, u.used.amount, u.used.count)
		}
	}
	return writeCounters(ctx, tx, inserts, updates, rows, changes)
}
