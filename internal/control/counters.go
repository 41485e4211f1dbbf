package control

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Counters are the velocity counters of subjects whose rows are locked until a
// transaction ends, with what some life cycles have of them. Each change is seen by
// what is asked after it; Write keeps all of them.
//
// It is used by one goroutine.
type Counters struct {
	subjects map[subjectKey]*subjectRow
	counters map[CounterKey]*counterRow
	rows     map[rowKey]*usageRow
	usage    map[usageKey]*counted // in windows that have not ended
	spans    map[spanKey]*used     // what rolling windows had at first
	gone     []spanRow             // what no longer lies in a rolling window of its subject
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
	Of     int64
	At     time.Time // when it was decided
	Ends   time.Time // the window that it is counted in; zero is never
	IsSpan bool      // the window is a rolling one

	// Adjusts says that a presentment of another amount changes it, Lowers that a
	// refund does, CountsFees that what the life cycle costs besides counts, too:
	// Fees, with the taxes on them, in minor units of the account. Par is what
	// FeePar of those come to in the counter's currency, zero where that is the
	// account's.
	Adjusts, Lowers, CountsFees bool
	Fees, Par                   int64
}

// FeePar is of how many minor units of an account the worth is kept with what is
// counted of fees in another currency.
const FeePar = 100_000_000

// FeesIn is what fees come to in a counter's currency.
func FeesIn(fees, par int64) int64 {
	if par == 0 {
		return fees
	}
	return portion(fees, par, FeePar)
}

// Standing is what a life cycle stands for, in minor units of its account: what it
// holds or has moved, and that without what was refunded; and what it costs
// besides, of both.
type Standing struct{ Spent, Kept, SpentFees, KeptFees int64 }

// WithFees is s with what it costs besides.
func (s Standing) WithFees(spent, kept int64) Standing {
	s.SpentFees, s.KeptFees = spent, kept
	return s
}

// StandingOf is the standing of what has moved or is held, and of what was
// refunded of it.
func StandingOf(spent, refunded money.Amount) Standing {
	return Standing{Spent: spent.Minor(), Kept: max(0, spent.Minor()-refunded.Minor())}
}

// used is an amount, in minor units, and a count.
type used struct{ amount, count int64 }

// subjectKey names for what counters add up; rows are locked in the order of its
// text.
type subjectKey struct {
	tenant  access.TenantID
	subject string
}

func (k CounterKey) of() subjectKey { return subjectKey{k.Tenant, k.Subject} }

func (k subjectKey) String() string { return k.tenant.String() + "/" + k.subject }

// compare orders keys as their texts are ordered.
func (k subjectKey) compare(o subjectKey) int {
	return cmp.Or(k.tenant.Compare(o.tenant), cmp.Compare(k.subject, o.subject))
}

// subjectRow is a row of velocity_counter, which is locked.
type subjectRow struct {
	since int64 // windows that ended by then have fallen out
	dirty bool
}

// counterRow is one counter of a subject's row.
type counterRow struct {
	key    CounterKey
	ends   int64            // its window, in microseconds; 0 is never
	used   used             // not of a rolling window, which is added up
	alerts map[string]int64 // when it was last alerted, in microseconds, by control
	kept   bool             // it is written: something was counted or alerted
}

type rowKey struct {
	transaction string // its identifier
	subject     subjectKey
}

// usageRow is a row of velocity_usage: what a transaction has of the counters of a
// subject.
type usageRow struct {
	cycle, transaction string
	subject            subjectKey
	at                 time.Time
	all                []*counted // also in windows that have ended
	isNew, dirty       bool
}

type usageKey struct {
	transaction string // its identifier
	counter     CounterKey
}

// counted is what a transaction has of one counter.
type counted struct {
	Use
	row      *usageRow
	whole    used // what was counted of Use.Of
	used     used // what counts now
	was      used // when it was read
	standing int64
	isNew    bool
	dirty    bool
}

type spanKey struct {
	counter CounterKey
	from    int64 // in microseconds
}

