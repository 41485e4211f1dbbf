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
		for _, r := range rules {
			v, err := r.run(ctx, tx)
			if err != nil {
				return fmt.Errorf("verify %q: %w", r.name, err)
			}
			all = append(all, v)
		}
		return nil
	})
	return all, err
}

func (r rule) run(ctx context.Context, tx db.Tx) (Invariant, error) {
	v := Invariant{Name: r.name}
	var err error
	if v.Checked, _, err = db.One(ctx, tx, scanInt64, r.count); err != nil {
		return v, err
	}
	v.Examples, err = db.Collect(ctx, tx, scanText, r.broken)
	v.Broken = int64(len(v.Examples))
	v.Examples = v.Examples[:min(len(v.Examples), 10)]
	return v, err
}
