package authorization

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Clearing records have no decision: what they did stands in the state that later
// decisions were made on. Only where the draft counts or charges otherwise does it
// have to be known what the live code would have made of them, see [Limits].

// isForced reports whether it is a presentment that nothing was authorized for, which
// limits count by itself.
func (t *Transaction) isForced() bool { return t.IsForcePost && t.Flow == Clearing }

// present takes a clearing record into the replayed world.
func (p *replaying) present(ctx context.Context, t *Transaction) error {
	if err := p.world.present(t); err != nil {
		return err
	}
	if c := p.world.cycles[t.Root]; p.draft == nil || !t.isForced() || c != nil && c.isOnlyRecorded() {
		return nil // of what the replay has declined nothing is presented
	}
	x := forcedAgain{Transaction: t}
	err := p.db.View(ctx, func(tx db.Tx) error { return p.bindForced(db.WithTx(ctx, tx), tx, &x) })
	if err != nil {
		return fmt.Errorf("find limits and fees of presentment: %w", err)
	}
	if len(x.facts.Velocity) == 0 && len(x.groups) == 0 {
		return nil
	}
	if t.CreatedAt.Before(p.order.From) {
		p.world.countForced(&x)
		return nil
	}
	return p.world.force(&x)
}

// forcedAgain is a presentment that nothing was authorized for, as the draft has it.
type forcedAgain struct {
	*Transaction
	facts *Facts // with those limits only that count anew, and all fees of the draft
	// had are the fees that the recorded world began with it, groups those that the
	// draft touches.
	had    []fee.Due
	groups map[string]bool
}

// bindForced finds the limits of the draft that count it and the fees on it.
func (p *replaying) bindForced(ctx context.Context, tx db.Tx, x *forcedAgain) error {
	t := x.Transaction
	o, err := p.occasionOf(ctx, tx, t)
	if err != nil {
		return err
	}
	f := presentedFacts(t)
	x.facts = f
	if err := p.binder.bindVelocity(ctx, f, p.draft, o); err != nil {
		return err
	}
	f.Velocity = slices.DeleteFunc(f.Velocity, func(v VelocityFacts) bool { return !v.Counts || p.draft.KeepsCountOf(v.Code, o) })
	begins, err := p.beginsFees(ctx, tx, t)
	if err != nil || !begins {
		return err
	}
	dues, err := fee.OpenDues(ctx, tx, []string{t.Root.String()})
	if err != nil {
		return err
	}
	f.bindPresentedFees(t, p.cfg, p.draft, o)
	x.groups = map[string]bool{}
	for _, due := range dues.Of(t.Root.String()) {
		d := fee.NewDue(due.Applied)
		d.Most, d.StandsAlone, d.IsFree = due.Most, due.StandsAlone, due.IsFree
		x.had = append(x.had, d)
		p.touchGroup(x.groups, &d)
	}
	for i := range f.Fees {
		p.touchGroup(x.groups, &f.Fees[i].Due)
	}
	return nil
}

// beginsFees reports whether fees begin with a presentment that nothing was
// authorized for: the first of its own life cycle, or of one that was declined.
func (p *replaying) beginsFees(ctx context.Context, tx db.Tx, t *Transaction) (bool, error) {
	if t.Root == t.ID {
		return true, nil
	}
	first, err := ReadTransactions(ctx, tx, []TransactionID{t.Root})
	if err != nil || first[t.Root] == nil || first[t.Root].Status != StatusDeclined {
		return false, err
	}
	before, err := wasPresentedBefore(ctx, tx, t.Root, t.ID)
	return !before, err
}

// occasionOf is what controls are asked about a presentment. Its card is as it was
// when something was decided on it last before; else as it is now.
func (p *replaying) occasionOf(ctx context.Context, tx db.Tx, t *Transaction) (*control.Occasion, error) {
	r, found, err := lastRecordBefore(ctx, tx, t)
	if err != nil {
		return nil, err
	}
	if !found || r.Facts.Subject.Zone == "" {
		return p.limits.occasion(ctx, tx, t, p.cfg, p.draft)
	}
	was := &r.Facts
	o := &control.Occasion{Tenant: t.Tenant, Subject: was.subject(), Facts: &rule.Facts{}, At: t.CreatedAt, Calendar: p.calendar()}
	if o.Links, err = p.binder.controls.LinksOf(ctx, p.draft, t.Tenant, o.Subject); err != nil {
		return nil, err
	}
	t.RuleFacts(o.Facts, o.Calendar.Zone)
	was.Subject.ruleFacts(o.Facts, &was.Card, &was.Product, t.CreatedAt, o.Calendar.Zone)
	o.Facts.SetList(rule.TransactionMCCGroup, p.draft.Lists.Groups(t.Message.MCC))
	return o, nil
}

