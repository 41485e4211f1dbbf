package authorization

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Verify compares what was sealed with the decisions that are there. It names
// each seal whose decisions were altered, removed or joined by others; that the
// seals themselves are whole is for the audit chain to prove.
func (s *Seals) Verify(ctx context.Context) (v ledger.Invariant, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		v = ledger.Invariant{Name: "decisions are those that were sealed into the audit chain"}
		tenants, err := audit.Tenants(ctx, tx)
		if err != nil {
			return fmt.Errorf("read audit chains: %w", err)
		}
		for _, tenant := range tenants {
			if err := verifySeals(ctx, tx, tenant, &v); err != nil {
				return fmt.Errorf("compare decisions with their seals: %w", err)
			}
		}
		return nil
	})
	return v, err
}

func verifySeals(ctx context.Context, tx db.Tx, tenant string, v *ledger.Invariant) error {
	after, position := "", int64(0)
	for {
		seals, err := audit.ActsAfter(ctx, tx, tenant, audit.DecisionStream, position, verifyBatch)
		if err != nil || len(seals) == 0 {
			return err
		}
		for _, seal := range seals {
			decisions, err := decisionTextsBetween(ctx, tx, tenant, after, seal.EntityKey)
			if err != nil {
				return err
			}
			v.Checked += int64(len(decisions))
			if len(decisions) == 0 || !slices.EqualFunc(sealOf(decisions, seal.At).Changes, seal.Changes, sameChange) {
				v.Break(fmt.Sprintf("%s row %d: the decisions up to %s are not those that were sealed", tenant, seal.Position, seal.EntityKey))
			}
			after, position = seal.EntityKey, seal.Position
		}
	}
}

func sameChange(a, b audit.Change) bool {
	return a.Property == b.Property && a.New != nil && b.New != nil && *a.New == *b.New
}