// SpanOf asks for what was used of a rolling window from a moment on.
type SpanOf struct {
	Key  CounterKey
	From time.Time
}

// OpenCounters locks the subjects of counters, in one order, and reads their
// counters with what the named life cycles have of any whose windows have not ended
// now. Subjects of those are locked too. What lies in a window that has ended is
// never changed. now is what the business of a tenant calls now, of none the
// clock's time.
func OpenCounters(ctx context.Context, tx db.Tx, keys []CounterKey, spans []SpanOf, cycles []string, now func(access.TenantID) time.Time) (*Counters, error) {
	c := NewCounters()
	wanted := map[subjectKey]bool{}
	for _, k := range keys {
		wanted[k.of()] = true
	}
	if err := c.readUsage(ctx, tx, cycles, now); err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	c.wantUsed(wanted)
	// What a life cycle has may go over to other subjects until they are locked, as
	// when a card finds its customer.
	for {
		if err := c.lock(ctx, tx, wanted, now); err != nil {
			return nil, fmt.Errorf("lock counters: %w", err)
		}
		if len(cycles) == 0 {
			break
		}
		locked := len(wanted)
		if err := c.readUsage(ctx, tx, cycles, now); err != nil {
			return nil, fmt.Errorf("read usage again: %w", err)
		}
		if c.wantUsed(wanted); len(wanted) == locked {
			break
		}
	}
	for _, k := range keys {
		if err := c.recall(ctx, tx, k); err != nil {
			return nil, fmt.Errorf("add up what has fallen out: %w", err)
		}
	}
	return c, c.AddUp(ctx, tx, spans)
}

// recall adds up a counter that has fallen out, because others are far ahead of who
// counts now: for him its window is open.
func (c *Counters) recall(ctx context.Context, tx db.Tx, k CounterKey) (err error) {
	if c.counters[k] == nil && k.mayHaveEndedBy(c.subjects[k.of()].since) {
		c.counter(k).used, err = sumUsage(ctx, tx, k)
	}
	return err
}

// NewCounters returns counters without a count, for what only might be: they
// lock nothing and must not be written.
func NewCounters() *Counters {
	return &Counters{
		subjects: map[subjectKey]*subjectRow{}, counters: map[CounterKey]*counterRow{}, rows: map[rowKey]*usageRow{},
		usage: map[usageKey]*counted{}, spans: map[spanKey]*used{},
	}
}

// PeekCounters reads what life cycles have of counters whose windows have not ended
// now, for what only might be: it locks nothing and must not be written. What is used
// of it is by how much it is changed.
func PeekCounters(ctx context.Context, tx db.Tx, cycles []string, now func(access.TenantID) time.Time) (*Counters, error) {
	c := NewCounters()
	if err := c.readUsage(ctx, tx, cycles, now); err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	return c, nil
}

// wantUsed adds the subjects under which something may still change.
func (c *Counters) wantUsed(wanted map[subjectKey]bool) {
	for k := range c.usage {
		wanted[k.counter.of()] = true
	}
}

// counter is the counter of a key, without a count if there was none.
func (c *Counters) counter(k CounterKey) *counterRow {
	r := c.counters[k]
	if r == nil {
		r = &counterRow{key: k}
		c.counters[k] = r
	}
	return r
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
		all = append(all, Counted{k.counter.String(), k.transaction, r.used.amount, r.used.count, r.At, r.Ends})
	}
	slices.SortFunc(all, func(a, b Counted) int {
		return cmp.Or(cmp.Compare(a.Counter, b.Counter), cmp.Compare(a.Transaction, b.Transaction))
	})
	return all
}

// Used returns what is used under a key; of a rolling window what was since from,
// which must have been asked for. from is not looked at else.
func (c *Counters) Used(k CounterKey, isSpan bool, from time.Time) (amount, count int64) {
	if !isSpan {
		if row := c.counters[k]; row != nil {
			return row.used.amount, row.used.count
		}
		return 0, 0
	}
	var sum used
	if s := c.spans[spanKey{k, from.UnixMicro()}]; s != nil {
		sum = *s
	}
	for at, u := range c.usage { // what changed since
		if at.counter == k && !u.At.Before(from) {
			sum.amount += u.used.amount - u.was.amount
			sum.count += u.used.count - u.was.count
		}
	}
	return sum.amount, sum.count
}

