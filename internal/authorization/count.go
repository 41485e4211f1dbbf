package authorization

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// What a life cycle uses of velocity limits follows what it stands for: increments
// add what they use themselves, completions bring all of it to their amount, and
// what is given back is given back in proportion to what was converted.

// openCounters locks the counters that the operations count under, and those
// that the life cycles they refer to have something of. It comes after the
// accounts, in the order of all locks.
func (w *work) openCounters(ctx context.Context, tx db.Tx, ops []*operation) error {
	var keys []control.CounterKey
	var spans []control.SpanOf
	for _, op := range ops {
		for i := range op.facts.Velocity {
			v := &op.facts.Velocity[i]
			if !v.Counts {
				continue
			}
			keys = append(keys, v.key(op.facts.Tenant))
			spans = v.span(op.facts.Tenant, spans)
		}
		for i := range op.facts.watchers {
			spans = op.facts.watchers[i].span(op.facts.Tenant, spans)
		}
	}
	for _, op := range ops {
		for i := range op.facts.Fees {
			if v := &op.facts.Fees[i]; v.Counter != "" {
				keys = append(keys, v.key(op.facts.Tenant))
			}
		}
	}
	roots := map[string]bool{}
	var named []string
	for _, t := range w.transactions {
		if root := t.Root.String(); !roots[root] {
			roots[root] = true
			named = append(named, root)
		}
	}
	var err error
	if w.counters, err = control.OpenCounters(ctx, tx, keys, spans, named, w.at); err != nil {
		return fmt.Errorf("open velocity counters: %w", err)
	}
	spans = spans[:0]
	for _, op := range ops {
		for i := range op.facts.Velocity {
			if v := w.asCounted(op, &op.facts.Velocity[i]); v.Subject != op.facts.Velocity[i].Subject {
				spans = v.span(op.facts.Tenant, spans)
			}
		}
	}
	return w.counters.AddUp(ctx, tx, spans)
}

// span adds the rolling window that the limit adds up, if it does, to others.
func (v *VelocityFacts) span(tenant access.TenantID, to []control.SpanOf) []control.SpanOf {
	if v.From.IsZero() {
		return to
	}
	return append(to, control.SpanOf{Key: v.key(tenant), From: v.From})
}

// used is what stands under the counter of the limit now.
func (v *VelocityFacts) used(c *control.Counters, tenant access.TenantID) (u VelocityState) {
	if v.Counts {
		u.Amount, u.Count = c.Used(v.key(tenant), !v.From.IsZero(), v.From)
	}
	return u
}

// usedOf is what stands under the counters of limits now.
func usedOf(all []VelocityFacts, c *control.Counters, tenant access.TenantID) []VelocityState {
	var states []VelocityState
	for i := range all {
		states = append(states, all[i].used(c, tenant))
	}
	return states
}

// stood is what stood before an operation: of the life cycle that it refers to,
// and of the one transaction of it that it names.
type stood struct {
	all control.Standing
	of  int64
}

func (w *work) stood(t *Transaction) stood {
	if t == nil {
		return stood{}
	}
	return stood{w.standing(t), t.Outstanding().Minor()}
}

// standing is what a life cycle still holds or has moved of what was approved,
// seen from one of its transactions.
func (w *work) standing(t *Transaction) control.Standing {
	h, held := w.book.Hold(t.Hold)
	fees := func(s control.Standing) control.Standing { return s.WithFees(w.feesOf(t.Root, t.Hold)) }
	if !held {
		return fees(control.StandingOf(t.Outstanding(), t.Refunded))
	}
	first := w.transactions[t.Root]
	if first == nil {
		first = t
	}
	// What was presented and taken back again is still consumed of the hold.
	return fees(control.StandingOf(plus(first.Cleared, h.Remaining()), first.Refunded))
}

// feesOf is what a life cycle on this hold costs besides, as it stands.
func (w *work) feesOf(root TransactionID, hold ledger.HoldID) (spent, kept int64) {
	dues := w.dues.Of(root.String())
	if len(dues) == 0 {
		return 0, 0
	}
	held := money.Zero(dues[0].Moved.Currency())
	if h, found := w.book.Hold(hold); found {
		held = h.Remaining()
	}
	return w.dues.Stands(root.String(), held)
}

// count books what op uses of its limits, or what it gives back. before is what
// its original stood for.
func (w *work) count(op *operation, d Decision, o Original, t *Transaction, before stood) {
	f := op.facts
	orig := w.transactions[o.ID]
	switch {
	case d.Status == StatusDeclined || d.Status == StatusFailed:
		w.countDecline(f, t.ID)
	case op.req.Flow.IsReversal():
		if orig == nil || !o.SameCard {
			return
		}
		named := orig.ID.String()
		if orig.IsAdvice && orig.ID != orig.Root {
			named = "" // a completion speaks for all that it completed
		}
		w.counters.FollowReversal(orig.Root.String(), named, before.of, before.all, w.standing(orig))
	case !t.IsDebit:
	case t.Root == t.ID:
		w.use(f, t.ID, t.ID, d.Approved, countOf(d, o), control.Standing{}.WithFees(w.feesOf(t.ID, t.Hold)))
	case op.req.IsIncrement && !t.IsAdvice:
		spent, kept := w.feesOf(t.Root, t.Hold)
		w.use(f, t.ID, t.Root, d.Approved, 0, control.Standing{}.WithFees(spent-before.all.SpentFees, kept-before.all.KeptFees))
	case d.Post.Sign() > 0: // a completion that posts
		w.counters.Follow(t.Root.String(), before.all, control.StandingOf(plus(d.Approved, o.Cleared), orig.Refunded).WithFees(w.feesOf(t.Root, o.Hold)))
	default:
		w.counters.Follow(t.Root.String(), before.all, w.standing(orig))
	}
}

