package customer

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// Segment is a class of customers that rules and prices treat alike.
type Segment struct {
	Code        string
	Name        string
	Description string
	Priority    int // for display: lower first
	IsActive    bool
	access.Record
}

// segmentPriorityMax is the largest priority.
const segmentPriorityMax = 1_000_000

func (g Segment) check() error {
	var v fault.Checks
	v.Code("code", g.Code)
	v.Text("name", g.Name, 1, 100)
	v.Text("description", g.Description, 0, 250)
	v.Between("priority", g.Priority, 0, segmentPriorityMax)
	return v.Err(errInvalid)
}

// CreateSegment defines a segment.
func (s *Service) CreateSegment(ctx context.Context, c access.Caller, in Segment) (Segment, error) {
	g := in
	if err := g.check(); err != nil {
		return Segment{}, err
	}
	g.Record = access.NewRecord(c, c.Now(s.Clock))
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		inserted, err := insertSegment(ctx, tx, c.Tenant, g)
		if err == nil && !inserted {
			return errSegmentExists.With("code", g.Code)
		}
		if err != nil {
			return err
		}
		return recordSegment(ctx, tx, c, nil, &g, g.CreatedAt)
	})
	if err != nil {
		return Segment{}, err
	}
	return g, nil
}

// UpdateSegment replaces a segment but its code. stamp must be the present one,
// or empty. A segment that is no longer active keeps the customers it has.
func (s *Service) UpdateSegment(ctx context.Context, c access.Caller, in Segment, stamp string) (Segment, error) {
	g := in
	if err := g.check(); err != nil {
		return Segment{}, err
	}
	now := c.Now(s.Clock)
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		old, err := lockSegment(ctx, tx, c.Tenant, g.Code)
		if err != nil {
			return err
		}
		if old == nil {
			return errSegmentNotFound.With("segmentCode", g.Code)
		}
		g.Record = old.Record.Updated(c, now)
		written, err := updateSegment(ctx, tx, c.Tenant, g, stamp)
		if err == nil && !written {
			return errStale
		}
		if err != nil {
			return err
		}
		return recordSegment(ctx, tx, c, old, &g, now)
	})
	if err != nil {
		return Segment{}, err
	}
	return g, nil
}

// DeleteSegment deletes a segment without customers. Its code stays taken.
func (s *Service) DeleteSegment(ctx context.Context, c access.Caller, code string) error {
	r := access.Record{}.Updated(c, c.Now(s.Clock))
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		// Behind the lock nobody can come into the segment any more.
		old, err := lockSegment(ctx, tx, c.Tenant, code)
		if err != nil {
			return err
		}
		if old == nil {
			return errSegmentNotFound.With("segmentCode", code)
		}
		customers, err := customersOfSegment(ctx, tx, c.Tenant, code)
		if err != nil {
			return fmt.Errorf("count customers of segment: %w", err)
		}
		if customers > 0 {
			return errSegmentInUse.With("code", code).With("usedBy", map[string]int{"customers": customers})
		}
		if err := deleteSegment(ctx, tx, c.Tenant, code, r); err != nil {
			return err
		}
		return recordSegment(ctx, tx, c, old, nil, r.UpdatedAt)
	})
}

// Segments returns the page of the tenant's segments whose code or name has
// words that begin with those of text, and how many there are.
func (s *Service) Segments(ctx context.Context, c access.Caller, text string, p list.Page) (page []Segment, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		page, total, err = listSegments(ctx, tx, c.Tenant, text, p)
		return err
	})
	return page, total, err
}

// SetSegment moves a customer into a segment, or out of any when code is
// empty. It holds from the customer's next authorization.
func (s *Service) SetSegment(ctx context.Context, c access.Caller, customerNo, code string) (Customer, error) {
	now := c.Now(s.Clock)
	var out Customer
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		u, err := s.customerToChange(ctx, tx, c, customerNo)
		if err != nil {
			return err
		}
		if u.Segment == code { // also of a segment that takes no more
			out = u.MaskedFor(c)
			return nil
		}
		old := u
		u.Segment = code
		if err := u.enterSegment(ctx, tx); err != nil {
			return err
		}
		u.Record = u.Record.Updated(c, now)
		if err := setSegment(ctx, tx, u); err != nil {
			return fmt.Errorf("set segment: %w", err)
		}
		if err := u.raise(ctx, tx, c, EventSegmentChanged, now, Event{PreviousSegment: old.Segment}); err != nil {
			return err
		}
		out = u.MaskedFor(c)
		return u.record(ctx, tx, c, "SegmentChange", &old, now)
	})
	if err != nil {
		return Customer{}, err
	}
	return out, nil
}

// enterSegment checks that new customers may come into the segment that u
// names, and keeps it from being deleted until the transaction ends.
func (u *Customer) enterSegment(ctx context.Context, tx db.Tx) error {
	u.SegmentName = ""
	if u.Segment == "" {
		return nil
	}
	g, err := lockSegment(ctx, tx, u.Tenant, u.Segment)
	switch {
	case err != nil:
		return err
	case g == nil:
		return errSegmentUnknown.With("segmentCode", u.Segment)
	case !g.IsActive:
		return errSegmentPassive.With("segmentCode", u.Segment)
	}
	u.SegmentName = g.Name
	return nil
}
