package control

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Link ties a definition to what it is for. A tie that is there already becomes
// l in everything but its identifier.
func (k *Definitions[D]) Link(ctx context.Context, s *Service, c access.Caller, l Link) (Link, error) {
	l.Kind = k.Kind
	if err := l.check(); err != nil {
		return Link{}, err
	}
	err := s.change(ctx, c.Tenant, func(tx db.Tx) error {
		d, err := k.must(ctx, tx, c.Tenant, l.Parent)
		if err != nil {
			return err
		}
		if err := k.permit(c, &d); err != nil {
			return err
		}
		l, err = k.tie(ctx, tx, s, c, d, l)
		return err
	})
	return l, err
}

// Unlink removes a link. What was decided under it goes on naming it.
func (k *Definitions[D]) Unlink(ctx context.Context, s *Service, c access.Caller, link id.ID[Link]) error {
	return s.change(ctx, c.Tenant, func(tx db.Tx) error {
		l, found, err := readLink(ctx, tx, c.Tenant, k.Kind, link)
		if err != nil {
			return fmt.Errorf("read link: %w", err)
		}
		if !found {
			return errLinkNotFound
		}
		d, err := k.must(ctx, tx, c.Tenant, l.Parent)
		if err != nil {
			return err
		}
		if err := k.permit(c, &d); err != nil {
			return err
		}
		if err := deleteLink(ctx, tx, c.Tenant, link); err != nil {
			return fmt.Errorf("delete link: %w", err)
		}
		return s.recordLink(ctx, tx, c, &l, nil)
	})
}

// Links returns the links that f selects, of this kind. A card is found by all its
// names.
func (k *Definitions[D]) Links(ctx context.Context, s *Service, c access.Caller, f LinkFilter) (links []Link, err error) {
	f.Kind = k.Kind
	err = s.DB.View(ctx, func(tx db.Tx) error {
		if f.targets, err = s.targetsNamed(ctx, tx, c, f); err != nil {
			return err
		}
		links, err = readLinks(ctx, tx, c.Tenant, f)
		return err
	})
	return links, err
}

// targetsNamed are the card and the customer that a filter names.
func (s *Service) targetsNamed(ctx context.Context, tx db.Tx, c access.Caller, f LinkFilter) (map[LinkType]string, error) {
	found := map[LinkType]string{}
	for _, t := range []LinkType{LinkCard, LinkCustomer} {
		if f.Code == "" || f.Type != "" && f.Type != t {
			continue
		}
		target, known, err := s.find(ctx, tx, c, t, f.Code)
		switch {
		case fault.KindOf(err) == fault.NotFound:
		case err != nil:
			return nil, fmt.Errorf("find what a link is to: %w", err)
		case known:
			found[t] = target
		}
	}
	return found, nil
}

// tie keeps a link of d, which must fit what it is to.
func (k *Definitions[D]) tie(ctx context.Context, tx db.Tx, s *Service, c access.Caller, d D, l Link) (Link, error) {
	l, err := s.link(ctx, tx, c, l)
	if err != nil {
		return l, err
	}
	return l, k.fitLink(ctx, tx, s, c, d, l)
}

// fitLinks checks d against what it is linked to already.
func (k *Definitions[D]) fitLinks(ctx context.Context, tx db.Tx, s *Service, c access.Caller, d D) error {
	if k.FitProduct == nil {
		return nil
	}
	links, err := readLinks(ctx, tx, c.Tenant, LinkFilter{Kind: k.Kind, Parent: k.Head(&d).Code})
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	for _, l := range links {
		if err := k.fitLink(ctx, tx, s, c, d, l); err != nil {
			return err
		}
	}
	return nil
}

func (k *Definitions[D]) fitLink(ctx context.Context, tx db.Tx, s *Service, c access.Caller, d D, l Link) error {
	if k.FitProduct == nil {
		return nil
	}
	return s.fitLink(ctx, tx, c, l, func(p program.Product) error { return k.FitProduct(d, p) })
}

