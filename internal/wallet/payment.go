package wallet

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// settlementDays is how many days after a payment its merchant may use the money.
const settlementDays = 1

// Pay moves an amount to a business, which is not its own payer: first what the payment balance has, the rest
// from cash. The business has it held until its settlement day. What a business
// sells is not asked against its limits.
func (s *Service) Pay(ctx context.Context, c access.Caller, in Between) (Moved, error) {
	return s.move(ctx, c, in.request(), func(w *work) error { return w.pay(in) })
}

func (w *work) pay(in Between) error {
	from, err := w.of(in.FromNo, in.FromAccountNo)
	if err != nil {
		return err
	}
	to := w.wallets[in.ToNo]
	switch {
	case to.Account.Kind != Business:
		return ErrBusinessNotFound
	case from.Account.ID == to.Account.ID: // its card money would become its cash
		return ErrWrongParty
	}
	if err := acceptable(in.Amount, from, to); err != nil {
		return err
	}
	if err := from.mayMove(OnPayment, in.Amount); err != nil {
		return err
	}
	ofPayment := lesser(from.Balances.Payment, in.Amount)
	ofCash := minus(in.Amount, ofPayment)
	if from.Balances.Cash.Cmp(ofCash) < 0 {
		return ErrBalance
	}
	w.begin(Payment, from, to, in.Amount)
	w.made.OfPayment, w.made.SettleOn = ofPayment, clock.DateOf(w.at, istanbul).AddDays(settlementDays)
	from.count(OnPayment, in.Amount)
	held := w.bucket(to.Wallet.CashHeld)
	return w.post("W4", leg{w.bucket(from.Wallet.Payment), held, ofPayment}, leg{w.bucket(from.Wallet.Cash), held, ofCash})
}

// NewRefund gives back what was paid, or a part of it.
type NewRefund struct {
	ExternalID string
	Original   ID
	Amount     money.Amount
	Whole      bool // nothing less than all of it
	Note       Note
}

// GiveBack refunds a payment. The payer's payment balance gets back what the
// payment took from it, before cash does. The business pays from what it has held
// of this payment; once that was settled, from its cash.
func (s *Service) GiveBack(ctx context.Context, c access.Caller, in NewRefund) (Moved, error) {
	var original Transaction // as the last run of the rule leaves it
	asked := request{key: in.ExternalID, keyKind: externalKey, used: ErrKeyUsed, note: in.Note}
	asked.whose = func(ctx context.Context, tx db.Tx) ([]string, error) {
		return numbersOf(ctx, tx, c.Tenant, in.Original)
	}
	out, err := s.move(ctx, c, asked, func(w *work) (err error) {
		// Read under the rows of its wallets, which whoever changes it holds.
		if original, err = mustTransaction(ctx, w.tx, c.Tenant, in.Original); err != nil {
			return err
		}
		back, err := original.refund(in)
		if err != nil {
			return err
		}
		payer, business := w.wallet(original.From), w.wallet(original.To)
		from := business.Wallet.Cash
		if !original.SettleOn.IsZero() {
			from = business.Wallet.CashHeld
		} else if business.Balances.Cash.Cmp(in.Amount) < 0 {
			return ErrBalance
		}
		w.begin(Refund, business, payer, in.Amount)
		w.made.Original, w.made.OfPayment, w.made.Month = original.ID, back, ""
		if original.Month == payer.Month.Name {
			w.made.Month = original.Month
			payer.count(OnPayment, in.Amount.Neg())
		}
		original.Refunded, original.RefundedPayment = plus(original.Refunded, in.Amount), plus(original.RefundedPayment, back)
		if original.Refunded.Cmp(original.Amount) == 0 {
			original.Status = Refunded
		}
		if err := updateTransaction(ctx, w.tx, original); err != nil {
			return fmt.Errorf("write the payment: %w", err)
		}
		source := w.bucket(from)
		return w.post("W5", leg{source, w.bucket(payer.Wallet.Payment), back}, leg{source, w.bucket(payer.Wallet.Cash), minus(in.Amount, back)})
	})
	out.Original = original
	return out, err
}

// refund tells how much of a refund goes to the payment balance, or why it cannot
// be.
func (t Transaction) refund(in NewRefund) (ofPayment money.Amount, err error) {
	switch {
	case t.Kind != Payment:
		return ofPayment, ErrNotThisWay
	case in.Whole && !t.Refunded.IsZero():
		return ofPayment, ErrUndone
	case in.Amount.Sign() <= 0, in.Amount.Currency() != t.Amount.Currency(), in.Amount.Cmp(minus(t.Amount, t.Refunded)) > 0,
		in.Whole && in.Amount.Cmp(t.Amount) != 0:
		return ofPayment, ErrAmount
	}
	return lesser(in.Amount, minus(t.OfPayment, t.RefundedPayment)), nil
}
