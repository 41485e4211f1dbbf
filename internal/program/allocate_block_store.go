package program

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// takeBlock is takeFromRange for n numbers: all of them, or none and false. It
// returns the first of a sequential range, and how many are used then.
func takeBlock(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, n, capacity int64) (first, used int64, ok bool, err error) {
	first, ok, err = db.One(ctx, tx, func(row db.Scanner) (at int64, err error) { return at, row.Scan(&at, &used) },
		`UPDATE bin_range SET used_count = used_count + $3,
			next_offset = CASE WHEN pan_generation = 'Sequential' THEN next_offset + $3 ELSE next_offset END
		WHERE tenant_id = $1 AND code = $2 AND status = 'Active' AND used_count + $3 <= $4
		RETURNING CASE WHEN pan_generation = 'Sequential' THEN next_offset - $3 ELSE next_offset END, used_count`,
		tenant, code, n, capacity)
	return first, used, ok, err
}

// skipBlock moves a sequential range past n more numbers and returns the first
// of them.
func skipBlock(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, n int64) (int64, error) {
	first, _, err := db.One(ctx, tx, func(row db.Scanner) (at int64, err error) { return at, row.Scan(&at) },
		`UPDATE bin_range SET next_offset = next_offset + $3 WHERE tenant_id = $1 AND code = $2 RETURNING next_offset - $3`,
		tenant, code, n)
	return first, err
}

// giveBack counts n numbers as not used after all.
func giveBack(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, n int64) error {
	_, err := tx.Exec(ctx, `UPDATE bin_range SET used_count = used_count - $3 WHERE tenant_id = $1 AND code = $2`, tenant, code, n)
	return err
}
