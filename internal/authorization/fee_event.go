package authorization

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// FeesTold are the lines of fees that a transaction charged or gave back, which
// are events about its card.
type FeesTold struct {
	Tenant      access.TenantID
	Card        id.ID[issuing.Card]
	Transaction TransactionID
	Lines       []fee.Additional
}

// RaiseFees writes the events about fees on transactions that somebody wants to
// hear of, in the transaction of what they tell of.
func RaiseFees(ctx context.Context, tx db.Tx, all []FeesTold, at clock.Real) error {
	var tenants []string
	for i := range all {
		if tenant := all[i].Tenant.String(); len(all[i].Lines) > 0 && !slices.Contains(tenants, tenant) {
			tenants = append(tenants, tenant)
		}
	}
	if len(tenants) == 0 {
		return nil
	}
	interests, err := outbox.Interests(ctx, tx, tenants)
	if err != nil {
		return err
	}
	for i := range all {
		told := &all[i]
		for _, line := range told.Lines {
			name, about := line.Told(told.Transaction.UUID())
			if !interests[told.Tenant.String()].Wants(name) {
				continue
			}
			if err := issuing.RaiseCard(ctx, tx, access.Caller{}, name, told.Card, at.Time(), about); err != nil {
				return fmt.Errorf("tell of fee %s: %w", line.Code, err)
			}
		}
	}
	return nil
}
