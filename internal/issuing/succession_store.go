package issuing

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

type cardID = id.ID[Card]

// saveSuccession writes which card of an issuance is in force and which waits;
// the caller has locked its row.
func saveSuccession(ctx context.Context, tx db.Tx, i Issuance, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE issuance SET current_card_id = $1, successor_card_id = $2, product_code = $3, updated_at = $4
		WHERE tenant_id = $5 AND id = $6`, i.CurrentCard, i.Successor, i.ProductCode, clock.Micros(now), i.Tenant, i.ID)
	return err
}

// setRetirement says from when on a card is Renewed; the zero time for never.
func setRetirement(ctx context.Context, tx db.Tx, tenant access.TenantID, card cardID, at time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE card SET retires_at = $1 WHERE tenant_id = $2 AND id = $3`, db.MicrosOrNull(at), tenant, card)
	return err
}

// clearUpcoming forgets the schedule and the retirement of a card.
func clearUpcoming(ctx context.Context, tx db.Tx, tenant access.TenantID, card cardID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM card_schedule WHERE tenant_id = $1 AND card_id = $2`, tenant, card); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE card SET retires_at = NULL, scheduled_status = '', scheduled_at = NULL, scheduled_right = 0
		WHERE tenant_id = $1 AND id = $2 AND (retires_at IS NOT NULL OR scheduled_at IS NOT NULL)`, tenant, card)
	return err
}

// readPlastic finds a plastic of a number: that of the sequence, or the newest
// one when sequence is 0.
func readPlastic(ctx context.Context, tx db.Tx, tenant access.TenantID, token string, sequence int) (Card, bool, error) {
	return db.One(ctx, tx, scanCard, `SELECT `+cardColumns+cardTables+`
		WHERE c.tenant_id = $1 AND c.card_token = $2 AND ($3 = 0 OR c.sequence_no = $3)
		ORDER BY c.sequence_no DESC LIMIT 1`, tenant, token, int64(sequence))
}

// readPlastics returns every plastic of a number, newest first.
func readPlastics(ctx context.Context, tx db.Tx, tenant access.TenantID, token string) ([]Card, error) {
	return db.Collect(ctx, tx, scanCard, `SELECT `+cardColumns+cardTables+`
		WHERE c.tenant_id = $1 AND c.card_token = $2 ORDER BY c.sequence_no DESC`, tenant, token)
}
