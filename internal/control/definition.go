package control

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fold"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Kind is what is defined and linked.
type Kind string

// The kinds. Codes of one kind are another's business.
const (
	Velocity       Kind = "Velocity"
	Authorization  Kind = "Authorization"
	TransactionFee Kind = "TransactionFee"
	IssuanceFee    Kind = "IssuanceFee"
	AnnualFee      Kind = "AnnualFee"
)

// Head is what the definitions of all kinds have.
type Head struct {
	Code              string
	Name, Description string
	StartsAt, EndsAt  *time.Time
	IsActive          bool
	Version           int // 1, and one more with every change
	access.Record
}

// CheckInto checks a head by itself.
func (h Head) CheckInto(v *fault.Checks) {
	v.Code("code", h.Code)
	v.Text("name", h.Name, 1, 100)
	v.Text("description", h.Description, 0, 250)
	checkPeriod(v, "", h.StartsAt, h.EndsAt)
}

// inForceAt reports whether the definition holds at a moment.
func (h Head) inForceAt(at time.Time) bool { return h.IsActive && inForce(h.StartsAt, h.EndsAt, at) }

// Definitions keeps the definitions of one kind: controls here, fees in their own
// package. Every change raises the tenant's configuration version, is kept as a
// version of its own, and stands in the audit chain's policy stream.
//
// It is a description, made once; its methods are safe for concurrent use.
type Definitions[D any] struct {
	Kind Kind
	// Entity is what the audit record calls one.
	Entity string
	Head   func(*D) *Head
	// Check checks a definition by itself.
	Check func(D) error
	// Fit checks it against the tenant's others of the kind, which none can change
	// at the same time, and may complete it. old is nil for a new one.
	Fit func(d D, old *D, others []D) (D, error)
	// FitProduct checks it against the product that a link ties it to, directly or
	// as the product of a card; nil for what fits all.
	FitProduct func(D, program.Product) error
	// FitTenant checks it against what the tenant has set, as of a moment of its
	// business; nil for what asks nothing of that.
	FitTenant func(d D, cfg *program.Configuration, now time.Time) error
	// Permitted refuses callers who may not touch such a definition; nil is
	// everybody. A change asks it of what was and of what is.
	Permitted func(D, access.Caller) error
	// Permission is what it takes to be told of them beside others; empty for
	// nothing more.
	Permission string
	// Rival names the family of which one holds for a transaction, the one with the
	// most specific link; nil where all hold together.
	Rival func(*D) string
	// Price tells what of a fee depends on how often and how much is paid; nil where
	// nothing does.
	Price func(D) Price
	// Criteria and Rule are what selects transactions; the rule must compile for
	// Context.
	Criteria func(D) Criteria
	Rule     func(D) rule.Source
	Context  rule.Context
	// IfBroken says whether a definition whose rule can no longer be evaluated
	// selects all that its criteria do; nil is never.
	IfBroken func(D) bool
	// Encode and Decode make the stored document, without the head.
	Encode func(D) (string, error)
	Decode func(string) (D, error)

	NotFound, Exists, InUse *fault.Error
}

