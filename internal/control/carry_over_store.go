package control

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// cyclesOf returns the life cycles that have something of a subject's counters.
func cyclesOf(ctx context.Context, tx db.Tx, k subjectKey) ([]string, error) {
	return db.Collect(ctx, tx, scanText, `SELECT DISTINCT cycle_id FROM velocity_usage WHERE subject_id = $1 ORDER BY cycle_id`, k.String())
}

// deleteOverrides deletes the limits that are set for an issuance.
func deleteOverrides(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) error {
	_, err := tx.Exec(ctx, `DELETE FROM velocity_override WHERE tenant_id = $1 AND issuance_id = $2`, tenant, issuance)
	return err
}
