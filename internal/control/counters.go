package control

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Counters are velocity counters whose rows are locked until a transaction ends,
// with what some life cycles have of them. Each change is seen by what is asked
// after it; Write keeps all of them.
//
// It is used by one goroutine.
type Counters struct {
	counters map[string]*counterRow // by CounterKey.String
	usage    map[usageKey]*usageRow
	spans    map[spanKey]*used // what the rows of a rolling window had at first
}

// Use is what a card transaction adds to a counter.
type Use struct {
	Key CounterKey
	// Transaction and Cycle are identifiers: of what is counted, and of the first
	// transaction of the life cycle with which it is given back.
	Transaction, Cycle string
	Amount, Count      int64 // the amount in minor units of the counter's currency
	// Of is what is counted, in minor units of its account. When less or more of it
	// stands, Amount follows in proportion.
	Of   int64
	At   time.Time // when it was decided
	Ends time.Time // the window that it is counted in; zero is never

	// Adjusts says that a presentment of another amount changes it, Lowers that a
	// refund does.
	Adjusts, Lowers bool
}

// Standing is what a life cycle stands for, in minor units of its account: what it
// holds or has moved, and that without what was refunded.
type Standing struct{ Spent, Kept int64 }

// StandingOf is the standing of what has moved or is held, and of what was
// refunded of it.
func StandingOf(spent, refunded money.Amount) Standing {
	return Standing{spent.Minor(), max(0, spent.Minor()-refunded.Minor())}
}

// used is an amount, in minor units, and a count.
type used struct{ amount, count int64 }

type counterRow struct {
	key    CounterKey
	used   used
	alerts map[string]int64 // when it was last alerted, in microseconds, by control
	isNew  bool
	dirty  bool
}

type usageKey struct {
	transaction string // its identifier
	counter     string
}

// usageRow is a row of velocity_usage.
type usageRow struct {
	Use
	whole    used // what was counted of Use.Of
	used     used // what counts now
	was      used // when it was read
	standing int64
	isNew    bool
	dirty    bool
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
// life cycles have of any whose windows have not ended now. Counters of those are
// locked too. What lies in a window that has ended is never changed. now is what
// the business of a tenant calls now, of none the clock's time.
func OpenCounters(ctx context.Context, tx db.Tx, keys []CounterKey, spans []SpanOf, cycles []string, now func(access.TenantID) time.Time) (*Counters, error) {
	c := &Counters{counters: map[string]*counterRow{}, usage: map[usageKey]*usageRow{}, spans: map[spanKey]*used{}}
	if err := c.readUsage(ctx, tx, cycles, now); err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	wanted := map[string]CounterKey{}
	for _, k := range keys {
		wanted[k.String()] = k
	}
	// What a life cycle has may go over to other counters until they are locked, as
	// when a card finds its customer.
	for {
		if err := c.lock(ctx, tx, wanted); err != nil {
			return nil, fmt.Errorf("lock counters: %w", err)
		}
		if len(cycles) == 0 {
			break
		}
		locked := len(c.counters)
		clear(c.usage)
		if err := c.readUsage(ctx, tx, cycles, now); err != nil {
			return nil, fmt.Errorf("read usage again: %w", err)
		}
		if len(c.counters) == locked {
			break
		}
	}
	if err := c.readSpans(ctx, tx, spans); err != nil {
		return nil, fmt.Errorf("add up usage: %w", err)
	}
	return c, nil
}

// NewCounters returns counters without a count, for what only might be: they
// lock nothing and must not be written.
func NewCounters() *Counters {
	return &Counters{counters: map[string]*counterRow{}, usage: map[usageKey]*usageRow{}, spans: map[spanKey]*used{}}
}

// Counted is what a transaction has under a counter now.
type Counted struct {
	Counter, Transaction string
	Amount, Count        int64
	At, Ends             time.Time
}

// Counted returns what transactions have, in order.
func (c *Counters) Counted() []Counted {
	all := make([]Counted, 0, len(c.usage))
	for k, r := range c.usage {
		all = append(all, Counted{k.counter, k.transaction, r.used.amount, r.used.count, r.At, r.Ends})
	}
	slices.SortFunc(all, func(a, b Counted) int {
		return cmp.Or(cmp.Compare(a.Counter, b.Counter), cmp.Compare(a.Transaction, b.Transaction))
	})
	return all
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
		if at.counter == id && !u.At.Before(from) {
			sum.amount += u.used.amount - u.was.amount
			sum.count += u.used.count - u.was.count
		}
	}
	return sum.amount, sum.count
}

