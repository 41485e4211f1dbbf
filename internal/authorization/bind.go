package authorization

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// binder finds what tenants control requests with: of what is gathered, and again
// of what was recorded.
type binder struct {
	programs Programs
	controls Controls // nil: none holds
}

// configure notes under what the request is decided, and returns what the tenant
// controls it with; nil without controls.
func (e *binder) configure(ctx context.Context, f *Facts, cfg *program.Configuration) (*control.Snapshot, error) {
	f.ConfigurationVersion, f.ConfigurationHash = cfg.Version, cfg.Hash
	if e.controls == nil {
		return nil, nil
	}
	k, err := e.controls.Snapshot(ctx, f.Tenant, cfg.Version)
	if err != nil {
		return nil, err
	}
	if k.Version != cfg.Version {
		f.ConfigurationVersion = 0 // half of it is newer: gather again
	}
	f.ConfigurationHash = k.HashWith(cfg.Hash)
	return k, nil
}

// bind finds what the tenant controls the request with.
func (e *binder) bind(ctx context.Context, req *Request, f *Facts, cfg *program.Configuration, k *control.Snapshot) error {
	if req.Flow.IsReversal() {
		return nil
	}
	row := classify(req.ProcessingCode, req.MCC, req.Amount)
	if k == nil || k.IsEmpty() {
		if row.dir != credit {
			f.bindFees(req, cfg, nil, control.Calendar{}, row)
		}
		return nil
	}
	links, err := e.controls.LinksOf(ctx, k, f.Tenant, f.subject())
	if err != nil {
		return err
	}
	facts := spareFacts.Get().(*rule.Facts)
	defer func() {
		*facts = rule.Facts{}
		spareFacts.Put(facts)
	}()
	o := f.occasion(facts, req, control.Calendar{Zone: cfg.Tenant.Zone, WeekStart: cfg.Attributes.WeekStart}, k.Lists, links)
	for _, m := range k.Matches(o, row.dir != neither) {
		f.Controls = append(f.Controls, controlFacts(m))
	}
	if row.dir != credit {
		has := func(b fee.Base) bool { return f.isAbout(b, req) }
		f.bindFees(req, cfg, fee.Applicable(k, o, cfg, f.Billing.Currency(), has), o.Calendar, row)
	}
	if row.dir != debit {
		return nil
	}
	if err := e.bindVelocity(ctx, f, k, o); err != nil || !req.Flow.IsAdvice() || f.Candidate.IsZero() {
		return err
	}
	return e.bindWatchers(ctx, f, k, o)
}

// bindWatchers finds the velocity controls that do not count a completion, but may
// have counted what it completes and want to tell how much is used.
func (e *binder) bindWatchers(ctx context.Context, f *Facts, k *control.Snapshot, o *control.Occasion) error {
	bounds, err := e.controls.Watchers(ctx, k, o)
	for _, b := range bounds {
		if !slices.ContainsFunc(f.Velocity, func(v VelocityFacts) bool { return v.Code == b.Check.Code }) {
			f.watchers = append(f.watchers, velocityFacts(&b, nil))
		}
	}
	return err
}

// bindFees finds the fees on the request, should it begin a life cycle: those
// defined that apply, and the tenant's mark-up.
func (f *Facts) bindFees(req *Request, cfg *program.Configuration, applicable []fee.Applied, calendar control.Calendar, row codeRow) {
	for _, a := range fee.WithMarkup(applicable, cfg, req.Amount.Currency(), f.Billing.Currency(), f.Now) {
		if v, ok := feeFacts(a, req, f, row, calendar); ok {
			f.Fees = append(f.Fees, v)
		}
	}
	f.AllowsFeeShortfall = len(f.Fees) > 0 && cfg.Attributes.AllowFeeShortfall
}

// spareFacts are empty: those of one request take four kilobytes, and are needed
// until it is bound.
var spareFacts = sync.Pool{New: func() any { return &rule.Facts{} }}

// occasion is what controls and fees are asked about the request: the links of
// its card and the facts for rules, for all of them, which it fills. It is made of
// what is recorded.
func (f *Facts) occasion(facts *rule.Facts, req *Request, c control.Calendar, lists *rule.Lists, links control.Links) *control.Occasion {
	o := &control.Occasion{Tenant: f.Tenant, Subject: f.subject(), Links: links, Facts: facts, At: f.Now, Calendar: c}
	f.ruleFacts(o.Facts, req, c.Zone)
	if req.MCC != "" {
		o.Facts.SetList(rule.TransactionMCCGroup, lists.Groups(req.MCC))
	}
	return o
}

// bindVelocity finds the velocity controls that count the request.
func (e *binder) bindVelocity(ctx context.Context, f *Facts, k *control.Snapshot, o *control.Occasion) error {
	bounds, err := e.controls.Bounds(ctx, k, o)
	if err != nil {
		return err
	}
	f.Velocity = make([]VelocityFacts, 0, len(bounds))
	for i := range bounds {
		b := &bounds[i]
		amount, err := e.convert(ctx, f, b.Check.Currency)
		if err != nil {
			return fmt.Errorf("convert for velocity control %s: %w", b.Check.Code, err)
		}
		v := velocityFacts(b, amount)
		if v.CountsFees && amount.Currency() != f.Billing.Currency() {
			par, err := money.New(control.FeePar, f.Billing.Currency())
			if err == nil {
				v.FeePar, err = e.programs.Convert(ctx, f.Tenant, par, amount.Currency(), f.Now)
			}
			if err != nil {
				return fmt.Errorf("convert fees for velocity control %s: %w", b.Check.Code, err)
			}
			v.CountsFees = v.FeePar != nil
		}
		f.Velocity = append(f.Velocity, v)
	}
	return nil
}

// convert returns what the request is billed in another currency, at the
// tenant's middle rate in force; nil where there is none. It is not negative.
func (e *binder) convert(ctx context.Context, f *Facts, to money.Currency) (*money.Amount, error) {
	switch {
	case to.IsZero() || !f.Convertible:
		return nil, nil
	case to == f.Billing.Currency():
		return &f.Billing, nil
	}
	return e.programs.Convert(ctx, f.Tenant, f.Billing, to, f.Now)
}
