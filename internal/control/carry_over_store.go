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

// windowMax is how long after a use its window may end: a leap year, or as many days
// of a rolling one, where clocks go back.
const windowMax = 367 * 24 * time.Hour

// cyclesToCarry returns the life cycles that have something of a subject's counters
// for customers in windows that may be open.
func cyclesToCarry(ctx context.Context, tx db.Tx, k subjectKey, now time.Time) ([]string, error) {
	const contains = "REPLACE(uses, ?, '') <> uses"
	forever := "/" + string(PerLifetime) + "/" + string(CountCustomer) // the beginning of CountCustomerProduct, too
	var w db.Where
	w.And("subject_id = ?", k.String())
	w.And(contains, "/"+string(CountCustomer))
	w.And("(at >= ? OR "+contains+")", clock.Micros(now.Add(-windowMax)), forever)
	return db.Collect(ctx, tx, scanText, `SELECT DISTINCT cycle_id FROM velocity_usage WHERE `+w.SQL()+` ORDER BY cycle_id`, w.Args()...)
}

// deleteOverrides deletes the limits that are set for an issuance.
func deleteOverrides(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) error {
	_, err := tx.Exec(ctx, `DELETE FROM velocity_override WHERE tenant_id = $1 AND issuance_id = $2`, tenant, issuance)
	return err
}