// countForced counts what was presented before the period: of its fees only those
// that would have been free, as of a decision.
func (w *replayWorld) countForced(x *forcedAgain) {
	c := w.beginForced(x)
	c.is.useForced(x, w.freeOf(x), control.Standing{})
	w.carry(c, x.Transaction)
}

// force lets a presentment be charged in both worlds, and counts it in the replayed
// one.
func (w *replayWorld) force(x *forcedAgain) error {
	c := w.beginForced(x)
	free := w.freeOf(x)
	var again []fee.Due
	for _, d := range x.had {
		if !x.groups[d.Group] {
			again = append(again, d)
		}
	}
	for i := range x.facts.Fees {
		if due := x.facts.Fees[i].Due; x.groups[due.Group] {
			due.IsFree = slices.Contains(free, i)
			again = append(again, due)
		}
	}
	posted, err := c.was.chargeForced(x, x.had)
	if err != nil {
		return err
	}
	postedAgain, err := c.is.chargeForced(x, again)
	if err != nil {
		return err
	}
	zero := money.Zero(x.Billing.Currency())
	c.is.useForced(x, free, control.Standing{}.WithFees(c.is.dues.Stands(x.ID.String(), zero)))
	w.shiftGap(c.account, postedAgain-posted, 0)
	w.carry(c, x.Transaction)
	return nil
}

// beginForced is a life cycle with the presentment alone, as it was at its moment.
func (w *replayWorld) beginForced(x *forcedAgain) *cycle {
	zero := money.Zero(x.Billing.Currency())
	c := &cycle{root: x.ID, account: x.Account, was: newCourse(), is: newCourse(), isForced: true}
	for _, k := range []*course{c.was, c.is} {
		t := *x.Transaction
		t.Status, t.Reversed, t.Refunded = StatusCleared, zero, zero
		k.transactions[t.ID] = &t
	}
	return c
}

// freeOf are the places of those fees that count anew and are free for it.
func (w *replayWorld) freeOf(x *forcedAgain) (free []int) {
	for i := range x.facts.Fees {
		v := &x.facts.Fees[i]
		if v.Counter != "" && w.isAnew(v) && v.isFree(x.Billing, FeeState(w.used(v.key(x.Tenant).String(), time.Time{}))) {
			free = append(free, i)
		}
	}
	return free
}

// useForced counts a presentment under the limits of the draft, and under the fees
// that are free for it. cost is what it costs besides.
func (k *course) useForced(x *forcedAgain, free []int, cost control.Standing) {
	(&work{counters: k.counters}).use(x.facts, x.ID, x.ID, x.Billing, 1, cost)
	for _, i := range free {
		k.counters.Add(x.facts.Fees[i].useOf(x.facts))
	}
}

// chargeForced charges the fees on a presentment, and returns by how much that
// changes what is posted.
func (k *course) chargeForced(x *forcedAgain, all []fee.Due) (posted int64, err error) {
	root, zero := x.ID.String(), money.Zero(x.Billing.Currency())
	k.dues.Begin(x.Tenant, x.Account, root, all, x.CreatedAt)
	k.dues.Each(root, func(due *fee.Due) { due.Move(x.Billing) })
	posted, _, err = k.settle(k.work(replayAccount(x.Account, zero, zero)), x.Transaction, x.ID, x.Account)
	return posted, err
}

// settle brings the fees of a life cycle to what a clearing record makes of them, and
// returns by how much w changes what is posted and held.
func (k *course) settle(w *work, t *Transaction, root TransactionID, account ledger.AccountID) (posted, held int64, err error) {
	var hold ledger.HoldID
	if k.hold != nil {
		hold = k.hold.ID
	}
	if _, err := k.dues.Settle(w.book, root.String(), hold, fee.Act{
		Transaction: t.ID.String(), Account: account, BusinessOn: t.BusinessOn, At: t.CreatedAt, Real: clock.RealAt(t.CreatedAt),
	}); err != nil {
		return 0, 0, err
	}
	k.takeHold(w, ledger.HoldID{})
	a, _ := w.book.Account(account)
	return a.Posted.Minor(), a.Held.Minor(), nil
}

