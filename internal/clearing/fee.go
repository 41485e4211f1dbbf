package clearing

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// openDues reads the fees of the life cycles that the records concern.
func (b *batch) openDues(ctx context.Context, tx db.Tx) error {
	var roots []string
	for _, t := range b.transactions {
		roots = append(roots, t.Root.String())
	}
	var credited []ledger.AccountID
	for _, r := range b.records {
		if r.isDebit() {
			continue
		}
		credited = append(credited, r.place.account)
		for _, f := range b.found[r.ref] {
			if t := b.transactions[f.ID]; t != nil {
				credited = append(credited, t.Account) // of a former holder
			}
		}
	}
	pending, err := fee.PendingRoots(ctx, tx, credited)
	if err != nil {
		return fmt.Errorf("find pending fees: %w", err)
	}
	b.dues, err = fee.OpenDues(ctx, tx, append(roots, pending...))
	return err
}

// chargeFees brings the fees of the life cycle that r belongs to to what was
// presented of it by now: what several records pay together is the fee on their
// sum, however late or forced they are. One that comes again after a chargeback
// costs nothing more.
func (b *batch) chargeFees(ctx context.Context, tx db.Tx, r *record) error {
	t := r.transaction
	if t == nil {
		return nil
	}
	if err := b.beginFees(ctx, tx, r, t); err != nil {
		return fmt.Errorf("find fees of line %d: %w", r.Line, err)
	}
	if r.original != nil || t.IsForcePost {
		if err := b.followFees(r, t); err != nil {
			return fmt.Errorf("charge fees of line %d: %w", r.Line, err)
		}
	}
	if !t.IsDebit {
		collected, err := b.dues.Collect(b.book, t.Account, b.act(r))
		if err != nil {
			return fmt.Errorf("collect fees: %w", err)
		}
		b.collected = append(b.collected, collected...)
	}
	if a, ok := b.book.Account(t.Account); ok && t.HasBalance {
		t.PostedAfter, t.AvailableAfter = a.Posted, a.AvailableTo(t.Issuance.String())
	}
	return nil
}

// beginFees lets a presentment that nothing was authorized for, or that was
// declined, cost what it would have as a payment of its moment: it is one.
func (b *batch) beginFees(ctx context.Context, tx db.Tx, r *record, t *authorization.Transaction) error {
	isFirst := !slices.ContainsFunc(b.fresh, func(x *authorization.Transaction) bool {
		return x.Root == t.Root && x != t && x.Flow == authorization.Clearing
	})
	if !t.IsForcePost || t.Flow != authorization.Clearing || !isFirst || r.original != nil && r.original.Status != authorization.StatusDeclined {
		return nil
	}
	root := t.Root.String()
	fresh, err := b.limits.Fees(ctx, tx, t, b.dues.Of(root), b.presented)
	b.dues.Begin(t.Tenant, t.Account, root, fresh, t.CreatedAt)
	return err
}

// act is what charges fees in the name of a record.
func (b *batch) act(r *record) fee.Act {
	return fee.Act{
		Transaction: r.transaction.ID.String(), Account: r.transaction.Account, Description: r.MerchantName,
		Region: r.transaction.CreditPurpose(nil).Region, BusinessOn: b.in.BusinessOn, At: r.place.at(b.in.At), Real: b.in.At,
	}
}

// followFees tells the fees of a life cycle what a record did to it, and charges
// what they come to.
func (b *batch) followFees(r *record, t *authorization.Transaction) error {
	root := t.Root.String()
	switch {
	case t.Flow == authorization.Clearing:
		refused := r.original != nil && r.original.Status == authorization.StatusDeclined
		b.dues.Each(root, func(d *fee.Due) {
			switch {
			case refused:
				d.Refuse(money.Zero(t.Billing.Currency())) // it went through after all
			case t.IsForcePost:
				d.Return(t.Billing) // what was reversed
			}
			d.Move(t.Billing)
		})
	case t.Flow == authorization.Refund:
		b.dues.Each(root, func(d *fee.Due) { d.GiveBack(t.Billing) })
	case t.Flow == authorization.ClearingReversal && r.original.Flow == authorization.Refund:
		b.dues.Each(root, func(d *fee.Due) { d.GiveBack(t.Billing.Neg()) })
	case t.Flow == authorization.ClearingReversal && r.original.Flow != authorization.Representment:
		b.dues.Each(root, func(d *fee.Due) {
			d.TakeBack(t.Billing)
			d.Move(t.Billing.Neg())
		})
	}
	var hold ledger.HoldID
	if c := b.chains[t.Root]; c != nil {
		hold = c.hold
	}
	changes, err := b.dues.Settle(b.book, root, hold, b.act(r))
	t.Additional = fee.Charged(changes)
	b.feesTold = append(b.feesTold, authorization.FeesTold{Tenant: t.Tenant, Card: t.Card, Transaction: t.ID, Lines: t.Additional})
	return err
}
