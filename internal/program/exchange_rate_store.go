package program

import (
	"context"
	"errors"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/money"
)

const exchangeRateColumns = `id, base_currency, quote_currency, buy_rate, sell_rate, mid_rate, source, effective_from, ` +
	access.RecordColumns

func scanExchangeRate(row db.Scanner) (ExchangeRate, error) {
	var r ExchangeRate
	var base, quote string
	var from int64
	record, done := access.RecordTarget(&r.Record)
	err := row.Scan(append([]any{&r.ID, &base, &quote, &r.Buy, &r.Sell, &r.Mid, &r.Source, &from}, record...)...)
	if err != nil {
		return ExchangeRate{}, err
	}
	done()
	r.EffectiveFrom = clock.FromMicros(from)
	var err1, err2 error
	r.Base, err1 = money.ParseCurrency(base)
	r.Quote, err2 = money.ParseCurrency(quote)
	return r, errors.Join(err1, err2)
}

// exchangeRateValues are those of exchangeRateColumns.
func exchangeRateValues(r ExchangeRate) []any {
	return append([]any{r.ID, r.Base.Code(), r.Quote.Code(), int64(r.Buy), int64(r.Sell), int64(r.Mid), string(r.Source),
		clock.Micros(r.EffectiveFrom)}, access.RecordValues(r.Record)...)
}

func readExchangeRate(ctx context.Context, tx db.Tx, tenant access.TenantID, rate id.ID[ExchangeRate]) (ExchangeRate, bool, error) {
	return db.One(ctx, tx, scanExchangeRate, `SELECT `+exchangeRateColumns+` FROM exchange_rate
		WHERE tenant_id = $1 AND id = $2`, tenant, rate)
}

// insertExchangeRate reports false when the pair has a rate from that moment on.
func insertExchangeRate(ctx context.Context, tx db.Tx, tenant access.TenantID, r ExchangeRate) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO exchange_rate (`+exchangeRateColumns+`, tenant_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
		append(exchangeRateValues(r), tenant)...))
	return n == 1, err
}

// updateExchangeRate writes r where the stored stamp is still stamp; an empty
// stamp means any. It reports whether a row was changed. A pair that has another
// rate from that moment on is a violation of a unique index.
func updateExchangeRate(ctx context.Context, tx db.Tx, tenant access.TenantID, r ExchangeRate, stamp string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE exchange_rate SET base_currency = $3, quote_currency = $4, buy_rate = $5,
		sell_rate = $6, mid_rate = $7, source = $8, effective_from = $9, concurrency_stamp = $10, updated_at = $11,
		updated_by = $12 WHERE tenant_id = $1 AND id = $2 AND ($13 = '' OR concurrency_stamp = $13)`,
		tenant, r.ID, r.Base.Code(), r.Quote.Code(), int64(r.Buy), int64(r.Sell), int64(r.Mid), string(r.Source),
		clock.Micros(r.EffectiveFrom), r.ConcurrencyStamp, clock.Micros(r.UpdatedAt), r.UpdatedBy, stamp))
	return n == 1, err
}

// ExchangeRateFilter selects exchange rates; empty members select all.
// EffectiveAt leaves, of each pair, the one rate in force at that moment; the
// source is looked at after that.
type ExchangeRateFilter struct {
	Base, Quote money.Currency
	Source      RateSource
	EffectiveAt time.Time
	list.Page
}

var exchangeRateSort = map[string]string{
	"baseCurrency": "base_currency", "quoteCurrency": "quote_currency", "source": "source",
	"effectiveFrom": "effective_from", "creationTime": "created_at",
}

func listExchangeRates(ctx context.Context, tx db.Tx, tenant access.TenantID, f ExchangeRateFilter) ([]ExchangeRate, int, error) {
	var w db.Where
	w.And("tenant_id = ?", tenant)
	db.Equal(&w, "base_currency", f.Base.Code())
	db.Equal(&w, "quote_currency", f.Quote.Code())
	db.Equal(&w, "source", f.Source)
	if !f.EffectiveAt.IsZero() {
		w.And(`effective_from = (SELECT MAX(other.effective_from) FROM exchange_rate other
			WHERE other.tenant_id = exchange_rate.tenant_id AND other.base_currency = exchange_rate.base_currency
			AND other.quote_currency = exchange_rate.quote_currency AND other.effective_from <= ?)`, clock.Micros(f.EffectiveAt))
	}
	total, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM exchange_rate WHERE `+w.SQL(), w.Args()...)
	if err != nil {
		return nil, 0, err
	}
	query := `SELECT ` + exchangeRateColumns + ` FROM exchange_rate WHERE ` + w.SQL() +
		db.OrderBy(f.Page, exchangeRateSort, "base_currency, quote_currency, effective_from DESC", "id") +
		` LIMIT ` + w.Bind(f.Limit) + ` OFFSET ` + w.Bind(f.Skip)
	rates, err := db.Collect(ctx, tx, scanExchangeRate, query, w.Args()...)
	return rates, total, err
}

// readRateInForce returns the rate of a pair that took effect last.
func readRateInForce(ctx context.Context, tx db.Tx, tenant access.TenantID, base, quote money.Currency, at time.Time) (ExchangeRate, bool, error) {
	return db.One(ctx, tx, scanExchangeRate, `SELECT `+exchangeRateColumns+` FROM exchange_rate
		WHERE tenant_id = $1 AND base_currency = $2 AND quote_currency = $3 AND effective_from <= $4
		ORDER BY effective_from DESC LIMIT 1`, tenant, base.Code(), quote.Code(), clock.Micros(at))
}
