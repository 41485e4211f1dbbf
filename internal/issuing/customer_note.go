package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// CardExists refuses a token that no card of the tenant has.
func (s *Service) CardExists(ctx context.Context, tx db.Tx, tenant access.TenantID, token string) error {
	if !fault.Printable(token) {
		return errCardNotFound
	}
	if _, found, err := readCard(ctx, tx, tenant, token, 0); err != nil {
		return fmt.Errorf("read card: %w", err)
	} else if !found {
		return errCardNotFound
	}
	return nil
}

// CardNoted writes into the audit chain that a note about a card was added.
func (s *Service) CardNoted(ctx context.Context, tx db.Tx, c access.Caller, token string) error {
	card, found, err := readCard(ctx, tx, c.Tenant, token, 0)
	if err != nil || !found {
		return fmt.Errorf("read card: %w", db.Missing(err))
	}
	return s.recordCard(ctx, tx, c, "NoteAdd", card)
}
