package program

import (
	"context"
	"time"

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

// Taxed is what this package asks of those who charge taxes. It is fee.Service.
type Taxed interface {
	// CheckTaxes refuses attributes in which a tax that something names has no rate
	// when it may be charged, as of a moment of the tenant's business.
	CheckTaxes(ctx context.Context, tx db.Tx, c access.Caller, a Attributes, zone *time.Location, now time.Time) error
}
