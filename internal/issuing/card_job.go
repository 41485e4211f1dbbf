package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// What the system does to cards by itself. Every job may run on several nodes
// at once and be broken off at any time: each card is a transaction of its own
// that looks again at what it found, so each thing happens once.

// jobBatch is how many cards a job looks for at a time.
const jobBatch = 100

// EventCardExpiring tells that a card expires soon.
const EventCardExpiring = "card.expiring" // CardExpiring

// CardExpiring is what the event of a card that expires soon adds.
type CardExpiring struct {
	ExpireYear  int
	ExpireMonth int
	IsRenewed   bool // its successor is made and waits
}

// expiringDays is how many days before the last day of its month a card is told
// to expire.
const expiringDays = 30

// expiryDelay is how long after the end of the month cards become Expired.
const expiryDelay = 5 * time.Minute

// CarryOutDue makes the scheduled changes of status that are due, and ends the
// cards whose overlap with a newer one is over. It returns how many cards there
// were.
func (s *Service) CarryOutDue(ctx context.Context) (int, error) {
	return access.EachPass(ctx, s.DB, s.Clock, func(p access.Pass) (int, error) { return s.CarryOutDueIn(ctx, p) })
}

// CarryOutDueIn is CarryOutDue for the tenants of a pass.
func (s *Service) CarryOutDueIn(ctx context.Context, p access.Pass) (int, error) {
	done := 0
	for _, find := range []func(context.Context, db.Tx, access.Pass, dueCard, int) ([]dueCard, error){dueSchedules, dueRetirements} {
		n, err := s.eachDue(ctx, func(tx db.Tx, after dueCard) ([]dueCard, error) {
			return find(ctx, tx, p, after, jobBatch)
		}, func(m mover, card Card, issuance Issuance) (bool, error) {
			again, _, err := m.settleDue(ctx, card, issuance)
			return again.Upcoming != card.Upcoming || again.Status != card.Status, err
		})
		done += n
		if err != nil {
			return done, fmt.Errorf("carry out what is due: %w", err)
		}
	}
	return done, nil
}

// Expire turns the tenant's cards whose month is over into Expired ones, from
// five minutes after it.
func (s *Service) Expire(ctx context.Context, tenant access.Tenant) (int, error) {
	now := clock.DateOf(tenant.Now(s.Clock).Add(-expiryDelay), tenant.Zone)
	month := Expiry{now.Year, now.Month}
	n, err := s.eachDue(ctx, func(tx db.Tx, after dueCard) ([]dueCard, error) {
		return expiredBefore(ctx, tx, tenant.ID, month, after, jobBatch)
	}, func(m mover, card Card, issuance Issuance) (bool, error) {
		card, issuance, err := m.settleDue(ctx, card, issuance)
		if err != nil || !card.Expires.Before(month) || card.Status.MoverTo(CardExpired) != BySystem {
			return false, err
		}
		return true, m.moveBySystem(ctx, card, &issuance, CardExpired, ExpiryReached)
	})
	if err != nil {
		return n, fmt.Errorf("expire cards: %w", err)
	}
	return n, nil
}

// TellExpiring tells of the tenant's cards in use that expire within thirty
// days, of each once.
func (s *Service) TellExpiring(ctx context.Context, tenant access.Tenant) (int, error) {
	today := clock.DateOf(tenant.Now(s.Clock), tenant.Zone)
	// The last month whose last day is not later than that.
	last := today.AddDays(expiringDays + 1)
	month := ExpiryAfter(clock.Date{Year: last.Year, Month: last.Month, Day: 1}, -1)
	n, err := s.eachDue(ctx, func(tx db.Tx, after dueCard) ([]dueCard, error) {
		return expiringUntil(ctx, tx, tenant.ID, month, after, jobBatch)
	}, func(m mover, card Card, issuance Issuance) (bool, error) {
		if issuance.CurrentCard != card.ID || card.Status != Active && card.Status != Inactive && card.Status != Blocked {
			return false, nil
		}
		first, err := markExpiryTold(ctx, m.tx, tenant.ID, card.ID, m.c.Now(m.s.Clock))
		if err != nil || !first {
			return false, err
		}
		return true, raiseCard(ctx, m.tx, m.c, EventCardExpiring, card.ID, m.c.Now(m.s.Clock), CardExpiring{
			ExpireYear: card.Expires.Year, ExpireMonth: int(card.Expires.Month), IsRenewed: !issuance.Successor.IsZero(),
		})
	})
	if err != nil {
		return n, fmt.Errorf("tell of expiring cards: %w", err)
	}
	return n, nil
}

// eachDue runs do on every card that find finds, as [Service.forDue] does, each
// in a transaction of its own under the lock of its issuance.
func (s *Service) eachDue(ctx context.Context, find func(db.Tx, dueCard) ([]dueCard, error), do func(mover, Card, Issuance) (bool, error)) (int, error) {
	return s.forDue(ctx, find, func(d dueCard) (bool, error) {
		did, err := s.doDue(ctx, d, do)
		if err != nil {
			return false, fmt.Errorf("card %s: %w", d.ID, err)
		}
		return did, nil
	})
}

// forDue runs do on every card that find finds and returns how many it did
// something to. find returns the next cards after the given one, in a fixed
// order. A card that fails holds up no other; the first failure is returned in
// the end.
func (s *Service) forDue(ctx context.Context, find func(db.Tx, dueCard) ([]dueCard, error), do func(dueCard) (bool, error)) (int, error) {
	done, after := 0, dueCard{}
	var failure error
	for {
		var due []dueCard
		err := s.DB.View(ctx, func(tx db.Tx) (err error) {
			due, err = find(tx, after)
			return err
		})
		if err != nil {
			return done, err
		}
		for _, d := range due {
			did, err := do(d)
			if ctx.Err() != nil {
				return done, ctx.Err()
			}
			if err != nil && failure == nil {
				failure = err
			}
			if did && err == nil {
				done++
			}
		}
		if len(due) < jobBatch {
			return done, failure
		}
		after = due[len(due)-1]
	}
}

func (s *Service) doDue(ctx context.Context, d dueCard, do func(mover, Card, Issuance) (bool, error)) (did bool, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		did = false
		cfg, err := s.programs.ConfigurationIn(ctx, tx, d.Tenant)
		if err != nil {
			return err
		}
		var acts []audit.Act
		m := mover{s: s, tx: tx, c: access.System(cfg.Tenant), cfg: cfg, later: &acts}
		card, found, err := readCardByID(ctx, tx, d.Tenant, d.ID)
		if err != nil || !found {
			return fmt.Errorf("read card: %w", db.Missing(err))
		}
		issuance, err := m.lockIssuance(ctx, card.Issuance)
		if err != nil {
			return err
		}
		if card, found, err = readCardByID(ctx, tx, d.Tenant, d.ID); err != nil || !found {
			return fmt.Errorf("read card again: %w", db.Missing(err))
		}
		if did, err = do(m, card, issuance); err != nil {
			return err
		}
		return appendAll(ctx, tx, acts)
	})
	return did, err
}
