package wallet

import (
	"context"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// settleBatch is how many payments are looked for at once.
const settleBatch = 100

// Settle releases what businesses of a tenant have held of payments whose
// settlement day has come, and returns how many there were. It may run on several
// nodes at once and be broken off at any time: each payment is a transaction of
// its own.
func (s *Service) Settle(ctx context.Context, t access.Tenant) (done int, err error) {
	c := access.System(t)
	today := clock.DateOf(c.Now(s.clock), istanbul)
	for after := ID(0); ; {
		var due []ID
		err := s.db.View(ctx, func(tx db.Tx) (err error) {
			due, err = toSettle(ctx, tx, c.Tenant, today, after, settleBatch)
			return err
		})
		if err != nil {
			return done, fmt.Errorf("look for payments to settle: %w", err)
		}
		if len(due) == 0 {
			return done, nil
		}
		for _, payment := range due {
			settled, err := s.settle(ctx, c, payment)
			if err != nil {
				return done, fmt.Errorf("settle payment %s: %w", payment, err)
			}
			if settled {
				done++
			}
		}
		after = due[len(due)-1]
	}
}

var errSettled = errors.New("it is settled")

// settle settles one payment; of several at once one does.
func (s *Service) settle(ctx context.Context, c access.Caller, payment ID) (bool, error) {
	err := s.follow(ctx, c, payment, func(w *work, t *Transaction) error {
		if t.SettleOn.IsZero() {
			return errSettled
		}
		t.SettleOn = clock.Date{}
		to := w.wallet(t.To)
		return w.post("W10", leg{w.bucket(to.Wallet.CashHeld), w.bucket(to.Wallet.Cash), minus(t.Amount, t.Refunded)})
	})
	if errors.Is(err, errSettled) {
		return false, nil
	}
	return err == nil, err
}

// follow takes a transaction a step further: rule posts and changes it, under the
// rows of its wallets.
func (s *Service) follow(ctx context.Context, c access.Caller, of ID, rule func(w *work, t *Transaction) error) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		w := s.newWork(tx, c)
		numbers, err := numbersOf(ctx, tx, c.Tenant, of)
		if err != nil {
			return err
		}
		if err := s.hold(ctx, w, numbers); err != nil {
			return err
		}
		t, err := mustTransaction(ctx, tx, c.Tenant, of)
		if err != nil {
			return err
		}
		w.made = t
		if err := rule(w, &t); err != nil {
			return err
		}
		if err := w.writeWallets(ctx); err != nil {
			return err
		}
		if err := updateTransaction(ctx, tx, t); err != nil {
			return fmt.Errorf("write transaction: %w", err)
		}
		return nil
	})
}
