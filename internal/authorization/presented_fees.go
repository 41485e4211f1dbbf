package authorization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Fees are the fees on a presentment that nothing was authorized for, as the
// tenant's say at its moment: those of a life cycle that it begins, or of one that
// began with a decline, besides the groups that the decline has. Only the first
// presentment of a life cycle has any. What is free of them counts at once, after
// what the file gave back before it. The account of the card is locked, as it is by
// whoever counts uses of the card.
func (l *Limits) Fees(ctx context.Context, tx db.Tx, t *Transaction, standing []fee.Due, p *Presented) ([]fee.Due, error) {
	ctx = db.WithTx(ctx, tx) // what is read is read in tx
	if l.Controls == nil {
		return nil, nil
	}
	if t.Root != t.ID {
		if before, err := wasPresented(ctx, tx, t.Root); err != nil || before {
			return nil, err
		}
	}
	f := presentedFacts(t)
	k, cfg, err := l.configuration(ctx, tx, t.Tenant)
	if err != nil {
		return nil, err
	}
	var o *control.Occasion
	if !fee.TransactionFees.In(k).IsEmpty() {
		if o, err = l.occasion(ctx, tx, t, cfg, k); err != nil {
			return nil, err
		}
	}
	f.bindPresentedFees(t, cfg, k, o)
	return f.begin(ctx, tx, t, standing, p)
}

// presentedFacts are those of a presentment that nothing was authorized for.
func presentedFacts(t *Transaction) *Facts {
	f := &Facts{Transaction: t.ID, Tenant: t.Tenant, Billing: t.Billing, Convertible: true, Now: t.CreatedAt}
	f.Card.Issuance = t.Issuance
	return f
}

// bindPresentedFees finds the fees on a presentment; without an occasion none are
// defined.
func (f *Facts) bindPresentedFees(t *Transaction, cfg *program.Configuration, k *control.Snapshot, o *control.Occasion) {
	req := &Request{Amount: t.Amount}
	var applicable []fee.Applied
	var calendar control.Calendar
	if o != nil {
		has := func(b fee.Base) bool { return f.isAbout(b, req) }
		applicable, calendar = fee.Applicable(k, o, cfg, t.Billing.Currency(), has), o.Calendar
	}
	f.bindFees(req, cfg, applicable, calendar, codeRow{t.Code, debit})
}

// configuration is what holds for a tenant in tx.
func (l *Limits) configuration(ctx context.Context, tx db.Tx, tenant access.TenantID) (*control.Snapshot, *program.Configuration, error) {
	versions, err := program.ConfigurationVersions(ctx, tx, []access.TenantID{tenant})
	if err != nil {
		return nil, nil, err
	}
	k, err := l.Controls.Snapshot(ctx, tenant, versions[tenant])
	if err != nil {
		return nil, nil, err
	}
	cfg, err := l.Programs.Configuration(ctx, tenant)
	return k, cfg, err
}

// begin are the fees of f that begin with t, whose groups are not standing, and
// counts those that are free.
func (f *Facts) begin(ctx context.Context, tx db.Tx, t *Transaction, standing []fee.Due, p *Presented) ([]fee.Due, error) {
	has := map[string]bool{}
	for _, due := range standing {
		has[due.Group] = true
		if due.Type == fee.CurrencyConversionFee {
			has[fee.MarkupGroup] = true
		}
	}
	var keys []control.CounterKey
	for i := range f.Fees {
		if v := &f.Fees[i]; v.Counter != "" && !has[v.Due.Group] {
			keys = append(keys, v.key(f.Tenant))
		}
	}
	var counters, changes *control.Counters
	if len(keys) > 0 {
		var err error
		if changes, err = p.changes(ctx, tx, t); err != nil {
			return nil, err
		}
		if counters, err = control.OpenCounters(ctx, tx, keys, nil, nil, func(access.TenantID) time.Time { return f.Now }); err != nil {
			return nil, fmt.Errorf("open counters of free fees: %w", err)
		}
	}
	var all []fee.Due
	for i := range f.Fees {
		v := &f.Fees[i]
		if has[v.Due.Group] {
			continue
		}
		due := v.Due
		if v.Counter != "" {
			var used FeeState
			used.Amount, used.Count = counters.Used(v.key(f.Tenant), false, f.Now)
			amount, count := changes.Used(v.key(f.Tenant), false, f.Now)
			used.Amount, used.Count = used.Amount+amount, used.Count+count
			if due.IsFree = v.isFree(f.Billing, used); due.IsFree {
				counters.Add(v.useOf(f))
			}
		}
		all = append(all, due)
	}
	if counters == nil {
		return all, nil
	}
	return all, counters.Write(ctx, tx)
}

// useOf is the use by a presentment that is free of the fee.
func (v *FeeFacts) useOf(f *Facts) control.Use {
	return v.use(f, f.Transaction, f.Transaction, f.Billing, 1)
}
