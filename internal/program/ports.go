package program

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Issued is what this package asks of those who issue cards. It is
// issuing.Service.
type Issued interface {
	// IssuancesOfProduct counts the issuances of which a card was ever made of a
	// product, looking at no more than atMost of its cards.
	IssuancesOfProduct(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, atMost int) (int, error)
}
