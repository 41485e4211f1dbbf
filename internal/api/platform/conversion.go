package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

type (
	conversionSources   struct{}
	conversionRoundings struct{}
)

// Members of the enumerations of this resource.
func (conversionSources) Members() []api.Member   { return numbered(1, program.ConversionSources()) }
func (conversionRoundings) Members() []api.Member { return numbered(1, program.ConversionRoundings()) }

// currencyConversionRequest replaces how transactions in other currencies are
// billed. What it leaves out has its default.
type currencyConversionRequest struct {
	Source            api.Enum[conversionSources]   `json:"conversionSource" required:"true" doc:"Only Network is available."`
	Rounding          api.Enum[conversionRoundings] `json:"rounding,omitempty" doc:"Absent: HalfUp, which alone is available."`
	Markups           []conversionMarkup            `json:"markups,omitempty" maxItems:"50" doc:"A currency is in one group at most."`
	BillingCurrencies []string                      `json:"allowedBillingCurrencies,omitempty" maxItems:"200" doc:"Those a product may have; empty: every one."`
	Stamp             string                        `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

type conversionMarkup struct {
	Group      api.FreeText `json:"currencyGroup" required:"true" maxLength:"50"`
	Currencies []string     `json:"currencies" required:"true" maxItems:"200"`
	Percent    api.Decimal  `json:"markupPercent" required:"true" doc:"Charged on what is converted from these currencies, with the tax Bsmv besides; 0 to 100. A transaction fee of the type CurrencyConversionFee that applies stands for it."`
}

type currencyConversion struct {
	Source               string             `json:"conversionSource"`
	Rounding             string             `json:"rounding"`
	Markups              []conversionMarkup `json:"markups"`
	BillingCurrencies    []string           `json:"allowedBillingCurrencies"`
	Stamp                *string            `json:"concurrencyStamp"`
	CreationTime         *time.Time         `json:"creationTime"`
	LastModificationTime *time.Time         `json:"lastModificationTime"`
}

func (a *API) showCurrencyConversion(ctx context.Context, c access.Caller, _ *struct{}) (currencyConversion, error) {
	v, err := a.Programs.CurrencyConversion(ctx, c)
	return encodeCurrencyConversion(v), err
}

func (a *API) updateCurrencyConversion(ctx context.Context, c access.Caller, in *struct{ Body currencyConversionRequest }) (currencyConversion, error) {
	v, err := decodeCurrencyConversion(in.Body)
	if err != nil {
		return currencyConversion{}, err
	}
	v, err = a.Programs.SetCurrencyConversion(ctx, c, v, in.Body.Stamp)
	return encodeCurrencyConversion(v), err
}

func decodeCurrencyConversion(in currencyConversionRequest) (program.CurrencyConversion, error) {
	var d decoding
	v := program.DefaultConversion()
	v.Source = program.ConversionSource(in.Source)
	v.Rounding = given(in.Rounding, v.Rounding)
	for i, m := range in.Markups {
		at := api.Index("markups", i)
		v.Markups = append(v.Markups, program.Markup{
			Group: string(m.Group), Currencies: d.currencies(at+".currencies", m.Currencies), Rate: d.percent(at+".markupPercent", m.Percent),
		})
	}
	v.BillingCurrencies = d.currencies("allowedBillingCurrencies", in.BillingCurrencies)
	return v, d.err()
}

// currencies reads each of a list; an empty one is none of ISO 4217.
func (d *decoding) currencies(field string, texts []string) []money.Currency {
	var list []money.Currency
	for i, text := range texts {
		list = append(list, d.currency(api.Index(field, i), text))
	}
	return list
}

func encodeCurrencyConversion(v program.CurrencyConversion) currencyConversion {
	out := currencyConversion{
		Source: string(v.Source), Rounding: string(v.Rounding), Markups: []conversionMarkup{},
		BillingCurrencies: codesOf(v.BillingCurrencies), Stamp: orNil(v.ConcurrencyStamp),
		CreationTime: timeOrNil(v.CreatedAt), LastModificationTime: timeOrNil(v.UpdatedAt),
	}
	for _, m := range v.Markups {
		out.Markups = append(out.Markups, conversionMarkup{api.FreeText(m.Group), codesOf(m.Currencies), percentOf(m.Rate)})
	}
	return out
}

// codesOf are the alphabetic codes of currencies.
func codesOf(currencies []money.Currency) []string {
	codes := make([]string, len(currencies))
	for i, c := range currencies {
		codes[i] = c.Code()
	}
	return codes
}