// fitLink asks fits of the product that a link ties to, if it ties to one.
func (s *Service) fitLink(ctx context.Context, tx db.Tx, c access.Caller, l Link, fits func(program.Product) error) error {
	if l.Type != LinkProduct && l.Type != LinkCard {
		return nil
	}
	cfg, err := s.Programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil {
		return err
	}
	code := l.Target
	if l.Type == LinkCard {
		issuance, err := id.Parse[issuing.Issuance](l.Target)
		if err != nil {
			return fmt.Errorf("read target of link: %w", err)
		}
		card, err := issuing.ReadStanding(ctx, tx, c.Tenant, issuance)
		if err != nil {
			return fmt.Errorf("read card of link: %w", err)
		}
		code = card.ProductCode
	}
	p, known := cfg.Product(code)
	if !known {
		return nil // an issuance has a product, and a link to a product a target
	}
	return fits(p)
}

// link finds l's target and keeps l.
func (s *Service) link(ctx context.Context, tx db.Tx, c access.Caller, l Link) (Link, error) {
	var err error
	if l.Target, err = s.target(ctx, tx, c, l); err != nil {
		return Link{}, err
	}
	now := c.Now(s.Clock)
	l.ID, l.Record = id.New[Link](s.Clock.Now()), access.NewRecord(c, now)
	old, err := readLinks(ctx, tx, c.Tenant, LinkFilter{Kind: l.Kind, Parent: l.Parent, Type: l.Type})
	if err != nil {
		return Link{}, fmt.Errorf("read links: %w", err)
	}
	var before *Link
	for i := range old {
		if old[i].Target == l.Target {
			before = &old[i]
		}
	}
	kept, err := putLink(ctx, tx, c.Tenant, l)
	if err != nil {
		return Link{}, fmt.Errorf("write link: %w", err)
	}
	return kept, s.recordLink(ctx, tx, c, before, &kept)
}

// target finds what a link is to. What does not exist is refused.
func (s *Service) target(ctx context.Context, tx db.Tx, c access.Caller, l Link) (string, error) {
	if l.Type == LinkGlobal {
		return "", nil
	}
	target, found, err := s.find(ctx, tx, c, l.Type, l.Code)
	if fault.KindOf(err) == fault.NotFound {
		found, err = false, nil
	}
	if err == nil && !found {
		err = errLinkTarget.With("linkType", string(l.Type)).With("linkCode", l.Code)
	}
	return target, err
}

func (s *Service) find(ctx context.Context, tx db.Tx, c access.Caller, t LinkType, code string) (target string, found bool, err error) {
	switch t {
	case LinkCustomer:
		u, err := s.Customers.Named(ctx, tx, c.Tenant, code)
		return u.ID.String(), err == nil, err
	case LinkSegment:
		found, err := customer.HasSegment(ctx, tx, c.Tenant, code)
		return code, found, err
	case LinkCard:
		i, err := issuing.IssuanceNamed(ctx, tx, c.Tenant, code)
		return i.String(), err == nil, err
	}
	cfg, err := s.Programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil {
		return "", false, err
	}
	switch t {
	case LinkBIN:
		_, found = cfg.BINs[code]
	case LinkBINRange:
		_, found = cfg.Ranges[code]
	case LinkProductGroup:
		_, found = cfg.Groups[code]
	case LinkProduct:
		_, found = cfg.Products[code]
	}
	return code, found, nil
}

// recordLink writes into the audit chain that a link became another; nil is
// none.
func (s *Service) recordLink(ctx context.Context, tx db.Tx, c access.Caller, before, after *Link) error {
	action, named := "Update", after
	var was, is any
	if before != nil {
		was = *before
	} else {
		action = "Create"
	}
	if after != nil {
		is = *after
	} else {
		action, named = "Delete", before
	}
	a := c.Act(clock.RealNow(s.Clock), audit.PolicyStream, action)
	a.EntityType, a.EntityKey = string(named.Kind)+"Link", named.ID.UUID()
	a.Changes = audit.Changes(was, is, "ID", "Kind", "Target")
	return audit.Append(ctx, tx, a)
}
