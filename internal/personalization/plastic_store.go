package personalization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// readProduction returns what is known of a production; nothing for a plastic
// that was not ordered yet.
func readProduction(ctx context.Context, tx db.Tx, card id.ID[issuing.Card]) (Production, error) {
	p, _, err := db.One(ctx, tx, func(row db.Scanner) (p Production, err error) {
		return p, row.Scan(&p.Vendor, &p.FileName, &p.BatchNo, db.IntoTime(&p.FileAt), db.IntoTime(&p.ProducedAt), &p.failure,
			&p.ErrorText, db.IntoTime(&p.retryAt), db.IntoTime(&p.lastEvent))
	}, `SELECT vendor_code, file_name, batch_no, file_at, produced_at, failure, error_text, retry_at, last_event_at
		FROM production WHERE card_id = $1`, card)
	return p, err
}

// saveProduction writes it; the caller holds the row of the card.
func saveProduction(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[issuing.Card], p Production) error {
	_, err := tx.Exec(ctx, `INSERT INTO production (card_id, tenant_id, vendor_code, file_name, batch_no, file_at, produced_at,
			failure, error_text, retry_at, last_event_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (card_id) DO UPDATE SET vendor_code = excluded.vendor_code, file_name = excluded.file_name,
			batch_no = excluded.batch_no, file_at = excluded.file_at, produced_at = excluded.produced_at,
			failure = excluded.failure, error_text = excluded.error_text, retry_at = excluded.retry_at,
			last_event_at = excluded.last_event_at`,
		card, tenant, p.Vendor, p.FileName, int64(p.BatchNo), db.MicrosOrNull(p.FileAt), db.MicrosOrNull(p.ProducedAt),
		string(p.failure), p.ErrorText, db.MicrosOrNull(p.retryAt), db.MicrosOrNull(p.lastEvent))
	return err
}

// readFailedBureaus returns where productions failed that may be begun anew.
func readFailedBureaus(ctx context.Context, tx db.Tx, now time.Time) ([]failedAt, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (f failedAt, err error) {
		return f, row.Scan(&f.tenant, &f.vendor, &f.why)
	}, `SELECT DISTINCT tenant_id, vendor_code, failure FROM production
		WHERE failure IN ('NoKey', 'Error') AND (retry_at IS NULL OR retry_at <= $1)
		ORDER BY tenant_id, vendor_code, failure`, clock.Micros(now))
}

func readFailedCards(ctx context.Context, tx db.Tx, f failedAt, now time.Time, limit int) ([]id.ID[issuing.Card], error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (card id.ID[issuing.Card], err error) { return card, row.Scan(&card) },
		`SELECT card_id FROM production
		WHERE tenant_id = $1 AND vendor_code = $2 AND failure = $3 AND failure IN ('NoKey', 'Error')
			AND (retry_at IS NULL OR retry_at <= $4)
		ORDER BY card_id LIMIT $5`, f.tenant, f.vendor, string(f.why), clock.Micros(now), int64(limit))
}

const shipmentColumns = `courier_code, courier_name, tracking_no, tracking_url, estimated_delivery, delivered_at,
	recipient_name, recipient_relation, attempt_count, return_reason, destroyed_at, last_event_at`

// readShipment returns what is known of a shipment, without its events.
func readShipment(ctx context.Context, tx db.Tx, card id.ID[issuing.Card]) (Shipment, error) {
	s, _, err := db.One(ctx, tx, func(row db.Scanner) (s Shipment, err error) {
		return s, row.Scan(&s.CourierCode, &s.CourierName, &s.TrackingNo, &s.TrackingURL, &s.EstimatedDelivery,
			db.IntoTime(&s.DeliveredAt), &s.sealedRecipient, &s.RecipientRelation, &s.AttemptCount, &s.ReturnReason,
			db.IntoTime(&s.destroyedAt), db.IntoTime(&s.lastEvent))
	}, `SELECT `+shipmentColumns+` FROM shipment WHERE card_id = $1`, card)
	return s, err
}

