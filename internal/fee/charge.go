package fee

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// lookAgain is when a fee is looked at next whose card is awaited: in the first day
// once an hour, then less often the longer nothing happens, down to once a day.
func (f CardFee) lookAgain(now time.Time) time.Time {
	return now.Add(min(max(time.Hour, now.Sub(f.CreatedAt)/24), 24*time.Hour))
}

// ChargeDue charges the tenant's fees for cards that are due, tries those again
// that an account did not bear, and gives back what is to be given back. It
// returns how many it did something with. It may run on several nodes and be
// broken off at any time: a charge is made once.
func (s *Service) ChargeDue(ctx context.Context, tenant access.Tenant) (int, error) {
	done := 0
	var failure error
	var last dueCardFee
	for {
		var due []dueCardFee
		err := s.DB.View(ctx, func(tx db.Tx) (err error) {
			due, err = dueCardFees(ctx, tx, tenant.ID, tenant.Now(s.Clock), last, jobBatch)
			return err
		})
		if err != nil {
			return done, errors.Join(failure, fmt.Errorf("find fees that are due: %w", err))
		}
		for _, last = range due {
			err := s.chargeDue(ctx, access.System(tenant), last.id)
			if ctx.Err() != nil {
				return done, ctx.Err()
			}
			if err != nil {
				failure = errors.Join(failure, fmt.Errorf("fee %s: %w", last.id, err))
				continue
			}
			done++
		}
		// What failed is due as before: it waits for the next time, and holds up
		// nothing that comes after it.
		if len(due) < jobBatch {
			return done, failure
		}
	}
}

// step is what is to be done with a fee besides its row.
type step int

const (
	wait step = iota
	charge
	giveBack
)

// chargeDue does what is to be done with one fee now.
func (s *Service) chargeDue(ctx context.Context, c access.Caller, fee id.ID[CardFee]) error {
	var f CardFee
	var next step
	err := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		f, next, err = s.look(ctx, tx, c, fee)
		return err
	})
	if err != nil || next == wait {
		return err
	}
	var owner Consent
	if next == charge {
		if owner, err = s.Charger.AskCardFee(ctx, c, f); err != nil {
			return err
		}
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		now, err := lockCardFee(ctx, tx, c.Tenant, fee)
		if err != nil {
			return err
		}
		if next == giveBack {
			return s.giveBack(ctx, tx, c, now)
		}
		return s.charge(ctx, tx, c, f, now, owner)
	})
}

// charge charges a fee that was looked at as f and stands as it does now: another
// node may have been here, or its card may have come to its end meanwhile, which
// has a question undone.
func (s *Service) charge(ctx context.Context, tx db.Tx, c access.Caller, f, now CardFee, owner Consent) error {
	if now.Status != Chargeable && now.Status != Unpaid || now.Price != f.Price {
		return nil // if it is still due, it is looked at again
	}
	now.UpdatedAt = c.Now(s.Clock)
	switch {
	case owner.IsAnswered:
		now.IsAsked = false
	case owner.IsSent:
		now.IsAsked = true
	default:
		now.IsAsked = f.IsAsked
	}
	charged, err := s.Charger.ChargeCardFee(ctx, tx, c, now, owner)
	if err != nil {
		return err
	}
	if !charged {
		now.Status, now.CheckAt = Unpaid, s.tomorrow(ctx, tx, c)
		return saveCardFee(ctx, tx, now)
	}
	if err := s.raise(ctx, tx, c, EventCharged, now, now.Remaining(), now.UpdatedAt); err != nil {
		return err
	}
	now.Status = Paid
	return saveCardFee(ctx, tx, now)
}

// giveBack gives back what is to be given back of a fee by now.
func (s *Service) giveBack(ctx context.Context, tx db.Tx, c access.Caller, f CardFee) error {
	part := add(f.ToGiveBack, f.GivenBack.Neg())
	if part.Sign() <= 0 {
		return nil // another node was here
	}
	if err := s.Charger.GiveBackCardFee(ctx, tx, c, f, f.ToGiveBack); err != nil {
		return err
	}
	f.UpdatedAt = c.Now(s.Clock)
	if err := s.raise(ctx, tx, c, EventReversed, f, part, f.UpdatedAt); err != nil {
		return err
	}
	if f.GivenBack = f.ToGiveBack; f.Price == f.GivenBack {
		f.Status = PaidBack
	}
	return saveCardFee(ctx, tx, f)
}

