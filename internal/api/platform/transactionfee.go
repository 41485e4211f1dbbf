package platform

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

type (
	feeCalculations     struct{}
	feeBases            struct{}
	feeTimings          struct{}
	freePeriods         struct{}
	feeTransactionKinds struct{}
)

// Members of the enumerations of fees on transactions (contract §4.4).
func (feeCalculations) Members() []api.Member     { return numbered(1, fee.Calculations()) }
func (feeBases) Members() []api.Member            { return numbered(1, fee.Bases()) }
func (feeTimings) Members() []api.Member          { return numbered(1, fee.Timings()) }
func (freePeriods) Members() []api.Member         { return numbered(1, fee.FreePeriods()) }
func (feeTransactionKinds) Members() []api.Member { return numbered(1, fee.TransactionTypes()) }

// TransactionFeeRequest is CreateTransactionFeeDto and UpdateTransactionFeeDto
// (§13.3). A member that is absent from an update has its default again.
type TransactionFeeRequest struct {
	FeeRequest
	FeeGroup             string                        `json:"feeGroup,omitempty" maxLength:"32" doc:"Of the fees of a group the one with the most specific link applies; groups add up. Absent: the code."`
	AdditionalAmountType api.Enum[feeTransactionKinds] `json:"additionalAmountType,omitempty" doc:"Absent: TransactionFee."`
	CalculationType      api.Enum[feeCalculations]     `json:"calculationType" required:"true"`
	FixedAmount          api.Decimal                   `json:"fixedAmount,omitempty"`
	Rate                 api.Decimal                   `json:"rate,omitempty" doc:"Percent, with at most four fraction digits."`
	MinAmount            api.Decimal                   `json:"minAmount,omitempty" doc:"The least fee."`
	MaxAmount            api.Decimal                   `json:"maxAmount,omitempty" doc:"The highest fee."`
	Tiers                []feeTierRequest              `json:"tiers,omitempty" maxItems:"100" doc:"Of Tiered: the whole amount has the price of its tier."`
	BaseAmount           api.Enum[feeBases]            `json:"baseAmount,omitempty" doc:"What the fee is computed on. Absent: BillingAmount."`
	FreeCount            *int                          `json:"freeCount,omitempty" minimum:"1" maximum:"1000000000" doc:"Transactions of a card in each freePeriod that cost nothing."`
	FreeAmount           api.Decimal                   `json:"freeAmount,omitempty" doc:"What the transactions that cost nothing come to at most in each freePeriod."`
	FreePeriod           api.Enum[freePeriods]         `json:"freePeriod,omitempty" doc:"Required with freeCount or freeAmount."`
	ChargeTiming         api.Enum[feeTimings]          `json:"chargeTiming,omitempty" doc:"Absent: Authorization."`
	ApplyOnDeclined      bool                          `json:"applyOnDeclined,omitempty"`
	RefundOnReversal     *bool                         `json:"refundOnReversal,omitempty" doc:"Absent: true."`
	RefundOnRefund       bool                          `json:"refundOnRefund,omitempty"`
	Criteria             *transactionCriteria          `json:"criteria,omitempty" doc:"Which transactions cost the fee; in addition to the rule."`
}

type feeTierRequest struct {
	FromAmount  api.Decimal `json:"fromAmount" required:"true" doc:"Included."`
	ToAmount    api.Decimal `json:"toAmount,omitempty" doc:"Not included; absent in the last tier only."`
	Rate        api.Decimal `json:"rate,omitempty" doc:"Percent."`
	FixedAmount api.Decimal `json:"fixedAmount,omitempty"`
}

type transactionFeeCreation struct {
	TransactionFeeRequest
	Links []ControlLinkRequest `json:"links,omitzero" maxItems:"100"`
}

// transactionFee is TransactionFeeDto.
type transactionFee struct {
	FeeAnswer
	FeeGroup             string               `json:"feeGroup"`
	AdditionalAmountType string               `json:"additionalAmountType"`
	CalculationType      string               `json:"calculationType"`
	FixedAmount          api.Decimal          `json:"fixedAmount" nullable:"true"`
	Rate                 api.Decimal          `json:"rate" nullable:"true"`
	MinAmount            api.Decimal          `json:"minAmount" nullable:"true"`
	MaxAmount            api.Decimal          `json:"maxAmount" nullable:"true"`
	Tiers                []feeTier            `json:"tiers"`
	BaseAmount           string               `json:"baseAmount"`
	FreeCount            *int                 `json:"freeCount"`
	FreeAmount           api.Decimal          `json:"freeAmount" nullable:"true"`
	FreePeriod           *string              `json:"freePeriod"`
	ChargeTiming         string               `json:"chargeTiming"`
	ApplyOnDeclined      bool                 `json:"applyOnDeclined"`
	RefundOnReversal     bool                 `json:"refundOnReversal"`
	RefundOnRefund       bool                 `json:"refundOnRefund"`
	Criteria             *transactionCriteria `json:"criteria"`
}

