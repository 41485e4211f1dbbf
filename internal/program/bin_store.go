package program

import (
	"context"
	"errors"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
)

const binColumns = `bin, brand, network, card_type, card_level, currency, country, pan_length, sponsor_name,
	network_member_id, key_set_code, is_3ds_enabled, is_tokenization_enabled, status, ` + access.RecordColumns

func scanBIN(row db.Scanner) (BIN, error) {
	var b BIN
	var currency, land string
	record, done := access.RecordTarget(&b.Record)
	err := row.Scan(append([]any{&b.BIN, &b.Brand, &b.Network, &b.CardType, &b.CardLevel, &currency, &land, &b.PANLength,
		&b.SponsorName, &b.NetworkMemberID, &b.KeySetCode, &b.ThreeDS, &b.Tokenization, &b.Status}, record...)...)
	if err != nil {
		return BIN{}, err
	}
	done()
	var err1, err2 error
	b.Currency, err1 = money.ParseCurrency(currency)
	b.Country, err2 = country.Parse(land)
	return b, errors.Join(err1, err2)
}

// Keys that come from a path are looked up only when they are printable:
// PostgreSQL takes no NUL in a text, and no key has one.

// readBINs returns all BINs of a tenant in order.
func readBINs(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]BIN, error) {
	return db.Collect(ctx, tx, scanBIN, `SELECT `+binColumns+` FROM bin WHERE tenant_id = $1 ORDER BY bin`, tenant)
}

func readBIN(ctx context.Context, tx db.Tx, tenant access.TenantID, bin string) (BIN, bool, error) {
	if !fault.Printable(bin) {
		return BIN{}, false, nil
	}
	return db.One(ctx, tx, scanBIN, `SELECT `+binColumns+` FROM bin WHERE tenant_id = $1 AND bin = $2`, tenant, bin)
}

// tenantOfBIN finds whose either prefix is.
func tenantOfBIN(ctx context.Context, tx db.Tx, eight, six string) (access.TenantID, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (t access.TenantID, err error) { return t, row.Scan(&t) },
		`SELECT tenant_id FROM bin WHERE bin IN ($1, $2) ORDER BY length(bin) DESC LIMIT 1`, eight, six)
}

// binNeighbour is a BIN that equals another, lies inside it or around it.
type binNeighbour struct {
	bin    string
	tenant access.TenantID
}

// binNeighbours returns the platform's BINs that share digits with bin: itself,
// the six digits around it, and those of eight inside it.
func binNeighbours(ctx context.Context, tx db.Tx, bin string) ([]binNeighbour, error) {
	scan := func(row db.Scanner) (n binNeighbour, err error) { return n, row.Scan(&n.bin, &n.tenant) }
	return db.Collect(ctx, tx, scan, `SELECT bin, tenant_id FROM bin
		WHERE bin = $1 OR bin = $2 OR (length($1) = 6 AND substr(bin, 1, 6) = $1) ORDER BY bin`, bin, bin[:6])
}

// lockPrefix makes creations of BINs that share their first six digits wait for
// one another, whatever their tenants, until the transaction ends.
func lockPrefix(ctx context.Context, tx db.Tx, bin string) error {
	_, err := tx.Exec(ctx, `INSERT INTO bin_prefix (prefix, bin_count) VALUES ($1, 1)
		ON CONFLICT (prefix) DO UPDATE SET bin_count = bin_prefix.bin_count + 1`, bin[:6])
	return err
}

// insertBIN reports false when the BIN exists.
func insertBIN(ctx context.Context, tx db.Tx, tenant access.TenantID, b BIN) (bool, error) {
	args := append([]any{b.BIN, string(b.Brand), string(b.Network), string(b.CardType), string(b.CardLevel), b.Currency.Code(),
		b.Country.Alpha2(), b.PANLength, b.SponsorName, b.NetworkMemberID, b.KeySetCode, b.ThreeDS, b.Tokenization,
		string(b.Status)}, access.RecordValues(b.Record)...)
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO bin (`+binColumns+`, tenant_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT DO NOTHING`, append(args, tenant)...))
	return n == 1, err
}

// updateBIN writes what may change where the stored stamp is still stamp; an
// empty stamp means any. It reports whether a row was changed.
func updateBIN(ctx context.Context, tx db.Tx, tenant access.TenantID, b BIN, stamp string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE bin SET brand = $3, network = $4, card_type = $5, card_level = $6,
		currency = $7, country = $8, sponsor_name = $9, network_member_id = $10, is_3ds_enabled = $11,
		is_tokenization_enabled = $12, status = $13, concurrency_stamp = $14, updated_at = $15, updated_by = $16
		WHERE tenant_id = $1 AND bin = $2 AND ($17 = '' OR concurrency_stamp = $17)`,
		tenant, b.BIN, string(b.Brand), string(b.Network), string(b.CardType), string(b.CardLevel), b.Currency.Code(),
		b.Country.Alpha2(), b.SponsorName, b.NetworkMemberID, b.ThreeDS, b.Tokenization, string(b.Status),
		b.ConcurrencyStamp, clock.Micros(b.UpdatedAt), b.UpdatedBy, stamp))
	return n == 1, err
}

