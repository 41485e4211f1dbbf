package ledger

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/db"
)

// Invariant is one rule that must hold for all rows, and how it stands.
type Invariant struct {
	Name string
	// Checked is how many rows were looked at, Broken how many break the rule;
	// Examples names some of those.
	Checked, Broken int64
	Examples        []string
}

// Verify checks every invariant of the ledger on one state of the database. It
// reads all of it.
func (s *Service) Verify(ctx context.Context) (all []Invariant, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		if all, err = RunRules(ctx, tx, rules); err != nil {
			return err
		}
		credit, err := verifyCredit(ctx, tx)
		all = append(all, credit)
		return err
	})
	return all, err
}

// Rule is an invariant as two queries: how many rows it speaks of, and the
// identifiers of those that break it.
type Rule struct{ Name, Count, Broken string }

// RunRules checks rules one after the other.
func RunRules(ctx context.Context, tx db.Tx, rules []Rule) (all []Invariant, err error) {
	for _, r := range rules {
		v := Invariant{Name: r.Name}
		if v.Checked, _, err = db.One(ctx, tx, scanInt64, r.Count); err != nil {
			return nil, fmt.Errorf("verify %q: %w", r.Name, err)
		}
		if v.Examples, err = db.Collect(ctx, tx, scanText, r.Broken); err != nil {
			return nil, fmt.Errorf("verify %q: %w", r.Name, err)
		}
		v.Broken = int64(len(v.Examples))
		v.Examples = v.Examples[:min(len(v.Examples), examplesMax)]
		all = append(all, v)
	}
	return all, nil
}

// examplesMax bounds how many broken rows an Invariant names.
const examplesMax = 10

// Break counts one more broken row and names it, if there is room.
func (v *Invariant) Break(example string) {
	v.Broken++
	if len(v.Examples) < examplesMax {
		v.Examples = append(v.Examples, example)
	}
}
