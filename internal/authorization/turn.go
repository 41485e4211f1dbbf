package authorization

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Turns let what is done about one transaction outside of any database transaction
// wait for each other, on all nodes: a message about it is sent and answered, and
// what is left of it was read before. They are safe for concurrent use.
type Turns struct {
	DB    *db.DB
	Clock clock.Clock
}

// How long things take. Who has died is waited for until his turn is over; his
// message, if he sent one, is decided long before.
const (
	turnLasts    = time.Minute
	turnWorks    = 40 * time.Second // of it, at most
	turnPatience = 20 * time.Second
	turnPoll     = 20 * time.Millisecond
)

var errInUse = fault.New(fault.Conflict, TransactionInUse, "somebody else does something about the transaction")

// Take waits until nobody else has the turn of a transaction of the caller's tenant,
// and takes it until end is called. The work has to be done under the context that
// it returns, which ends before the turn does. After 20 seconds it gives up
// (TransactionInUse).
func (s *Turns) Take(ctx context.Context, c access.Caller, t TransactionID) (working context.Context, end func(), err error) {
	holder := rand.Text()
	watch := clock.StartStopwatch()
	for {
		taken, err := s.take(ctx, c, t, holder)
		if err != nil {
			return nil, nil, fmt.Errorf("take turn: %w", err)
		}
		if taken {
			break
		}
		if watch.Elapsed() > turnPatience {
			return nil, nil, errInUse
		}
		pause := time.NewTimer(turnPoll)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil, nil, ctx.Err()
		case <-pause.C:
		}
	}
	working, stop := context.WithTimeout(ctx, turnWorks)
	return working, func() {
		stop()
		// Should it fail, the turn ends by itself.
		_ = s.end(context.WithoutCancel(ctx), c, t, holder)
	}, nil
}

func (s *Turns) take(ctx context.Context, c access.Caller, t TransactionID, holder string) (taken bool, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		now := clock.RealNow(s.Clock).Time()
		taken, err = takeTurn(ctx, tx, c.Tenant, t, holder, now, now.Add(turnLasts))
		return err
	})
	return taken, err
}

func (s *Turns) end(ctx context.Context, c access.Caller, t TransactionID, holder string) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error { return endTurn(ctx, tx, c.Tenant, t, holder) })
}
