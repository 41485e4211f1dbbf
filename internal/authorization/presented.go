package authorization

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Presented is what a clearing file does to what was used of velocity limits. It is
// noted in the order in which it happens and counted at once.
type Presented struct {
	notes  []presentedNote
	ofCard map[id.ID[issuing.Issuance]][]int // places of what followed authorizations of it
}

// presentedNote is that a life cycle stands for something else, or a presentment
// that nothing was authorized for.
type presentedNote struct {
	cycle         TransactionID
	by            *Transaction // what a record became
	before, after control.Standing
	isClearing    bool
	authorized    *int64 // of what is presented late
	forced        *Transaction
}

// Follow notes that a life cycle stands for something else: it is presented when
// its hold was gone, or its money is given back. A presentment that nothing was
// authorized for is a life cycle of its own.
func (p *Presented) Follow(cycle TransactionID, before, after control.Standing) {
	p.note(presentedNote{cycle: cycle, before: before, after: after})
}

// Late notes that a life cycle is presented when what was authorized, in minor
// units, had been given back.
func (p *Presented) Late(cycle TransactionID, before, after control.Standing, authorized int64) {
	p.note(presentedNote{cycle: cycle, before: before, after: after, authorized: &authorized})
}

// Clear notes that a life cycle is presented with the amount that was held, or
// with another one.
func (p *Presented) Clear(cycle TransactionID, before, after control.Standing) {
	p.note(presentedNote{cycle: cycle, before: before, after: after, isClearing: true})
}

func (p *Presented) note(n presentedNote) { p.notes = append(p.notes, n) }

// Force notes a presentment that nothing was authorized for. before is what the life
// cycle that it belongs to cost until then.
func (p *Presented) Force(t *Transaction, before control.Standing) {
	p.notes = append(p.notes, presentedNote{cycle: t.ID, before: before, after: before, forced: t})
}

// Len is how much was noted.
func (p *Presented) Len() int { return len(p.notes) }

// By says that what was noted from a place on was done by t, and what the life cycle
// costs after it.
func (p *Presented) By(from int, t *Transaction, spent, kept int64) {
	for i := range p.notes[from:] {
		n := &p.notes[from+i]
		n.by, n.after = t, n.after.WithFees(spent, kept)
		if n.forced == nil {
			if p.ofCard == nil {
				p.ofCard = map[id.ID[issuing.Issuance]][]int{}
			}
			p.ofCard[t.Issuance] = append(p.ofCard[t.Issuance], from+i)
		}
	}
}

// changes are what was noted of a card, and is counted only when the file ends, as
// changes of what it had used.
func (p *Presented) changes(ctx context.Context, tx db.Tx, of *Transaction) (*control.Counters, error) {
	mine := p.ofCard[of.Issuance]
	if len(mine) == 0 {
		return control.NewCounters(), nil
	}
	var cycles []string
	for _, i := range mine {
		cycles = append(cycles, p.notes[i].cycle.String())
	}
	slices.Sort(cycles)
	c, err := control.PeekCounters(ctx, tx, slices.Compact(cycles), func(access.TenantID) time.Time { return of.CreatedAt })
	if err != nil {
		return nil, err
	}
	for _, i := range mine {
		p.notes[i].count(c, nil)
	}
	return c, nil
}

// mayRaise reports whether more may be used of a limit after it.
func (n *presentedNote) mayRaise() bool {
	b, a := n.before, n.after
	return n.forced == nil && n.by != nil && (a.Spent > b.Spent || a.Kept > b.Kept || a.SpentFees > b.SpentFees || a.KeptFees > b.KeptFees)
}

// Limits counts what clearing does to velocity limits, and knows the fees on what
// nothing was authorized for.
type Limits struct {
	Controls Controls
	Programs Programs
	Cards    IssuedCards
}

// IssuedCards reads what rules ask about cards. It is issuing.Service.
type IssuedCards interface {
	CardOf(ctx context.Context, c access.Caller, card id.ID[issuing.Card]) (issuing.IssuedCard, error)
}

// Count keeps what was noted, and tells who watches limits. It comes after the
// accounts, in the order of all locks. What nothing was authorized for is counted
// where it would have been, and never declined.
func (l *Limits) Count(ctx context.Context, tx db.Tx, p *Presented, at clock.Real, now func(access.TenantID) time.Time) error {
	ctx = db.WithTx(ctx, tx) // what is read is read in tx
	facts, wants, err := l.factsOf(ctx, tx, p)
	if err != nil {
		return err
	}
	var cycles []string
	var keys []control.CounterKey
	var spans []control.SpanOf
	for i, n := range p.notes {
		// What nothing was authorized for may have used up what is free of its fees.
		if n.forced == nil || len(facts[i].Velocity) > 0 {
			cycles = append(cycles, n.cycle.String())
		}
		for j := range facts[i].Velocity {
			v := &facts[i].Velocity[j]
			if n.forced != nil && v.Counts {
				keys = append(keys, v.key(facts[i].Tenant))
			}
			spans = v.span(facts[i].Tenant, spans)
		}
	}
	if len(cycles) == 0 && len(keys) == 0 {
		return nil
	}
	slices.Sort(cycles)
	c, err := control.OpenCounters(ctx, tx, keys, spans, slices.Compact(cycles), now)
	if err != nil {
		return fmt.Errorf("open velocity counters: %w", err)
	}
	var alerts []TransactionEvent
	for i := range p.notes {
		n, f := &p.notes[i], facts[i]
		before := usedOf(f.Velocity, c, f.Tenant)
		n.count(c, f)
		if wants(f.Tenant) {
			alerts = append(alerts, n.alerts(c, f, before)...)
		}
	}
	if err := Raise(ctx, tx, alerts, at); err != nil {
		return fmt.Errorf("raise alerts: %w", err)
	}
	return c.Write(ctx, tx)
}

