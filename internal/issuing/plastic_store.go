package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// movePlastic is the check and the change.
func movePlastic(ctx context.Context, tx db.Tx, tenant access.TenantID, m PlasticMove, now time.Time) (bool, error) {
	var w db.Where
	at := w.Bind(clock.Micros(now))
	set := `plastic_updated_at = ` + at + `, updated_at = ` + at
	if m.ToPerso != "" {
		set += `, perso_status = ` + w.Bind(string(m.ToPerso))
	}
	if m.ToShipment != "" {
		set += `, shipment_status = ` + w.Bind(string(m.ToShipment))
	}
	w.And("tenant_id = ?", tenant)
	w.And("id = ?", m.Card)
	if m.ToPerso != "" {
		w.And("perso_status = ?", string(m.FromPerso))
	}
	if m.ToShipment != "" {
		w.And("shipment_status = ?", string(m.FromShipment))
	}
	n, err := db.Affected(tx.Exec(ctx, `UPDATE card SET `+set+` WHERE `+w.SQL(), w.Args()...))
	return n > 0, err
}

var lockPlastics = db.Lookup{Head: `SELECT id FROM card WHERE tenant_id = $1 AND id IN `, Tail: ` ORDER BY id`, Lock: true}

// WaitingPlastics returns plastics that were requested, of every tenant, in the
// order of tenants and cards, at most limit of them and only those after the
// one given.
func WaitingPlastics(ctx context.Context, tx db.Tx, after WaitingPlastic, limit int) ([]WaitingPlastic, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (WaitingPlastic, error) {
		var w WaitingPlastic
		var document string
		var status CardStatus
		if err := s.Scan(&w.Tenant, &w.Card, &document, &status); err != nil {
			return w, err
		}
		body, err := plasticOf(document, string(PersoRequested), "")
		if err != nil {
			return w, fmt.Errorf("card %s: %w", w.Card, err)
		}
		if body != nil {
			w.Vendor = body.PersoVendor
		}
		w.Closed = status.IsFinal()
		return w, nil
	}, `SELECT tenant_id, id, physical, status FROM card
		WHERE perso_status = 'Requested' AND (tenant_id > $1 OR (tenant_id = $1 AND id > $2))
		ORDER BY tenant_id, id LIMIT $3`, afterTenant(after.Tenant), afterCard(after.Card), int64(limit))
}

// afterTenant and afterCard are the empty text for no identifier at all, which
// every identifier is after.
func afterTenant(t access.TenantID) string {
	if t.IsZero() {
		return ""
	}
	return t.String()
}

func afterCard(c id.ID[Card]) string {
	if c.IsZero() {
		return ""
	}
	return c.String()
}
