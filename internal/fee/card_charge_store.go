package fee

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

const cardFeeColumns = `id, tenant_id, issuance_id, card_id, occasion, part, fee_code, event, fee_year, applied, price, to_give_back, given_back,
	timing, status, is_refundable, is_pro_rata, is_asked, check_at, due_on, retry_days, created_at, updated_at`

var (
	cardFeeInsert = &db.Bulk{
		Head: `INSERT INTO card_fee (` + cardFeeColumns + `) VALUES `, Columns: 23,
		Tail: ` ON CONFLICT (issuance_id, occasion, part) DO NOTHING`,
	}
	cardFeeLock = &db.Lookup{Head: `SELECT id FROM card_fee WHERE tenant_id = $1 AND id IN `, Tail: ` ORDER BY id`, Lock: true}
)

func scanCardFee(s db.Scanner) (CardFee, error) {
	var f CardFee
	var code, applied string
	var price, toBack, back, check, created, updated int64
	err := s.Scan(&f.ID, &f.Tenant, &f.Issuance, &f.Card, &f.Occasion, &f.Part, &code, &f.Event, &f.Year, &applied, &price, &toBack, &back,
		&f.Timing, &f.Status, &f.IsRefundable, &f.IsProRata, &f.IsAsked, &check, &f.DueOn, &f.RetryDays, &created, &updated)
	if err != nil {
		return f, err
	}
	due, err := ParseDue(applied)
	if err != nil {
		return f, err
	}
	f.Applied = due.Applied
	f.CheckAt, f.CreatedAt, f.UpdatedAt = clock.FromMicros(check), clock.FromMicros(created), clock.FromMicros(updated)
	currency := f.Applied.Terms.Fixed.Currency()
	r := amountReader{currency: currency}
	f.Price, f.ToGiveBack, f.GivenBack = r.must(price), r.must(toBack), r.must(back)
	return f, r.err
}

// insertCardFees keeps fees; those whose occasion was charged for stay as they
// are.
func insertCardFees(ctx context.Context, tx db.Tx, all []CardFee) error {
	var args []any
	for _, f := range all {
		args = append(args, f.ID, f.Tenant, f.Issuance, f.Card, f.Occasion, f.Part, f.Applied.Code, string(f.Event), f.Year, NewDue(f.Applied).Document(),
			f.Price.Minor(), f.ToGiveBack.Minor(), f.GivenBack.Minor(), string(f.Timing), string(f.Status), f.IsRefundable, f.IsProRata, f.IsAsked, clock.Micros(f.CheckAt), f.DueOn, f.RetryDays,
			clock.Micros(f.CreatedAt), clock.Micros(f.UpdatedAt))
	}
	return cardFeeInsert.Exec(ctx, tx, args)
}

// lockCardFee reads a fee that nobody else changes until the transaction ends.
func lockCardFee(ctx context.Context, tx db.Tx, tenant access.TenantID, fee id.ID[CardFee]) (CardFee, error) {
	if err := db.LockRow(ctx, tx, cardFeeLock, tenant, fee.String()); err != nil {
		return CardFee{}, err
	}
	f, found, err := db.One(ctx, tx, scanCardFee, `SELECT `+cardFeeColumns+` FROM card_fee WHERE tenant_id = $1 AND id = $2`, tenant, fee)
	if err != nil || !found {
		return f, db.Missing(err)
	}
	return f, nil
}

func saveCardFee(ctx context.Context, tx db.Tx, f CardFee) error {
	_, err := tx.Exec(ctx, `UPDATE card_fee SET status = $2, is_refundable = $3, check_at = $4, to_give_back = $5, given_back = $6, updated_at = $7,
		price = $8, due_on = $9, is_asked = $10 WHERE id = $1`, f.ID, string(f.Status), f.IsRefundable, clock.Micros(f.CheckAt), f.ToGiveBack.Minor(), f.GivenBack.Minor(), clock.Micros(f.UpdatedAt),
		f.Price.Minor(), f.DueOn, f.IsAsked)
	return err
}

// dueCardFee is a fee that something is to be done with, and since when, in
// microseconds.
type dueCardFee struct {
	id id.ID[CardFee]
	at int64
}

// dueCardFees lists the fees after one that something is to be done with by now,
// the oldest first.
func dueCardFees(ctx context.Context, tx db.Tx, tenant access.TenantID, now time.Time, after dueCardFee, most int) ([]dueCardFee, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (f dueCardFee, err error) { return f, s.Scan(&f.id, &f.at) },
		`SELECT id, check_at FROM card_fee WHERE tenant_id = $1 AND check_at <= $2 AND (check_at, id) > ($3, $4)
			AND (status IN ('Waiting', 'Due', 'Pending') OR is_refundable OR to_give_back > given_back) ORDER BY check_at, id LIMIT $5`,
		tenant, clock.Micros(now), after.at, after.id.String(), most)
}

// cardFeesOf lists the fees of an issuance, in the order in which they were
// ordered.
func cardFeesOf(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) ([]CardFee, error) {
	return db.Collect(ctx, tx, scanCardFee, `SELECT `+cardFeeColumns+` FROM card_fee WHERE tenant_id = $1 AND issuance_id = $2
		ORDER BY created_at, occasion, part`, tenant, issuance)
}

