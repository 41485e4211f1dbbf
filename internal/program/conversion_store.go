package program

import (
	"context"
	"encoding/json"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// document is what currency_conversion.document holds.
func (v CurrencyConversion) document() (string, error) {
	v.Record = access.Record{}
	text, err := json.Marshal(v)
	return string(text), err
}

// readConversion returns what the tenant has set, or the default and false.
func readConversion(ctx context.Context, tx db.Tx, tenant access.TenantID) (CurrencyConversion, bool, error) {
	v, found, err := db.One(ctx, tx, func(row db.Scanner) (CurrencyConversion, error) {
		var r access.Record
		var document string
		record, done := access.RecordTarget(&r)
		if err := row.Scan(append([]any{&document}, record...)...); err != nil {
			return CurrencyConversion{}, err
		}
		done()
		v := DefaultConversion()
		err := json.Unmarshal([]byte(document), &v)
		v.Record = r
		return v, err
	}, `SELECT document, `+access.RecordColumns+` FROM currency_conversion WHERE tenant_id = $1`, tenant)
	if err == nil && !found {
		return DefaultConversion(), false, nil
	}
	return v, found, err
}

// writeConversion sets the tenant's conversion where the stored stamp is still
// stamp; an empty stamp means any. It reports whether a row was written. Where
// the tenant has set none, a stamp fits nothing.
func writeConversion(ctx context.Context, tx db.Tx, tenant access.TenantID, v CurrencyConversion, stamp string) (bool, error) {
	document, err := v.document()
	if err != nil {
		return false, err
	}
	if stamp != "" {
		n, err := db.Affected(tx.Exec(ctx, `UPDATE currency_conversion SET document = $2, concurrency_stamp = $3, updated_at = $4,
			updated_by = $5 WHERE tenant_id = $1 AND concurrency_stamp = $6`,
			tenant, document, v.ConcurrencyStamp, clock.Micros(v.UpdatedAt), v.UpdatedBy, stamp))
		return n == 1, err
	}
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO currency_conversion (`+access.RecordColumns+`, tenant_id, document)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id) DO UPDATE SET document = excluded.document,
		concurrency_stamp = excluded.concurrency_stamp, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
		append(access.RecordValues(v.Record), tenant, document)...))
	return n == 1, err
}

// readBilledElsewhere returns the products, not deleted, whose currency v does
// not have, by code.
func readBilledElsewhere(ctx context.Context, tx db.Tx, tenant access.TenantID, v CurrencyConversion) ([]Product, error) {
	products, err := readProducts(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	var others []Product
	for _, p := range products {
		if !v.Bills(p.Currency) {
			others = append(others, p)
		}
	}
	return others, nil
}
