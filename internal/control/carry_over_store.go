package control

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// countersOf returns the counters that add up for a subject.
func countersOf(ctx context.Context, tx db.Tx, tenant access.TenantID, subject string) ([]CounterKey, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (CounterKey, error) {
		k := CounterKey{Tenant: tenant, Subject: subject}
		return k, s.Scan(&k.Counter, &k.Start)
	}, `SELECT counter, window_start FROM velocity_counter WHERE subject = $1 AND tenant_id = $2 ORDER BY id`, subject, tenant)
}

// counterMove names a counter, and the one that takes its place.
type counterMove struct{ from, to string }

// moveUsage lets what is used in windows that are open count under another counter.
// Both are locked.
func moveUsage(ctx context.Context, tx db.Tx, m counterMove, now time.Time) error {
	var amount, count int64
	err := tx.QueryRow(ctx, `SELECT COALESCE(SUM(amount), 0), COALESCE(SUM(count), 0) FROM velocity_usage
		WHERE counter_id = $1 AND (ends_at IS NULL OR ends_at > $2)`, m.from, clock.Micros(now)).Scan(&amount, &count)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE velocity_usage SET counter_id = $1 WHERE counter_id = $2 AND (ends_at IS NULL OR ends_at > $3)`,
		m.to, m.from, clock.Micros(now)); err != nil {
		return err
	}
	for _, change := range []struct {
		counter       string
		amount, count int64
	}{{m.from, -amount, -count}, {m.to, amount, count}} {
		if _, err := tx.Exec(ctx, `UPDATE velocity_counter SET amount = amount + $1, count = count + $2 WHERE id = $3`,
			change.amount, change.count, change.counter); err != nil {
			return err
		}
	}
	return nil
}

// deleteOverrides deletes the limits that are set for an issuance.
func deleteOverrides(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) error {
	_, err := tx.Exec(ctx, `DELETE FROM velocity_override WHERE tenant_id = $1 AND issuance_id = $2`, tenant, issuance)
	return err
}
