package program

import (
	"slices"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// ConversionSource is who turns the amount of a transaction into the currency a
// card is billed in.
type ConversionSource string

// The conversion sources.
const (
	ConvertedByNetwork ConversionSource = "Network"    // the billing amount of the message
	ConvertedByTenant  ConversionSource = "TenantRate" // by the tenant's own rates
	ConvertedByClient  ConversionSource = "ClientRate" // by the client, when it is asked
)

// ConversionSources lists all sources, in the order of the contract.
func ConversionSources() []ConversionSource {
	return []ConversionSource{ConvertedByNetwork, ConvertedByTenant, ConvertedByClient}
}

// ConversionRounding is how a converted amount becomes minor units.
type ConversionRounding string

// The roundings of a conversion.
const (
	RoundedHalfUp   ConversionRounding = "HalfUp"
	RoundedHalfEven ConversionRounding = "HalfEven"
	RoundedUp       ConversionRounding = "Up"
	RoundedDown     ConversionRounding = "Down"
)

// ConversionRoundings lists all roundings.
func ConversionRoundings() []ConversionRounding {
	return []ConversionRounding{RoundedHalfUp, RoundedHalfEven, RoundedUp, RoundedDown}
}

// Markup is what a tenant charges for conversions from a group of currencies: a
// rate on what the amount became.
type Markup struct {
	Group      string
	Currencies []money.Currency
	Rate       money.Rate
}

// CurrencyConversion is how a tenant's transactions in other currencies are
// billed, what it charges for that, and in which currencies its cards may be. The
// amounts are those that the network converts: nothing else can be set.
type CurrencyConversion struct {
	Source   ConversionSource
	Rounding ConversionRounding
	Markups  []Markup
	// BillingCurrencies are those a product may have; empty: every one.
	BillingCurrencies []money.Currency
	access.Record
}

// DefaultConversion is that of a tenant that has set none.
func DefaultConversion() CurrencyConversion {
	return CurrencyConversion{Source: ConvertedByNetwork, Rounding: RoundedHalfUp}
}

// Bills reports whether a product may be in currency c.
func (v CurrencyConversion) Bills(c money.Currency) bool {
	return len(v.BillingCurrencies) == 0 || slices.Contains(v.BillingCurrencies, c)
}

// MarkupTax is the tax on mark-ups, besides them.
const MarkupTax = "Bsmv"

// MarkupOn returns the mark-up on conversions from currency c; false where there
// is none.
func (v CurrencyConversion) MarkupOn(c money.Currency) (Markup, bool) {
	for _, m := range v.Markups {
		if m.Rate != 0 && slices.Contains(m.Currencies, c) {
			return m, true
		}
	}
	return Markup{}, false
}

// marked returns the index of the first group with a mark-up; false where there
// is none.
func (v CurrencyConversion) marked() (int, bool) {
	i := slices.IndexFunc(v.Markups, func(m Markup) bool { return m.Rate != 0 })
	return i, i >= 0
}

// checkMarkupTax refuses mark-ups whose tax has no rate in attributes on a day.
func (v CurrencyConversion) checkMarkupTax(a Attributes, day clock.Date) error {
	var checks fault.Checks
	if i, found := v.marked(); found {
		_, known := a.TaxRate(MarkupTax, day)
		checks.Is("markups["+strconv.Itoa(i)+"].markupPercent", known, "no_rate",
			"bears "+MarkupTax+", which has no rate on "+day.String()+" in the taxRates of the issuing attributes")
	}
	return checks.Err(errInvalid)
}

// maxMarkups bounds the currency groups of one tenant, maxCurrencies a list of
// currencies. There are fewer than 200 of the latter.
const (
	maxMarkups    = 50
	maxCurrencies = 200
)

// check tells everything that is wrong with v by itself, and refuses what is
// right and would have no effect.
func (v CurrencyConversion) check() error {
	var checks fault.Checks
	fault.OneOf(&checks, "conversionSource", v.Source, ConversionSources())
	fault.OneOf(&checks, "rounding", v.Rounding, ConversionRoundings())
	checks.Is("markups", len(v.Markups) <= maxMarkups, "too_many", "must have at most 50 groups")
	taken, groups := map[money.Currency]bool{}, map[string]bool{}
	for i, m := range v.Markups {
		at := "markups[" + strconv.Itoa(i) + "]."
		checks.Text(at+"currencyGroup", m.Group, 1, 50)
		checks.Is(at+"currencyGroup", !groups[m.Group], "repeated", "is there twice")
		groups[m.Group] = true
		checks.Is(at+"currencies", len(m.Currencies) > 0, "required", "must name at least one")
		checkCurrencies(&checks, at+"currencies", m.Currencies, taken)
		checks.Is(at+"markupPercent", m.Rate >= 0 && m.Rate <= percent100, "out_of_range", "must be from 0 to 100")
	}
	checkCurrencies(&checks, "allowedBillingCurrencies", v.BillingCurrencies, map[money.Currency]bool{})
	if err := checks.Err(errInvalid); err != nil {
		return err
	}
	return v.acts()
}

// checkCurrencies checks a list whose members are known and, with those taken
// before, different.
func checkCurrencies(v *fault.Checks, name string, list []money.Currency, taken map[money.Currency]bool) {
	v.Is(name, len(list) <= maxCurrencies, "too_many", "must have at most 200 currencies")
	for i, c := range list {
		at := name + "[" + strconv.Itoa(i) + "]"
		v.Is(at, !c.IsZero(), "required", "is required")
		v.Is(at, !taken[c], "repeated", "is there twice")
		taken[c] = true
	}
}

// acts refuses what nobody would act on: decisions and presentments take the
// billing amount that the network states.
func (v CurrencyConversion) acts() error {
	if v.Source != ConvertedByNetwork {
		return errConversionNotAvailable.With("member", "conversionSource").With("value", string(v.Source))
	}
	if v.Rounding != RoundedHalfUp {
		return errConversionNotAvailable.With("member", "rounding").With("value", string(v.Rounding))
	}
	return nil
}
