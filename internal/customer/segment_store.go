package customer

import (
	"context"
	"fmt"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fold"
	"github.com/sarraf-platform/sarraf/internal/list"
)

const segmentColumns = `code, name, description, priority, is_active, ` + access.RecordColumns

func scanSegment(row db.Scanner) (Segment, error) {
	var g Segment
	record, done := access.RecordTarget(&g.Record)
	err := row.Scan(append([]any{&g.Code, &g.Name, &g.Description, &g.Priority, &g.IsActive}, record...)...)
	done()
	return g, err
}

var segmentLookup = db.Lookup{
	Head: `SELECT ` + segmentColumns + ` FROM customer_segment WHERE tenant_id = $1 AND deleted_at IS NULL AND code IN `,
	Tail: ` ORDER BY code`, Lock: true,
}

var segmentNameLookup = db.Lookup{Head: `SELECT code, name FROM customer_segment WHERE tenant_id = $1 AND deleted_at IS NULL AND code IN `}

// SegmentNames returns the names of segments by code.
func SegmentNames(ctx context.Context, tx db.Tx, tenant access.TenantID, codes []string) (map[string]string, error) {
	names := map[string]string{}
	err := segmentNameLookup.Query(ctx, tx, []any{tenant}, codes, func(row db.Scanner) error {
		var code, name string
		err := row.Scan(&code, &name)
		names[code] = name
		return err
	})
	return names, err
}

// HasSegment reports whether the tenant has a segment of this code, and keeps it
// from being deleted until tx ends.
func HasSegment(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (bool, error) {
	g, err := lockSegment(ctx, tx, tenant, code)
	return g != nil, err
}

// lockSegment reads a segment and locks its row; nil when there is none.
func lockSegment(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (*Segment, error) {
	if !fault.Printable(code) {
		return nil, nil
	}
	var found *Segment
	err := segmentLookup.Query(ctx, tx, []any{tenant}, []string{code}, func(row db.Scanner) error {
		g, err := scanSegment(row)
		found = &g
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read segment: %w", err)
	}
	return found, nil
}

var segmentSort = map[string]string{
	"code": "code", "name": "name_folded", "priority": "priority", "creationTime": "created_at",
}

func listSegments(ctx context.Context, tx db.Tx, tenant access.TenantID, text string, p list.Page) ([]Segment, int, error) {
	var w db.Where
	w.And("tenant_id = ? AND deleted_at IS NULL", tenant)
	for _, word := range fold.Words(text) {
		w.And("name_folded LIKE ?", "% "+word+"%")
	}
	total, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM customer_segment WHERE `+w.SQL(), w.Args()...)
	if err != nil {
		return nil, 0, fmt.Errorf("count segments: %w", err)
	}
	query := `SELECT ` + segmentColumns + ` FROM customer_segment WHERE ` + w.SQL() + db.OrderBy(p, segmentSort, "priority", "code") +
		` LIMIT ` + w.Bind(p.Limit) + ` OFFSET ` + w.Bind(p.Skip)
	segments, err := db.Collect(ctx, tx, scanSegment, query, w.Args()...)
	if err != nil {
		return nil, 0, fmt.Errorf("list segments: %w", err)
	}
	return segments, total, nil
}

// insertSegment reports false when the code is or was in use.
func insertSegment(ctx context.Context, tx db.Tx, tenant access.TenantID, g Segment) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO customer_segment (`+segmentColumns+`, tenant_id, name_folded)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
		append(append([]any{g.Code, g.Name, g.Description, int64(g.Priority), g.IsActive}, access.RecordValues(g.Record)...),
			tenant, fold.Name(g.Code, g.Name))...))
	return n == 1, err
}

// updateSegment writes g where the stored stamp is still stamp; an empty stamp
// means any. It reports whether a row was changed.
func updateSegment(ctx context.Context, tx db.Tx, tenant access.TenantID, g Segment, stamp string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE customer_segment SET name = $3, name_folded = $4, description = $5, priority = $6,
		is_active = $7, concurrency_stamp = $8, updated_at = $9, updated_by = $10
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL AND ($11 = '' OR concurrency_stamp = $11)`,
		tenant, g.Code, g.Name, fold.Name(g.Code, g.Name), g.Description, int64(g.Priority), g.IsActive, g.ConcurrencyStamp,
		clock.Micros(g.UpdatedAt), g.UpdatedBy, stamp))
	return n == 1, err
}

// deleteSegment marks a segment, whose row is locked, as deleted.
func deleteSegment(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, r access.Record) error {
	_, err := tx.Exec(ctx, `UPDATE customer_segment SET deleted_at = $3, updated_at = $3, updated_by = $4,
		concurrency_stamp = $5 WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL`,
		tenant, code, clock.Micros(r.UpdatedAt), r.UpdatedBy, r.ConcurrencyStamp)
	return err
}

// customersOfSegment counts the customers that name a segment, as far as
// [list.TotalMax] and one more.
func customersOfSegment(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM (SELECT 1 FROM customer
		WHERE tenant_id = $1 AND segment_code = $2 LIMIT `+strconv.Itoa(list.TotalMax+1)+`) AS counted`, tenant, code)
	return n, err
}

// setSegment writes the segment of a customer whose row is locked.
func setSegment(ctx context.Context, tx db.Tx, u Customer) error {
	_, err := tx.Exec(ctx, `UPDATE customer SET segment_code = $3, concurrency_stamp = $4, updated_at = $5, updated_by = $6
		WHERE tenant_id = $1 AND id = $2`,
		u.Tenant, u.ID, db.OrNull(u.Segment), u.ConcurrencyStamp, clock.Micros(u.UpdatedAt), u.UpdatedBy)
	return err
}