// tomorrow is when the tenant's next day begins.
func (s *Service) tomorrow(ctx context.Context, tx db.Tx, c access.Caller) time.Time {
	now := c.Now(s.Clock)
	cfg, err := s.Programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil {
		return now.Add(24 * time.Hour)
	}
	return clock.DateOf(now, cfg.Tenant.Zone).AddDays(1).In(cfg.Tenant.Zone).UTC()
}

// look finds out what is to be done with a fee, and notes what its card has come
// to.
func (s *Service) look(ctx context.Context, tx db.Tx, c access.Caller, fee id.ID[CardFee]) (CardFee, step, error) {
	f, err := lockCardFee(ctx, tx, c.Tenant, fee)
	if err != nil {
		return f, wait, fmt.Errorf("lock: %w", err)
	}
	now := c.Now(s.Clock)
	if f.CheckAt.After(now) {
		return f, wait, nil // another node was here
	}
	f.UpdatedAt = now
	wasWaiting := f.Status == Awaited
	if wasWaiting || f.IsRefundable {
		if err := s.lookAtCard(ctx, tx, c, &f, now); err != nil {
			return f, wait, err
		}
	}
	if f.Status == Unpaid || f.Status == Chargeable {
		cfg, err := s.Programs.ConfigurationIn(ctx, tx, c.Tenant)
		if err != nil {
			return f, wait, err
		}
		today := clock.DateOf(now, cfg.Tenant.Zone)
		if wasWaiting {
			f.DueOn = today // it is tried from now on
		}
		if last := f.DueOn.AddDays(f.RetryDays); f.Status == Unpaid && last.Before(today) {
			f.Status = GivenUp
			if err := s.raise(ctx, tx, c, EventFailed, f, f.Remaining(), now); err != nil {
				return f, wait, err
			}
		}
	}
	if err := s.undoLost(ctx, tx, c, &f); err != nil {
		return f, wait, err
	}
	next, noted := wait, f
	switch {
	case f.ToGiveBack.Cmp(f.GivenBack) > 0:
		next = giveBack
	case f.Status == Chargeable || f.Status == Unpaid:
		next = charge
		if noted.IsAsked, err = s.Charger.IsOwned(ctx, c); err != nil { // before it is: this may be all that is left of it
			return f, wait, err
		}
		noted.IsAsked = noted.IsAsked || f.IsAsked
	}
	return f, next, saveCardFee(ctx, tx, noted)
}

// undoLost has a question undone that was not answered, of a fee that is not asked
// for any more.
func (s *Service) undoLost(ctx context.Context, tx db.Tx, c access.Caller, f *CardFee) error {
	if !f.IsAsked || f.Status != GivenUp && f.Status != Cancelled {
		return nil
	}
	f.IsAsked = false
	if err := s.Charger.UndoCardFee(ctx, tx, c, *f); err != nil {
		return fmt.Errorf("undo question: %w", err)
	}
	return nil
}

// lookAtCard notes whether what the fee waits for has happened to its card, and
// whether the card was cancelled before it was produced.
func (s *Service) lookAtCard(ctx context.Context, tx db.Tx, c access.Caller, f *CardFee, now time.Time) error {
	of, err := s.Cards.CardOf(db.WithTx(ctx, tx), c, f.Card)
	if err != nil {
		return fmt.Errorf("read card: %w", err)
	}
	card := of.Card
	wasWaiting := f.Status == Awaited
	if f.CheckAt = f.lookAgain(now); f.IsRefundable {
		switch {
		case isProduced(card), card.Status.IsFinal() && card.Status != issuing.Cancelled:
			f.IsRefundable = false // nothing is cancelled any more
		case card.Status == issuing.Cancelled:
			if f.IsRefundable = false; f.Status == Paid {
				f.ToGiveBack = f.Price
			} else {
				f.Status = Cancelled
			}
			return nil
		}
	}
	if !wasWaiting {
		return nil
	}
	has, err := s.hasHappened(ctx, tx, c, *f, card)
	switch {
	case err != nil:
		return err
	case has:
		f.Status = Chargeable
	case card.Status.IsFinal():
		f.Status = Cancelled // it never will
	}
	return nil
}

// hasHappened reports whether the moment has come that a fee is charged at.
func (s *Service) hasHappened(ctx context.Context, tx db.Tx, c access.Caller, f CardFee, card issuing.Card) (bool, error) {
	switch f.Timing {
	case OnProduction:
		return isProduced(card), nil
	case OnActivation:
		return !card.ActivatedAt.IsZero(), nil
	case OnFirstUse:
		at, err := s.Usage.FirstPaid(ctx, tx, c.Tenant, f.Issuance, f.CreatedAt)
		if err != nil {
			return false, fmt.Errorf("find first payment: %w", err)
		}
		return !at.IsZero(), nil
	}
	return true, nil
}
