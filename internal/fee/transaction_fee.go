package fee

import (
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// OnTransaction is a fee on transactions: on those that its criteria and its rule
// select, of the cards that its links name.
type OnTransaction struct {
	control.Head
	// Group is the family of which one fee applies, that with the most specific
	// link. The fees of different groups add up.
	Group    string
	Type     AmountType
	Currency money.Currency // of all amounts; fees of another currency than an account's do not reach it

	Calculation Calculation
	Fixed       *money.Amount
	Rate        *money.Rate
	Min, Max    *money.Amount
	Tiers       []Tier // of Tiered
	Base        Base
	// FreeCount transactions of an issuance, and those that come to no more than
	// FreeAmount together, cost nothing in each FreePeriod.
	FreeCount  int
	FreeAmount *money.Amount
	FreePeriod control.Period

	Timing           Timing
	OnDeclined       bool
	RefundOnReversal bool
	RefundOnRefund   bool

	Criteria control.Criteria
	Rule     rule.Source
	Taxes    []TaxUse

	AccountingCode string // for reports
	StatementText  string // empty is the name
}

// NewOnTransaction is a fee on transactions with the contract's defaults.
func NewOnTransaction(code string) OnTransaction {
	return OnTransaction{
		Head: control.Head{Code: code, IsActive: true}, Group: code, Type: TransactionFee, Base: BillingAmount,
		Timing: AtAuthorization, RefundOnReversal: true,
	}
}

// TransactionTypes lists what a fee on transactions may be.
func TransactionTypes() []AmountType {
	return []AmountType{TransactionFee, CashAdvanceFee, CurrencyConversionFee}
}

// FreePeriods lists the periods in which something may be free.
func FreePeriods() []control.Period {
	return []control.Period{control.PerDay, control.PerMonth, control.PerYear}
}

// countMax is the highest count of free transactions.
const countMax = 1_000_000_000

func (f OnTransaction) check() error {
	var v fault.Checks
	f.Head.CheckInto(&v)
	v.Code("feeGroup", f.Group)
	fault.OneOf(&v, "additionalAmountType", f.Type, TransactionTypes())
	v.Is("currencyCode", !f.Currency.IsZero(), "required", "is required")
	fault.OneOf(&v, "calculationType", f.Calculation, Calculations())
	f.checkPrice(&v)
	fault.OneOf(&v, "baseAmount", f.Base, Bases())
	f.checkFree(&v)
	fault.OneOf(&v, "chargeTiming", f.Timing, Timings())
	v.Is("applyOnDeclined", !f.OnDeclined || f.Timing == AtAuthorization, "not_allowed",
		"needs the charge timing Authorization: what is declined is never cleared")
	f.Criteria.CheckInto(&v, "criteria.")
	checkUses(&v, f.Taxes)
	checkTexts(&v, f.AccountingCode, f.StatementText)
	if err := v.Err(errInvalid); err != nil {
		return err
	}
	return f.checkTiers()
}

// checkPrice asks for what the calculation needs and refuses what it would
// ignore.
func (f OnTransaction) checkPrice(v *fault.Checks) {
	needsFixed := slices.Contains([]Calculation{Fixed, FixedPlusRate, MaxOf, MinOf}, f.Calculation)
	needsRate := slices.Contains([]Calculation{ByRate, FixedPlusRate, MaxOf, MinOf}, f.Calculation)
	for _, m := range []struct {
		name             string
		is, needs, takes bool
	}{
		{"fixedAmount", f.Fixed != nil, needsFixed, needsFixed},
		{"rate", f.Rate != nil, needsRate, needsRate},
		{"minAmount", f.Min != nil, false, f.Calculation != Fixed},
		{"maxAmount", f.Max != nil, false, f.Calculation != Fixed},
		{"tiers", len(f.Tiers) > 0, f.Calculation == Tiered, f.Calculation == Tiered},
	} {
		v.Is(m.name, m.is || !m.needs, "required", "is required for the calculation "+string(f.Calculation))
		v.Is(m.name, !m.is || m.takes, "not_allowed", "is not for the calculation "+string(f.Calculation))
	}
	checkAmount(v, "fixedAmount", f.Fixed, f.Currency)
	checkAmount(v, "minAmount", f.Min, f.Currency)
	checkAmount(v, "maxAmount", f.Max, f.Currency)
	checkRate(v, "rate", f.Rate)
	v.Is("maxAmount", f.Min == nil || f.Max == nil || f.Min.Currency() != f.Max.Currency() || f.Min.Cmp(*f.Max) <= 0,
		"out_of_order", "must not be below minAmount")
	for i, t := range f.Tiers {
		at := "tiers[" + strconv.Itoa(i) + "]."
		checkAmount(v, at+"fromAmount", &t.From, f.Currency)
		checkAmount(v, at+"toAmount", t.To, f.Currency)
		checkAmount(v, at+"fixedAmount", &t.Fixed, f.Currency)
		checkRate(v, at+"rate", &t.Rate)
	}
}

func checkRate(v *fault.Checks, name string, r *money.Rate) {
	v.Is(name, r == nil || *r >= 0 && *r <= hundredPercent, "out_of_range", "must be from 0 to 100")
}

func (f OnTransaction) checkFree(v *fault.Checks) {
	v.Is("freeCount", f.FreeCount >= 0 && f.FreeCount <= countMax, "out_of_range", "must be from 1 to 1000000000")
	v.Is("freeAmount", f.FreeAmount == nil || f.FreeAmount.Sign() > 0, "out_of_range", "must be above zero")
	checkAmount(v, "freeAmount", f.FreeAmount, f.Currency)
	if f.FreeCount > 0 || f.FreeAmount != nil {
		fault.OneOf(v, "freePeriod", f.FreePeriod, FreePeriods())
	} else {
		v.Is("freePeriod", f.FreePeriod == "", "not_allowed", "needs a freeCount or a freeAmount")
	}
}

// checkTiers makes sure that every amount lies in exactly one tier.
func (f OnTransaction) checkTiers() error {
	bad := errTiers
	fail := func(i int, member, code, text string) {
		bad = bad.OnField("tiers["+strconv.Itoa(i)+"]."+member, code, text)
	}
	for i, t := range f.Tiers {
		isLast := i == len(f.Tiers)-1
		switch {
		case i == 0 && !t.From.IsZero():
			fail(i, "fromAmount", "not_zero", "must be 0 in the first tier")
		case i > 0 && f.Tiers[i-1].To != nil && t.From.Cmp(*f.Tiers[i-1].To) > 0:
			fail(i, "fromAmount", "gap", "must be the toAmount of the tier before: no tier holds what lies between")
		case i > 0 && f.Tiers[i-1].To != nil && t.From.Cmp(*f.Tiers[i-1].To) < 0:
			fail(i, "fromAmount", "overlap", "must be the toAmount of the tier before: both tiers hold what lies between")
		}
		switch {
		case isLast && t.To != nil:
			fail(i, "toAmount", "not_allowed", "must be absent in the last tier: every amount needs a price")
		case !isLast && t.To == nil:
			fail(i, "toAmount", "required", "is required in all tiers but the last")
		case t.To != nil && t.To.Cmp(t.From) <= 0:
			fail(i, "toAmount", "out_of_order", "must be above fromAmount")
		}
	}
	if bad == errTiers {
		return nil
	}
	return bad
}

// terms are how the fee is computed, with taxes at their rates on a day.
func (f *OnTransaction) terms(taxes []Tax) Terms {
	t := Terms{Calculation: f.Calculation, Fixed: money.Zero(f.Currency), Min: f.Min, Max: f.Max, Tiers: f.Tiers, Taxes: taxes}
	if f.Fixed != nil {
		t.Fixed = *f.Fixed
	}
	if f.Rate != nil {
		t.Rate = *f.Rate
	}
	return t
}

// namesInquiries reports whether the fee is due for an answer that moves nothing.
func (f *OnTransaction) namesInquiries() bool {
	return slices.Contains(f.Criteria.TransactionCodes, "BalanceInquiry")
}

// price is what of the fee depends on how often and how much is paid, as far as
// limits have a say in it: they count no inquiries, a decline by one may be what
// costs the fee, and only what is billed is what they count.
func (f OnTransaction) price() control.Price {
	p := control.Price{Currency: f.Currency}
	if !f.namesInquiries() && !f.OnDeclined {
		p.FreeCount, p.FreeAmount, p.FreePeriod = f.FreeCount, f.FreeAmount, f.FreePeriod
	}
	if (f.Base == BillingAmount || f.Base == ConvertedDifference) && !f.OnDeclined {
		for _, t := range f.Tiers {
			p.Tiers = append(p.Tiers, t.From)
		}
	}
	return p
}

// apply freezes the fee for a transaction that a link brought it to.
func (f *OnTransaction) apply(l *control.Link, taxes []Tax) Applied {
	a := Applied{
		Code: f.Code, Name: f.Name, Version: f.Version, Group: f.Group, Link: string(l.Type) + "/" + l.Code, Type: f.Type,
		Terms: f.terms(taxes), Base: f.Base, Timing: f.Timing,
		OnDeclined: f.OnDeclined, OnInquiries: f.namesInquiries(), RefundOnReversal: f.RefundOnReversal, RefundOnRefund: f.RefundOnRefund,
	}
	if f.FreePeriod != "" {
		a.Free = &Free{Count: f.FreeCount, Amount: f.FreeAmount, Period: f.FreePeriod}
	}
	return a
}

// TransactionFees are the fees on transactions of tenants.
var TransactionFees = control.Definitions[OnTransaction]{
	Kind: control.TransactionFee, Entity: "TransactionFee", Permission: access.IssuingFee,
	Head:  func(f *OnTransaction) *control.Head { return &f.Head },
	Check: OnTransaction.check,
	Fit:   func(f OnTransaction, _ *OnTransaction, _ []OnTransaction) (OnTransaction, error) { return f, nil },
	FitProduct: func(f OnTransaction, p program.Product) error {
		return fitCurrency(f.Code, f.Currency, p)
	},
	FitTenant: func(f OnTransaction, cfg *program.Configuration, now time.Time) error {
		return fitTaxes(f.Head, f.Taxes, cfg, now)
	},
	// Fees of another currency than the account's are none: see [Applicable].
	Rival:    func(f *OnTransaction) string { return f.Group + "/" + f.Currency.Code() },
	Price:    OnTransaction.price,
	Criteria: func(f OnTransaction) control.Criteria { return f.Criteria },
	Rule:     func(f OnTransaction) rule.Source { return f.Rule }, Context: rule.TransactionFee,
	Encode: encodeOnTransaction, Decode: decodeOnTransaction,
	NotFound: errNotFound, Exists: errExists, InUse: errInUse,
}
