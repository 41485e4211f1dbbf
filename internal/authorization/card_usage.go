package authorization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

var _ fee.Usage = (*Queries)(nil)

// FirstPaid implements [fee.Usage].
func (q *Queries) FirstPaid(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], from time.Time) (time.Time, error) {
	return firstPaid(ctx, tx, tenant, issuance, from)
}

// Spent implements [fee.Usage]. Purchases and cash count, once for a life cycle,
// less what was refunded.
func (q *Queries) Spent(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], from time.Time) (amount int64, count int, err error) {
	return readSpent(ctx, tx, tenant, issuance, from)
}

// CardFacts implements [fee.Usage].
func (q *Queries) CardFacts(f *rule.Facts, card issuing.IssuedCard, at time.Time, zone *time.Location) {
	CardRuleFacts(f, card, at, zone)
}
