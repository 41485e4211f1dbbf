package authorization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// expireBatch is how many holds one transaction releases.
const expireBatch = 100

// Expire releases every hold whose time has passed and returns how many there
// were. A presentment that comes later is still posted. It may run on several
// nodes at once and at any time: a hold is released once.
func (e *Engine) Expire(ctx context.Context) (int, error) {
	return access.EachPass(ctx, e.db, e.clock, func(p access.Pass) (int, error) { return e.ExpireIn(ctx, p) })
}

// ExpireIn is Expire for the tenants of a pass.
func (e *Engine) ExpireIn(ctx context.Context, p access.Pass) (int, error) {
	released := 0
	for {
		n, more, err := e.expireSome(ctx, p)
		released += n
		if err != nil {
			return released, fmt.Errorf("expire holds: %w", err)
		}
		if !more {
			return released, nil
		}
		if err := ctx.Err(); err != nil {
			return released, err
		}
	}
}

func (e *Engine) expireSome(ctx context.Context, p access.Pass) (released int, more bool, err error) {
	now := p.Now
	err = e.db.InTx(ctx, func(tx db.Tx) error {
		released = 0
		due, err := ledger.DueHolds(ctx, tx, p, expireBatch)
		if err != nil {
			return err
		}
		more = len(due) == expireBatch
		var accounts []ledger.AccountID
		var holds []ledger.HoldID
		for _, h := range due {
			accounts = append(accounts, h.Account)
			holds = append(holds, h.ID)
		}
		book, err := ledger.OpenBook(ctx, tx, accounts, holds)
		if err != nil {
			return err
		}
		var expired []ledger.HoldID
		before := map[ledger.HoldID]ledger.Hold{}
		for _, h := range holds {
			// Under the lock the hold may look different from before.
			if hold, ok := book.Hold(h); ok && hold.IsOpen() && !hold.ExpiresAt.After(now) {
				before[h] = hold
				book.ReleaseHold(h)
				expired = append(expired, h)
			}
		}
		released = len(expired)
		if err := book.Write(ctx, tx); err != nil {
			return err
		}
		ended, err := expireTransactions(ctx, tx, expired, now)
		if err != nil {
			return err
		}
		return endExpired(ctx, tx, ended, before, now, clock.RealNow(e.clock))
	})
	return released, more, err
}

// endExpired tells of transactions whose hold was released, and gives back what
// they used of limits. before are the holds until then.
func endExpired(ctx context.Context, tx db.Tx, ended []TransactionID, before map[ledger.HoldID]ledger.Hold, now time.Time, at clock.Real) error {
	found, err := ReadTransactions(ctx, tx, ended)
	if err != nil {
		return fmt.Errorf("read expired transactions: %w", err)
	}
	var events []TransactionEvent
	var transactions []*Transaction
	for _, t := range ended {
		events = append(events, TransactionEvent{Name: EventHoldExpired, Transaction: *found[t]})
		transactions = append(transactions, found[t])
	}
	if err := giveBackExpired(ctx, tx, transactions, before, now); err != nil {
		return err
	}
	return Raise(ctx, tx, events, at)
}
