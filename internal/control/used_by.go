package control

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// UsedBy is what a transaction has of a limit.
type UsedBy struct {
	Transaction string       // its identifier
	Amount      money.Amount // without a currency where the control has none
	Count       int
	At          time.Time // when it was decided
}

// UsedBy returns a page of the transactions that make up what is used of a control
// for a card now, the newest first, and how many there are. At the levels of
// customers and families, those of their other cards are among them.
func (s *Service) UsedBy(ctx context.Context, c access.Caller, card, code string, skip, take int) (page []UsedBy, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		v, err := s.limitsNamed(ctx, tx, c, card)
		if err != nil {
			return err
		}
		for _, a := range v.all {
			if a.Definition.Code != code {
				continue
			}
			if a.Definition.Period == PerTransaction {
				return nil // nothing is added up
			}
			key, window := a.Definition.key(v.tenant, v.subject, v.calendar, v.now)
			page, total, err = readUsedBy(ctx, tx, *a.Definition, key, window, skip, take)
			return err
		}
		return errVelocityNotFound.With("code", code)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list usage of limit: %w", err)
	}
	return page, total, nil
}
