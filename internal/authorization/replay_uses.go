package authorization

import (
	"context"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// useBook is what cards were used for in the last thirty days, in the recorded
// world and in the replayed one, for rules that ask (see [UseFacts]). It has a
// line for each life cycle and each decline of that time, and sums them up as time
// goes on.
type useBook struct {
	cards     map[id.ID[issuing.Issuance]]*cardUses
	lines     map[TransactionID]*useLine
	customers map[id.ID[customer.Customer]]*useScope
}

type cardUses struct {
	useScope
	customer *useScope // nil: none was met
	// before is the last use before the book begins, once it was looked up.
	before   *useLine
	isLooked bool
}

// The worlds that a book tells of.
const (
	recordedWorld = iota
	replayedWorld
	useWorlds
)

type useLine struct {
	transaction       TransactionID
	at                time.Time
	country, merchant string
	stands            [useWorlds]useStand
	in                []useEntry // where it is summed up
}

// useEntry is a line's place in a scope, counted from its first ever.
type useEntry struct {
	scope *useScope
	at    int
}

// useScope are the lines of a card or of a customer, oldest first, with their sums.
type useScope struct {
	lines   []*useLine
	base    int // how many there were before
	windows []useWindow
}

// useWindow sums up the lines of a scope from one on.
type useWindow struct {
	span time.Duration
	from int // counted from the first ever
	sums [useWorlds]useSums
}

type useSums struct {
	count, declines      int
	amounts              map[money.Currency]int64
	countries, merchants map[string]int
}

func newUseScope(spans ...time.Duration) useScope {
	s := useScope{}
	for _, span := range spans {
		w := useWindow{span: span}
		for i := range w.sums {
			w.sums[i] = useSums{amounts: map[money.Currency]int64{}, countries: map[string]int{}, merchants: map[string]int{}}
		}
		s.windows = append(s.windows, w)
	}
	return s
}

func (s *useScope) append(l *useLine) {
	l.in = append(l.in, useEntry{s, s.base + len(s.lines)})
	s.lines = append(s.lines, l)
	for i := range s.windows {
		s.windows[i].add(l, 1)
	}
}

// merge takes in lines that may lie between those that are there, and sums up all
// anew.
func (s *useScope) merge(more []*useLine) {
	all := slices.Concat(s.lines, more)
	slices.SortStableFunc(all, func(a, b *useLine) int { return a.at.Compare(b.at) })
	for _, l := range s.lines {
		l.in = slices.DeleteFunc(l.in, func(e useEntry) bool { return e.scope == s })
	}
	s.base, s.lines = s.base+len(s.lines), nil
	for i, w := range s.windows {
		s.windows[i] = newUseScope(w.span).windows[0]
		s.windows[i].from = s.base
	}
	for _, l := range all {
		s.append(l)
	}
}

// move lets the windows end at a moment. Decisions may have overtaken each other, so
// that it is a little earlier than the last one.
func (s *useScope) move(now time.Time) {
	for i := range s.windows {
		w := &s.windows[i]
		begin := now.Add(-w.span)
		for w.from < s.base+len(s.lines) && s.lines[w.from-s.base].at.Before(begin) {
			w.add(s.lines[w.from-s.base], -1)
			w.from++
		}
		for w.from > s.base && !s.lines[w.from-1-s.base].at.Before(begin) {
			w.from--
			w.add(s.lines[w.from-s.base], 1)
		}
	}
}

func (w *useWindow) add(l *useLine, sign int) {
	for world := range w.sums {
		w.sums[world].add(l, l.stands[world], sign)
	}
}

func (u *useSums) add(l *useLine, s useStand, sign int) {
	if s.status == StatusDeclined {
		u.declines += sign
	}
	if !s.counts() {
		return
	}
	u.count += sign
	u.amounts[s.billing.Currency()] += int64(sign) * s.worth()
	for what, in := range map[string]map[string]int{"c" + l.country: u.countries, "m" + l.merchant: u.merchants} {
		if what = what[1:]; what == "" {
			continue
		}
		if in[what] += sign; in[what] == 0 {
			delete(in, what)
		}
	}
}

// set makes a line stand otherwise in a world.
func (l *useLine) set(world int, s useStand) {
	for _, sign := range []int{-1, 1} {
		if sign > 0 {
			l.stands[world] = s
		}
		for _, e := range l.in {
			for i := range e.scope.windows {
				if w := &e.scope.windows[i]; e.at >= w.from {
					w.sums[world].add(l, l.stands[world], sign)
				}
			}
		}
	}
}

// useStand is how a life cycle stands in one of the worlds, or that a message was
// declined there.
type useStand struct {
	status                     Status
	isDebit                    bool
	billing, reversed, cleared money.Amount
}

func newUseBook() *useBook {
	return &useBook{
		cards: map[id.ID[issuing.Issuance]]*cardUses{}, lines: map[TransactionID]*useLine{}, customers: map[id.ID[customer.Customer]]*useScope{},
	}
}

func standOf(t *Transaction) useStand {
	if t == nil {
		return useStand{}
	}
	return useStand{t.Status, t.IsDebit, t.Billing, t.Reversed, t.Cleared}
}

// counts is isCounted of what takes money from the cardholder.
func (s useStand) counts() bool {
	switch s.status {
	case "", StatusDeclined, StatusFailed, StatusReversed, StatusVoided:
		return false
	case StatusExpired:
		return s.isDebit && s.cleared.Sign() > 0
	}
	return s.isDebit
}

// worth is the expression of this name.
func (s useStand) worth() int64 {
	switch s.status {
	case StatusCleared, StatusExpired, StatusRefunded, StatusPartiallyRefunded:
		if s.cleared.Sign() > 0 {
			return s.cleared.Minor()
		}
	}
	return s.billing.Minor() - s.reversed.Minor()
}

// line is that of a transaction, a new one where there was none.
func (b *useBook) line(t *Transaction) *useLine {
	if l := b.lines[t.ID]; l != nil {
		return l
	}
	l := &useLine{transaction: t.ID, at: t.CreatedAt, country: t.Message.MerchantCountry, merchant: t.Message.CardAcceptorID}
	b.lines[t.ID] = l
	c := b.of(t.Issuance)
	if c.append(l); c.customer != nil {
		c.customer.append(l)
	}
	return l
}

func (b *useBook) of(issuance id.ID[issuing.Issuance]) *cardUses {
	c := b.cards[issuance]
	if c == nil {
		c = &cardUses{useScope: newUseScope(spanOfHour, spanOfDay, spanOfWeek, spanOfMonth)}
		b.cards[issuance] = c
	}
	return c
}

// meet notes whose card a request is about. What a card did before it had a
// customer is that one's, too.
func (b *useBook) meet(f *Facts) {
	c, of := b.of(f.Card.Issuance), f.Subject.Customer
	if of.IsZero() || c.customer != nil {
		return
	}
	if c.customer = b.customers[of]; c.customer == nil {
		s := newUseScope(spanOfDay, spanOfMonth)
		c.customer = &s
		b.customers[of] = c.customer
	}
	if len(c.lines) > 0 {
		c.customer.merge(c.lines)
	}
}

// decided notes how a message ended in both worlds, where it was declined, or
// begins a life cycle. is is nil where it was never sent.
func (b *useBook) decided(t *told, is *Decision) {
	refused := func(d *Decision) bool { return d != nil && d.Status == StatusDeclined }
	if refused(&t.was) {
		b.line(t.Transaction).set(recordedWorld, useStand{status: StatusDeclined})
	}
	if refused(is) {
		b.line(t.Transaction).set(replayedWorld, useStand{status: StatusDeclined})
	}
}

// follow brings the line of a life cycle to where it stands in both worlds.
func (b *useBook) follow(c *cycle, t *Transaction) {
	l := b.lines[c.root]
	if l == nil {
		if t == nil || t.ID != c.root {
			return // it began before the book
		}
		l = b.line(t)
	}
	was := c.is
	if c.was != nil {
		was = c.was
	}
	for world, k := range []*course{recordedWorld: was, replayedWorld: c.is} {
		if first := k.transactions[c.root]; first != nil {
			l.set(world, standOf(first))
		}
	}
}

// present takes a clearing record in whose life cycle is not carried, and one that
// stands for itself.
func (b *useBook) present(t *Transaction, isCarried bool) {
	if t.ID == t.Root || t.IsForcePost {
		l := b.line(t)
		l.set(recordedWorld, standOf(t))
		l.set(replayedWorld, standOf(t))
		return
	}
	l := b.lines[t.Root]
	if isCarried || l == nil || !t.IsDebit {
		return
	}
	for world, s := range l.stands {
		if s.billing.Currency() == t.Billing.Currency() && s.status != StatusDeclined {
			s.status, s.cleared = StatusCleared, plus(s.cleared, t.Billing)
			l.set(world, s)
		}
	}
}

// uses sums up what was before a request, in one of the worlds.
func (b *useBook) uses(f *Facts, world int) UseFacts {
	c, currency := b.of(f.Card.Issuance), f.Billing.Currency()
	c.move(f.Now)
	usage := func(w *useWindow) Usage { return Usage{w.sums[world].count, w.sums[world].amounts[currency]} }
	day := &c.windows[1].sums[world]
	u := UseFacts{
		AreKnown: true, Hour: usage(&c.windows[0]), Day: usage(&c.windows[1]), Week: usage(&c.windows[2]), Month: usage(&c.windows[3]),
		Declines: day.declines, Countries: len(day.countries), Merchants: len(day.merchants), HasCustomer: !f.Subject.Customer.IsZero(),
	}
	if u.HasCustomer && c.customer != nil {
		c.customer.move(f.Now)
		u.CustomerDay, u.CustomerMonth = usage(&c.customer.windows[0]), usage(&c.customer.windows[1])
	}
	last := c.before
	for i := len(c.lines) - 1; i >= 0; i-- {
		if c.lines[i].stands[world].counts() {
			last = c.lines[i]
			break
		}
	}
	if last != nil {
		u.LastAt, u.LastCountry, u.LastAmount = last.at, last.country, last.stands[world].billing
	}
	return u
}

// facts are what was before a request in the replayed world. Where that is what was
// before it in the recorded one, it is what was recorded, if it was; differs says
// that it is not.
func (b *useBook) facts(f *Facts) (u UseFacts, differs bool) {
	was, is := b.uses(f, recordedWorld), b.uses(f, replayedWorld)
	switch {
	case was == is && f.Uses.AreKnown:
		return f.Uses, false
	case is.LastAt.IsZero() && f.Uses.AreKnown:
		is.LastAt, is.LastCountry, is.LastAmount = f.Uses.LastAt, f.Uses.LastCountry, f.Uses.LastAmount
	}
	return is, was != is
}

// sweep forgets what is too old for rules to ask; the last use of a card stays.
func (b *useBook) sweep(now time.Time) {
	begin := now.Add(-spanOfMonth - 24*time.Hour)
	for _, c := range b.cards {
		c.move(now)
		for _, l := range c.forget(begin) {
			if l.stands[recordedWorld].counts() && l.stands[replayedWorld].counts() {
				c.before, c.isLooked = l, true
			}
			delete(b.lines, l.transaction)
		}
	}
	for _, s := range b.customers {
		s.move(now)
		s.forget(begin)
	}
}

// forget takes off the lines before a moment, which lie in no window any more, and
// returns them.
func (s *useScope) forget(begin time.Time) []*useLine {
	n := 0
	for n < len(s.lines) && s.lines[n].at.Before(begin) {
		n++
	}
	gone := s.lines[:n]
	s.lines, s.base = slices.Clone(s.lines[n:]), s.base+n
	return gone
}

// lookBefore finds the last use of a card before a moment, as it stands now.
func (b *useBook) lookBefore(ctx context.Context, d *db.DB, tenant access.TenantID, issuance id.ID[issuing.Issuance], begin time.Time) error {
	c := b.of(issuance)
	if c.isLooked {
		return nil
	}
	c.isLooked = true
	return d.View(ctx, func(tx db.Tx) error {
		t, found, err := lastUseBefore(ctx, tx, tenant, issuance, begin)
		if found {
			c.before = &useLine{transaction: t.ID, at: t.CreatedAt, country: t.Message.MerchantCountry, stands: [useWorlds]useStand{standOf(t), standOf(t)}}
		}
		return err
	})
}
