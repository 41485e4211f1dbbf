package program

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fold"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// CreateProduct defines a product. Start from [NewProduct] for the defaults.
func (s *Service) CreateProduct(ctx context.Context, c access.Caller, in Product) (Product, error) {
	p := in
	if err := p.check(); err != nil {
		return Product{}, err
	}
	p.Record = access.NewRecord(c, c.Now(s.Clock))
	err := s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		if err := p.fits(ctx, tx, c.Tenant); err != nil {
			return err
		}
		inserted, err := insertProduct(ctx, tx, c.Tenant, p)
		if err == nil && !inserted {
			return errProductExists.With("code", p.Code)
		}
		if err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, productEntity, p.Code, nil, p)
	})
	if err != nil {
		return Product{}, err
	}
	return p, nil
}

// fits checks p against what it refers to, and fills in its BIN.
func (p *Product) fits(ctx context.Context, tx db.Tx, tenant access.TenantID) error {
	r, found, err := readRange(ctx, tx, tenant, p.BINRangeCode)
	if err != nil {
		return fmt.Errorf("read BIN range: %w", err)
	}
	if !found {
		return errRangeNotFound.With("binRangeCode", p.BINRangeCode)
	}
	b, _, err := readBIN(ctx, tx, tenant, r.BIN)
	if err != nil {
		return fmt.Errorf("read BIN: %w", err)
	}
	p.BIN, p.Brand = b.BIN, b.Brand
	if p.CardType != b.CardType {
		return errCardTypeMismatch.With("cardType", string(b.CardType))
	}
	if p.GroupCode != "" {
		g, found, err := readGroup(ctx, tx, tenant, p.GroupCode)
		if err != nil {
			return fmt.Errorf("read product group: %w", err)
		}
		if !found {
			return errGroupNotFound.With("groupCode", p.GroupCode)
		}
		if !g.IsActive {
			return errGroupPassive.With("groupCode", p.GroupCode)
		}
	}
	if err := p.inBillingCurrency(ctx, tx, tenant); err != nil {
		return err
	}
	return p.ContactlessLimit.belowCap(ctx, tx, tenant)
}

// belowCap checks the limit of one tap against the tenant's cap, where that is
// in the same currency.
func (l *ContactlessLimit) belowCap(ctx context.Context, tx db.Tx, tenant access.TenantID) error {
	if l == nil {
		return nil
	}
	t, err := access.MustTenant(ctx, tx, tenant)
	if err != nil {
		return err
	}
	a, _, err := readAttributes(ctx, tx, t)
	if err != nil {
		return fmt.Errorf("read issuing attributes: %w", err)
	}
	highest := a.MaxContactlessLimit
	if highest != nil && highest.Currency() == l.Transaction.Currency() && l.Transaction.Cmp(*highest) > 0 {
		return errContactlessCap.With("maxContactlessLimit", json.Number(highest.Decimal()))
	}
	return nil
}

// ProductChange is the new state of a product.
type ProductChange struct {
	Product Product
	// ApplyToNewCards confirms that another BIN range holds for new cards only.
	ApplyToNewCards  bool
	ConcurrencyStamp string // the present one, or empty
}

// UpdateProduct replaces a product. Its currency is fixed by the first card,
// and another range needs ApplyToNewCards from then on.
func (s *Service) UpdateProduct(ctx context.Context, c access.Caller, in ProductChange) (Product, error) {
	p := in.Product
	if err := p.check(); err != nil {
		return Product{}, err
	}
	now := c.Now(s.Clock)
	err := s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		old, err := mustProduct(ctx, tx, c.Tenant, p.Code)
		if err != nil {
			return err
		}
		p.Record = old.Record.Updated(c, now)
		if err := p.fits(ctx, tx, c.Tenant); err != nil {
			return err
		}
		if p.Currency != old.Currency || p.BINRangeCode != old.BINRangeCode && !in.ApplyToNewCards {
			cards, err := s.Issued.IssuancesOfProduct(ctx, tx, c.Tenant, p.Code, 1)
			switch {
			case err != nil:
				return fmt.Errorf("count issuances: %w", err)
			case cards > 0 && p.Currency != old.Currency:
				return errCurrencyFixed.With("currencyCode", old.Currency.Code())
			case cards > 0:
				return errRangeFixed.With("binRangeCode", old.BINRangeCode)
			}
		}
		if err := written(updateProduct(ctx, tx, c.Tenant, p, in.ConcurrencyStamp)); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, productEntity, p.Code, old, p)
	})
	if err != nil {
		return Product{}, err
	}
	return p, nil
}

// SetContactlessLimit replaces a product's limit for taps without a PIN. It
// holds for the cards that exist at their next authorization.
func (s *Service) SetContactlessLimit(ctx context.Context, c access.Caller, code string, limit ContactlessLimit) (p Product, err error) {
	now := c.Now(s.Clock)
	err = s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		if p, err = mustProduct(ctx, tx, c.Tenant, code); err != nil {
			return err
		}
		var v fault.Checks
		limit.check(&v, "", p.Currency)
		if err := v.Err(errInvalid); err != nil {
			return err
		}
		if err := limit.belowCap(ctx, tx, c.Tenant); err != nil {
			return err
		}
		old := p
		p.ContactlessLimit, p.Record = &limit, p.Record.Updated(c, now)
		if err := written(updateProduct(ctx, tx, c.Tenant, p, "")); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, productEntity, code, old, p)
	})
	if err != nil {
		return Product{}, err
	}
	return p, nil
}

// usesMax is up to how many cards of a product are counted to say what uses it.
const usesMax = 1000