// Add counts a use. What its transaction has under the key already becomes more.
func (c *Counters) Add(u Use) {
	id := u.Key.String()
	row := c.counters[id]
	if row == nil {
		row = &counterRow{key: u.Key, isNew: true}
		c.counters[id] = row
	}
	k := usageKey{u.Transaction, id}
	r := c.usage[k]
	if r == nil {
		r = &usageRow{Use: u, isNew: true}
		r.Of = 0
		c.usage[k] = r
	}
	r.Of += u.Of
	r.standing += u.Of
	r.whole.amount += u.Amount
	r.whole.count += u.Count
	c.set(row, r, used{r.used.amount + u.Amount, r.used.count + u.Count})
}

// set makes a row, and its counter with it, have what it has now.
func (c *Counters) set(row *counterRow, r *usageRow, to used) {
	row.used.amount += to.amount - r.used.amount
	row.used.count += to.count - r.used.count
	r.used, r.dirty, row.dirty = to, true, true
}

// Follow brings what a life cycle has of its counters to what it stands for now.
// What refunds lower follows what was kept, all else what was spent. Of a life
// cycle that stands for nothing any more nothing is left, not even its count.
func (c *Counters) Follow(cycle string, before, after Standing) {
	c.follow(cycle, before, after, func(*usageRow) bool { return true }, "", 0)
}

// FollowCleared is Follow for a presentment that differs from what was held:
// what does not adjust to those stays.
func (c *Counters) FollowCleared(cycle string, before, after Standing) {
	c.follow(cycle, before, after, func(r *usageRow) bool { return r.Adjusts }, "", 0)
}

// FollowReversal is Follow for a reversal that names one transaction of the life
// cycle, of which so much stood: what is given back is given back of that before
// the others.
func (c *Counters) FollowReversal(cycle, transaction string, stood int64, before, after Standing) {
	c.follow(cycle, before, after, func(*usageRow) bool { return true }, transaction, stood)
}

func (c *Counters) follow(cycle string, before, after Standing, concerns func(*usageRow) bool, first string, ofFirst int64) {
	if before == after {
		return
	}
	for id, rows := range c.rowsOf(cycle, concerns) {
		by := after.Spent - before.Spent
		if rows[0].Lowers {
			by = after.Kept - before.Kept
		}
		if by > 0 {
			rows[0].standing += by
		} else {
			giveBack(rows, -by, first, ofFirst)
		}
		if after.Spent == 0 { // also what a presentment did not adjust
			giveBack(rows, money.MaxMinor, "", 0)
		}
		for _, r := range rows {
			to := used{r.whole.amount, 0}
			if r.Of > 0 {
				to.amount = share(r.whole.amount, r.standing, r.Of)
			}
			if after.Spent > 0 {
				to.count = r.whole.count
			}
			if to != r.used || by != 0 {
				c.set(c.counters[id], r, to)
			}
		}
	}
}

// giveBack takes by off what stands of the rows: of the transaction that is named
// first, then of the latest.
func giveBack(rows []*usageRow, by int64, first string, ofFirst int64) {
	take := func(r *usageRow) {
		part := min(by, r.standing)
		r.standing -= part
		by -= part
	}
	if first != "" {
		if k := slices.IndexFunc(rows, func(r *usageRow) bool { return r.Transaction == first }); k >= 0 {
			take(rows[k])
		} else {
			by -= min(by, ofFirst) // of what is not counted here nothing is given back
		}
	}
	for _, r := range slices.Backward(rows) {
		take(r)
	}
}

