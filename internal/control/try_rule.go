package control

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
)

// Judgement is what there is to say about a source.
type Judgement struct {
	Program  *rule.Program // nil when there are problems
	Problems []rule.Problem
	Findings []rule.Finding // what its author will not have meant
}

// JudgeRule compiles a rule as it would be saved by the caller's tenant, and
// says what is wrong or odd about it. It changes nothing.
func (s *Service) JudgeRule(ctx context.Context, c access.Caller, source rule.Source, context rule.Context, missing rule.Missing) (Judgement, error) {
	k, err := s.current(ctx, c.Tenant)
	if err != nil {
		return Judgement{}, err
	}
	p, problems := rule.Compile(source, context, k.Lists)
	if p == nil {
		return Judgement{Problems: problems}, nil
	}
	return Judgement{Program: p, Findings: rule.Ruled{Program: p, Missing: missing}.Lint()}, nil
}

// Trial is how a rule went over facts.
type Trial struct {
	Result bool
	Steps  []rule.Step
	// Unknown are the fields that the rule reads and the facts do not hold.
	Unknown []rule.FieldID
}

// TryRule runs a rule over facts. The lists that hold the merchant category are
// filled in unless the facts name some. It changes nothing.
func (s *Service) TryRule(ctx context.Context, c access.Caller, source rule.Source, context rule.Context, missing rule.Missing, facts rule.Facts) (Trial, error) {
	k, err := s.current(ctx, c.Tenant)
	if err != nil {
		return Trial{}, err
	}
	p, problems := rule.Compile(source, context, k.Lists)
	if p == nil {
		return Trial{}, ruleFault("rule", problems)
	}
	if mcc, known := facts.Text(rule.TransactionMCC); known && !facts.Known(rule.TransactionMCCGroup) {
		facts.SetList(rule.TransactionMCCGroup, k.Lists.Groups(mcc))
	}
	var t Trial
	t.Result, t.Steps = p.Explain(&facts, missing)
	for _, id := range p.Fields() {
		if !facts.Known(id) {
			t.Unknown = append(t.Unknown, id)
		}
	}
	return t, nil
}
