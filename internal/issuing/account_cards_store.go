package issuing

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// AccountCard is an issuance that spends from an account, with its card in force.
type AccountCard struct {
	Issuance Issuance
	Card     Card
}

// CardsOnAccount returns the cards that spend from an account: main cards first, each
// the oldest first.
func CardsOnAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, account ledger.AccountID) ([]AccountCard, error) {
	issuances, err := db.Collect(ctx, tx, scanIssuance, `SELECT `+issuanceColumns+` FROM issuance i
		WHERE i.account_id = $1 AND i.tenant_id = $2 ORDER BY CASE WHEN i.parent_id IS NULL THEN 0 ELSE 1 END, i.created_at, i.id`, account, tenant)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID[Card], len(issuances))
	for i, one := range issuances {
		ids[i] = one.CurrentCard
	}
	cards, err := readCardsByID(ctx, tx, tenant, ids)
	if err != nil {
		return nil, err
	}
	all := make([]AccountCard, len(issuances))
	for i, one := range issuances {
		all[i] = AccountCard{one, cards[one.CurrentCard]}
	}
	return all, nil
}
