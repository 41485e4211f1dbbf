package authorization

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// What a life cycle uses of velocity limits lies under its first transaction:
// increments add to it, completions bring it to their amount, and what is given
// back is given back from it.

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
			keys = append(keys, v.key(op.facts))
			if !v.From.IsZero() {
				spans = append(spans, control.SpanOf{Key: v.key(op.facts), From: v.From})
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
	if w.counters, err = control.OpenCounters(ctx, tx, keys, spans, named); err != nil {
		return fmt.Errorf("open velocity counters: %w", err)
	}
	return nil
}

// used is what stands under the counters of op now.
func (w *work) used(op *operation) []VelocityState {
	var all []VelocityState
	for i := range op.facts.Velocity {
		v := &op.facts.Velocity[i]
		var u VelocityState
		if v.Counts {
			u.Amount, u.Count = w.counters.Used(v.key(op.facts), !v.From.IsZero(), v.From)
		}
		all = append(all, u)
	}
	return all
}

// stands is what a life cycle still holds or has moved of what was approved,
// seen from one of its transactions; zero without one.
func (w *work) stands(t *Transaction, zero money.Amount) money.Amount {
	if t == nil {
		return zero
	}
	if h, ok := w.book.Hold(t.Hold); ok {
		return minus(minus(h.Authorized, h.Reversed), h.Released)
	}
	return t.Outstanding()
}

// count books what op uses of its limits, or what it gives back. before is what
// its original stood for.
func (w *work) count(op *operation, d Decision, o Original, t *Transaction, before money.Amount) {
	f := op.facts
	orig := w.transactions[o.ID]
	switch {
	case d.Status == StatusDeclined || d.Status == StatusFailed:
		w.countDecline(f, t.ID)
	case op.req.Flow.IsReversal():
		if orig != nil && o.SameCard {
			w.rescale(orig.Root, before, w.stands(orig, before))
		}
	case !t.IsDebit:
	case t.Root == t.ID:
		w.use(f, t.Root, d.Approved, 1)
	case op.req.IsIncrement:
		w.use(f, t.Root, d.Approved, 0)
	default:
		w.rescale(t.Root, before, plus(d.Approved, o.Cleared))
	}
}

// recount brings what a request used while its client was asked to what became of
// it.
func (w *work) recount(f *Facts, d Decision, t *Transaction, before money.Amount) {
	switch {
	case !t.IsDebit:
	case t.Root != t.ID:
		w.rescale(t.Root, before, w.stands(t, before))
	case d.Status == StatusDeclined:
		w.rescale(t.ID, f.Billing, money.Zero(f.Billing.Currency()))
		w.countDecline(f, t.ID)
	default:
		w.rescale(t.ID, f.Billing, d.Approved)
	}
}

// countDecline counts a decline where a limit counts those, without its amount.
func (w *work) countDecline(f *Facts, t TransactionID) {
	for i := range f.Velocity {
		if v := &f.Velocity[i]; v.Counts && v.CountsDeclines {
			w.counters.Use(v.key(f), t.String(), 0, 1, f.Now)
		}
	}
}

// use adds an amount in the account's currency, which may be less than was asked
// for.
func (w *work) use(f *Facts, root TransactionID, approved money.Amount, count int64) {
	for i := range f.Velocity {
		v := &f.Velocity[i]
		if !v.Counts {
			continue
		}
		var amount int64
		if v.Amount != nil {
			amount = share(v.Amount.Minor(), approved, f.Billing)
		}
		w.counters.Use(v.key(f), root.String(), amount, count, f.Now)
	}
}

// rescale brings what a life cycle uses from the amount it stood for to another
// one. Of nothing, nothing is left, not even that it was.
func (w *work) rescale(root TransactionID, from, to money.Amount) {
	rescaleUsage(w.counters, root, from, to, w.now)
}

func rescaleUsage(c *control.Counters, root TransactionID, from, to money.Amount, now time.Time) {
	for _, k := range c.Usages(root.String()) {
		amount, count := c.Of(k, root.String())
		switch target := share(amount, to, from); {
		case to.Sign() <= 0:
			c.Return(k, root.String(), amount, count)
		case target < amount:
			c.Return(k, root.String(), amount-target, 0)
		case target > amount:
			c.Use(k, root.String(), target-amount, 0, now)
		}
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
	c, err := control.OpenCounters(ctx, tx, nil, nil, roots)
	if err != nil {
		return fmt.Errorf("open velocity counters: %w", err)
	}
	done := map[TransactionID]bool{}
	for _, t := range ended {
		if h, ok := holds[t.Hold]; ok && !done[t.Root] {
			done[t.Root] = true
			rescaleUsage(c, t.Root, minus(h.Authorized, h.Reversed), h.Cleared, now)
		}
	}
	return c.Write(ctx, tx)
}
