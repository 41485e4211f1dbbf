package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// AdvanceDaysMax is how many days the business time of a sandbox may be ahead of
// the clock.
const AdvanceDaysMax = 3660

// advanceLease is how long, by the clock, nobody else may move the time of a
// tenant that somebody moves. Every step renews it, and so does the time that
// work takes; a process that ends in the middle leaves it to pass.
const advanceLease = 10 * time.Second

// advanceRenewal is how often work renews it.
const advanceRenewal = advanceLease / 4

// AdvanceWish is where the business time of a sandbox is to go: to a moment, to
// a day at the same time of day, or so many days on. Exactly one is set.
type AdvanceWish struct {
	At   time.Time
	On   clock.Date
	Days int
}

// Advance is a move of a tenant's business time that somebody has begun. It is
// used by one goroutine, and ended by [Service.EndAdvance].
type Advance struct {
	Tenant   Tenant // as it is by now
	From, To time.Time

	lease clock.Real // until when nobody else may; it names this move
}

// BeginAdvance begins to move the business time of the caller's tenant, which is
// a sandbox: any other is NotFound. Time goes forward only, and not further than
// [AdvanceDaysMax] from the clock; one move is made at a time (CodeAdvancing).
// Nothing has moved yet when it returns.
//
// Who asks again for what was asked for last, by the moment or by its day, gets
// the same target: a move that broke off goes on, and one that has arrived has
// nothing left to do.
func (s *Service) BeginAdvance(ctx context.Context, c Caller, in AdvanceWish) (a Advance, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		// The right is taken without a lock on the tenant, for which everybody would
		// wait that writes a row of it; the time is read after that.
		now := clock.RealNow(s.Clock)
		lease := clock.RealAt(now.Time().Add(advanceLease))
		mine, err := claimAdvance(ctx, tx, c.Tenant, now, lease)
		if err != nil {
			return fmt.Errorf("claim business time: %w", err)
		}
		asked, err := advanceAsked(ctx, tx, c.Tenant)
		if err != nil {
			return fmt.Errorf("read where business time was to go: %w", err)
		}
		t, err := mustTenant(ctx, tx, c.Tenant)
		switch {
		case err != nil:
			return err
		case t.Environment != Sandbox:
			return errTenantNotFound
		case !mine:
			return errAdvancing
		}
		a = Advance{Tenant: t, From: t.Ahead.At(now), lease: lease}
		if a.To, err = in.target(a.From, asked, t.Zone, now); err != nil {
			return err
		}
		if !a.To.After(a.From) {
			return nil
		}
		if err := askAdvance(ctx, tx, c.Tenant, a.To); err != nil {
			return fmt.Errorf("write where business time is to go: %w", err)
		}
		return audit.Append(ctx, tx, a.act(c, now, "TimeAdvance", a.To))
	})
	return a, err
}

// target is the moment that is wished for, where the time is from and asked is
// what was wished for last.
func (in AdvanceWish) target(from, asked time.Time, zone *time.Location, now clock.Real) (time.Time, error) {
	limit := now.Time().AddDate(0, 0, AdvanceDaysMax)
	to, member := in.At.UTC().Truncate(time.Microsecond), "to"
	switch today := clock.DateOf(from, zone); {
	case in.Days != 0:
		member = "days"
		if in.Days < 1 || in.Days > AdvanceDaysMax {
			return to, ErrInvalid.OnField(member, "range", "must be from 1 to 3660")
		}
		to = onDay(today.AddDays(in.Days), from, zone)
	case !in.On.IsZero() && in.On == clock.DateOf(asked, zone) && !in.On.Before(today):
		return asked, nil
	case !in.On.IsZero():
		if !today.Before(in.On) {
			return to, ErrInvalid.OnField(member, "past", "must lie after the day that the tenant has: time goes forward only")
		}
		to = onDay(in.On, from, zone)
	case to.Equal(asked):
		return asked, nil
	case !to.After(from):
		return to, ErrInvalid.OnField(member, "past", "must lie after the time that the tenant has: time goes forward only")
	}
	if to.After(limit) {
		return to, ErrInvalid.OnField(member, "too_far", "would be more than 3660 days ahead of the clock")
	}
	return to, nil
}