// saveShipment writes it; the caller holds the row of the card.
func saveShipment(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[issuing.Card], s Shipment) error {
	recipient := s.sealedRecipient
	if recipient == nil {
		recipient = []byte{}
	}
	_, err := tx.Exec(ctx, `INSERT INTO shipment (card_id, tenant_id, `+shipmentColumns+`, is_settled)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, FALSE)
		ON CONFLICT (card_id) DO UPDATE SET courier_code = excluded.courier_code, courier_name = excluded.courier_name,
			tracking_no = excluded.tracking_no, tracking_url = excluded.tracking_url,
			estimated_delivery = excluded.estimated_delivery, delivered_at = excluded.delivered_at,
			recipient_name = excluded.recipient_name, recipient_relation = excluded.recipient_relation,
			attempt_count = excluded.attempt_count, return_reason = excluded.return_reason,
			destroyed_at = excluded.destroyed_at, last_event_at = excluded.last_event_at`,
		card, tenant, s.CourierCode, s.CourierName, s.TrackingNo, s.TrackingURL, s.EstimatedDelivery,
		db.MicrosOrNull(s.DeliveredAt), recipient, s.RecipientRelation, int64(s.AttemptCount), s.ReturnReason,
		db.MicrosOrNull(s.destroyedAt), db.MicrosOrNull(s.lastEvent))
	return err
}

// destroyedPlastic is a plastic that was destroyed and whose card has not
// followed it.
type destroyedPlastic struct {
	tenant access.TenantID
	card   id.ID[issuing.Card]
	at     time.Time
}

func readDestroyed(ctx context.Context, tx db.Tx, after time.Time, afterCard string, limit int) ([]destroyedPlastic, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (d destroyedPlastic, err error) {
		var at int64
		err = row.Scan(&d.tenant, &d.card, &at)
		d.at = clock.FromMicros(at)
		return d, err
	}, `SELECT tenant_id, card_id, destroyed_at FROM shipment
		WHERE destroyed_at IS NOT NULL AND NOT is_settled AND (destroyed_at > $1 OR (destroyed_at = $1 AND card_id > $2))
		ORDER BY destroyed_at, card_id LIMIT $3`, clock.Micros(after), afterCard, int64(limit))
}

func settleShipment(ctx context.Context, tx db.Tx, card id.ID[issuing.Card]) error {
	_, err := tx.Exec(ctx, `UPDATE shipment SET is_settled = TRUE WHERE card_id = $1`, card)
	return err
}

// readLastEvent is when the last event happened that counted.
func readLastEvent(ctx context.Context, tx db.Tx, about About, card id.ID[issuing.Card]) (time.Time, error) {
	query := `SELECT last_event_at FROM production WHERE card_id = $1`
	if about == AboutShipment {
		query = `SELECT last_event_at FROM shipment WHERE card_id = $1`
	}
	at, _, err := db.One(ctx, tx, func(row db.Scanner) (at time.Time, err error) { return at, row.Scan(db.IntoTime(&at)) }, query, card)
	return at, err
}

// insertEvent keeps an event and returns false, and has changed nothing, when
// its sender has told it before.
func insertEvent(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[issuing.Card], e Event, status string, applied bool, now time.Time) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO plastic_event (tenant_id, about, vendor_code, event_id, card_id,
			status_code, status, is_applied, description, location, event_at, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (tenant_id, about, vendor_code, event_id) DO NOTHING`,
		tenant, string(e.About), e.Vendor, e.ID, card, e.StatusCode, status, applied, e.Description, e.Location,
		clock.Micros(e.At), clock.Micros(now)))
	return n > 0, err
}

func readShipmentEvents(ctx context.Context, tx db.Tx, card id.ID[issuing.Card]) ([]ShipmentEvent, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (e ShipmentEvent, err error) {
		var at int64
		err = row.Scan(&e.StatusCode, &e.Status, &e.Description, &at, &e.Location)
		e.At = clock.FromMicros(at)
		return e, err
	}, `SELECT status_code, status, description, event_at, location FROM plastic_event
		WHERE card_id = $1 AND about = 'Shipment' ORDER BY event_at, received_at, event_id LIMIT 1000`, card)
}