// DeleteProduct deletes a product of which no card was ever issued. Its code
// stays taken. A refusal says how many issuances use it, as far as 1,000 cards
// tell.
func (s *Service) DeleteProduct(ctx context.Context, c access.Caller, code string) error {
	r := access.Record{}.Updated(c, c.Now(s.Clock))
	return s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		old, err := mustProduct(ctx, tx, c.Tenant, code)
		if err != nil {
			return err
		}
		deleted, err := deleteProduct(ctx, tx, c.Tenant, code, r)
		if err != nil || !deleted {
			return fmt.Errorf("delete product: %w", db.Missing(err))
		}
		// Behind the change of its row, so that no card is overlooked that was
		// made before it.
		issued, err := s.Issued.IssuancesOfProduct(ctx, tx, c.Tenant, code, usesMax)
		if err != nil {
			return fmt.Errorf("count issuances: %w", err)
		}
		if issued > 0 {
			return errProductInUse.With("code", code).With("usedBy", map[string]int{"issuances": issued})
		}
		return s.recordDefinition(ctx, tx, c, productEntity, code, old, nil)
	})
}

// Product returns one of the tenant's products.
func (s *Service) Product(ctx context.Context, c access.Caller, code string) (p Product, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		p, err = mustProduct(ctx, tx, c.Tenant, code)
		return err
	})
	return p, err
}

// Products returns the page of the tenant's products that f selects, and how
// many it selects in all. Sort keys are those of the contract's members.
func (s *Service) Products(ctx context.Context, c access.Caller, f ProductFilter) (page []Product, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		page, total, err = listProducts(ctx, tx, c.Tenant, f)
		return err
	})
	return page, total, err
}

func mustProduct(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (Product, error) {
	p, found, err := readProduct(ctx, tx, tenant, code)
	if err != nil {
		return Product{}, fmt.Errorf("read product: %w", err)
	}
	if !found {
		return Product{}, errProductNotFound.With("productCode", code)
	}
	return p, nil
}

func (g Group) check() error {
	var v fault.Checks
	v.Code("code", g.Code)
	v.Text("name", g.Name, 1, 100)
	v.Text("description", g.Description, 0, 250)
	return v.Err(errInvalid)
}

// CreateGroup defines a product group.
func (s *Service) CreateGroup(ctx context.Context, c access.Caller, in Group) (Group, error) {
	g := in
	if err := g.check(); err != nil {
		return Group{}, err
	}
	g.ProductCount, g.Record = 0, access.NewRecord(c, c.Now(s.Clock))
	err := s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		inserted, err := insertGroup(ctx, tx, c.Tenant, g)
		if err == nil && !inserted {
			return errGroupExists.With("code", g.Code)
		}
		if err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, groupEntity, g.Code, nil, g)
	})
	if err != nil {
		return Group{}, err
	}
	return g, nil
}

// UpdateGroup replaces a product group. stamp must be the present one, or
// empty.
func (s *Service) UpdateGroup(ctx context.Context, c access.Caller, in Group, stamp string) (Group, error) {
	g := in
	if err := g.check(); err != nil {
		return Group{}, err
	}
	now := c.Now(s.Clock)
	err := s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		old, found, err := readGroup(ctx, tx, c.Tenant, g.Code)
		if err != nil {
			return fmt.Errorf("read product group: %w", err)
		}
		if !found {
			return errGroupNotFound.With("groupCode", g.Code)
		}
		counts, err := productsPerGroup(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		g.ProductCount, g.Record = counts[g.Code], old.Record.Updated(c, now)
		if err := written(updateGroup(ctx, tx, c.Tenant, g, stamp)); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, groupEntity, g.Code, old, g)
	})
	if err != nil {
		return Group{}, err
	}
	return g, nil
}

// DeleteGroup deletes a product group without products. Its code stays taken.
func (s *Service) DeleteGroup(ctx context.Context, c access.Caller, code string) error {
	r := access.Record{}.Updated(c, c.Now(s.Clock))
	return s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		old, found, err := readGroup(ctx, tx, c.Tenant, code)
		if err != nil {
			return fmt.Errorf("read product group: %w", err)
		}
		if !found {
			return errGroupNotFound.With("groupCode", code)
		}
		deleted, err := deleteGroup(ctx, tx, c.Tenant, code, r)
		if err != nil {
			return err
		}
		if deleted {
			return s.recordDefinition(ctx, tx, c, groupEntity, code, old, nil)
		}
		counts, err := productsPerGroup(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		return errGroupInUse.With("code", code).With("usedBy", map[string]int{"products": counts[code]})
	})
}

// Groups returns a page of the tenant's product groups with the number of
// their products, and how many there are.
func (s *Service) Groups(ctx context.Context, c access.Caller, p list.Page) (page []Group, total int, err error) {
	var all []Group
	err = s.DB.View(ctx, func(tx db.Tx) error {
		if all, err = readGroups(ctx, tx, c.Tenant); err != nil {
			return fmt.Errorf("read product groups: %w", err)
		}
		counts, err := productsPerGroup(ctx, tx, c.Tenant)
		for i := range all {
			all[i].ProductCount = counts[all[i].Code]
		}
		return err
	})
	sortBy(all, p.Sort, map[string]func(a, b Group) int{
		"code": func(a, b Group) int { return cmp.Compare(a.Code, b.Code) },
		"name": func(a, b Group) int { return cmp.Compare(fold.Text(a.Name), fold.Text(b.Name)) },
	})
	return cut(all, p), len(all), err
}

// sortBy sorts a whole list by the keys it knows, the first of them above all.
func sortBy[T any](all []T, keys []list.SortKey, by map[string]func(a, b T) int) {
	for _, k := range slices.Backward(keys) {
		if compare := by[k.Name]; compare != nil {
			slices.SortStableFunc(all, func(a, b T) int {
				if k.Descending {
					a, b = b, a
				}
				return compare(a, b)
			})
		}
	}
}
