package issuing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// CardOfHolder returns the id of the tenant's card in force whose number begins
// with bin, of six or eight digits, and ends in lastFour, and whose holder has
// this number of identity; nothing unless there is exactly one. It is how
// [vault.Store] finds cards of ours.
func (s *Service) CardOfHolder(ctx context.Context, tx db.Tx, tenant access.TenantID, bin, lastFour string, identity secret.Value) (string, error) {
	holders, err := s.customers.Holders(ctx, tx, tenant, string(identity.Reveal()))
	if err != nil {
		return "", err
	}
	var found []string
	for _, holder := range holders {
		cards, err := readCardsInForce(ctx, tx, tenant, holder, lastFour)
		if err != nil {
			return "", fmt.Errorf("read cards of holder: %w", err)
		}
		for _, card := range cards {
			number, err := s.openPAN(ctx, card)
			if err != nil {
				return "", err
			}
			if strings.HasPrefix(number.Prefix(8), bin) && !slices.Contains(found, card.ID.String()) {
				found = append(found, card.ID.String())
			}
		}
	}
	if len(found) != 1 {
		return "", nil
	}
	return found[0], nil
}

// followStored lets what merchants keep of a card become its successor's.
func followStored(ctx context.Context, tx db.Tx, old, successor Card, now time.Time) error {
	return vault.Reissued(ctx, tx, vault.Reissue{
		Tenant: old.Tenant, From: old.ID.String(), To: successor.ID.String(),
		Year: successor.Expires.Year, Month: int(successor.Expires.Month), At: now,
	})
}
