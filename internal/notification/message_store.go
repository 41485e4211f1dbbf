package notification

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

const messageColumns = `id, tenant_id, customer_no, card_token, product_code, event, channel, recipient, is_pin, status, sealed, created_at,
	ended_at, result_code, result_text`

func scanMessage(row db.Scanner) (m Message, err error) {
	err = row.Scan(&m.ID, &m.Tenant, &m.CustomerNo, &m.CardToken, &m.ProductCode, &m.Event, &m.Channel, &m.Recipient, &m.IsPIN, &m.Status, &m.sealed,
		db.IntoTime(&m.CreatedAt), db.IntoTime(&m.EndedAt), &m.ResultCode, &m.ResultText)
	return m, err
}

func insertMessage(ctx context.Context, tx db.Tx, m Message) error {
	_, err := tx.Exec(ctx, `INSERT INTO notification (id, tenant_id, customer_no, card_token, product_code, event, channel,
			recipient, is_pin, status, sealed, created_at, ended_at, pin_on, result_code, result_text)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, '')`,
		m.ID, m.Tenant, m.CustomerNo, m.CardToken, m.ProductCode, m.Event, string(m.Channel), m.Recipient, m.IsPIN, string(m.Status), m.sealed,
		clock.Micros(m.CreatedAt), db.MicrosOrNull(m.EndedAt), m.pinOn)
	return err
}

func readMessage(ctx context.Context, tx db.Tx, tenant access.TenantID, message id.ID[Message]) (Message, bool, error) {
	return db.One(ctx, tx, scanMessage, `SELECT `+messageColumns+` FROM notification WHERE tenant_id = $1 AND id = $2`, tenant, message)
}

// endMessage writes what became of a message and erases what nobody needs any
// more: what was taken, and every PIN. One that was given up can still be sent,
// when its delivery is tried again; one that was sent stays so.
func endMessage(ctx context.Context, tx db.Tx, tenant string, message id.ID[Message], s Status, now time.Time, code int, text string) error {
	_, err := tx.Exec(ctx, `UPDATE notification SET status = $3, ended_at = $4, result_code = $5, result_text = $6,
			sealed = CASE WHEN is_pin OR $3 = 'Sent' THEN $7 ELSE sealed END
		WHERE tenant_id = $1 AND id = $2 AND (status = 'Waiting' OR status = 'Dead' AND $3 = 'Sent')`,
		tenant, message, string(s), clock.Micros(now), int64(code), text, []byte{})
	return err
}

// CountPINs returns how many PIN messages of a card were queued on a day of the
// tenant's business.
// Whoever decides by it holds the card's lock.
func CountPINs(ctx context.Context, tx db.Tx, tenant access.TenantID, cardToken string, on clock.Date) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM notification
		WHERE tenant_id = $1 AND card_token = $2 AND is_pin AND pin_on = $3`, tenant, cardToken, on).Scan(&n)
	return n, err
}

func readInbox(ctx context.Context, tx db.Tx, tenant access.TenantID, q InboxQuery) ([]Message, int, error) {
	var w db.Where
	w.And("tenant_id = ?", tenant)
	w.And("status = 'Inbox'")
	for _, f := range []struct{ column, value string }{
		{"customer_no", q.CustomerNo}, {"card_token", q.CardToken}, {"channel", string(q.Channel)},
	} {
		if f.value != "" {
			w.And(f.column+" = ?", f.value)
		}
	}
	where, args := w.SQL(), w.Args()
	total, err := db.Count(ctx, tx, `SELECT 1 FROM notification WHERE `+where, args...)
	if err != nil {
		return nil, 0, err
	}
	limit, skip := w.Bind(int64(q.Limit)), w.Bind(int64(q.Skip))
	page, err := db.Collect(ctx, tx, scanMessage, `SELECT `+messageColumns+` FROM notification WHERE `+where+
		` ORDER BY created_at DESC, id DESC LIMIT `+limit+` OFFSET `+skip, w.Args()...)
	return page, total, err
}

// reviveMessage lets a message wait again that was given up and whose content is
// still there.
func reviveMessage(ctx context.Context, tx db.Tx, tenant access.TenantID, message id.ID[Message]) (Message, bool, error) {
	return db.One(ctx, tx, scanMessage, `UPDATE notification SET status = 'Waiting', ended_at = NULL
		WHERE tenant_id = $1 AND id = $2 AND status = 'Dead' AND length(sealed) > 0 RETURNING `+messageColumns, tenant, message)
}

func readUnsent(ctx context.Context, tx db.Tx, q UnsentQuery) ([]Message, int, error) {
	var w db.Where
	w.And("status IN ('Waiting', 'Dead')")
	if !q.Tenant.IsZero() {
		w.And("tenant_id = ?", q.Tenant)
	}
	if q.Status != "" {
		w.And("status = ?", string(q.Status))
	}
	where := w.SQL()
	total, err := db.Count(ctx, tx, `SELECT 1 FROM notification WHERE `+where, w.Args()...)
	if err != nil {
		return nil, 0, err
	}
	limit, skip := w.Bind(int64(q.Limit)), w.Bind(int64(q.Skip))
	page, err := db.Collect(ctx, tx, scanMessage, `SELECT `+messageColumns+` FROM notification WHERE `+where+
		` ORDER BY created_at, id LIMIT `+limit+` OFFSET `+skip, w.Args()...)
	return page, total, err
}

// readDead returns messages that were given up and can be tried again, in the
// order of their identifiers.
func readDead(ctx context.Context, tx db.Tx, tenant access.TenantID, after id.ID[Message]) ([]id.ID[Message], error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (m id.ID[Message], err error) { return m, row.Scan(&m) },
		`SELECT id FROM notification WHERE tenant_id = $1 AND status = 'Dead' AND length(sealed) > 0 AND id > $2 ORDER BY id LIMIT 500`,
		tenant, after.String())
}

// deleteEnded deletes messages, of any tenant, that ended before the given time,
// a thousand at most.
func deleteEnded(ctx context.Context, tx db.Tx, before time.Time) (int64, error) {
	return db.Affected(tx.Exec(ctx, `DELETE FROM notification WHERE id IN (
		SELECT id FROM notification WHERE ended_at < $1 ORDER BY ended_at LIMIT 1000) AND ended_at < $1`, clock.Micros(before)))
}
