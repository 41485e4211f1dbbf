package issuing

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// cvv2View is one time that a CVV2 was shown.
type cvv2View struct {
	card       id.ID[Card]
	tenant     access.TenantID
	at         time.Time
	by         access.Caller
	reason     string
	withCardNo bool
}

// insertCVV2View writes v, unless most views of the card are later than after.
// Then it returns false and when the first of those was. The caller holds the
// lock of the card.
func insertCVV2View(ctx context.Context, tx db.Tx, v cvv2View, after time.Time, most int) (written bool, first time.Time, err error) {
	var count int
	var at *int64
	err = tx.QueryRow(ctx, `SELECT COUNT(*), MIN(viewed_at) FROM card_cvv2_view
		WHERE tenant_id = $1 AND card_id = $2 AND viewed_at > $3`, v.tenant, v.card, clock.Micros(after)).Scan(&count, &at)
	if err != nil {
		return false, time.Time{}, err
	}
	if count >= most && at != nil {
		return false, clock.FromMicros(*at), nil
	}
	_, err = tx.Exec(ctx, `INSERT INTO card_cvv2_view (card_id, tenant_id, position, viewed_at, client_id, user_reference,
			channel, correlation_id, reason, with_card_no)
		VALUES ($1, $2, (SELECT COALESCE(MAX(v.position), 0) + 1 FROM card_cvv2_view v WHERE v.card_id = $1),
			$3, $4, $5, $6, $7, $8, $9)`,
		v.card, v.tenant, clock.Micros(v.at), v.by.Client, v.by.UserReference, v.by.Channel, v.by.CorrelationID,
		v.reason, v.withCardNo)
	return err == nil, time.Time{}, err
}
