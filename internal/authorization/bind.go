package authorization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// bind finds what the tenant controls the request with.
func (e *Engine) bind(ctx context.Context, req *Request, f *Facts, cfg *program.Configuration, card issuing.CardOnNetwork) error {
	if e.controls == nil || req.Flow.IsReversal() {
		return nil
	}
	k, err := e.controls.Snapshot(ctx, f.Tenant, cfg.Version)
	if err != nil {
		return err
	}
	if k.Version != cfg.Version {
		f.ConfigurationVersion = 0 // half of it is newer: gather again
	}
	if k.IsEmpty() {
		return nil
	}
	row := classify(req.ProcessingCode, req.MCC, req.Amount)
	o, err := e.occasion(ctx, req, f, cfg, card, row, k)
	if err != nil {
		return err
	}
	if row.dir == debit {
		return e.bindVelocity(ctx, f, k, o)
	}
	return nil
}

// occasion is what controls and fees are asked about the request: the links of
// its card and the facts for rules, for all of them.
func (e *Engine) occasion(ctx context.Context, req *Request, f *Facts, cfg *program.Configuration, card issuing.CardOnNetwork, row codeRow, k *control.Snapshot) (*control.Occasion, error) {
	o := &control.Occasion{
		Tenant: f.Tenant, Subject: control.NewSubject(card.Standing(), cfg), Facts: &rule.Facts{}, At: f.Now,
		Calendar: control.Calendar{Zone: cfg.Tenant.Zone, WeekStart: cfg.Attributes.WeekStart},
	}
	var err error
	if o.Links, err = e.controls.LinksOf(ctx, k, f.Tenant, o.Subject); err != nil {
		return nil, err
	}
	t := Transaction{
		Amount: req.Amount, Billing: f.Billing, Message: req.Details,
		CardNetwork: f.Card.Network, PIN: f.PIN, CVV: f.CVV, CVV2: f.CVV2, ARQC: f.ARQC, CreatedAt: f.Now,
	}
	t.Flow, t.Code = req.named(row)
	t.Classify(f.Card.Country)
	t.CVM = t.cvm(req)
	t.RuleFacts(o.Facts, cfg.Tenant.Zone)
	o.Facts.SetList(rule.TransactionMCCGroup, k.Lists.Groups(req.MCC))
	if !k.ReadsCard() {
		return o, nil
	}
	found, err := e.cards.CardOf(ctx, access.System(cfg.Tenant), f.Card.ID)
	if err != nil {
		return nil, fmt.Errorf("read card for rules: %w", err)
	}
	CardRuleFacts(o.Facts, found, f.Now, cfg.Tenant.Zone)
	return o, nil
}

// bindVelocity finds the velocity controls that count the request.
func (e *Engine) bindVelocity(ctx context.Context, f *Facts, k *control.Snapshot, o *control.Occasion) error {
	bounds, err := e.controls.Bounds(ctx, k, o)
	if err != nil {
		return err
	}
	for _, b := range bounds {
		amount, err := e.convert(ctx, f, b.Check.Currency)
		if err != nil {
			return fmt.Errorf("convert for velocity control %s: %w", b.Check.Code, err)
		}
		f.Velocity = append(f.Velocity, velocityFacts(b, amount))
	}
	return nil
}

// convert returns what the request is billed in another currency, at the
// tenant's middle rate in force; nil where there is none. It is not negative.
func (e *Engine) convert(ctx context.Context, f *Facts, to money.Currency) (*money.Amount, error) {
	switch {
	case to.IsZero() || !f.Convertible:
		return nil, nil
	case to == f.Billing.Currency():
		return &f.Billing, nil
	}
	return e.programs.Convert(ctx, f.Tenant, f.Billing, to, f.Now)
}