// Create keeps a new definition, with links to what it is for.
func (k *Definitions[D]) Create(ctx context.Context, s *Service, c access.Caller, d D, links []Link) (D, []Link, error) {
	if err := k.Check(d); err != nil {
		return d, nil, err
	}
	if err := checkLinks(links); err != nil {
		return d, nil, err
	}
	if err := k.permit(c, &d); err != nil {
		return d, nil, err
	}
	h := k.Head(&d)
	h.Version, h.Record = 1, access.NewRecord(c, c.Now(s.Clock))
	err := s.change(ctx, c.Tenant, func(tx db.Tx) (err error) {
		if d, err = k.fit(ctx, tx, s, c, d, nil); err != nil {
			return err
		}
		inserted, err := k.insert(ctx, tx, c.Tenant, d)
		if err == nil && !inserted {
			return k.Exists.With("code", h.Code)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", k.Entity, err)
		}
		if err := k.recordAct(ctx, tx, s, c, nil, &d); err != nil {
			return err
		}
		for i := range links {
			links[i].Kind, links[i].Parent = k.Kind, h.Code
			if links[i], err = k.tie(ctx, tx, s, c, d, links[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return d, links, err
}

// Update replaces the definition of the same code, and returns it with what it
// was. stamp must be the present one, or empty.
func (k *Definitions[D]) Update(ctx context.Context, s *Service, c access.Caller, in D, stamp string) (d, old D, err error) {
	if err := k.Check(in); err != nil {
		return in, old, err
	}
	err = s.change(ctx, c.Tenant, func(tx db.Tx) error {
		d = in
		h := k.Head(&d)
		if old, err = k.must(ctx, tx, c.Tenant, h.Code); err != nil {
			return err
		}
		if err := k.permit(c, &old, &d); err != nil {
			return err
		}
		was := k.Head(&old)
		if stamp != "" && stamp != was.ConcurrencyStamp {
			return errStale
		}
		h.Version, h.Record = was.Version+1, was.Record.Updated(c, c.Now(s.Clock))
		if d, err = k.fit(ctx, tx, s, c, d, &old); err != nil {
			return err
		}
		if err := k.update(ctx, tx, c.Tenant, d); err != nil {
			return fmt.Errorf("write %s: %w", k.Entity, err)
		}
		if err := k.fitLinks(ctx, tx, s, c, d); err != nil {
			return err
		}
		return k.recordAct(ctx, tx, s, c, &old, &d)
	})
	return d, old, err
}

// permit refuses what a caller may not do to definitions.
func (k *Definitions[D]) permit(c access.Caller, all ...*D) error {
	if k.Permitted == nil {
		return nil
	}
	for _, d := range all {
		if err := k.Permitted(*d, c); err != nil {
			return err
		}
	}
	return nil
}

func (k *Definitions[D]) fit(ctx context.Context, tx db.Tx, s *Service, c access.Caller, d D, old *D) (D, error) {
	all, err := k.read(ctx, tx, c.Tenant)
	if err != nil {
		return d, fmt.Errorf("read %s: %w", k.Entity, err)
	}
	code := k.Head(&d).Code
	if err := k.keepRule(ctx, tx, c.Tenant, d); err != nil {
		return d, err
	}
	if k.FitTenant != nil {
		cfg, err := s.Programs.ConfigurationIn(ctx, tx, c.Tenant)
		if err != nil {
			return d, err
		}
		if err := k.FitTenant(d, cfg, c.Now(s.Clock)); err != nil {
			return d, err
		}
	}
	return k.Fit(d, old, slices.DeleteFunc(all, func(o D) bool { return k.Head(&o).Code == code }))
}

// keepRule checks criteria and rule of a definition against the tenant's lists,
// and notes which they look into.
func (k *Definitions[D]) keepRule(ctx context.Context, tx db.Tx, tenant access.TenantID, d D) error {
	now, _, err := readLists(ctx, tx, tenant, nil)
	if err != nil {
		return err
	}
	p, problems := rule.Compile(k.Rule(d), k.Context, now.Lists)
	if len(problems) > 0 {
		return ruleFault("rule", problems)
	}
	groups := k.Criteria(d).MCCGroups
	if err := checkGroups(groups, now.Lists); err != nil {
		return err
	}
	uses := slices.Concat(p.Lists(), groups)
	slices.Sort(uses)
	return KeepListUses(ctx, tx, tenant, k.Context, k.Head(&d).Code, slices.Compact(uses))
}

// checkGroups checks that criteria name lists that are there. A group that is not
// would select nothing: a limit on it binds never.
func checkGroups(groups []string, lists *rule.Lists) error {
	var v fault.Checks
	for i, g := range groups {
		v.Is("criteria.mccGroups["+strconv.Itoa(i)+"]", lists.Has(g), "unknown_list", "names no list")
	}
	return v.Err(errInvalid)
}

// Delete removes a definition that nothing links to. Its code is never used
// again: what was decided under it goes on naming it.
func (k *Definitions[D]) Delete(ctx context.Context, s *Service, c access.Caller, code string) error {
	return s.change(ctx, c.Tenant, func(tx db.Tx) error {
		old, err := k.must(ctx, tx, c.Tenant, code)
		if err != nil {
			return err
		}
		if err := k.permit(c, &old); err != nil {
			return err
		}
		links, err := readLinks(ctx, tx, c.Tenant, LinkFilter{Kind: k.Kind, Parent: code})
		if err != nil {
			return fmt.Errorf("read links: %w", err)
		}
		if len(links) > 0 {
			return k.InUse.With("code", code)
		}
		if err := deleteDefinition(ctx, tx, c.Tenant, k.Kind, code, k.Head(&old).Record.Updated(c, c.Now(s.Clock))); err != nil {
			return fmt.Errorf("delete %s: %w", k.Entity, err)
		}
		if err := KeepListUses(ctx, tx, c.Tenant, k.Context, code, nil); err != nil {
			return err
		}
		return k.recordAct(ctx, tx, s, c, &old, nil)
	})
}

// Named returns the definition with a code, or refuses.
func (k *Definitions[D]) Named(ctx context.Context, s *Service, c access.Caller, code string) (d D, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		d, err = k.must(ctx, tx, c.Tenant, code)
		return err
	})
	return d, err
}

// All returns the tenant's definitions of which a word of code or name begins
// with each word of text, by code.
func (k *Definitions[D]) All(ctx context.Context, s *Service, c access.Caller, text string) (all []D, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all, err = k.read(ctx, tx, c.Tenant)
		return err
	})
	words := fold.Words(text)
	return slices.DeleteFunc(all, func(d D) bool {
		h := k.Head(&d)
		name := fold.Name(h.Code, h.Name) // " word word": every word starts after a blank
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(name, " "+w) })
	}), err
}

func (k *Definitions[D]) must(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (D, error) {
	d, found, err := k.readOne(ctx, tx, tenant, code)
	if err != nil {
		return d, fmt.Errorf("read %s: %w", k.Entity, err)
	}
	if !found {
		return d, k.NotFound.With("code", code)
	}
	return d, nil
}

// recordAct writes into the audit chain that a definition became another; nil is
// none.
func (k *Definitions[D]) recordAct(ctx context.Context, tx db.Tx, s *Service, c access.Caller, before, after *D) error {
	action, named := "Update", after
	var was, is, old, fresh any
	if before != nil {
		was, old = *k.Head(before), *before
	} else {
		action = "Create"
	}
	if after != nil {
		is, fresh = *k.Head(after), *after
	} else {
		action, named = "Delete", before
	}
	a := c.Act(clock.RealNow(s.Clock), audit.PolicyStream, action)
	a.EntityType, a.EntityKey = k.Entity, k.Head(named).Code
	a.Changes = append(audit.Changes(was, is), audit.Changes(old, fresh, "Generation", "Founder")...)
	return audit.Append(ctx, tx, a)
}