// rowsOf returns, by counter, what concerns of the rows of a life cycle, in the
// order in which they were counted. All of one counter are handled alike.
func (c *Counters) rowsOf(cycle string, concerns func(*usageRow) bool) map[string][]*usageRow {
	all := map[string][]*usageRow{}
	for at, r := range c.usage {
		if r.Cycle == cycle && concerns(r) {
			all[at.counter] = append(all[at.counter], r)
		}
	}
	for _, rows := range all {
		slices.SortFunc(rows, func(a, b *usageRow) int { return cmp.Compare(a.Transaction, b.Transaction) })
	}
	return all
}

// share is minor × part ÷ whole, half up, and no more than an amount can be.
func share(minor, part, whole int64) int64 {
	if part == whole {
		return minor
	}
	n := new(big.Int).Mul(big.NewInt(minor), big.NewInt(part))
	n.Lsh(n, 1).Add(n, big.NewInt(whole))
	if n.Quo(n, big.NewInt(2*whole)); !n.IsInt64() {
		return money.MaxMinor
	}
	return min(n.Int64(), money.MaxMinor)
}

// Of returns what a transaction has under a key.
func (c *Counters) Of(k CounterKey, transaction string) (amount, count int64) {
	if u := c.usage[usageKey{transaction, k.String()}]; u != nil {
		return u.used.amount, u.used.count
	}
	return 0, 0
}

// Alert reports whether a control is to be alerted of under a key: once in a
// window, and of a rolling one, that began at from, once in its length.
func (c *Counters) Alert(k CounterKey, control string, isSpan bool, from, now time.Time) bool {
	row := c.counters[k.String()]
	if row == nil {
		return false
	}
	if at, done := row.alerts[control]; done && (!isSpan || at >= from.UnixMicro()) {
		return false
	}
	if row.alerts == nil {
		row.alerts = map[string]int64{}
	}
	row.alerts[control] = now.UnixMicro()
	row.dirty = true
	return true
}

// alertText is the stored form of what was alerted: "CODE=microseconds", blanks
// between.
func alertText(alerts map[string]int64) string {
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(alerts)) {
		parts = append(parts, code+"="+strconv.FormatInt(alerts[code], 10))
	}
	return strings.Join(parts, " ")
}

func parseAlerts(text string) (map[string]int64, error) {
	var alerts map[string]int64
	for _, part := range strings.Fields(text) {
		code, at, _ := strings.Cut(part, "=")
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		if alerts == nil {
			alerts = map[string]int64{}
		}
		alerts[code] = n
	}
	return alerts, nil
}

// Write keeps what was changed.
func (c *Counters) Write(ctx context.Context, tx db.Tx) error {
	var w counterWrites
	for _, id := range slices.Sorted(maps.Keys(c.counters)) {
		switch r := c.counters[id]; {
		case !r.dirty:
		case r.isNew:
			w.counters = append(w.counters, id, r.key.Tenant, r.key.Counter, r.key.Subject, r.key.Start, r.used.amount, r.used.count, alertText(r.alerts))
		default:
			w.counterChanges = append(w.counterChanges, id, r.used.amount, r.used.count, alertText(r.alerts))
		}
	}
	for at, r := range c.usage {
		switch {
		case !r.dirty:
		case r.isNew:
			var ends *time.Time
			if !r.Ends.IsZero() {
				ends = &r.Ends
			}
			w.usage = append(w.usage, r.Cycle, at.transaction, at.counter, r.used.amount, r.used.count, r.whole.amount, r.whole.count,
				r.Of, r.standing, clock.Micros(r.At), microsOf(ends), r.Adjusts, r.Lowers)
		default:
			w.usageChanges = append(w.usageChanges, r.Cycle, at.transaction, at.counter, r.used.amount, r.used.count,
				r.whole.amount, r.whole.count, r.Of, r.standing)
		}
	}
	return w.write(ctx, tx)
}