// onDay is the time of day of at, on another day.
func onDay(d clock.Date, at time.Time, zone *time.Location) time.Time {
	at = at.In(zone)
	return time.Date(d.Year, d.Month, d.Day, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone).UTC()
}

// StepAdvance brings the business time of the tenant to a moment on the way, and
// on every node with the next version of the configuration. A time that has gone
// by already changes nothing. Once somebody else moves the time, it refuses
// (CodeAdvancing).
func (s *Service) StepAdvance(ctx context.Context, a *Advance, to time.Time) error {
	step := *a
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		t, err := mustTenant(ctx, tx, a.Tenant.ID) // nobody else moves it, or the lease is lost
		if err != nil {
			return err
		}
		now := clock.RealNow(s.Clock)
		step.Tenant, step.lease = t, clock.RealAt(now.Time().Add(advanceLease))
		step.Tenant.Ahead = max(t.Ahead, clock.Ahead(to.Sub(now.Time())))
		mine, err := moveAhead(ctx, tx, step.Tenant, a.lease, step.lease)
		if err != nil {
			return fmt.Errorf("move business time: %w", err)
		}
		if !mine {
			return errAdvancing
		}
		return s.tell(ctx, tx, t.ID)
	})
	if err == nil {
		*a = step
	}
	return err
}

// HoldAdvance does work that a move needs, and lets nobody else move the time
// however long it takes. Once somebody else does, the context of work ends and
// HoldAdvance refuses (CodeAdvancing).
func (s *Service) HoldAdvance(ctx context.Context, a *Advance, work func(context.Context) error) error {
	t := time.NewTicker(advanceRenewal)
	defer t.Stop()
	return s.holdAdvance(ctx, a, t.C, work)
}

// holdAdvance is HoldAdvance with renewals when tick says so.
func (s *Service) holdAdvance(ctx context.Context, a *Advance, tick <-chan time.Time, work func(context.Context) error) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	ended, renewed := make(chan struct{}), make(chan error)
	go func() {
		defer close(renewed)
		for {
			select {
			case <-ended:
				return
			case <-tick:
			}
			// One that could not be renewed for another reason is tried again.
			if err := s.renewAdvance(ctx, a); errors.Is(err, errAdvancing) {
				stop()
				renewed <- err
				return
			}
		}
	}()
	err := work(working)
	close(ended)
	if lost := <-renewed; lost != nil {
		return lost
	}
	return err
}

func (s *Service) renewAdvance(ctx context.Context, a *Advance) error {
	lease := clock.RealAt(clock.RealNow(s.Clock).Time().Add(advanceLease))
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		mine, err := renewAdvance(ctx, tx, a.Tenant.ID, a.lease, lease)
		if err == nil && !mine {
			err = errAdvancing
		}
		return err
	})
	if err == nil {
		a.lease = lease
	}
	return err
}

// EndAdvance lets others move the time again. Where the move did not get to
// where it should, it writes down how far it came.
func (s *Service) EndAdvance(ctx context.Context, c Caller, a Advance) error {
	now := clock.RealNow(s.Clock)
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		mine, err := releaseAdvance(ctx, tx, a.Tenant.ID, a.lease)
		if err != nil || !mine {
			return err
		}
		if at := a.Tenant.Ahead.At(now); at.Before(a.To) {
			return audit.Append(ctx, tx, a.act(c, now, "TimeAdvanceStop", at))
		}
		return nil
	})
}

// act is the record that a time was moved, or is to be.
func (a Advance) act(c Caller, now clock.Real, action string, to time.Time) audit.Act {
	act := c.Act(now, audit.AccessStream, action)
	act.EntityType, act.EntityKey = "Tenant", a.Tenant.ID.UUID()
	was, is := a.From.Format(time.RFC3339), to.UTC().Format(time.RFC3339)
	act.Changes = []audit.Change{{Property: "businessTime", Old: &was, New: &is}}
	return act
}
