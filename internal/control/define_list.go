package control

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// CreateList defines a named list.
func (s *Service) CreateList(ctx context.Context, c access.Caller, in NamedList) (NamedList, error) {
	l := in
	if err := l.check(); err != nil {
		return NamedList{}, err
	}
	l.Record = access.NewRecord(c, c.Now(s.Clock))
	err := s.Programs.Change(ctx, c.Tenant, func(tx db.Tx) error {
		if err := permitList(ctx, tx, c, l.Code); err != nil {
			return err
		}
		inserted, err := insertNamedList(ctx, tx, c.Tenant, l)
		if err == nil && !inserted {
			return errListExists.With("code", l.Code)
		}
		if err != nil {
			return fmt.Errorf("insert named list: %w", err)
		}
		return s.recordList(ctx, tx, c, nil, &l)
	})
	if err != nil {
		return NamedList{}, err
	}
	return l, nil
}

// UpdateList replaces a named list but its code and the type of its values, which
// may be left out. stamp must be the present one, or empty. Rules that look into it do so as it
// is now from the next authorization on.
func (s *Service) UpdateList(ctx context.Context, c access.Caller, in NamedList, stamp string) (NamedList, error) {
	var l NamedList
	now := c.Now(s.Clock)
	err := s.Programs.Change(ctx, c.Tenant, func(tx db.Tx) error {
		old, err := mustNamedList(ctx, tx, c.Tenant, in.Code)
		if err != nil {
			return err
		}
		if err := permitList(ctx, tx, c, old.Code); err != nil {
			return err
		}
		if l = in; l.Type == "" {
			l.Type = old.Type
		}
		if err := l.check(); err != nil {
			return err
		}
		if l.Type != old.Type {
			return errListType.With("valueType", string(old.Type))
		}
		l.Record = old.Record.Updated(c, now)
		written, err := updateNamedList(ctx, tx, c.Tenant, l, stamp)
		if err == nil && !written {
			return errStale
		}
		if err != nil {
			return fmt.Errorf("update named list: %w", err)
		}
		return s.recordList(ctx, tx, c, &old, &l)
	})
	if err != nil {
		return NamedList{}, err
	}
	return l, nil
}

// DeleteList deletes a named list that no rule looks into. Its code stays taken.
func (s *Service) DeleteList(ctx context.Context, c access.Caller, code string) error {
	r := access.Record{}.Updated(c, c.Now(s.Clock))
	// Rules are saved in transactions that raise the version, too, so none comes
	// to look into the list meanwhile.
	return s.Programs.Change(ctx, c.Tenant, func(tx db.Tx) error {
		old, err := mustNamedList(ctx, tx, c.Tenant, code)
		if err != nil {
			return err
		}
		if err := permitList(ctx, tx, c, code); err != nil {
			return err
		}
		uses, err := usesOfList(ctx, tx, c.Tenant, code)
		if err != nil {
			return fmt.Errorf("read uses of named list: %w", err)
		}
		if len(uses) > 0 {
			return errListInUse.With("code", code).With("usedBy", uses)
		}
		if err := deleteNamedList(ctx, tx, c.Tenant, code, r); err != nil {
			return fmt.Errorf("delete named list: %w", err)
		}
		old.UpdatedAt = r.UpdatedAt
		return s.recordList(ctx, tx, c, &old, nil)
	})
}

// List returns one of the tenant's named lists with its values.
func (s *Service) List(ctx context.Context, c access.Caller, code string) (l NamedList, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		l, err = mustNamedList(ctx, tx, c.Tenant, code)
		return err
	})
	return l, err
}

// Lists returns the page of the tenant's named lists, without their values,
// whose code or name has words that begin with those of text, and how many
// there are.
func (s *Service) Lists(ctx context.Context, c access.Caller, text string, p list.Page) (page []NamedList, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		page, total, err = listNamedLists(ctx, tx, c.Tenant, text, p)
		return err
	})
	return page, total, err
}

// permitList refuses callers who may not touch regulatory controls a list that one
// of those looks into: also a new one, which takes the place of a group that
// every tenant has.
func permitList(ctx context.Context, tx db.Tx, c access.Caller, code string) error {
	if c.May(access.SystemTenant) {
		return nil
	}
	now, _, err := readLists(ctx, tx, c.Tenant, nil)
	if err != nil {
		return err
	}
	all, err := AuthorizationChecks.read(ctx, tx, c.Tenant)
	if err != nil {
		return fmt.Errorf("read authorization controls: %w", err)
	}
	for _, k := range all {
		if err := k.permitted(c); err == nil {
			continue
		}
		p, problems := rule.Compile(k.Rule, rule.Authorization, now.Lists)
		readsGroups := slices.Contains(p.Fields(), rule.TransactionMCCGroup)
		if len(problems) > 0 || readsGroups || slices.Contains(p.Lists(), code) || slices.Contains(k.Criteria.MCCGroups, code) {
			return errMandatory.With("permission", access.SystemTenant)
		}
	}
	return nil
}

func mustNamedList(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (NamedList, error) {
	l, found, err := readNamedList(ctx, tx, tenant, code)
	if err != nil {
		return NamedList{}, fmt.Errorf("read named list: %w", err)
	}
	if !found {
		return NamedList{}, errListNotFound.With("listCode", code)
	}
	return l, nil
}

// recordList writes into the audit chain that a list became another. before is
// nil for a new one, after for one that is deleted.
func (s *Service) recordList(ctx context.Context, tx db.Tx, c access.Caller, before, after *NamedList) error {
	action := "Update"
	var was, is any
	of := after
	if before == nil {
		action = "Create"
	} else {
		was = before.audited()
	}
	if after == nil {
		action, of = "Delete", before
	} else {
		is = after.audited()
	}
	a := c.Act(c.Real(of.UpdatedAt), audit.PolicyStream, action)
	a.EntityType, a.EntityKey, a.Changes = "NamedList", of.Code, audit.Changes(was, is)
	return audit.Append(ctx, tx, a)
}
