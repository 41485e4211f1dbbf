package program

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// CreateBIN gives the caller's tenant a BIN and generates its key set, marked
// as test keys in a sandbox. A key set that exists under the same code is
// shared.
//
// A BIN that another tenant has, or that lies inside or around one of another
// tenant's, is bin_taken: whose it is, is not told.
func (s *Service) CreateBIN(ctx context.Context, c access.Caller, in BIN) (BIN, error) {
	tenant, err := s.tenant(ctx, c)
	if err != nil {
		return BIN{}, err
	}
	b := in.withDefaults(tenant.DefaultCurrency)
	if err := b.check(); err != nil {
		return BIN{}, err
	}
	now := c.Now(s.Clock)
	b.Record = access.NewRecord(c, now)
	keys, err := s.missingKeys(ctx, c, b.KeySetCode, clock.RealNow(s.Clock))
	if err != nil {
		return BIN{}, err
	}
	err = s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		if err := lockPrefix(ctx, tx, b.BIN); err != nil {
			return fmt.Errorf("lock BIN prefix: %w", err)
		}
		neighbours, err := binNeighbours(ctx, tx, b.BIN)
		if err != nil {
			return fmt.Errorf("look for BINs nearby: %w", err)
		}
		for _, n := range neighbours {
			if n.tenant != c.Tenant {
				return errBINTaken.With("bin", b.BIN)
			}
		}
		inserted, err := insertBIN(ctx, tx, c.Tenant, b)
		if err != nil {
			return fmt.Errorf("insert BIN: %w", err)
		}
		if !inserted {
			return errBINExists.With("bin", b.BIN)
		}
		if err := saveMissing(ctx, tx, c.Tenant, b.KeySetCode, keys); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, binEntity, b.BIN, nil, b)
	})
	if err != nil {
		return BIN{}, err
	}
	return b, nil
}

// missingKeys generates the key set unless the tenant has it.
func (s *Service) missingKeys(ctx context.Context, c access.Caller, code string, now clock.Real) ([]vault.Key, error) {
	var complete bool
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		_, complete, err = readKeySet(ctx, tx, c.Tenant, code)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read key set: %w", err)
	}
	if complete {
		return nil, nil
	}
	return s.generateKeySet(ctx, c.Tenant, code, c.Sandbox, now)
}

// saveMissing stores keys unless somebody else has made the set meanwhile.
func saveMissing(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, keys []vault.Key) error {
	_, complete, err := readKeySet(ctx, tx, tenant, code)
	if err != nil {
		return fmt.Errorf("read key set: %w", err)
	}
	if complete {
		return nil
	}
	for _, k := range keys {
		if err := vault.SaveKey(ctx, tx, tenant, k); err != nil {
			return fmt.Errorf("save key: %w", err)
		}
	}
	return nil
}

// UpdateBIN replaces what may change of a BIN: not its digits, its PAN length
// and its key set. The card type is fixed once a product uses the BIN. stamp
// must be the present one, or empty.
func (s *Service) UpdateBIN(ctx context.Context, c access.Caller, in BIN, stamp string) (b BIN, err error) {
	now := c.Now(s.Clock)
	err = s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		old, found, err := readBIN(ctx, tx, c.Tenant, in.BIN)
		if err != nil {
			return fmt.Errorf("read BIN: %w", err)
		}
		if !found {
			return errBINNotFound.With("bin", in.BIN)
		}
		b = in
		if b.PANLength == 0 {
			b.PANLength = old.PANLength
		}
		if b.KeySetCode == "" {
			b.KeySetCode = old.KeySetCode
		}
		b = b.withDefaults(old.Currency)
		b.Record = old.Record.Updated(c, now)
		if err := b.check(); err != nil {
			return err
		}
		var v fault.Checks
		v.Is("panLength", b.PANLength == old.PANLength, "immutable", "cannot be changed")
		v.Is("keySetCode", b.KeySetCode == old.KeySetCode, "immutable", "cannot be changed")
		if err := v.Err(errInvalid); err != nil {
			return err
		}
		if b.CardType != old.CardType {
			if err := binUnused(ctx, tx, c.Tenant, b.BIN); err != nil {
				return err
			}
		}
		if err := written(updateBIN(ctx, tx, c.Tenant, b, stamp)); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, binEntity, b.BIN, old, b)
	})
	if err != nil {
		return BIN{}, err
	}
	return b, nil
}

func binUnused(ctx context.Context, tx db.Tx, tenant access.TenantID, bin string) error {
	ranges, err := readRanges(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("read BIN ranges: %w", err)
	}
	products, err := readProducts(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("read products: %w", err)
	}
	for _, r := range ranges {
		if r.BIN == bin && slices.ContainsFunc(products, func(p Product) bool { return p.BINRangeCode == r.Code }) {
			return errBINInUse.With("bin", bin)
		}
	}
	return nil
}

// written turns "no row had that stamp" into a refusal: the row was found in
// the same transaction.
func written(changed bool, err error) error {
	if err == nil && !changed {
		return errStale
	}
	return err
}

// BIN returns one of the tenant's BINs.
func (s *Service) BIN(ctx context.Context, c access.Caller, bin string) (b BIN, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		var found bool
		if b, found, err = readBIN(ctx, tx, c.Tenant, bin); err == nil && !found {
			return errBINNotFound.With("bin", bin)
		}
		return err
	})
	return b, err
}

// BINFilter selects BINs; empty members select all.
type BINFilter struct {
	Brand    Brand
	CardType CardType
	list.Page
}

// BINs returns the page of the tenant's BINs that f selects, and how many it
// selects in all.
func (s *Service) BINs(ctx context.Context, c access.Caller, f BINFilter) (page []BIN, total int, err error) {
	var all []BIN
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all, err = readBINs(ctx, tx, c.Tenant)
		return err
	})
	all = slices.DeleteFunc(all, func(b BIN) bool {
		return f.Brand != "" && b.Brand != f.Brand || f.CardType != "" && b.CardType != f.CardType
	})
	sortBy(all, f.Sort, map[string]func(a, b BIN) int{
		"bin":   func(a, b BIN) int { return cmp.Compare(a.BIN, b.BIN) },
		"brand": func(a, b BIN) int { return cmp.Compare(a.Brand, b.Brand) },
	})
	return cut(all, f.Page), len(all), err
}

// cut returns the part of a whole list that a page asks for.
func cut[T any](all []T, p list.Page) []T {
	from := min(max(p.Skip, 0), len(all))
	to := len(all)
	if p.Limit > 0 {
		to = min(from+p.Limit, len(all))
	}
	return all[from:to]
}

// tenant reads the caller's tenant.
func (s *Service) tenant(ctx context.Context, c access.Caller) (t access.Tenant, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		t, err = access.MustTenant(ctx, tx, c.Tenant)
		return err
	})
	return t, err
}
