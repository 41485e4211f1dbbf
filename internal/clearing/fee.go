package clearing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// openDues reads the fees of the life cycles that the records concern.
func (b *batch) openDues(ctx context.Context, tx db.Tx) (err error) {
	var roots []string
	for _, t := range b.transactions {
		roots = append(roots, t.Root.String())
	}
	b.dues, err = fee.OpenDues(ctx, tx, roots)
	return err
}

// chargeFees brings the fees of the life cycle that r belongs to to what was
// presented of it by now: what several records pay together is the fee on their
// sum, however late or forced they are. One that comes again after a chargeback
// costs nothing more.
func (b *batch) chargeFees(r *record) error {
	t := r.transaction
	if t == nil || r.original == nil {
		return nil
	}
	root := t.Root.String()
	switch {
	case t.Flow == authorization.Clearing:
		refused := r.original.Status == authorization.StatusDeclined
		b.dues.Each(root, func(d *fee.Due) {
			if refused && !d.Kept.IsZero() {
				d.Refuse(money.Zero(t.Billing.Currency())) // it went through after all
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
	changes, err := b.dues.Settle(b.book, root, hold, fee.Act{
		Transaction: t.ID.String(), Description: r.MerchantName, BusinessOn: b.in.BusinessOn, At: r.place.at(b.in.At), Real: b.in.At,
	})
	if err != nil {
		return fmt.Errorf("charge fees of line %d: %w", r.Line, err)
	}
	if t.Additional = fee.Charged(changes); t.HasBalance {
		if a, ok := b.book.Account(t.Account); ok {
			t.PostedAfter, t.AvailableAfter = a.Posted, a.Available()
		}
	}
	return nil
}