const rangeColumns = `code, name, bin, range_start, range_end, pan_generation, alert_threshold_percent, used_count, status, ` +
	access.RecordColumns

func scanRange(row db.Scanner) (BINRange, error) {
	var r BINRange
	record, done := access.RecordTarget(&r.Record)
	err := row.Scan(append([]any{&r.Code, &r.Name, &r.BIN, &r.Start, &r.End, &r.Generation, &r.AlertThresholdPercent,
		&r.UsedCount, &r.Status}, record...)...)
	done()
	return r, err
}

// readRanges returns all BIN ranges of a tenant by code.
func readRanges(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]BINRange, error) {
	return db.Collect(ctx, tx, scanRange, `SELECT `+rangeColumns+` FROM bin_range WHERE tenant_id = $1 ORDER BY code`, tenant)
}

func readRange(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (BINRange, bool, error) {
	if !fault.Printable(code) {
		return BINRange{}, false, nil
	}
	return db.One(ctx, tx, scanRange, `SELECT `+rangeColumns+` FROM bin_range WHERE tenant_id = $1 AND code = $2`, tenant, code)
}

// overlappingRange returns the code of another range, of the same BIN or one
// inside or around it, that shares
// numbers with r.
func overlappingRange(ctx context.Context, tx db.Tx, tenant access.TenantID, r BINRange) (string, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (code string, err error) { return code, row.Scan(&code) },
		`SELECT code FROM bin_range WHERE tenant_id = $1 AND substr(bin, 1, 6) = substr($2, 1, 6) AND length(range_start) = length($4)
		AND code <> $3 AND range_start <= $5 AND range_end >= $4
		ORDER BY range_start LIMIT 1`, tenant, r.BIN, r.Code, r.Start, r.End)
}

// insertRange reports false when the code exists.
func insertRange(ctx context.Context, tx db.Tx, tenant access.TenantID, r BINRange) (bool, error) {
	args := append([]any{r.Code, r.Name, r.BIN, r.Start, r.End, string(r.Generation), r.AlertThresholdPercent, int64(0),
		string(r.Status)}, access.RecordValues(r.Record)...)
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO bin_range (`+rangeColumns+`, tenant_id, next_offset)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0) ON CONFLICT DO NOTHING`,
		append(args, tenant)...))
	return n == 1, err
}

// updateRange writes what may change where the stored stamp is still stamp; an
// empty stamp means any. It reports whether a row was changed.
func updateRange(ctx context.Context, tx db.Tx, tenant access.TenantID, r BINRange, stamp string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE bin_range SET name = $3, range_end = $4, pan_generation = $5,
		alert_threshold_percent = $6, status = $7, concurrency_stamp = $8, updated_at = $9, updated_by = $10
		WHERE tenant_id = $1 AND code = $2 AND range_end <= $4 AND ($11 = '' OR concurrency_stamp = $11)`,
		tenant, r.Code, r.Name, r.End, string(r.Generation), r.AlertThresholdPercent, string(r.Status),
		r.ConcurrencyStamp, clock.Micros(r.UpdatedAt), r.UpdatedBy, stamp))
	return n == 1, err
}

// takeFromRange counts one more number as used and returns the range as it then
// is, and the offset that a sequential range gives out. It reports false when
// the range is passive or used up; capacity must be that of the row.
func takeFromRange(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, capacity int64) (offset, used int64, ok bool, err error) {
	offset, ok, err = db.One(ctx, tx, func(row db.Scanner) (n int64, err error) { return n, row.Scan(&n, &used) },
		`UPDATE bin_range SET used_count = used_count + 1,
			next_offset = CASE WHEN pan_generation = 'Sequential' THEN next_offset + 1 ELSE next_offset END
		WHERE tenant_id = $1 AND code = $2 AND status = 'Active' AND used_count < $3
		RETURNING CASE WHEN pan_generation = 'Sequential' THEN next_offset - 1 ELSE next_offset END, used_count`,
		tenant, code, capacity)
	return offset, used, ok, err
}

// skipInRange moves a sequential range past a number that was taken otherwise.
func skipInRange(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (int64, error) {
	offset, _, err := db.One(ctx, tx, func(row db.Scanner) (n int64, err error) { return n, row.Scan(&n) },
		`UPDATE bin_range SET next_offset = next_offset + 1 WHERE tenant_id = $1 AND code = $2 RETURNING next_offset - 1`,
		tenant, code)
	return offset, err
}
