package authorization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
)

// What rules compared is not stored with a decision: it follows from the facts
// that are, and from the version of each control, limit and fee, which is kept for
// ever.

// tellRules adds to each part of the trace the rule that selected the request, as
// it was then, with the values that its conditions and the criteria compared, and
// to limits what was used after it.
func (q *Queries) tellRules(ctx context.Context, r *record, x *Explanation) error {
	t, err := q.counterfactuals.teller(ctx, r)
	if t == nil || err != nil {
		return err
	}
	return q.db.View(ctx, func(tx db.Tx) error {
		for i := range x.Trace {
			check := &x.Trace[i]
			for j := range check.Parts {
				told, err := t.told(ctx, tx, check.Name, check.Parts[j].Subject)
				if err != nil {
					return fmt.Errorf("read rule of %s: %w", check.Parts[j].Subject, err)
				}
				check.Parts[j].Inputs = append(check.Parts[j].Inputs, told...)
			}
			if check.Name == VelocityCheck {
				check.tellAfter(x.Limits)
			}
		}
		return nil
	})
}

// RuleFacts are what rules were asked about when a transaction of the caller's
// tenant was decided; found is false for one that was not, such as a clearing
// record.
func (q *Queries) RuleFacts(ctx context.Context, c access.Caller, t TransactionID) (facts rule.Facts, found bool, err error) {
	if _, err := q.Transaction(ctx, c, t); err != nil || q.counterfactuals == nil {
		return facts, false, err
	}
	var d storedDecision
	err = q.db.View(ctx, func(tx db.Tx) (err error) {
		d, found, err = findDecision(ctx, tx, t)
		return err
	})
	if err != nil || !found {
		return facts, false, err
	}
	r, err := parseRecord(d.record)
	if err != nil {
		return facts, false, err
	}
	teller, err := q.counterfactuals.teller(ctx, r)
	if teller == nil || err != nil {
		return facts, false, err
	}
	return *teller.o.Facts, true, nil
}

// teller reads the rules of a decision; nil without controls.
func (c *Counterfactuals) teller(ctx context.Context, r *record) (*ruleTeller, error) {
	f := &r.Facts
	if c.controls == nil || f.Tenant.IsZero() {
		return nil, nil
	}
	cfg, err := c.programs.Configuration(ctx, f.Tenant)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	k, err := c.controls.Snapshot(ctx, f.Tenant, cfg.Version)
	if err != nil {
		return nil, fmt.Errorf("read controls: %w", err)
	}
	return &ruleTeller{f: f, lists: k.Lists, o: f.occasion(&rule.Facts{}, &r.Request, control.Calendar{Zone: cfg.Tenant.Zone}, k.Lists, control.Links{})}, nil
}

// ruleTeller reads the rules of one decision.
type ruleTeller struct {
	f     *Facts
	lists *rule.Lists
	o     *control.Occasion
}

// told is what criteria and rule of the control of a part compared.
func (t *ruleTeller) told(ctx context.Context, tx db.Tx, check, code string) ([]Input, error) {
	var r control.Reading
	var found bool
	var err error
	switch check {
	case ControlCheck:
		for _, c := range t.f.Controls {
			if c.Code == code && !c.IsBroken {
				r, found, err = control.AuthorizationChecks.Read(ctx, tx, t.f.Tenant, code, c.Version, t.o, t.lists, c.Action.Missing())
			}
		}
	case VelocityCheck:
		for i := range t.f.Velocity {
			if v := &t.f.Velocity[i]; v.Code == code && !v.IsBroken {
				r, found, err = control.VelocityChecks.Read(ctx, tx, t.f.Tenant, code, v.Version, t.o, t.lists, rule.TwoValued)
			}
		}
	case FeeCheck:
		for i := range t.f.Fees {
			if due := &t.f.Fees[i].Due; due.Code == code {
				r, found, err = fee.TransactionFees.Read(ctx, tx, t.f.Tenant, code, due.Version, t.o, t.lists, rule.TwoValued)
			}
		}
	}
	if err != nil || !found {
		return nil, err
	}
	return readingInputs(&r), nil
}

// readingInputs tell a reading. One that does not select what was selected looks
// into lists that have changed since: of its values nothing is told.
func readingInputs(r *control.Reading) []Input {
	var in []Input
	if r.Rule != "" {
		in = append(in, Input{"rule", r.Rule})
	}
	if !r.Selects {
		return in
	}
	for _, s := range r.Criteria {
		in = append(in, stepInput("criteria ", s))
	}
	for _, s := range r.Steps {
		in = append(in, stepInput("rule ", s))
	}
	return in
}

// stepInput tells one condition: the value that the request had, what it was
// compared with, and what the comparison counts as.
func stepInput(kind string, s rule.Step) Input {
	actual := s.Actual
	if s.IsMissing && actual == "null" {
		actual = "missing"
	}
	text := actual + " " + string(s.Operator)
	if s.Expected != "null" {
		text += " " + s.Expected
	}
	return Input{kind + s.Field.String(), fmt.Sprintf("%s: %t", text, s.Result)}
}

// tellAfter adds what was used of limits after the request, as it was decided.
func (c *Check) tellAfter(all []LimitUse) {
	for i := range c.Parts {
		p := &c.Parts[i]
		for j := range all {
			u := &all[j]
			if u.Code != p.Subject || !u.Counts {
				continue
			}
			if u.Amount != nil && u.MaxAmount != nil {
				p.Inputs = append(p.Inputs, minorInput("usedAfter", u.After.Amount, u.Amount.Currency()))
			}
			if u.MaxCount > 0 {
				p.Inputs = append(p.Inputs, countInput("usedCountAfter", u.After.Count))
			}
		}
	}
}
