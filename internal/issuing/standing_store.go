package issuing

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Standing is what an issuance is to those who choose cards by what they are:
// controls and fees. What it does not have is zero.
type Standing struct {
	Issuance, Parent id.ID[Issuance]
	Customer         id.ID[customer.Customer]
	Segment          string
	ProductCode      string
	CardToken        string // of the card in force
}

const selectStanding = `SELECT i.id, i.parent_id, i.customer_id, u.segment_code, i.product_code, c.card_token
	FROM issuance i JOIN card c ON c.id = i.current_card_id` + customer.JoinHolder + `
	WHERE i.tenant_id = $1 AND i.id `

func scanStanding(row db.Scanner) (Standing, error) {
	var s Standing
	err := row.Scan(&s.Issuance, &s.Parent, &s.Customer, optional{&s.Segment}, &s.ProductCode, &s.CardToken)
	return s, err
}

var standingLookup = db.Lookup{Head: selectStanding + `IN `}

// Standings returns what issuances are now, those left out that are not the
// tenant's.
func Standings(ctx context.Context, tx db.Tx, tenant access.TenantID, issuances []string) ([]Standing, error) {
	var all []Standing
	err := standingLookup.Query(ctx, tx, []any{tenant}, issuances, func(row db.Scanner) error {
		s, err := scanStanding(row)
		all = append(all, s)
		return err
	})
	return all, err
}

// ReadStanding returns what an issuance is now, or refuses.
func ReadStanding(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[Issuance]) (Standing, error) {
	s, found, err := db.One(ctx, tx, scanStanding, selectStanding+`= $2`, tenant, issuance)
	if err == nil && !found {
		err = errCardNotFound
	}
	return s, err
}

var tokenInForceLookup = db.Lookup{
	Head: `SELECT i.id, c.card_token FROM issuance i JOIN card c ON c.id = i.current_card_id WHERE i.tenant_id = $1 AND i.id IN `,
}

// TokensInForce returns the tokens of the cards in force, by the identifiers of
// their issuances.
func TokensInForce(ctx context.Context, tx db.Tx, tenant access.TenantID, issuances []string) (map[string]string, error) {
	tokens := map[string]string{}
	err := tokenInForceLookup.Query(ctx, tx, []any{tenant}, issuances, func(row db.Scanner) error {
		var issuance, token string
		err := row.Scan(&issuance, &token)
		tokens[issuance] = token
		return err
	})
	return tokens, err
}

// CountRenewals counts the cards that took another one's place in an issuance
// from a moment on.
func CountRenewals(ctx context.Context, tx db.Tx, issuance id.ID[Issuance], from time.Time) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT COUNT(*) FROM card WHERE issuance_id = $1 AND renewal_reason <> '' AND created_at >= $2`,
		issuance, clock.Micros(from))
	return n, err
}
