package control

import (
	"context"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fold"
	"github.com/sarraf-platform/sarraf/internal/list"
)

const (
	listHeadColumns = `code, name, value_type, value_count, is_active, ` + access.RecordColumns
	listColumns     = listHeadColumns + `, value_lines`
)

func scanListHead(row db.Scanner) (NamedList, error) { return scanList(row) }

func scanNamedList(row db.Scanner) (NamedList, error) {
	var lines string
	l, err := scanList(row, &lines)
	if lines != "" {
		l.Values = strings.Split(lines, "\n")
	}
	return l, err
}

func scanList(row db.Scanner, more ...any) (NamedList, error) {
	var l NamedList
	record, done := access.RecordTarget(&l.Record)
	err := row.Scan(append(append([]any{&l.Code, &l.Name, &l.Type, &l.Count, &l.IsActive}, record...), more...)...)
	done()
	return l, err
}

func readNamedList(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (NamedList, bool, error) {
	if !fault.Printable(code) {
		return NamedList{}, false, nil
	}
	return db.One(ctx, tx, scanNamedList, `SELECT `+listColumns+` FROM named_list
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL`, tenant, code)
}

// readListHeads returns all lists of a tenant without their values.
func readListHeads(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]NamedList, error) {
	return db.Collect(ctx, tx, scanListHead, `SELECT `+listHeadColumns+` FROM named_list
		WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY code`, tenant)
}

var listSort = map[string]string{"code": "code", "name": "name_folded", "creationTime": "created_at"}

func listNamedLists(ctx context.Context, tx db.Tx, tenant access.TenantID, text string, p list.Page) ([]NamedList, int, error) {
	var w db.Where
	w.And("tenant_id = ? AND deleted_at IS NULL", tenant)
	for _, word := range fold.Words(text) {
		w.And("name_folded LIKE ?", "% "+word+"%")
	}
	total, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM named_list WHERE `+w.SQL(), w.Args()...)
	if err != nil {
		return nil, 0, fmt.Errorf("count named lists: %w", err)
	}
	query := `SELECT ` + listHeadColumns + ` FROM named_list WHERE ` + w.SQL() + db.OrderBy(p, listSort, "code", "code") +
		` LIMIT ` + w.Bind(p.Limit) + ` OFFSET ` + w.Bind(p.Skip)
	all, err := db.Collect(ctx, tx, scanListHead, query, w.Args()...)
	if err != nil {
		return nil, 0, fmt.Errorf("list named lists: %w", err)
	}
	return all, total, nil
}

// insertNamedList reports false when the code is or was in use.
func insertNamedList(ctx context.Context, tx db.Tx, tenant access.TenantID, l NamedList) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO named_list (`+listColumns+`, tenant_id, name_folded)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
		append(append([]any{l.Code, l.Name, string(l.Type), int64(l.Count), l.IsActive}, access.RecordValues(l.Record)...),
			strings.Join(l.Values, "\n"), tenant, fold.Name(l.Code, l.Name))...))
	return n == 1, err
}

// updateNamedList writes l where the stored stamp is still stamp; an empty stamp
// means any. It reports whether a row was changed.
func updateNamedList(ctx context.Context, tx db.Tx, tenant access.TenantID, l NamedList, stamp string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE named_list SET name = $3, name_folded = $4, value_lines = $5, value_count = $6,
		is_active = $7, concurrency_stamp = $8, updated_at = $9, updated_by = $10
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL AND ($11 = '' OR concurrency_stamp = $11)`,
		tenant, l.Code, l.Name, fold.Name(l.Code, l.Name), strings.Join(l.Values, "\n"), int64(l.Count), l.IsActive,
		l.ConcurrencyStamp, clock.Micros(l.UpdatedAt), l.UpdatedBy, stamp))
	return n == 1, err
}

func deleteNamedList(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, r access.Record) error {
	_, err := tx.Exec(ctx, `UPDATE named_list SET deleted_at = $3, updated_at = $3, updated_by = $4, concurrency_stamp = $5
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL`,
		tenant, code, clock.Micros(r.UpdatedAt), r.UpdatedBy, r.ConcurrencyStamp)
	return err
}

// KeepListUses notes which lists the rule of an object looks into, in place of
// what was noted before; none when the rule is dropped or its object deleted. It
// belongs to the transaction that saves the rule, and that must be one that
// raises the configuration version. Groups of merchant categories that every
// tenant has are noted, too: a list may take the place of one.
func KeepListUses(ctx context.Context, tx db.Tx, tenant access.TenantID, kind rule.Context, code string, lists []string) error {
	_, err := tx.Exec(ctx, `DELETE FROM named_list_use WHERE tenant_id = $1 AND kind = $2 AND code = $3`, tenant, string(kind), code)
	if err != nil {
		return fmt.Errorf("forget uses of named lists: %w", err)
	}
	for _, l := range lists {
		_, err := tx.Exec(ctx, `INSERT INTO named_list_use (tenant_id, list_code, kind, code) VALUES ($1, $2, $3, $4)`,
			tenant, l, string(kind), code)
		if err != nil {
			return fmt.Errorf("keep use of named list: %w", err)
		}
	}
	return nil
}

// usesOfList counts by kind the rules that look into a list.
func usesOfList(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (map[string]int, error) {
	type use struct {
		kind  string
		count int
	}
	all, err := db.Collect(ctx, tx, func(row db.Scanner) (use, error) {
		var u use
		err := row.Scan(&u.kind, &u.count)
		return u, err
	}, `SELECT kind, count(*) FROM named_list_use WHERE tenant_id = $1 AND list_code = $2 GROUP BY kind ORDER BY kind`, tenant, code)
	uses := make(map[string]int, len(all))
	for _, u := range all {
		uses[u.kind] = u.count
	}
	return uses, err
}
