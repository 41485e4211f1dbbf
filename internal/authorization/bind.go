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

// bind finds the velocity controls that count the request.
func (e *Engine) bind(ctx context.Context, req *Request, f *Facts, cfg *program.Configuration, card issuing.CardOnNetwork) error {
	row := classify(req.ProcessingCode, req.MCC, req.Amount)
	if e.controls == nil || row.dir != debit || req.Flow.IsReversal() {
		return nil
	}
	k, err := e.controls.Snapshot(ctx, f.Tenant, cfg.Version)
	if err != nil {
		return err
	}
	if k.Version != cfg.Version {
		f.ConfigurationVersion = 0 // half of it is newer: gather again
	}
	if !k.HasVelocity() {
		return nil
	}
	var facts rule.Facts
	t := Transaction{
		Flow: req.Flow, Code: row.code, Amount: req.Amount, Billing: f.Billing, Message: req.Details,
		CardNetwork: f.Card.Network, PIN: f.PIN, CVV: f.CVV, CVV2: f.CVV2, ARQC: f.ARQC, CreatedAt: f.Now,
	}
	t.Classify(f.Card.Country)
	t.CVM = t.cvm(req)
	t.RuleFacts(&facts, cfg.Tenant.Zone)
	facts.SetList(rule.TransactionMCCGroup, k.Lists.Groups(req.MCC))
	if k.ReadsCard() {
		found, err := e.cards.CardOf(ctx, access.System(cfg.Tenant), f.Card.ID)
		if err != nil {
			return fmt.Errorf("read card for rules: %w", err)
		}
		CardRuleFacts(&facts, found, f.Now, cfg.Tenant.Zone)
	}
	bounds, err := e.controls.Bounds(ctx, k, f.Tenant, control.NewSubject(card.Standing(), cfg),
		control.Calendar{Zone: cfg.Tenant.Zone, WeekStart: cfg.Attributes.WeekStart}, &facts, f.Now)
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
