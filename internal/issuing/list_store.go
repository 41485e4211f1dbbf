package issuing

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// cardSort names what card lists can be ordered by, with the column behind it.
var cardSort = map[string]string{
	"creationTime":      "i.created_at",
	"issuanceNo":        "i.issuance_no",
	"productCode":       "i.product_code",
	"accountNo":         "i.account_no",
	"cardStatus":        "c.status",
	"formFactor":        "c.form_factor",
	"expireDate":        "c.expires_on",
	"autoRenewalStatus": "i.auto_renewal",
}

// listCards returns one page, and the number of all matches as far as totalMax
// and one more.
func listCards(ctx context.Context, tx db.Tx, tenant access.TenantID, f CardFilter) ([]ListedCard, int, error) {
	w := f.where(tenant)
	const tables = ` FROM issuance i
		JOIN card c ON c.id = i.current_card_id` + program.JoinBIN + program.JoinProduct + `
		WHERE `
	var total int
	most := w.Bind(int64(list.TotalMax + 1))
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT 1 AS n`+tables+w.SQL()+` LIMIT `+most+`) AS found`, w.Args()...).Scan(&total)
	if err != nil {
		return nil, 0, err
	}
	w = f.where(tenant)
	query := `SELECT i.id, i.tenant_id, i.issuance_no, i.customer_id, i.product_code, i.parent_id, i.account_no,
			i.auto_renewal, i.created_at, c.id, c.card_token, c.sequence_no, c.bin, c.last_four, b.pan_length, c.expires_on,
			c.form_factor, c.status, c.status_reason, p.name,
			(SELECT COUNT(*) FROM issuance ch WHERE ch.parent_id = i.id)` + tables + w.SQL() +
		db.OrderBy(f.Page, cardSort, "i.created_at DESC", "i.id DESC") +
		` LIMIT ` + w.Bind(int64(f.Limit)) + ` OFFSET ` + w.Bind(int64(f.Skip))
	cards, err := db.Collect(ctx, tx, func(s db.Scanner) (l ListedCard, err error) {
		i, c := &l.Issuance, &l.Card
		err = s.Scan(&i.ID, &i.Tenant, &i.No, &i.Customer, &i.ProductCode, &i.Parent, &i.AccountNo, &i.AutoRenewal,
			micros{&i.CreatedAt}, &c.ID, &c.Token, &c.Sequence, &c.BIN, &c.LastFour, &c.PANLength, &c.Expires,
			&c.FormFactor, &c.Status, &c.Reason, &l.ProductName, &l.ChildCount)
		return l, err
	}, query, w.Args()...)
	return cards, total, err
}

func (f CardFilter) where(tenant access.TenantID) *db.Where {
	w := &db.Where{}
	w.And("i.tenant_id = ?", tenant)
	for _, equal := range []struct{ column, value string }{
		{"i.product_code", f.ProductCode},
		{"p.group_code", f.GroupCode},
		{"c.form_factor", string(f.FormFactor)},
		{"i.external_card_id", f.ExternalCardID},
		{"i.account_no", f.AccountNo},
		{"c.last_four", f.LastFour},
		{"c.bin", f.BIN},
		{"c.perso_status", string(f.PersoStatus)},
		{"c.shipment_status", string(f.ShipmentStatus)},
		{"i.auto_renewal", string(f.AutoRenewal)},
	} {
		if equal.value != "" {
			w.And(equal.column+" = ?", equal.value)
		}
	}
	if f.CustomerNo != "" {
		w.And("i.customer_id = "+customer.IDByNo, tenant, f.CustomerNo)
	}
	if f.ParentIssuanceNo != "" {
		w.And("i.parent_id = (SELECT id FROM issuance WHERE tenant_id = ? AND issuance_no = ?)", tenant, f.ParentIssuanceNo)
	}
	if f.BatchReference != "" {
		w.And("i.id IN (SELECT n.issuance_id FROM noname_batch nb JOIN noname_card n ON n.batch_id = nb.id"+
			" WHERE nb.tenant_id = ? AND nb.reference = ?)", tenant, f.BatchReference)
	}
	if len(f.Statuses) > 0 {
		andStatusIn(w, "c.status", f.Statuses)
	}
	if f.IssuanceStatus != "" {
		andStatusIn(w, "c.status", f.IssuanceStatus.cardStatuses())
	}
	switch f.Ownership {
	case MainCard:
		w.And("i.parent_id IS NULL")
	case SupplementaryCard:
		w.And("i.parent_id IS NOT NULL")
	}
	if f.IsLinked != nil {
		if *f.IsLinked {
			w.And("i.customer_id IS NOT NULL")
		} else {
			w.And("i.customer_id IS NULL")
		}
	}
	if !f.ExpiresFrom.IsZero() {
		w.And("c.expires_on >= ?", f.ExpiresFrom.String())
	}
	if !f.ExpiresTo.IsZero() {
		w.And("c.expires_on <= ?", f.ExpiresTo.String())
	}
	if !f.CreatedFrom.IsZero() {
		w.And("i.created_at >= ?", clock.Micros(f.CreatedFrom))
	}
	if !f.CreatedTo.IsZero() {
		w.And("i.created_at <= ?", clock.Micros(f.CreatedTo))
	}
	return w
}