// Add counts a use. What its transaction has under the key already becomes more.
func (c *Counters) Add(u Use) {
	r := c.usage[usageKey{u.Transaction, u.Key}]
	if r == nil {
		r = c.begin(u)
	}
	r.Of += u.Of
	r.standing += u.Of
	r.whole.amount += u.Amount
	r.whole.count += u.Count
	before := r.feesUsed()
	r.Fees += u.Fees
	c.set(r, used{r.used.amount + u.Amount + r.feesUsed() - before, r.used.count + u.Count})
}

// begin lets a transaction have nothing of a counter yet.
func (c *Counters) begin(u Use) *counted {
	k := rowKey{u.Transaction, u.Key.of()}
	row := c.rows[k]
	if row == nil {
		row = &usageRow{cycle: u.Cycle, transaction: u.Transaction, subject: k.subject, at: u.At, isNew: true}
		c.rows[k] = row
	}
	at := usageKey{u.Transaction, u.Key}
	if i := slices.IndexFunc(row.all, func(r *counted) bool { return r.Key == u.Key }); i >= 0 {
		c.usage[at] = row.all[i] // its window ended while it was decided
		return row.all[i]
	}
	r := &counted{Use: u, row: row, isNew: true}
	r.Of, r.Amount, r.Count, r.Fees, r.At = 0, 0, 0, 0, row.at
	row.all = append(row.all, r)
	c.usage[at] = r
	return r
}

// set makes what a transaction has, and its counter with it, be what it is now.
func (c *Counters) set(r *counted, to used) {
	row := c.counter(r.Key)
	if !r.Ends.IsZero() {
		row.ends = max(row.ends, r.Ends.UnixMicro())
	}
	if !r.IsSpan {
		row.used.amount += to.amount - r.used.amount
		row.used.count += to.count - r.used.count
		c.touch(row)
	}
	r.used, r.dirty, r.row.dirty = to, true, true
}

// touch has a counter written.
func (c *Counters) touch(row *counterRow) {
	row.kept = true
	if s := c.subjects[row.key.of()]; s != nil {
		s.dirty = true
	}
}

// Follow brings what a life cycle has of its counters to what it stands for now.
// What refunds lower follows what was kept, all else what was spent. Of a life
// cycle that stands for nothing any more nothing is left, not even its count.
func (c *Counters) Follow(cycle string, before, after Standing) {
	c.follow(cycle, before, after, func(*counted) bool { return true }, "", 0)
}

// FollowCleared is Follow for a presentment that differs from what was held:
// what does not adjust to those stays.
func (c *Counters) FollowCleared(cycle string, before, after Standing) {
	c.follow(cycle, before, after, func(r *counted) bool { return r.Adjusts }, "", 0)
}

// FollowLate is Follow for a presentment that comes when what was authorized had
// been given back. What does not adjust to another amount counts again as what was
// authorized, less what was refunded, whatever is presented of it.
func (c *Counters) FollowLate(cycle string, before, after Standing, authorized int64) {
	c.FollowCleared(cycle, before, after)
	refunded := after.Spent - after.Kept
	for _, rows := range c.rowsOf(cycle, func(r *counted) bool { return !r.Adjusts }) {
		by, fees := authorized, after.SpentFees-before.SpentFees
		if rows[0].Lowers {
			by, fees = authorized-refunded, after.KeptFees-before.KeptFees
		}
		for _, r := range rows {
			by -= r.standing
		}
		if by <= 0 {
			continue
		}
		followFees(rows, portion(fees, fill(rows, by), after.Spent-before.Spent), "")
		for _, r := range rows {
			c.set(r, used{r.standsFor(), r.whole.count})
		}
	}
}

