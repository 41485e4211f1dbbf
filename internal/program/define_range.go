package program

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

func (r BINRange) withDefaults() BINRange {
	if r.Generation == "" {
		r.Generation = RandomPAN
	}
	if r.AlertThresholdPercent == 0 {
		r.AlertThresholdPercent = 85
	}
	if r.Status == "" {
		r.Status = RecordActive
	}
	return r
}

// CreateRange defines a range of card numbers of one of the tenant's BINs.
func (s *Service) CreateRange(ctx context.Context, c access.Caller, in BINRange) (BINRange, error) {
	r := in.withDefaults()
	r.UsedCount = 0
	var v fault.Checks
	v.Code("code", r.Code)
	v.Is("bin", r.BIN != "", "required", "is required")
	v.Is("rangeStart", r.Start != "", "required", "is required")
	v.Is("rangeEnd", r.End != "", "required", "is required")
	if err := v.Err(errInvalid); err != nil {
		return BINRange{}, err
	}
	r.Record = access.NewRecord(c, c.Now(s.Clock))
	err := s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		b, found, err := readBIN(ctx, tx, c.Tenant, r.BIN)
		if err != nil {
			return fmt.Errorf("read BIN: %w", err)
		}
		if !found {
			return errBINNotFound.With("bin", r.BIN)
		}
		if err := r.check(b); err != nil {
			return err
		}
		if _, exists, err := readRange(ctx, tx, c.Tenant, r.Code); err != nil {
			return fmt.Errorf("read BIN range: %w", err)
		} else if exists {
			return errRangeExists.With("code", r.Code)
		}
		if err := noOverlap(ctx, tx, c.Tenant, r); err != nil {
			return err
		}
		if _, err = insertRange(ctx, tx, c.Tenant, r); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, rangeEntity, r.Code, nil, r)
	})
	if err != nil {
		return BINRange{}, err
	}
	return r, nil
}

// noOverlap checks the range against the others of its BIN and of BINs inside
// or around it: a card number belongs to one range.
func noOverlap(ctx context.Context, tx db.Tx, tenant access.TenantID, r BINRange) error {
	other, overlaps, err := overlappingRange(ctx, tx, tenant, r)
	if err != nil {
		return fmt.Errorf("look for overlapping ranges: %w", err)
	}
	if overlaps {
		return errRangeOverlap.With("binRangeCode", other)
	}
	return nil
}

// UpdateRange replaces what may change of a range: name, way of generation,
// threshold, status, and its end, which can only move up. Empty members of in
// that have no default of their own (BIN, Start, End) stay. stamp must be the
// present one, or empty.
func (s *Service) UpdateRange(ctx context.Context, c access.Caller, in BINRange, stamp string) (r BINRange, err error) {
	now := c.Now(s.Clock)
	err = s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		old, found, err := readRange(ctx, tx, c.Tenant, in.Code)
		if err != nil {
			return fmt.Errorf("read BIN range: %w", err)
		}
		if !found {
			return errRangeNotFound.With("binRangeCode", in.Code)
		}
		b, _, err := readBIN(ctx, tx, c.Tenant, old.BIN)
		if err != nil {
			return fmt.Errorf("read BIN: %w", err)
		}
		r = in.withDefaults()
		r.UsedCount, r.Record = old.UsedCount, old.Record.Updated(c, now)
		for _, keep := range []struct{ now, before *string }{{&r.BIN, &old.BIN}, {&r.Start, &old.Start}, {&r.End, &old.End}} {
			if *keep.now == "" {
				*keep.now = *keep.before
			}
		}
		var v fault.Checks
		v.Is("bin", r.BIN == old.BIN, "immutable", "cannot be changed")
		v.Is("rangeStart", r.Start == old.Start, "immutable", "cannot be changed")
		if err := v.Err(errInvalid); err != nil {
			return err
		}
		if err := r.check(b); err != nil {
			return err
		}
		if r.End < old.End {
			return errRangeShrink.With("binRangeCode", r.Code)
		}
		if err := noOverlap(ctx, tx, c.Tenant, r); err != nil {
			return err
		}
		if err := written(updateRange(ctx, tx, c.Tenant, r, stamp)); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, rangeEntity, r.Code, old, r)
	})
	if err != nil {
		return BINRange{}, err
	}
	return r, nil
}

// Ranges returns the tenant's ranges of a BIN and status, with how much of
// each is used; empty arguments select all.
func (s *Service) Ranges(ctx context.Context, c access.Caller, bin string, status RecordStatus) (all []BINRange, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all, err = readRanges(ctx, tx, c.Tenant)
		return err
	})
	return slices.DeleteFunc(all, func(r BINRange) bool {
		return bin != "" && r.BIN != bin || status != "" && r.Status != status
	}), err
}
