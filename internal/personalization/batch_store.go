package personalization

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

const batchColumns = `id, tenant_id, vendor_code, batch_no, file_name, status, place, digest, card_count, created_at, sent_at`

func scanBatch(row db.Scanner) (Batch, error) {
	var b Batch
	err := row.Scan(&b.ID, &b.Tenant, &b.Vendor, &b.No, &b.FileName, &b.Status, &b.place, &b.digest, &b.CardCount,
		db.IntoTime(&b.CreatedAt), db.IntoTime(&b.SentAt))
	return b, err
}

// nextBatchNo counts the files of a bureau. The row is held until the
// transaction ends.
func nextBatchNo(ctx context.Context, tx db.Tx, b bureau) (int, error) {
	no, _, err := db.One(ctx, tx, func(row db.Scanner) (n int, err error) { return n, row.Scan(&n) },
		`INSERT INTO perso_vendor (tenant_id, vendor_code, batch_count) VALUES ($1, $2, 1)
		ON CONFLICT (tenant_id, vendor_code) DO UPDATE SET batch_count = perso_vendor.batch_count + 1
		RETURNING batch_count`, b.tenant, b.vendor)
	return no, err
}

func insertBatch(ctx context.Context, tx db.Tx, b Batch) error {
	_, err := tx.Exec(ctx, `INSERT INTO perso_batch (`+batchColumns+`) VALUES ($1, $2, $3, $4, $5, $6, '', '', 0, $7, NULL)`,
		b.ID, b.Tenant, b.Vendor, int64(b.No), b.FileName, string(b.Status), clock.Micros(b.CreatedAt))
	return err
}

func insertOrder(ctx context.Context, tx db.Tx, b Batch, o Order) error {
	_, err := tx.Exec(ctx, `INSERT INTO perso_order (id, tenant_id, batch_id, card_id, is_dropped) VALUES ($1, $2, $3, $4, $5)`,
		o.ID, b.Tenant, b.ID, o.Card, o.Dropped)
	return err
}

// readOpenBatches returns the batches that are not where they should be yet,
// oldest first.
func readOpenBatches(ctx context.Context, tx db.Tx) ([]Batch, error) {
	return db.Collect(ctx, tx, scanBatch, `SELECT `+batchColumns+` FROM perso_batch
		WHERE status IN ('Queued', 'Written') ORDER BY id`)
}

func readBatches(ctx context.Context, tx db.Tx, tenant access.TenantID, limit int) ([]Batch, error) {
	var w db.Where
	w.And("1 = 1")
	if !tenant.IsZero() {
		w.And("tenant_id = ?", tenant)
	}
	return db.Collect(ctx, tx, scanBatch, `SELECT `+batchColumns+` FROM perso_batch WHERE `+w.SQL()+
		` ORDER BY created_at DESC, batch_no DESC, id DESC LIMIT `+w.Bind(int64(limit)), w.Args()...)
}

// findBatch returns a batch by its id or its file name.
func findBatch(ctx context.Context, tx db.Tx, name string) (Batch, bool, error) {
	return db.One(ctx, tx, scanBatch, `SELECT `+batchColumns+` FROM perso_batch
		WHERE id = $1 OR file_name = $1 ORDER BY created_at DESC, id LIMIT 1`, name)
}

func readOrders(ctx context.Context, tx db.Tx, batch id.ID[Batch]) ([]Order, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (o Order, err error) {
		return o, row.Scan(&o.ID, &o.Card, &o.Dropped)
	}, `SELECT id, card_id, is_dropped FROM perso_order WHERE batch_id = $1 ORDER BY id`, batch)
}

// readOrderedCard returns the card that an order is for.
func readOrderedCard(ctx context.Context, tx db.Tx, tenant access.TenantID, order id.ID[Order]) (id.ID[issuing.Card], bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (card id.ID[issuing.Card], err error) { return card, row.Scan(&card) },
		`SELECT card_id FROM perso_order WHERE tenant_id = $1 AND id = $2`, tenant, order)
}

// closeBatch moves a batch from one status to another and returns false when
// somebody else has done so.
func closeBatch(ctx context.Context, tx db.Tx, b Batch, from BatchStatus) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE perso_batch SET status = $1, place = $2, digest = $3, card_count = $4, sent_at = $5
		WHERE id = $6 AND status = $7`,
		string(b.Status), b.place, b.digest, int64(b.CardCount), db.MicrosOrNull(b.SentAt), b.ID, string(from)))
	return n > 0, err
}

func dropOrder(ctx context.Context, tx db.Tx, order id.ID[Order]) error {
	_, err := tx.Exec(ctx, `UPDATE perso_order SET is_dropped = TRUE WHERE id = $1`, order)
	return err
}