// FollowReversal is Follow for a reversal that names one transaction of the life
// cycle, of which so much stood: what is given back is given back of that before
// the others.
func (c *Counters) FollowReversal(cycle, transaction string, stood int64, before, after Standing) {
	c.follow(cycle, before, after, func(*counted) bool { return true }, transaction, stood)
}

func (c *Counters) follow(cycle string, before, after Standing, concerns func(*counted) bool, first string, ofFirst int64) {
	if before == after {
		return
	}
	for _, rows := range c.rowsOf(cycle, concerns) {
		by, fees := after.Spent-before.Spent, after.SpentFees-before.SpentFees
		if rows[0].Lowers {
			by, fees = after.Kept-before.Kept, after.KeptFees-before.KeptFees
		}
		here := by
		if by > 0 {
			here = raise(rows, by)
		} else {
			here = -giveBack(rows, -by, first, ofFirst)
		}
		switch {
		case by != 0:
			fees = portion(fees, here, by) // the others are counted where the rest is
		case !slices.ContainsFunc(rows, (*counted).isFirst):
			fees = 0
		}
		followFees(rows, fees, first)
		if after.Spent == 0 { // also what a presentment did not adjust
			giveBack(rows, money.MaxMinor, "", 0)
			for _, r := range rows {
				if !r.Adjusts && after.SpentFees == 0 {
					r.Fees = 0
				}
			}
		}
		for _, r := range rows {
			to := used{r.standsFor(), 0}
			if after.Spent > 0 {
				to.count = r.whole.count
			}
			if to != r.used || by != 0 || fees != 0 {
				c.set(r, to)
			}
		}
	}
}

// raise adds by to what stands of the rows: to what began the life cycle. In a later
// window that is not among them, and no more stands than was counted there. It
// returns how much was added.
func raise(rows []*counted, by int64) (added int64) {
	if k := slices.IndexFunc(rows, (*counted).isFirst); k >= 0 {
		rows[k].standing += by
		return by
	}
	return fill(rows, by)
}

// fill adds by to what stands of the rows, to none more than was counted there. It
// returns how much was added.
func fill(rows []*counted, by int64) (added int64) {
	for _, r := range rows {
		part := min(by, max(0, r.Of-r.standing))
		r.standing += part
		by -= part
		added += part
	}
	return added
}

// isFirst reports whether it began its life cycle.
func (r *counted) isFirst() bool { return r.Transaction == r.Cycle }

// standsFor is the amount that counts of what stands.
func (r *counted) standsFor() int64 {
	amount := r.whole.amount
	if r.Of > 0 {
		amount = share(r.whole.amount, r.standing, r.Of)
	}
	return amount + r.feesUsed()
}

// feesUsed is what of the amount are fees.
func (r *counted) feesUsed() int64 { return FeesIn(r.Fees, r.Par) }

// giveBack takes by off what stands of the rows: of the transaction that is named
// first, then of the latest. It returns how much of by concerns them.
func giveBack(rows []*counted, by int64, first string, ofFirst int64) (here int64) {
	taken := int64(0)
	take := func(r *counted) {
		part := min(by, r.standing)
		r.standing -= part
		by -= part
		taken += part
	}
	here = by
	if first != "" {
		if k := slices.IndexFunc(rows, func(r *counted) bool { return r.Transaction == first }); k >= 0 {
			take(rows[k])
		} else {
			by -= min(by, ofFirst) // of what is not counted here nothing is given back
			here = by
		}
	}
	for _, r := range slices.Backward(rows) {
		take(r)
	}
	if !slices.ContainsFunc(rows, (*counted).isFirst) {
		return taken
	}
	return here
}

// followFees lets the rows that count fees have so much more of them, or less: more
// has what began the life cycle; what is given back is that of the transaction that
// is named first, then of the latest.
func followFees(rows []*counted, by int64, named string) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r *counted) bool { return !r.CountsFees })
	if len(rows) == 0 || by == 0 {
		return
	}
	whole := slices.IndexFunc(rows, (*counted).isFirst)
	if by > 0 {
		rows[max(0, whole)].Fees += by
		return
	}
	take := func(r *counted) {
		back := min(-by, max(0, r.Fees)) // an increment may have made it cheaper
		r.Fees -= back
		by += back
	}
	if k := slices.IndexFunc(rows, func(r *counted) bool { return r.Transaction == named }); k >= 0 {
		take(rows[k])
	}
	for _, r := range slices.Backward(rows) {
		take(r)
	}
	if whole >= 0 && rows[whole].Adjusts {
		rows[whole].Fees += by // one refund may give back more than this part of it cost
	}
}