// present takes a clearing record into the course, and returns by how much it
// changes what is posted and held. Of what was not approved nothing is presented.
func (k *course) present(t *Transaction, c *cycle) (posted, held int64, err error) {
	first, zero := k.transactions[c.root], money.Zero(t.Billing.Currency())
	w := k.work(replayAccount(c.account, zero, zero))
	if first == nil && t.isForced() {
		k.dues.Each(c.root.String(), func(due *fee.Due) { due.Refuse(zero) }) // it went through after all
		return k.settle(w, t, c.root, c.account)
	}
	if first == nil || t.Billing.Currency() != first.Billing.Currency() {
		return 0, 0, nil
	}
	before, stood := w.standing(first), zero
	if k.hold != nil {
		stood = k.hold.Remaining()
	}
	k.dues.Stand(c.root.String(), stood)
	k.move(w, t, first, c)
	switch after := w.standing(first); {
	case t.isForced(), t.Flow == Representment: // counted by itself, or when it came first
	case t.Flow == Clearing:
		w.counters.FollowCleared(c.root.String(), before, after)
	default:
		w.counters.Follow(c.root.String(), before, after)
	}
	posted, held, err = k.settle(w, t, c.root, c.account)
	if t.IsDebit {
		return posted - t.Billing.Minor(), held, err
	}
	return posted + t.Billing.Minor(), held, err
}

// move lets a clearing record move the money of the life cycle.
func (k *course) move(w *work, t, first *Transaction, c *cycle) {
	root := c.root.String()
	switch {
	case t.Flow == Refund:
		first.Refunded = plus(first.Refunded, t.Billing)
		k.dues.Each(root, func(due *fee.Due) { due.GiveBack(t.Billing) })
	case t.Flow == ClearingReversal && t.IsDebit: // of a refund
		first.Refunded = minus(first.Refunded, t.Billing)
		k.dues.Each(root, func(due *fee.Due) { due.GiveBack(t.Billing.Neg()) })
	case t.Flow == Representment:
		c.represented = append(c.represented, t.ID)
	case t.Flow == ClearingReversal && slices.Contains(c.represented, t.Original):
	case t.Flow == ClearingReversal:
		k.takeBack(t, first, c)
	case t.IsForcePost:
		k.dues.Each(root, func(due *fee.Due) {
			due.Return(t.Billing) // what was reversed
			due.Move(t.Billing)
		})
	case t.IsDebit:
		k.clear(w, t, first, c)
	}
}

// takeBack takes a presentment of the life cycle back. The hold stays consumed.
func (k *course) takeBack(t, first *Transaction, c *cycle) {
	switch {
	case c.isForced || first.IsPosted():
		first.Status, first.Reversed = StatusReversed, first.Billing
	default:
		if first.Cleared = minus(first.Cleared, t.Billing); first.Cleared.IsZero() && first.Status == StatusCleared {
			first.Status = StatusReversed
		}
	}
	k.dues.Each(c.root.String(), func(due *fee.Due) {
		due.TakeBack(t.Billing)
		due.Move(t.Billing.Neg())
	})
}

// clear presents what is held.
func (k *course) clear(w *work, t, first *Transaction, c *cycle) {
	k.dues.Each(c.root.String(), func(due *fee.Due) { due.Move(t.Billing) })
	if k.hold != nil {
		left := k.hold.Remaining()
		w.book.ClearHold(k.hold.ID, t.Billing)
		isLast := c.first != nil && c.first.Status == StatusCleared && c.first.UpdatedAt.Equal(t.CreatedAt)
		if t.Billing.Cmp(left) >= 0 || isLast {
			w.book.ReleaseHold(k.hold.ID)
		}
		k.takeHold(w, ledger.HoldID{})
	}
	first.Cleared = plus(first.Cleared, t.Billing)
	if first.Status = StatusPartiallyCleared; !k.isOpen() {
		first.Status = StatusCleared
	}
}
