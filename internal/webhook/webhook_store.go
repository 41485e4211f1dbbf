package webhook

import (
	"context"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

const hookColumns = `id, tenant_id, kind, name, url, event_types, product_codes, networks, transaction_codes, timeout_ms, retries_max, is_active, is_disabled, sealed,
	last_success_at, last_error_at, consecutive_failures, failing_since, concurrency_stamp, created_at, created_by, updated_at, updated_by`

func scanHook(row db.Scanner) (h Hook, err error) {
	var types, products, networks, codes string
	var timeout int64
	err = row.Scan(&h.ID, &h.Tenant, &h.Type, &h.Name, &h.URL, &types, &products, &networks, &codes, &timeout, &h.RetriesMax, &h.IsActive, &h.IsDisabled, &h.sealed,
		db.IntoTime(&h.LastSuccessAt), db.IntoTime(&h.LastErrorAt), &h.ConsecutiveFailures, db.IntoTime(&h.FailingSince), &h.ConcurrencyStamp,
		db.IntoTime(&h.CreatedAt), &h.CreatedBy, db.IntoTime(&h.UpdatedAt), &h.UpdatedBy)
	h.Filter = Filter{strings.Fields(products), strings.Fields(networks), strings.Fields(codes)}
	h.EventTypes, h.Timeout = strings.Fields(types), time.Duration(timeout)*time.Millisecond
	return h, err
}

func insertHook(ctx context.Context, tx db.Tx, h Hook) error {
	_, err := tx.Exec(ctx, `INSERT INTO webhook (id, tenant_id, name, url, event_types, timeout_ms, retries_max, is_active,
			is_disabled, sealed, consecutive_failures, concurrency_stamp, created_at, created_by, updated_at, updated_by,
			kind, product_codes, networks, transaction_codes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		h.ID, h.Tenant, h.Name, h.URL, strings.Join(h.EventTypes, " "), h.Timeout.Milliseconds(), h.RetriesMax, h.IsActive, false,
		h.sealed, h.ConcurrencyStamp, clock.Micros(h.CreatedAt), h.CreatedBy, clock.Micros(h.UpdatedAt), h.UpdatedBy,
		h.Type, strings.Join(h.Filter.Products, " "), strings.Join(h.Filter.Networks, " "), strings.Join(h.Filter.Codes, " "))
	return err
}

// updateHook writes what a caller may change, where the stored stamp is still
// stamp, and makes the hook healthy. It reports whether a row was changed.
func updateHook(ctx context.Context, tx db.Tx, h Hook, stamp string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE webhook SET name = $3, url = $4, event_types = $5, timeout_ms = $6,
			retries_max = $7, is_active = $8, is_disabled = $9, sealed = $10, consecutive_failures = 0, failing_since = NULL,
			concurrency_stamp = $11, updated_at = $12, updated_by = $13, product_codes = $15, networks = $16, transaction_codes = $17
		WHERE tenant_id = $1 AND id = $2 AND concurrency_stamp = $14`,
		h.Tenant, h.ID, h.Name, h.URL, strings.Join(h.EventTypes, " "), h.Timeout.Milliseconds(), h.RetriesMax, h.IsActive, false,
		h.sealed, h.ConcurrencyStamp, clock.Micros(h.UpdatedAt), h.UpdatedBy, stamp,
		strings.Join(h.Filter.Products, " "), strings.Join(h.Filter.Networks, " "), strings.Join(h.Filter.Codes, " ")))
	return n == 1, err
}

func deleteHook(ctx context.Context, tx db.Tx, tenant access.TenantID, hook id.ID[Hook]) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `DELETE FROM webhook WHERE tenant_id = $1 AND id = $2`, tenant, hook))
	return n == 1, err
}

func readHook(ctx context.Context, tx db.Tx, tenant access.TenantID, hook id.ID[Hook]) (Hook, bool, error) {
	return db.One(ctx, tx, scanHook, `SELECT `+hookColumns+` FROM webhook WHERE tenant_id = $1 AND id = $2`, tenant, hook)
}

// readHooks returns the hooks of a tenant in the order of their creation; there
// are few.
func readHooks(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]Hook, error) {
	return db.Collect(ctx, tx, scanHook, `SELECT `+hookColumns+` FROM webhook WHERE tenant_id = $1 ORDER BY created_at, id`, tenant)
}

func noteSuccess(ctx context.Context, tx db.Tx, h Hook, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE webhook SET last_success_at = $3, consecutive_failures = 0, failing_since = NULL
		WHERE tenant_id = $1 AND id = $2`, h.Tenant, h.ID, clock.Micros(now))
	return err
}

// noteFailure counts a failure and disables an Event hook when there were too
// many of them for too long: a hook that is asked, or that sends in our place,
// is never given up. It reports whether the hook is disabled now.
func noteFailure(ctx context.Context, tx db.Tx, h Hook, now time.Time) (disabled bool, err error) {
	disabled, _, err = db.One(ctx, tx, func(row db.Scanner) (disabled bool, err error) {
		err = row.Scan(&disabled)
		return disabled, err
	}, `UPDATE webhook SET last_error_at = $3, consecutive_failures = consecutive_failures + 1,
			failing_since = COALESCE(failing_since, $3),
			is_disabled = is_disabled OR (kind = 'Event' AND consecutive_failures + 1 >= $4 AND COALESCE(failing_since, $3) <= $5)
		WHERE tenant_id = $1 AND id = $2 RETURNING is_disabled`,
		h.Tenant, h.ID, clock.Micros(now), failuresMax, clock.Micros(now.Add(-failingMin)))
	return disabled, err
}
