package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

type rateSources struct{}

// Members lists where exchange rates come from.
func (rateSources) Members() []api.Member { return numbered(1, program.RateSources()) }

// exchangeRateRequest creates or replaces an exchange rate.
type exchangeRateRequest struct {
	Base          string                `json:"baseCurrency" required:"true" maxLength:"3"`
	Quote         string                `json:"quoteCurrency" required:"true" maxLength:"3"`
	Buy           api.Decimal           `json:"buyRate" required:"true" doc:"Of one unit of the base currency; at most 8 digits before the point and 10 behind it."`
	Sell          api.Decimal           `json:"sellRate" required:"true"`
	Mid           api.Decimal           `json:"midRate" required:"true" doc:"Not below buyRate and not above sellRate."`
	Source        api.Enum[rateSources] `json:"source" required:"true"`
	EffectiveFrom time.Time             `json:"effectiveFrom" required:"true" doc:"In force until the next rate of the pair."`
	Stamp         string                `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

type exchangeRate struct {
	ID            string      `json:"id"`
	Base          string      `json:"baseCurrency"`
	Quote         string      `json:"quoteCurrency"`
	Buy           api.Decimal `json:"buyRate"`
	Sell          api.Decimal `json:"sellRate"`
	Mid           api.Decimal `json:"midRate"`
	Source        string      `json:"source"`
	EffectiveFrom time.Time   `json:"effectiveFrom"`
	Audited
}

func (a *API) createExchangeRate(ctx context.Context, c access.Caller, in *struct{ Body exchangeRateRequest }) (exchangeRate, error) {
	r, err := decodeExchangeRate(in.Body)
	if err != nil {
		return exchangeRate{}, err
	}
	r, err = a.Programs.CreateExchangeRate(ctx, c, r)
	return encodeExchangeRate(r), err
}

func (a *API) updateExchangeRate(ctx context.Context, c access.Caller, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body exchangeRateRequest
}) (exchangeRate, error) {
	r, err := decodeExchangeRate(in.Body)
	if err != nil {
		return exchangeRate{}, err
	}
	r.ID, _ = id.ParseUUID[program.ExchangeRate](in.ID) // zero is not found
	r, err = a.Programs.UpdateExchangeRate(ctx, c, r, in.Body.Stamp)
	return encodeExchangeRate(r), err
}

func (a *API) listExchangeRates(ctx context.Context, c access.Caller, in *struct {
	api.Paging
	Base        string                  `query:"BaseCurrency" maxLength:"3"`
	Quote       string                  `query:"QuoteCurrency" maxLength:"3"`
	Source      api.Choice[rateSources] `query:"Source"`
	EffectiveAt string                  `query:"EffectiveAt" doc:"ISO 8601 with offset; of each pair, only the rate in force at that time."`
}) (api.Page[exchangeRate], error) {
	var d decoding
	f := program.ExchangeRateFilter{
		Base: d.currency("BaseCurrency", in.Base), Quote: d.currency("QuoteCurrency", in.Quote),
		Source:      program.RateSource(enumOf[rateSources](&d, "Source", in.Source)),
		EffectiveAt: d.time("EffectiveAt", in.EffectiveAt),
		Page:        d.page(in.Paging, "baseCurrency", "quoteCurrency", "source", "effectiveFrom", "creationTime"),
	}
	if err := d.err(); err != nil {
		return api.Page[exchangeRate]{}, err
	}
	page, total, err := a.Programs.ExchangeRates(ctx, c, f)
	return api.PageOf(total, encodeAll(page, encodeExchangeRate)), err
}

func decodeExchangeRate(in exchangeRateRequest) (program.ExchangeRate, error) {
	var d decoding
	r := program.ExchangeRate{
		Base: d.currency("baseCurrency", in.Base), Quote: d.currency("quoteCurrency", in.Quote),
		Buy: d.quotation("buyRate", in.Buy), Sell: d.quotation("sellRate", in.Sell), Mid: d.quotation("midRate", in.Mid),
		Source: program.RateSource(in.Source), EffectiveFrom: in.EffectiveFrom,
	}
	return r, d.err()
}

// quotation reads an exchange rate.
func (d *decoding) quotation(field string, text api.Decimal) program.Quotation {
	q, err := program.ParseQuotation(string(text))
	if err != nil {
		d.fail(field, "not_a_rate", "must be a number above 0 with at most 8 digits before the point and 10 behind it")
	}
	return q
}

func encodeExchangeRate(r program.ExchangeRate) exchangeRate {
	return exchangeRate{
		ID: r.ID.UUID(), Base: r.Base.Code(), Quote: r.Quote.Code(), Buy: api.Decimal(r.Buy.String()),
		Sell: api.Decimal(r.Sell.String()), Mid: api.Decimal(r.Mid.String()), Source: string(r.Source),
		EffectiveFrom: r.EffectiveFrom, Audited: encodeRecord(r.Record),
	}
}