// countOf is how often a new life cycle counts: not again when it only reports
// what was presented before.
func countOf(d Decision, o Original) int64 {
	if d.Forced && o.Found && o.SameCard && o.IsDebit && o.Cleared.Sign() > 0 {
		return 0
	}
	return 1
}

// recount brings what a request used while its client was asked to what became of
// it. before is what its life cycle stood for, on the hold that was reserved.
func (w *work) recount(op *operation, d Decision, t *Transaction, before control.Standing, reserved ledger.HoldID) {
	f := op.facts
	if !t.IsDebit {
		return
	}
	approved := d.Approved
	if d.Status == StatusDeclined {
		approved = money.Zero(f.Billing.Currency())
	}
	asked := f.Billing.Minor()
	back := asked - approved.Minor()
	if t.Root == t.ID {
		before.Spent, before.Kept = asked, asked
	}
	after := control.Standing{Spent: before.Spent - back, Kept: max(0, before.Kept-back)}
	if d.Status != StatusDeclined || t.Root != t.ID { // what a decline costs is no use of a limit
		after = after.WithFees(w.feesOf(t.Root, reserved))
	}
	w.counters.FollowReversal(t.Root.String(), t.ID.String(), asked, before, after)
	if d.Status == StatusDeclined {
		// What lies in a window that has ended never changes: the attempt stays
		// counted there.
		open := *f
		open.Velocity = slices.DeleteFunc(slices.Clone(f.Velocity), func(v VelocityFacts) bool {
			return !v.Ends.IsZero() && !v.Ends.After(w.at(f.Tenant))
		})
		for i := range open.Velocity {
			open.Velocity[i] = *w.asCounted(op, &open.Velocity[i])
		}
		w.countDecline(&open, t.ID)
	}
}

// countDecline counts a decline where a limit counts those, without its amount.
func (w *work) countDecline(f *Facts, t TransactionID) {
	for i := range f.Velocity {
		if v := &f.Velocity[i]; v.Counts && v.CountsDeclines {
			u := v.use(f.Tenant, t, t, f.Now)
			u.Count = 1
			w.counters.Add(u)
		}
	}
}

// use counts an amount in the account's currency, which may be less than was asked
// for, with what it costs besides.
func (w *work) use(f *Facts, t, cycle TransactionID, approved money.Amount, count int64, cost control.Standing) {
	for i := range f.Velocity {
		if v := &f.Velocity[i]; v.Counts && (count > 0 || approved.Sign() > 0) {
			u := v.use(f.Tenant, t, cycle, f.Now)
			u.Of, u.Count = approved.Minor(), count
			if v.Amount != nil {
				u.Amount = share(v.Amount.Minor(), approved, f.Billing)
			}
			if v.CountsFees {
				u.CountsFees, u.Par, u.Fees = true, v.par(), cost.SpentFees
				if v.Lowers {
					u.Fees = cost.KeptFees
				}
			}
			w.counters.Add(u)
		}
	}
}

// use is a use of the limit by a transaction, without what it is.
func (v *VelocityFacts) use(tenant access.TenantID, t, cycle TransactionID, at time.Time) control.Use {
	return control.Use{
		Key: v.key(tenant), Transaction: t.String(), Cycle: cycle.String(), At: at, Ends: v.Ends, IsSpan: !v.From.IsZero(),
		Adjusts: v.Adjusts, Lowers: v.Lowers,
	}
}

// share is minor × part ÷ whole, half up; all of it without a whole.
func share(minor int64, part, whole money.Amount) int64 {
	if whole.Sign() <= 0 || part == whole {
		return minor
	}
	n := new(big.Int).Mul(big.NewInt(minor), big.NewInt(2*part.Minor()))
	n.Add(n, big.NewInt(whole.Minor()))
	return n.Div(n, big.NewInt(2*whole.Minor())).Int64()
}

// giveBackExpired gives back what expired life cycles have used and not cleared.
// holds are as they were before their release.
func giveBackExpired(ctx context.Context, tx db.Tx, ended []*Transaction, holds map[ledger.HoldID]ledger.Hold, now time.Time) error {
	var roots []string
	for _, t := range ended {
		roots = append(roots, t.Root.String())
	}
	c, err := control.OpenCounters(ctx, tx, nil, nil, roots, func(access.TenantID) time.Time { return now })
	if err != nil {
		return fmt.Errorf("open velocity counters: %w", err)
	}
	dues := fee.NewDues()
	if c.CountsFees() {
		if dues, err = fee.OpenDues(ctx, tx, roots); err != nil {
			return fmt.Errorf("open fees: %w", err)
		}
	}
	for _, t := range ended {
		if h, ok := holds[t.Hold]; ok && t.ID == t.Root {
			root, zero := t.Root.String(), money.Zero(t.Billing.Currency())
			before := control.StandingOf(plus(t.Cleared, h.Remaining()), t.Refunded).WithFees(dues.Stands(root, h.Remaining()))
			c.Follow(root, before, control.StandingOf(t.Cleared, t.Refunded).WithFees(dues.Stands(root, zero)))
		}
	}
	return c.Write(ctx, tx)
}