type feeTier struct {
	FromAmount  api.Decimal `json:"fromAmount"`
	ToAmount    api.Decimal `json:"toAmount" nullable:"true"`
	Rate        api.Decimal `json:"rate"`
	FixedAmount api.Decimal `json:"fixedAmount"`
}

func (a *API) transactionFees() feeFamily[fee.OnTransaction, TransactionFeeRequest, transactionFee] {
	return feeFamily[fee.OnTransaction, TransactionFeeRequest, transactionFee]{
		linked: linkedFees(a, &fee.TransactionFees), decode: decodeTransactionFee, encode: encodeTransactionFee,
		common: func(q *TransactionFeeRequest) *FeeRequest { return &q.FeeRequest },
		answer: func(f *transactionFee) *FeeAnswer { return &f.FeeAnswer },
	}
}

func (a *API) createTransactionFee(ctx context.Context, c access.Caller, in *struct{ Body transactionFeeCreation }) (transactionFee, error) {
	return a.transactionFees().create(ctx, c, feeCreation[TransactionFeeRequest]{in.Body.TransactionFeeRequest, in.Body.Links})
}

func decodeTransactionFee(in TransactionFeeRequest) (fee.OnTransaction, error) {
	var d decoding
	c := d.currency("currencyCode", in.CurrencyCode)
	f := fee.NewOnTransaction(in.Code)
	f.Head, f.Currency = in.head(), c
	if in.FeeGroup != "" {
		f.Group = in.FeeGroup
	}
	f.Type = given(in.AdditionalAmountType, f.Type)
	f.Calculation = fee.Calculation(in.CalculationType)
	f.Fixed, f.Rate = d.amount("fixedAmount", in.FixedAmount, c), d.rate("rate", in.Rate)
	f.Min, f.Max = d.amount("minAmount", in.MinAmount, c), d.amount("maxAmount", in.MaxAmount, c)
	for i, t := range in.Tiers {
		f.Tiers = append(f.Tiers, d.tier(api.Index("tiers", i)+".", t, c))
	}
	f.Base = given(in.BaseAmount, f.Base)
	f.FreeCount, f.FreeAmount = value(in.FreeCount), d.amount("freeAmount", in.FreeAmount, c)
	f.FreePeriod = control.Period(in.FreePeriod)
	f.Timing = given(in.ChargeTiming, f.Timing)
	f.OnDeclined, f.RefundOnReversal, f.RefundOnRefund = in.ApplyOnDeclined, or(in.RefundOnReversal, true), in.RefundOnRefund
	f.Criteria = d.criteria("criteria.", in.Criteria)
	f.Rule = rule.Source(in.Rule)
	f.Taxes = encodeAll(in.Taxes, decodeTaxUse)
	f.AccountingCode, f.StatementText = string(in.AccountingCode), string(in.StatementText)
	return f, d.err()
}

// rate reads an optional percentage; nil when it is absent.
func (d *decoding) rate(field string, text api.Decimal) *money.Rate {
	if text == "" {
		return nil
	}
	r := d.percent(field, text)
	return &r
}

// tier reads a tier; what is absent is nothing.
func (d *decoding) tier(at string, in feeTierRequest, c money.Currency) fee.Tier {
	if c.IsZero() {
		return fee.Tier{} // which is refused already
	}
	t := fee.Tier{From: money.Zero(c), To: d.amount(at+"toAmount", in.ToAmount, c), Rate: d.percent(at+"rate", in.Rate), Fixed: money.Zero(c)}
	if from := d.amount(at+"fromAmount", in.FromAmount, c); from != nil {
		t.From = *from
	}
	if fixed := d.amount(at+"fixedAmount", in.FixedAmount, c); fixed != nil {
		t.Fixed = *fixed
	}
	return t
}

func encodeTransactionFee(f fee.OnTransaction, taxes taxTable) transactionFee {
	out := transactionFee{
		FeeAnswer: encodeFee(f.Head, f.Currency.Code(), encodeAll(f.Taxes, taxes.encode), ruleSource(f.Rule), f.AccountingCode, f.StatementText),
		FeeGroup:  f.Group, AdditionalAmountType: string(f.Type), CalculationType: string(f.Calculation),
		FixedAmount: decimalOrNil(f.Fixed), MinAmount: decimalOrNil(f.Min), MaxAmount: decimalOrNil(f.Max),
		Tiers: encodeAll(f.Tiers, encodeTier), BaseAmount: string(f.Base),
		FreeCount: positiveOrNil(f.FreeCount), FreeAmount: decimalOrNil(f.FreeAmount), FreePeriod: orNil(f.FreePeriod), ChargeTiming: string(f.Timing),
		ApplyOnDeclined: f.OnDeclined, RefundOnReversal: f.RefundOnReversal, RefundOnRefund: f.RefundOnRefund,
		Criteria: encodeCriteria(f.Criteria),
	}
	if f.Rate != nil {
		out.Rate = percentOf(*f.Rate)
	}
	return out
}

func encodeTier(t fee.Tier) feeTier {
	return feeTier{api.DecimalOf(t.From), decimalOrNil(t.To), percentOf(t.Rate), api.DecimalOf(t.Fixed)}
}
