package program

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fold"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// productDocument is what product.document holds: the product without its
// limit and record, and the limit in storable form.
type productDocument struct {
	Product    Product
	PerTap     *storedAmount
	Cumulative *storedAmount
	TapCount   *int
}

func (p Product) document() (string, error) {
	var d productDocument
	if l := p.ContactlessLimit; l != nil {
		d.PerTap, d.Cumulative, d.TapCount = storeAmount(&l.Transaction), storeAmount(l.Cumulative), l.ConsecutiveCount
	}
	p.ContactlessLimit, p.Record, p.BIN, p.Brand = nil, access.Record{}, "", ""
	d.Product = p
	text, err := json.Marshal(d)
	return string(text), err
}

func parseProduct(document string) (Product, error) {
	d := productDocument{Product: NewProduct("")}
	// What the document leaves out keeps its default, but lists are its own.
	d.Product.CustomerTypes = nil
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return Product{}, err
	}
	p := d.Product
	if d.PerTap != nil {
		perTap, err1 := d.PerTap.amount()
		cumulative, err2 := d.Cumulative.amount()
		if err := errors.Join(err1, err2); err != nil {
			return Product{}, err
		}
		p.ContactlessLimit = &ContactlessLimit{Transaction: *perTap, Cumulative: cumulative, ConsecutiveCount: d.TapCount}
	}
	return p, nil
}

const productColumns = `document, (SELECT b.bin || '/' || b.brand FROM bin_range r JOIN bin b ON b.bin = r.bin
	WHERE r.tenant_id = product.tenant_id AND r.code = product.bin_range_code), ` + access.RecordColumns

func scanProduct(row db.Scanner) (Product, error) {
	var r access.Record
	var document, bin string
	record, done := access.RecordTarget(&r)
	if err := row.Scan(append([]any{&document, &bin}, record...)...); err != nil {
		return Product{}, err
	}
	done()
	p, err := parseProduct(document)
	digits, brand, _ := strings.Cut(bin, "/")
	p.Record, p.BIN, p.Brand = r, digits, Brand(brand)
	return p, err
}

// readProducts returns a tenant's products that are not deleted, by code.
func readProducts(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]Product, error) {
	return db.Collect(ctx, tx, scanProduct, `SELECT `+productColumns+` FROM product
		WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY code`, tenant)
}

func readProduct(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (Product, bool, error) {
	if !fault.Printable(code) {
		return Product{}, false, nil
	}
	return db.One(ctx, tx, scanProduct, `SELECT `+productColumns+` FROM product
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL`, tenant, code)
}

// ProductFilter selects products; empty members select all. Text matches word
// prefixes of code and name.
type ProductFilter struct {
	Text         string
	GroupCode    string
	BINRangeCode string
	Status       RecordStatus
	CardType     CardType
	list.Page
}

var productSort = map[string]string{
	"code": "code", "name": "name_folded", "cardType": "card_type", "currencyCode": "currency", "status": "status",
	"creationTime": "created_at", "groupCode": "coalesce(group_code, '')", "binRangeCode": "bin_range_code",
}

func listProducts(ctx context.Context, tx db.Tx, tenant access.TenantID, f ProductFilter) ([]Product, int, error) {
	var w db.Where
	w.And("tenant_id = ? AND deleted_at IS NULL", tenant)
	db.Equal(&w, "group_code", f.GroupCode)
	db.Equal(&w, "bin_range_code", f.BINRangeCode)
	db.Equal(&w, "status", f.Status)
	db.Equal(&w, "card_type", f.CardType)
	for _, word := range fold.Words(f.Text) {
		// name_folded is " word word": every word starts after a blank.
		w.And("name_folded LIKE ?", "% "+word+"%")
	}
	total, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM product WHERE `+w.SQL(), w.Args()...)
	if err != nil {
		return nil, 0, err
	}
	query := `SELECT ` + productColumns + ` FROM product WHERE ` + w.SQL() + db.OrderBy(f.Page, productSort, "code", "code") +
		` LIMIT ` + w.Bind(f.Limit) + ` OFFSET ` + w.Bind(f.Skip)
	products, err := db.Collect(ctx, tx, scanProduct, query, w.Args()...)
	return products, total, err
}

// insertProduct reports false when the code is or was in use.
func insertProduct(ctx context.Context, tx db.Tx, tenant access.TenantID, p Product) (bool, error) {
	document, err := p.document()
	if err != nil {
		return false, err
	}
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO product (document, `+access.RecordColumns+`, tenant_id, code, name, name_folded,
			group_code, bin_range_code, card_type, currency, status)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (tenant_id, code) DO NOTHING`,
		append(append([]any{document}, access.RecordValues(p.Record)...), tenant, p.Code, p.Name, fold.Name(p.Code, p.Name),
			db.OrNull(p.GroupCode), p.BINRangeCode, string(p.CardType), p.Currency.Code(), string(p.Status))...))
	return n == 1, err
}

