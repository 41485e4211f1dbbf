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
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Presented is what a clearing file does to what was used of velocity limits. It is
// noted in the order in which it happens and counted at once.
type Presented struct{ notes []presentedNote }

// presentedNote is that a life cycle stands for something else, or a presentment
// that nothing was authorized for.
type presentedNote struct {
	cycle         TransactionID
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

// Cost notes what the life cycle that was noted from a place on costs after it.
func (p *Presented) Cost(from int, spent, kept int64) {
	for i := range p.notes[from:] {
		n := &p.notes[from+i]
		n.after = n.after.WithFees(spent, kept)
	}
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

// Count keeps what was noted. It comes after the accounts, in the order of all
// locks. What nothing was authorized for is counted where it would have been,
// and never declined.
func (l *Limits) Count(ctx context.Context, tx db.Tx, p *Presented, at clock.Real, now func(access.TenantID) time.Time) error {
	ctx = db.WithTx(ctx, tx) // what is read is read in tx
	var cycles []string
	var keys []control.CounterKey
	var spans []control.SpanOf
	forced := map[TransactionID]*Facts{}
	for _, n := range p.notes {
		if n.forced == nil {
			cycles = append(cycles, n.cycle.String())
			continue
		}
		f, err := l.bind(ctx, tx, n.forced)
		if err != nil {
			return fmt.Errorf("find limits of presentment: %w", err)
		}
		forced[n.cycle] = f
		for i := range f.Velocity {
			if v := &f.Velocity[i]; v.Counts {
				keys = append(keys, v.key(f.Tenant))
				if !v.From.IsZero() {
					spans = append(spans, control.SpanOf{Key: v.key(f.Tenant), From: v.From})
				}
			}
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
	for _, n := range p.notes {
		switch f := forced[n.cycle]; {
		case n.forced != nil:
			cost := control.Standing{}.WithFees(n.after.SpentFees-n.before.SpentFees, n.after.KeptFees-n.before.KeptFees)
			(&work{counters: c}).use(f, n.cycle, n.cycle, f.Billing, 1, cost)
			for i := range f.Velocity {
				if a := f.Velocity[i].alert(c, f.Tenant, f.Now, cost.SpentFees); a != nil {
					alerts = append(alerts, TransactionEvent{Name: EventVelocityThreshold, Transaction: *n.forced, Velocity: a})
				}
			}
		case n.authorized != nil:
			c.FollowLate(n.cycle.String(), n.before, n.after, *n.authorized)
		case n.isClearing:
			c.FollowCleared(n.cycle.String(), n.before, n.after)
		default:
			c.Follow(n.cycle.String(), n.before, n.after)
		}
	}
	if err := Raise(ctx, tx, alerts, at); err != nil {
		return fmt.Errorf("raise alerts: %w", err)
	}
	return c.Write(ctx, tx)
}

// bind finds the limits that a presentment without an authorization counts under.
func (l *Limits) bind(ctx context.Context, tx db.Tx, t *Transaction) (*Facts, error) {
	f := &Facts{Transaction: t.ID, Tenant: t.Tenant, Billing: t.Billing, Convertible: true, Now: t.CreatedAt}
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
