package authorization

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Collector charges fees that wait for a balance which covers them: when money
// comes to their account, and once a day. It is safe for concurrent use.
type Collector struct {
	DB    *db.DB
	Clock clock.Clock
}

var _ ledger.Collector = (*Collector)(nil)

// Collect implements [ledger.Collector].
func (c *Collector) Collect(ctx context.Context, tx db.Tx, b *ledger.Book, account ledger.AccountID, on clock.Date, at time.Time) (keep func() error, err error) {
	keep, _, err = c.collect(ctx, tx, b, account, on, at)
	return keep, err
}

func (c *Collector) collect(ctx context.Context, tx db.Tx, b *ledger.Book, account ledger.AccountID, on clock.Date, at time.Time) (keep func() error, n int, err error) {
	dues, err := fee.OpenPending(ctx, tx, []ledger.AccountID{account})
	if err != nil {
		return nil, 0, err
	}
	collected, err := dues.Collect(b, account, fee.Act{BusinessOn: on, At: at, Real: clock.RealNow(c.Clock)})
	if err != nil {
		return nil, 0, err
	}
	return func() error {
		if err := dues.Write(ctx, tx); err != nil {
			return err
		}
		return NoteCollected(ctx, tx, collected, clock.RealNow(c.Clock))
	}, len(collected), nil
}

// collectBatch is how many accounts are found at a time.
const collectBatch = 100

// CollectDue tries all fees of a tenant that wait, and returns how many were
// charged. It may run on several nodes and be broken off at any time.
func (c *Collector) CollectDue(ctx context.Context, tenant access.Tenant) (int, error) {
	done := 0
	var failure error
	for after := (ledger.AccountID{}); ; {
		var accounts []ledger.AccountID
		err := c.DB.View(ctx, func(tx db.Tx) (err error) {
			accounts, err = fee.PendingAccounts(ctx, tx, tenant.ID, after, collectBatch)
			return err
		})
		if err != nil {
			return done, errors.Join(failure, fmt.Errorf("find pending fees: %w", err))
		}
		for _, account := range accounts {
			n, err := c.collectFrom(ctx, tenant, account)
			done, failure = done+n, errors.Join(failure, err)
			if ctx.Err() != nil {
				return done, ctx.Err()
			}
			after = account
		}
		if len(accounts) < collectBatch {
			return done, failure
		}
	}
}

func (c *Collector) collectFrom(ctx context.Context, tenant access.Tenant, account ledger.AccountID) (n int, err error) {
	err = c.DB.InTx(ctx, func(tx db.Tx) error {
		b, err := ledger.OpenBook(ctx, tx, []ledger.AccountID{account}, nil)
		if err != nil {
			return err
		}
		now := tenant.Now(c.Clock)
		var keep func() error
		if keep, n, err = c.collect(ctx, tx, b, account, clock.DateOf(now, tenant.Zone), now); err != nil || n == 0 {
			return err
		}
		if err := b.Write(ctx, tx); err != nil {
			return err
		}
		return keep()
	})
	if err != nil {
		return 0, fmt.Errorf("collect fees of account %s: %w", account, err)
	}
	return n, nil
}

// NoteCollected tells that fees which waited were charged. The caller holds the
// locks of their accounts.
func NoteCollected(ctx context.Context, tx db.Tx, all []fee.Collected, at clock.Real) error {
	if len(all) == 0 {
		return nil
	}
	of := map[TransactionID][]fee.Collected{}
	var roots []TransactionID
	for _, c := range all {
		root, err := id.Parse[Transaction](c.Root)
		if err != nil {
			return err
		}
		roots = append(roots, root)
		of[root] = append(of[root], c)
	}
	found, err := ReadTransactions(ctx, tx, roots)
	if err != nil {
		return fmt.Errorf("read what fees are on: %w", err)
	}
	var told []FeesTold
	for _, root := range roots { // in the order in which they were charged
		t := found[root]
		if t == nil || len(of[root]) == 0 {
			continue
		}
		lines := make([]fee.Additional, 0, len(of[root]))
		for _, c := range of[root] {
			lines = append(lines, c.Additional)
		}
		told = append(told, FeesTold{t.Tenant, t.Card, root, lines})
		delete(of, root)
	}
	return RaiseFees(ctx, tx, told, at)
}
