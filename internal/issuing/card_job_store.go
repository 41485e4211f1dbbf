package issuing

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// The conditions on the status stand as the partial index card_by_expiry_open
// has them: only so is it used.

// expiredBefore returns the tenant's open cards that expired before the month.
// Those that are made Expired leave the index.
func expiredBefore(ctx context.Context, tx db.Tx, tenant access.TenantID, month Expiry, after dueCard, most int) ([]dueCard, error) {
	return db.Collect(ctx, tx, scanDue, `SELECT id, tenant_id FROM card
		WHERE tenant_id = $1 AND expires_on < $2 AND status IN ('Pending', 'Active', 'Inactive', 'Blocked') AND id > $3
		ORDER BY id LIMIT $4`, tenant, month.String(), after.ID.String(), int64(most))
}

// expiringUntil returns the tenant's open cards that expire in the month or
// before it and are not told of.
func expiringUntil(ctx context.Context, tx db.Tx, tenant access.TenantID, month Expiry, after dueCard, most int) ([]dueCard, error) {
	return db.Collect(ctx, tx, scanDue, `SELECT id, tenant_id FROM card
		WHERE tenant_id = $1 AND expires_on <= $2 AND status IN ('Pending', 'Active', 'Inactive', 'Blocked')
			AND expiry_told_at IS NULL AND id > $3
		ORDER BY id LIMIT $4`, tenant, month.String(), after.ID.String(), int64(most))
}

// markExpiryTold returns false when the card was told of before.
func markExpiryTold(ctx context.Context, tx db.Tx, tenant access.TenantID, card cardID, now time.Time) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE card SET expiry_told_at = $1 WHERE tenant_id = $2 AND id = $3 AND expiry_told_at IS NULL`,
		clock.Micros(now), tenant, card))
	return n > 0, err
}

// dueRenewals returns the tenant's cards in force that expire in the month or
// before it, are to be renewed by themselves and were not tried on that day.
func dueRenewals(ctx context.Context, tx db.Tx, tenant access.TenantID, month Expiry, day clock.Date, after dueCard, most int) ([]dueCard, error) {
	return db.Collect(ctx, tx, scanDue, `SELECT c.id, c.tenant_id FROM card c
		JOIN issuance i ON i.id = c.issuance_id AND i.current_card_id = c.id
		WHERE c.tenant_id = $1 AND c.expires_on <= $2 AND c.status IN ('Pending', 'Active', 'Inactive', 'Blocked')
			AND c.status <> 'Pending' AND c.renewal_tried_on < $3 AND i.auto_renewal = 'Enabled'
			AND i.successor_card_id IS NULL AND c.id > $4
		ORDER BY c.id LIMIT $5`, tenant, month.String(), day.String(), after.ID.String(), int64(most))
}

// claimRenewal marks a card as tried on a day. It returns false when somebody
// else has tried it, else why it was skipped the last time.
func claimRenewal(ctx context.Context, tx db.Tx, tenant access.TenantID, card cardID, day clock.Date) (before string, claimed bool, err error) {
	return db.One(ctx, tx, func(s db.Scanner) (reason string, err error) { return reason, s.Scan(&reason) },
		`UPDATE card SET renewal_tried_on = $1 WHERE tenant_id = $2 AND id = $3 AND renewal_tried_on < $1
		RETURNING renewal_skipped`, day.String(), tenant, card)
}

// markSkipped remembers why a card was not renewed.
func markSkipped(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[Card], reason string) error {
	_, err := tx.Exec(ctx, `UPDATE card SET renewal_skipped = $1 WHERE tenant_id = $2 AND id = $3`, reason, tenant, card)
	return err
}