// factsOf finds, for each note, the limits that count it, where nothing was
// authorized, or else those that watch what it raises; and whose tenants want to be
// told of that.
func (l *Limits) factsOf(ctx context.Context, tx db.Tx, p *Presented) ([]*Facts, func(access.TenantID) bool, error) {
	var tenants []string
	for _, n := range p.notes {
		if n.by != nil && !slices.Contains(tenants, n.by.Tenant.String()) {
			tenants = append(tenants, n.by.Tenant.String())
		}
	}
	interests, err := outbox.Interests(ctx, tx, tenants)
	if err != nil {
		return nil, nil, err
	}
	wants := func(tenant access.TenantID) bool { return interests[tenant.String()].Wants(EventVelocityThreshold) }
	facts := make([]*Facts, len(p.notes))
	watchers := map[id.ID[issuing.Issuance]]*Facts{}
	for i, n := range p.notes {
		switch {
		case n.forced != nil:
			facts[i], err = l.bind(ctx, tx, n.forced)
		case !n.mayRaise() || !wants(n.by.Tenant):
			facts[i] = &Facts{}
		default:
			if watchers[n.by.Issuance] == nil {
				watchers[n.by.Issuance], err = l.watchers(ctx, tx, n.by)
			}
			facts[i] = watchers[n.by.Issuance]
		}
		if err != nil {
			return nil, nil, fmt.Errorf("find limits of presentment: %w", err)
		}
	}
	return facts, wants, nil
}

// count counts what was noted.
func (n *presentedNote) count(c *control.Counters, f *Facts) {
	switch {
	case n.forced != nil:
		(&work{counters: c}).use(f, n.cycle, n.cycle, f.Billing, 1, n.cost())
	case n.authorized != nil:
		c.FollowLate(n.cycle.String(), n.before, n.after, *n.authorized)
	case n.isClearing:
		c.FollowCleared(n.cycle.String(), n.before, n.after)
	default:
		c.Follow(n.cycle.String(), n.before, n.after)
	}
}

// cost is what something that nothing was authorized for costs besides.
func (n *presentedNote) cost() control.Standing {
	return control.Standing{}.WithFees(n.after.SpentFees-n.before.SpentFees, n.after.KeptFees-n.before.KeptFees)
}

// alerts are what is to be told of limits after it was counted: of those that count
// a forced presentment, and of those that something else has raised.
func (n *presentedNote) alerts(c *control.Counters, f *Facts, before []VelocityState) []TransactionEvent {
	var all []TransactionEvent
	for i := range f.Velocity {
		v := &f.Velocity[i]
		if n.forced == nil && !v.used(c, f.Tenant).isAbove(before[i]) {
			continue
		}
		if a := v.alert(c, f.Tenant, f.Now, n.cost().SpentFees); a != nil {
			all = append(all, TransactionEvent{Name: EventVelocityThreshold, Transaction: *n.by, Velocity: a})
		}
	}
	return all
}

// watchers finds the limits of the card of t that want to tell how much is used.
func (l *Limits) watchers(ctx context.Context, tx db.Tx, t *Transaction) (*Facts, error) {
	f := &Facts{Tenant: t.Tenant, Now: t.CreatedAt}
	if l.Controls == nil {
		return f, nil
	}
	k, cfg, err := l.configuration(ctx, tx, t.Tenant)
	if err != nil || !k.HasWatchers() {
		return f, err
	}
	o, err := l.occasion(ctx, tx, t, cfg, k)
	if err != nil {
		return nil, err
	}
	bounds, err := l.Controls.Watchers(ctx, k, o)
	for _, b := range bounds {
		f.Velocity = append(f.Velocity, velocityFacts(&b, nil))
	}
	return f, err
}

// bind finds the limits that a presentment without an authorization counts under.
func (l *Limits) bind(ctx context.Context, tx db.Tx, t *Transaction) (*Facts, error) {
	f := presentedFacts(t)
	if l.Controls == nil {
		return f, nil
	}
	k, cfg, err := l.configuration(ctx, tx, t.Tenant)
	if err != nil || k.IsEmpty() {
		return f, err
	}
	o, err := l.occasion(ctx, tx, t, cfg, k)
	if err != nil {
		return nil, err
	}
	return f, (&binder{programs: l.Programs, controls: l.Controls}).bindVelocity(ctx, f, k, o)
}

// occasion is what controls are asked about a presentment.
func (l *Limits) occasion(ctx context.Context, tx db.Tx, t *Transaction, cfg *program.Configuration, k *control.Snapshot) (*control.Occasion, error) {
	o := &control.Occasion{
		Tenant: t.Tenant, Facts: &rule.Facts{}, At: t.CreatedAt,
		Calendar: control.Calendar{Zone: cfg.Tenant.Zone, WeekStart: cfg.Attributes.WeekStart},
	}
	var err error
	if o.Subject, err = control.ReadSubject(ctx, tx, cfg, t.Issuance); err != nil {
		return nil, err
	}
	if o.Links, err = l.Controls.LinksOf(ctx, k, t.Tenant, o.Subject); err != nil {
		return nil, err
	}
	card, err := l.Cards.CardOf(ctx, access.System(cfg.Tenant), t.Card)
	if err != nil {
		return nil, fmt.Errorf("read card for rules: %w", err)
	}
	t.RuleFacts(o.Facts, cfg.Tenant.Zone)
	CardRuleFacts(o.Facts, card, t.CreatedAt, cfg.Tenant.Zone)
	o.Facts.SetList(rule.TransactionMCCGroup, k.Lists.Groups(t.Message.MCC))
	return o, nil
}
