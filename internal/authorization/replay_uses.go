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
// line for each life cycle and each decline of that time.
type useBook struct {
	cards     map[id.ID[issuing.Issuance]]*cardUses
	lines     map[TransactionID]*useLine
	customers map[id.ID[customer.Customer]][]id.ID[issuing.Issuance] // in the order in which they were met
}

type cardUses struct {
	lines []*useLine // oldest first
	// before is the last use before the book begins, once it was looked up.
	before   *useLine
	isLooked bool
}

type useLine struct {
	transaction       TransactionID
	at                time.Time
	country, merchant string
	was, is           useStand
}

// useStand is how a life cycle stands in one of the worlds, or that a message was
// declined there.
type useStand struct {
	status                     Status
	isDebit                    bool
	billing, reversed, cleared money.Amount
}

func newUseBook() *useBook {
	return &useBook{cards: map[id.ID[issuing.Issuance]]*cardUses{}, lines: map[TransactionID]*useLine{}, customers: map[id.ID[customer.Customer]][]id.ID[issuing.Issuance]{}}
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
	c.lines = append(c.lines, l)
	return l
}

func (b *useBook) of(issuance id.ID[issuing.Issuance]) *cardUses {
	c := b.cards[issuance]
	if c == nil {
		c = &cardUses{}
		b.cards[issuance] = c
	}
	return c
}

// meet notes whose card a request is about.
func (b *useBook) meet(f *Facts) {
	if of := f.Subject.Customer; !of.IsZero() && !slices.Contains(b.customers[of], f.Card.Issuance) {
		b.customers[of] = append(b.customers[of], f.Card.Issuance)
	}
}

// decided notes how a message ended in both worlds, where it was declined, or
// begins a life cycle. is is nil where it was never sent.
func (b *useBook) decided(t *told, is *Decision) {
	refused := func(d *Decision) bool { return d != nil && d.Status == StatusDeclined }
	if refused(&t.was) {
		b.line(t.Transaction).was = useStand{status: StatusDeclined}
	}
	if refused(is) {
		b.line(t.Transaction).is = useStand{status: StatusDeclined}
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
	for _, x := range []struct {
		course *course
		stand  *useStand
	}{{was, &l.was}, {c.is, &l.is}} {
		if first := x.course.transactions[c.root]; first != nil {
			*x.stand = standOf(first)
		}
	}
}

// present takes a clearing record in whose life cycle is not carried, and one that
// stands for itself.
func (b *useBook) present(t *Transaction, isCarried bool) {
	if t.ID == t.Root || t.IsForcePost {
		l := b.line(t)
		l.was, l.is = standOf(t), standOf(t)
		return
	}
	l := b.lines[t.Root]
	if isCarried || l == nil || !t.IsDebit {
		return
	}
	for _, s := range []*useStand{&l.was, &l.is} {
		if s.billing.Currency() == t.Billing.Currency() && s.status != StatusDeclined {
			s.status, s.cleared = StatusCleared, plus(s.cleared, t.Billing)
		}
	}
}

// uses sums up what was before a request, in one of the worlds.
func (b *useBook) uses(f *Facts, of func(*useLine) useStand) UseFacts {
	u := UseFacts{AreKnown: true}
	currency := f.Billing.Currency()
	add := func(to *Usage, s useStand) {
		to.Count++
		if s.billing.Currency() == currency {
			to.Amount += s.worth()
		}
	}
	within := func(l *useLine, span time.Duration) bool { return !l.at.Before(f.Now.Add(-span)) }
	countries, merchants := map[string]bool{}, map[string]bool{}
	c := b.of(f.Card.Issuance)
	last := c.before
	for _, l := range c.lines {
		s := of(l)
		if s.status == StatusDeclined && within(l, spanOfDay) {
			u.Declines++
		}
		if !s.counts() {
			continue
		}
		last = l
		for _, x := range []struct {
			usage *Usage
			span  time.Duration
		}{{&u.Hour, spanOfHour}, {&u.Day, spanOfDay}, {&u.Week, spanOfWeek}, {&u.Month, spanOfMonth}} {
			if within(l, x.span) {
				add(x.usage, s)
			}
		}
		if within(l, spanOfDay) {
			countries[l.country], merchants[l.merchant] = true, true
		}
	}
	delete(countries, "")
	delete(merchants, "")
	u.Countries, u.Merchants = len(countries), len(merchants)
	if last != nil {
		u.LastAt, u.LastCountry, u.LastAmount = last.at, last.country, of(last).billing
	}
	if u.HasCustomer = !f.Subject.Customer.IsZero(); u.HasCustomer {
		for _, issuance := range b.customers[f.Subject.Customer] {
			for _, l := range b.of(issuance).lines {
				if s := of(l); s.counts() && within(l, spanOfMonth) {
					add(&u.CustomerMonth, s)
					if within(l, spanOfDay) {
						add(&u.CustomerDay, s)
					}
				}
			}
		}
	}
	return u
}

// facts are what was before a request in the replayed world. Where that is what was
// before it in the recorded one, it is what was recorded, if it was; differs says
// that it is not.
func (b *useBook) facts(f *Facts) (u UseFacts, differs bool) {
	was, is := b.uses(f, func(l *useLine) useStand { return l.was }), b.uses(f, func(l *useLine) useStand { return l.is })
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
		n := 0
		for n < len(c.lines) && c.lines[n].at.Before(begin) {
			l := c.lines[n]
			if l.is.counts() && l.was.counts() {
				c.before, c.isLooked = l, true
			}
			delete(b.lines, l.transaction)
			n++
		}
		c.lines = slices.Clone(c.lines[n:])
	}
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
			c.before = &useLine{transaction: t.ID, at: t.CreatedAt, country: t.Message.MerchantCountry, was: standOf(t), is: standOf(t)}
		}
		return err
	})
}
