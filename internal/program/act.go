package program

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// recordDefinition writes into the audit chain that a part of the configuration
// became another. before is nil for what is new, after for what is deleted.
func (s *Service) recordDefinition(ctx context.Context, tx db.Tx, c access.Caller, entity, key string, before, after any) error {
	action := "Update"
	switch {
	case before == nil:
		action = "Create"
	case after == nil:
		action = "Delete"
	}
	a := c.Act(clock.RealNow(s.Clock), audit.ProductStream, action)
	a.EntityType, a.EntityKey = entity, key
	if entity == productEntity {
		a.ProductCode = key
	}
	a.Changes = audit.Changes(before, after, "UsedCount", "ProductCount")
	if entity == productEntity && action == "Update" {
		if err := raiseProductUpdate(ctx, tx, c, key, a.Changes, clock.RealAt(a.At)); err != nil {
			return err
		}
	}
	return audit.Append(ctx, tx, a)
}

// What definitions are called in the audit record.
const (
	productEntity    = "Product"
	groupEntity      = "Group"
	rangeEntity      = "BinRange"
	binEntity        = "Bin"
	attributeEntity  = "IssuingAttribute"
	rateEntity       = "ExchangeRate"
	conversionEntity = "CurrencyConversion"
)