// portion is minor × here ÷ whole, also of what is below zero.
func portion(minor, here, whole int64) int64 {
	if whole < 0 {
		here, whole = -here, -whole
	}
	if minor < 0 {
		return -share(-minor, here, whole)
	}
	return share(minor, here, whole)
}

// rowsOf returns, by counter, what concerns of the rows of a life cycle, in the
// order in which they were counted. All of one counter are handled alike.
func (c *Counters) rowsOf(cycle string, concerns func(*counted) bool) map[CounterKey][]*counted {
	all := map[CounterKey][]*counted{}
	for at, r := range c.usage {
		if r.Cycle == cycle && concerns(r) {
			all[at.counter] = append(all[at.counter], r)
		}
	}
	for _, rows := range all {
		slices.SortFunc(rows, func(a, b *counted) int { return cmp.Compare(a.Transaction, b.Transaction) })
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

// CountsFees reports whether fees of a life cycle count somewhere.
func (c *Counters) CountsFees() bool {
	for _, r := range c.usage {
		if r.CountsFees {
			return true
		}
	}
	return false
}

// Of returns what a transaction has under a key.
func (c *Counters) Of(k CounterKey, transaction string) (amount, count int64) {
	if u := c.usage[usageKey{transaction, k}]; u != nil {
		return u.used.amount, u.used.count
	}
	return 0, 0
}

// SubjectOf returns for whom a transaction has something of a counter now. That may
// be another than it was counted for, as when its card has found a customer since.
func (c *Counters) SubjectOf(k CounterKey, transaction string) string {
	for at := range c.usage {
		if at.transaction == transaction && at.counter.Counter == k.Counter && at.counter.Start == k.Start {
			return at.counter.Subject
		}
	}
	return k.Subject
}

// Alert reports whether a control is to be alerted of under a key: once in a
// window, and of a rolling one, that began at from, once in its length.
func (c *Counters) Alert(k CounterKey, control string, isSpan bool, from, now time.Time) bool {
	if c.subjects[k.of()] == nil {
		return false
	}
	row := c.counter(k)
	if at, done := row.alerts[control]; done && (!isSpan || at >= from.UnixMicro()) {
		return false
	}
	if row.alerts == nil {
		row.alerts = map[string]int64{}
	}
	row.alerts[control] = now.UnixMicro()
	c.touch(row)
	return true
}

// Write keeps what was changed.
func (c *Counters) Write(ctx context.Context, tx db.Tx) error {
	var w counterWrites
	bySubject := map[subjectKey][]*counterRow{}
	for k, r := range c.counters {
		s := c.subjects[k.of()]
		switch {
		case s == nil && r.kept:
			return fmt.Errorf("counter %s is not locked", k)
		case s != nil && s.dirty && r.kept && (r.ends == 0 || r.ends > s.since):
			bySubject[k.of()] = append(bySubject[k.of()], r)
		}
	}
	for k, s := range c.subjects {
		if s.dirty {
			w.counters = append(w.counters, k.String(), counterText(bySubject[k]), s.since)
		}
	}
	for _, row := range c.rows {
		switch {
		case !row.dirty:
			continue
		case row.isNew:
			w.usage = append(w.usage, row.subject.String(), clock.Micros(row.at), row.transaction, row.cycle, usageText(row.all))
		default:
			w.usageChanges = append(w.usageChanges, row.cycle, row.transaction, row.subject.String(), usageText(row.all))
		}
		w.spansOf(row)
	}
	for _, g := range c.gone {
		w.gone = append(w.gone, g.subject, g.counter, g.at, g.transaction)
	}
	return w.write(ctx, tx)
}
