package credit

import (
	"context"
	"errors"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// firstAlias is the alias of the first card of a tenant.
const firstAlias = 20_090

// aliasAttempts is how often an alias is looked for that others take meanwhile.
const aliasAttempts = 20

// errNoAlias says that a card has no alias yet.
var errNoAlias = errors.New("a card has no alias")

// aliasOf returns the alias of a card.
func aliasOf(ctx context.Context, tx db.Tx, _ access.TenantID, issuance id.ID[issuing.Issuance]) (int64, error) {
	alias, found, err := db.One(ctx, tx, func(row db.Scanner) (n int64, err error) { return n, row.Scan(&n) },
		`SELECT alias FROM credit_card_alias WHERE issuance_id = $1`, issuance)
	if err == nil && !found {
		err = errNoAlias
	}
	return alias, err
}

// giveAlias returns the alias of a card, giving it the next one when it has none.
func giveAlias(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) (int64, error) {
	for range aliasAttempts {
		alias, err := aliasOf(ctx, tx, tenant, issuance)
		if !errors.Is(err, errNoAlias) {
			return alias, err
		}
		// Two that take the same one do not fail: the second finds none and looks again.
		if _, err := tx.Exec(ctx, `INSERT INTO credit_card_alias (issuance_id, tenant_id, alias)
			SELECT $1, $2, COALESCE(MAX(alias) + 1, $3) FROM credit_card_alias WHERE tenant_id = $2 ON CONFLICT DO NOTHING`,
			issuance, tenant, firstAlias); err != nil {
			return 0, err
		}
	}
	return 0, errors.New("no alias of a card was free")
}