// updateProduct writes p where the stored stamp is still stamp; an empty stamp
// means any. It reports whether a row was changed.
func updateProduct(ctx context.Context, tx db.Tx, tenant access.TenantID, p Product, stamp string) (bool, error) {
	document, err := p.document()
	if err != nil {
		return false, err
	}
	n, err := db.Affected(tx.Exec(ctx, `UPDATE product SET document = $3, name = $4, name_folded = $5, group_code = $6,
		bin_range_code = $7, card_type = $8, currency = $9, status = $10, concurrency_stamp = $11, updated_at = $12,
		updated_by = $13
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL AND ($14 = '' OR concurrency_stamp = $14)`,
		tenant, p.Code, document, p.Name, fold.Name(p.Code, p.Name), db.OrNull(p.GroupCode), p.BINRangeCode,
		string(p.CardType), p.Currency.Code(), string(p.Status), p.ConcurrencyStamp, clock.Micros(p.UpdatedAt),
		p.UpdatedBy, stamp))
	return n == 1, err
}

// deleteProduct marks a product as deleted and reports whether it did.
func deleteProduct(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, r access.Record) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE product SET deleted_at = $3, updated_at = $3, updated_by = $4,
		concurrency_stamp = $5 WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL`,
		tenant, code, clock.Micros(r.UpdatedAt), r.UpdatedBy, r.ConcurrencyStamp))
	return n == 1, err
}

// What queries of higher domains read of a card's programme beside their own
// rows.
const (
	// JoinBIN adds to a query over card c its BIN b.
	JoinBIN = ` JOIN bin b ON b.bin = c.bin`
	// JoinProduct adds to a query over issuance i its product p.
	JoinProduct = ` JOIN product p ON p.tenant_id = i.tenant_id AND p.code = i.product_code`
)

const groupColumns = `code, name, description, is_active, ` + access.RecordColumns

func scanGroup(row db.Scanner) (Group, error) {
	var g Group
	record, done := access.RecordTarget(&g.Record)
	err := row.Scan(append([]any{&g.Code, &g.Name, &g.Description, &g.IsActive}, record...)...)
	done()
	return g, err
}

// readGroups returns a tenant's product groups that are not deleted, by code.
func readGroups(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]Group, error) {
	return db.Collect(ctx, tx, scanGroup, `SELECT `+groupColumns+` FROM product_group
		WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY code`, tenant)
}

func readGroup(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (Group, bool, error) {
	if !fault.Printable(code) {
		return Group{}, false, nil
	}
	return db.One(ctx, tx, scanGroup, `SELECT `+groupColumns+` FROM product_group
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL`, tenant, code)
}

// productsPerGroup counts the products of each group that are not deleted.
func productsPerGroup(ctx context.Context, tx db.Tx, tenant access.TenantID) (map[string]int, error) {
	counts := map[string]int{}
	_, err := db.Collect(ctx, tx, func(row db.Scanner) (struct{}, error) {
		var code string
		var n int
		err := row.Scan(&code, &n)
		counts[code] = n
		return struct{}{}, err
	}, `SELECT group_code, count(*) FROM product
		WHERE tenant_id = $1 AND deleted_at IS NULL AND group_code IS NOT NULL GROUP BY group_code`, tenant)
	if err != nil {
		return nil, fmt.Errorf("count products: %w", err)
	}
	return counts, nil
}

// insertGroup reports false when the code is or was in use.
func insertGroup(ctx context.Context, tx db.Tx, tenant access.TenantID, g Group) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO product_group (`+groupColumns+`, tenant_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		append(append([]any{g.Code, g.Name, g.Description, g.IsActive}, access.RecordValues(g.Record)...), tenant)...))
	return n == 1, err
}

// updateGroup writes g where the stored stamp is still stamp; an empty stamp
// means any. It reports whether a row was changed.
func updateGroup(ctx context.Context, tx db.Tx, tenant access.TenantID, g Group, stamp string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE product_group SET name = $3, description = $4, is_active = $5,
		concurrency_stamp = $6, updated_at = $7, updated_by = $8
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL AND ($9 = '' OR concurrency_stamp = $9)`,
		tenant, g.Code, g.Name, g.Description, g.IsActive, g.ConcurrencyStamp, clock.Micros(g.UpdatedAt), g.UpdatedBy, stamp))
	return n == 1, err
}

// deleteGroup marks a group without products as deleted. It reports whether it
// did.
func deleteGroup(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, r access.Record) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE product_group SET deleted_at = $3, updated_at = $3, updated_by = $4,
		concurrency_stamp = $5 WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL AND NOT EXISTS (
			SELECT 1 FROM product WHERE product.tenant_id = product_group.tenant_id
			AND product.group_code = product_group.code AND product.deleted_at IS NULL)`,
		tenant, code, clock.Micros(r.UpdatedAt), r.UpdatedBy, r.ConcurrencyStamp))
	return n == 1, err
}
