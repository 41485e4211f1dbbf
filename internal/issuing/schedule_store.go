package issuing

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// saveSchedule writes what a card waits for, over what it waited for before.
func saveSchedule(ctx context.Context, tx db.Tx, tenant access.TenantID, card cardID, s Schedule) error {
	_, err := tx.Exec(ctx, `INSERT INTO card_schedule (card_id, tenant_id, reason, description, include_children, requested_at,
			requested_by, channel)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (card_id) DO UPDATE SET reason = $3, description = $4, include_children = $5, requested_at = $6,
			requested_by = $7, channel = $8`,
		card, tenant, string(s.Reason), s.Description, s.IncludeChildCards, clock.Micros(s.RequestedAt), s.RequestedBy, s.Channel)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE card SET scheduled_status = $1, scheduled_at = $2, scheduled_right = $3
		WHERE tenant_id = $4 AND id = $5`,
		string(s.Status), clock.Micros(s.EffectiveAt), int64(s.right), tenant, card)
	return err
}

// dropSchedule forgets what a card waits for.
func dropSchedule(ctx context.Context, tx db.Tx, tenant access.TenantID, card cardID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM card_schedule WHERE tenant_id = $1 AND card_id = $2`, tenant, card); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE card SET scheduled_status = '', scheduled_at = NULL, scheduled_right = 0
		WHERE tenant_id = $1 AND id = $2`, tenant, card)
	return err
}

// takeSchedule reads and forgets what a card waits for. It returns false when
// somebody else has taken it.
func takeSchedule(ctx context.Context, tx db.Tx, tenant access.TenantID, card Card) (Schedule, bool, error) {
	s, found, err := readSchedule(ctx, tx, card)
	if err != nil || !found {
		return s, false, err
	}
	n, err := db.Affected(tx.Exec(ctx, `DELETE FROM card_schedule WHERE tenant_id = $1 AND card_id = $2`, tenant, card.ID))
	if err != nil || n == 0 {
		return s, false, err
	}
	return s, true, dropSchedule(ctx, tx, tenant, card.ID)
}

func readSchedule(ctx context.Context, tx db.Tx, card Card) (Schedule, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (Schedule, error) {
		s := Schedule{Status: card.Scheduled, EffectiveAt: card.ScheduledAt, right: card.ScheduledRight}
		err := row.Scan(&s.Reason, &s.Description, &s.IncludeChildCards, db.IntoTime(&s.RequestedAt), &s.RequestedBy, &s.Channel)
		return s, err
	}, `SELECT reason, description, include_children, requested_at, requested_by, channel FROM card_schedule
		WHERE tenant_id = $1 AND card_id = $2`, card.Tenant, card.ID)
}

// dueCard is a card for which a job has something to do.
type dueCard struct {
	ID     cardID
	Tenant access.TenantID
}

func scanDue(row db.Scanner) (d dueCard, err error) { return d, row.Scan(&d.ID, &d.Tenant) }

// dueSchedules returns the cards of the pass whose scheduled change has come.
func dueSchedules(ctx context.Context, tx db.Tx, p access.Pass, after dueCard, most int) ([]dueCard, error) {
	return dueIn(ctx, tx, p, "scheduled_at IS NOT NULL AND scheduled_at <= ?", after, most)
}

// dueRetirements returns the cards of the pass whose overlap with a newer one is
// over.
func dueRetirements(ctx context.Context, tx db.Tx, p access.Pass, after dueCard, most int) ([]dueCard, error) {
	return dueIn(ctx, tx, p, "retires_at IS NOT NULL AND retires_at <= ? AND status IN ('Pending', 'Active', 'Inactive')", after, most)
}

// dueIn returns cards of which the condition is true at the time of the pass.
func dueIn(ctx context.Context, tx db.Tx, p access.Pass, condition string, after dueCard, most int) ([]dueCard, error) {
	var w db.Where
	w.And(condition, clock.Micros(p.Now))
	p.Narrow(&w, "tenant_id")
	w.And("id > ?", after.ID.String())
	return db.Collect(ctx, tx, scanDue, `SELECT id, tenant_id FROM card WHERE `+w.SQL()+` ORDER BY id LIMIT `+w.Bind(int64(most)), w.Args()...)
}
