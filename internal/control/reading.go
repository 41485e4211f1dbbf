package control

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Reading is what criteria and rule of a definition say of a transaction.
type Reading struct {
	Rule     string // in CEL; empty for none
	Criteria []rule.Step
	Steps    []rule.Step // of the rule
	// Selects says that both hold. Named lists are as they are now: what was
	// selected once may not be any more.
	Selects bool
}

// Read asks the definition of a code, as it was at a version, about facts; found is
// false for a version that nobody kept, or whose rule cannot be evaluated.
func (k *Definitions[D]) Read(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, version int, o *Occasion, lists *rule.Lists, m rule.Missing) (r Reading, found bool, err error) {
	d, found, err := k.version(ctx, tx, tenant, code, version)
	if err != nil {
		return r, false, fmt.Errorf("read version %d of %s: %w", version, code, err)
	}
	if !found {
		return r, false, nil
	}
	selects, problems := compile(k.Criteria(d), k.Rule(d), k.Context, lists)
	if len(problems) > 0 {
		return r, false, nil
	}
	_, r.Selects = selects.Selects(o.Facts, m)
	if _, r.Steps = selects.rule.Explain(o.Facts, m); len(r.Steps) > 0 {
		r.Rule = selects.rule.Text()
	}
	// Criteria may ask for more than a rule of the context may.
	if criteria, ok := selects.program(rule.Authorization, lists); ok {
		_, r.Criteria = criteria.Explain(o.Facts, m)
	}
	return r, true, nil
}