// lockCardFeesOf is cardFeesOf with fees that nobody else changes until the
// transaction ends.
func lockCardFeesOf(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) ([]CardFee, error) {
	all, err := cardFeesOf(ctx, tx, tenant, issuance)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(all))
	for i, f := range all {
		ids[i] = f.ID.String()
	}
	err = cardFeeLock.Query(ctx, tx, []any{tenant}, ids, func(s db.Scanner) error {
		var locked string
		return s.Scan(&locked)
	})
	if err != nil {
		return nil, err
	}
	return cardFeesOf(ctx, tx, tenant, issuance)
}

// countOrders counts how often an issuance was ordered a fee from a moment on,
// those that were cancelled aside.
func countOrders(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], code string, from time.Time) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT COUNT(*) FROM card_fee WHERE tenant_id = $1 AND issuance_id = $2 AND fee_code = $3
		AND event <> '' AND created_at >= $4 AND status <> 'Cancelled'`, tenant, issuance, code, clock.Micros(from))
	return n, err
}

// year is how far the yearly fee of an issuance is.
type year struct {
	issuance id.ID[issuing.Issuance]
	tenant   access.TenantID
	n        int        // years that began
	first    clock.Date // that the first began on; every other begins on its anniversary
	next     clock.Date // when the next one begins; zero while that is not known
	told     int        // the last year that was told before it began
	check    clock.Date // when it is looked at next
	isClosed bool
}

const yearColumns = `issuance_id, tenant_id, year, first_on, next_on, told_year, check_on, is_closed`

var (
	yearInsert = &db.Bulk{Head: `INSERT INTO fee_year (` + yearColumns + `) VALUES `, Columns: 8, Tail: ` ON CONFLICT (issuance_id) DO NOTHING`}
	yearLock   = &db.Lookup{Head: `SELECT issuance_id FROM fee_year WHERE tenant_id = $1 AND issuance_id IN `, Lock: true}
)

func scanYear(s db.Scanner) (y year, err error) {
	return y, s.Scan(&y.issuance, &y.tenant, &y.n, &y.first, &y.next, &y.told, &y.check, &y.isClosed)
}

// insertYears lets the years of issuances be looked at from a day on; those that
// are known already stay as they are.
func insertYears(ctx context.Context, tx db.Tx, all []year) error {
	var args []any
	for _, y := range all {
		args = append(args, y.issuance, y.tenant, y.n, y.first, y.next, y.told, y.check, y.isClosed)
	}
	return yearInsert.Exec(ctx, tx, args)
}

// reopenYear lets years begin again for an issuance that was closed.
func reopenYear(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], today clock.Date) error {
	_, err := tx.Exec(ctx, `UPDATE fee_year SET is_closed = FALSE, next_on = $3, first_on = $3, check_on = $3
		WHERE tenant_id = $1 AND issuance_id = $2 AND is_closed`, tenant, issuance, today)
	return err
}

func lockYear(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) (year, error) {
	if err := db.LockRow(ctx, tx, yearLock, tenant, issuance.String()); err != nil {
		return year{}, err
	}
	return readYear(ctx, tx, tenant, issuance)
}

func saveYear(ctx context.Context, tx db.Tx, y year) error {
	_, err := tx.Exec(ctx, `UPDATE fee_year SET year = $2, first_on = $3, next_on = $4, told_year = $5, check_on = $6, is_closed = $7
		WHERE issuance_id = $1`, y.issuance, y.n, y.first, y.next, y.told, y.check, y.isClosed)
	return err
}

// dueYear is an issuance that is to be looked at, and since when, as text.
type dueYear struct {
	issuance id.ID[issuing.Issuance]
	since    string
}

// dueYears lists the issuances after one that are to be looked at by a day, those
// of the longest ago first: of those whose first year has begun, or of the others.
// The texts differ, since each is served by an index of its own.
func dueYears(ctx context.Context, tx db.Tx, tenant access.TenantID, today clock.Date, hasBegun bool, after dueYear, most int) ([]dueYear, error) {
	which := " AND year = 0"
	if hasBegun {
		which = " AND year > 0"
	}
	return db.Collect(ctx, tx, func(s db.Scanner) (y dueYear, err error) { return y, s.Scan(&y.issuance, &y.since) },
		`SELECT issuance_id, check_on FROM fee_year WHERE tenant_id = $1 AND check_on <= $2 AND (check_on, issuance_id) > ($3, $4) AND NOT is_closed`+which+
			` ORDER BY check_on, issuance_id LIMIT $5`, tenant, today, after.since, after.issuance.String(), most)
}

// readYear returns the year of an issuance; a zero one when it was never looked
// at.
func readYear(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) (year, error) {
	y, _, err := db.One(ctx, tx, scanYear, `SELECT `+yearColumns+` FROM fee_year WHERE tenant_id = $1 AND issuance_id = $2`, tenant, issuance)
	return y, err
}
