package program

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// attributeDocument is what issuing_attribute.document holds: the attributes
// without their amounts and record, and the amounts in storable form.
type attributeDocument struct {
	Attributes           Attributes
	AmountPerTransaction *storedAmount
	AmountPerDay         *storedAmount
	MaxContactlessLimit  *storedAmount
	RefundAlert          *storedAmount
}

func (a Attributes) document() (string, error) {
	d := attributeDocument{
		AmountPerTransaction: storeAmount(a.StandIn.AmountPerTransaction),
		AmountPerDay:         storeAmount(a.StandIn.AmountPerDay),
		MaxContactlessLimit:  storeAmount(a.MaxContactlessLimit),
		RefundAlert:          storeAmount(a.ClearingTolerances.RefundAlert),
	}
	a.StandIn.AmountPerTransaction, a.StandIn.AmountPerDay = nil, nil
	a.MaxContactlessLimit, a.ClearingTolerances.RefundAlert = nil, nil
	a.Record = access.Record{}
	d.Attributes = a
	text, err := json.Marshal(d)
	return string(text), err
}

// parseAttributes reads a document over the defaults, so that a switch added
// after it was written has its default.
func parseAttributes(document string, defaults Attributes) (Attributes, error) {
	d := attributeDocument{Attributes: defaults}
	d.Attributes.MaxContactlessLimit = nil
	d.Attributes.ClearingTolerances.ByMCC = nil
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return Attributes{}, err
	}
	a := d.Attributes
	var errs [4]error
	a.StandIn.AmountPerTransaction, errs[0] = d.AmountPerTransaction.amount()
	a.StandIn.AmountPerDay, errs[1] = d.AmountPerDay.amount()
	a.MaxContactlessLimit, errs[2] = d.MaxContactlessLimit.amount()
	a.ClearingTolerances.RefundAlert, errs[3] = d.RefundAlert.amount()
	return a, errors.Join(errs[:]...)
}

// readAttributes returns what the tenant has set, or the defaults and false.
func readAttributes(ctx context.Context, tx db.Tx, t access.Tenant) (Attributes, bool, error) {
	defaults := DefaultAttributes(t.DefaultCurrency, t.Environment == access.Sandbox)
	a, found, err := db.One(ctx, tx, func(row db.Scanner) (Attributes, error) {
		var r access.Record
		var document string
		record, done := access.RecordTarget(&r)
		if err := row.Scan(append([]any{&document}, record...)...); err != nil {
			return Attributes{}, err
		}
		done()
		a, err := parseAttributes(document, defaults)
		a.Record = r
		return a, err
	}, `SELECT document, `+access.RecordColumns+` FROM issuing_attribute WHERE tenant_id = $1`, t.ID)
	if err == nil && !found {
		return defaults, false, nil
	}
	return a, found, err
}

// insertAttributes reports false when the tenant has a document already.
func insertAttributes(ctx context.Context, tx db.Tx, tenant access.TenantID, a Attributes) (bool, error) {
	document, err := a.document()
	if err != nil {
		return false, err
	}
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO issuing_attribute (`+access.RecordColumns+`, tenant_id, document)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`, append(access.RecordValues(a.Record), tenant, document)...))
	return n == 1, err
}

// updateAttributes replaces the document where the stored stamp is still stamp;
// an empty stamp means any. It reports whether a row was changed.
func updateAttributes(ctx context.Context, tx db.Tx, tenant access.TenantID, a Attributes, stamp string) (bool, error) {
	document, err := a.document()
	if err != nil {
		return false, err
	}
	n, err := db.Affected(tx.Exec(ctx, `UPDATE issuing_attribute SET document = $2, concurrency_stamp = $3, updated_at = $4,
		updated_by = $5 WHERE tenant_id = $1 AND ($6 = '' OR concurrency_stamp = $6)`,
		tenant, document, a.ConcurrencyStamp, clock.Micros(a.UpdatedAt), a.UpdatedBy, stamp))
	return n == 1, err
}
