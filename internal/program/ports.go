package program

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Issued is what this package asks of those who issue cards. It is
// issuing.Service.
type Issued interface {
	// IssuancesOfProduct counts the issuances that were ever made of a product.
	IssuancesOfProduct(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (int, error)
}
