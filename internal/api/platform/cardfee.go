package platform

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

type (
	issuanceFeeEvents struct{}
	cardFeeTimings    struct{}
)

// Members of the enumerations of fees for cards (contract §4.4).
func (issuanceFeeEvents) Members() []api.Member { return numbered(1, fee.Events()) }
func (cardFeeTimings) Members() []api.Member    { return numbered(1, fee.CardTimings()) }

// CardIssuanceFeeRequest is CreateCardIssuanceFeeDto and UpdateCardIssuanceFeeDto
// (§13.4). A member that is absent from an update has its default again.
type CardIssuanceFeeRequest struct {
	FeeRequest
	Events                            []api.Enum[issuanceFeeEvents] `json:"events" required:"true" minItems:"1" maxItems:"13"`
	Amount                            api.Decimal                   `json:"amount" required:"true"`
	ChildAmount                       api.Decimal                   `json:"childAmount,omitempty" doc:"For a supplementary card. Absent: the amount."`
	FormFactors                       []api.Enum[formFactors]       `json:"formFactors,omitempty" maxItems:"4" doc:"Absent: all."`
	FreeCountPerCalendarYear          int                           `json:"freeCountPerCalendarYear,omitempty" minimum:"0" maximum:"1000" doc:"How many of the events cost nothing for a card in each calendar year."`
	ChargeTiming                      api.Enum[cardFeeTimings]      `json:"chargeTiming,omitempty" doc:"Absent: OnOrder."`
	RefundIfCancelledBeforeProduction *bool                         `json:"refundIfCancelledBeforeProduction,omitempty" doc:"Absent: true."`
}

type cardIssuanceFeeCreation struct {
	CardIssuanceFeeRequest
	Links []ControlLinkRequest `json:"links,omitempty" maxItems:"100"`
}

// cardIssuanceFee is CardIssuanceFeeDto.
type cardIssuanceFee struct {
	FeeAnswer
	Events                            []string    `json:"events"`
	Amount                            api.Decimal `json:"amount"`
	ChildAmount                       api.Decimal `json:"childAmount" nullable:"true"`
	FormFactors                       []string    `json:"formFactors"`
	FreeCountPerCalendarYear          int         `json:"freeCountPerCalendarYear"`
	ChargeTiming                      string      `json:"chargeTiming"`
	RefundIfCancelledBeforeProduction bool        `json:"refundIfCancelledBeforeProduction"`
}

func (a *API) issuanceFees() feeFamily[fee.OnIssuance, CardIssuanceFeeRequest, cardIssuanceFee] {
	return feeFamily[fee.OnIssuance, CardIssuanceFeeRequest, cardIssuanceFee]{
		linked: linkedFees(a, &fee.IssuanceFees), decode: decodeIssuanceFee, encode: encodeIssuanceFee,
		common: func(q *CardIssuanceFeeRequest) *FeeRequest { return &q.FeeRequest },
		answer: func(f *cardIssuanceFee) *FeeAnswer { return &f.FeeAnswer },
	}
}

func (a *API) createIssuanceFee(ctx context.Context, c access.Caller, in *struct{ Body cardIssuanceFeeCreation }) (cardIssuanceFee, error) {
	return a.issuanceFees().create(ctx, c, feeCreation[CardIssuanceFeeRequest]{in.Body.CardIssuanceFeeRequest, in.Body.Links})
}

func decodeIssuanceFee(in CardIssuanceFeeRequest) (fee.OnIssuance, error) {
	var d decoding
	c := d.currency("currencyCode", in.CurrencyCode)
	f := fee.NewOnIssuance(in.Code)
	f.Head, f.Currency = in.head(), c
	f.Events = encodeAll(in.Events, func(e api.Enum[issuanceFeeEvents]) fee.Event { return fee.Event(e) })
	f.Amount, f.ChildAmount = d.price("amount", in.Amount, c), d.amount("childAmount", in.ChildAmount, c)
	f.FormFactors = encodeAll(in.FormFactors, func(x api.Enum[formFactors]) program.FormFactor { return program.FormFactor(x) })
	f.FreePerYear = in.FreeCountPerCalendarYear
	f.Timing = given(in.ChargeTiming, f.Timing)
	f.RefundsCancellation = or(in.RefundIfCancelledBeforeProduction, true)
	f.Rule = rule.Source(in.Rule)
	f.Taxes = encodeAll(in.Taxes, decodeTaxUse)
	f.AccountingCode, f.StatementText = string(in.AccountingCode), string(in.StatementText)
	return f, d.err()
}

// price reads an amount that is required; nothing when it is wrong.
func (d *decoding) price(field string, text api.Decimal, c money.Currency) money.Amount {
	if a := d.amount(field, text, c); a != nil {
		return *a
	}
	return money.Amount{}
}

func encodeIssuanceFee(f fee.OnIssuance, taxes taxTable) cardIssuanceFee {
	return cardIssuanceFee{
		FeeAnswer: encodeFee(f.Head, f.Currency.Code(), encodeAll(f.Taxes, taxes.encode), ruleSource(f.Rule), f.AccountingCode, f.StatementText),
		Events:    namesOf(f.Events), Amount: api.DecimalOf(f.Amount), ChildAmount: decimalOrNil(f.ChildAmount), FormFactors: notNil(namesOf(f.FormFactors)),
		FreeCountPerCalendarYear: f.FreePerYear, ChargeTiming: string(f.Timing), RefundIfCancelledBeforeProduction: f.RefundsCancellation,
	}
}

// CardAnnualFeeRequest is CreateCardAnnualFeeDto and UpdateCardAnnualFeeDto
// (§13.5). A member that is absent from an update has its default again.
type CardAnnualFeeRequest struct {
	FeeRequest
	Amount                    api.Decimal              `json:"amount" required:"true"`
	ChildAmount               api.Decimal              `json:"childAmount,omitempty" doc:"For a supplementary card. Absent: the amount."`
	ChargeTiming              api.Enum[cardFeeTimings] `json:"chargeTiming,omitempty" doc:"When the first year is charged; every other one begins a year after the one before. Absent: OnFirstFinancialTransaction."`
	FreeFirstYear             bool                     `json:"freeFirstYear,omitempty"`
	WaiverMinAnnualSpend      api.Decimal              `json:"waiverMinAnnualSpend,omitempty" doc:"What a card has to spend in the twelve months before to owe nothing."`
	WaiverMinTransactionCount *int                     `json:"waiverMinTransactionCount,omitempty" minimum:"1" maximum:"1000000000" doc:"How often a card has to pay in the twelve months before to owe nothing."`
	InstallmentCount          *int                     `json:"installmentCount,omitempty" minimum:"1" maximum:"12" doc:"Monthly parts. Absent: 1."`
	ProRataRefundOnClose      *bool                    `json:"proRataRefundOnClose,omitempty" doc:"Absent: true."`
	NoticeDays                *int                     `json:"noticeDays,omitempty" minimum:"0" maximum:"365" doc:"How long before a charge it is told. Absent: 30; 0: it is not."`
	MaxRetryDays              *int                     `json:"maxRetryDays,omitempty" minimum:"0" maximum:"365" doc:"How long a charge is tried that the account does not bear. Absent: 90."`
}

type cardAnnualFeeCreation struct {
	CardAnnualFeeRequest
	Links []ControlLinkRequest `json:"links,omitempty" maxItems:"100"`
}

// cardAnnualFee is CardAnnualFeeDto.
type cardAnnualFee struct {
	FeeAnswer
	Amount                    api.Decimal `json:"amount"`
	ChildAmount               api.Decimal `json:"childAmount" nullable:"true"`
	ChargeTiming              string      `json:"chargeTiming"`
	FreeFirstYear             bool        `json:"freeFirstYear"`
	WaiverMinAnnualSpend      api.Decimal `json:"waiverMinAnnualSpend" nullable:"true"`
	WaiverMinTransactionCount *int        `json:"waiverMinTransactionCount"`
	InstallmentCount          int         `json:"installmentCount"`
	ProRataRefundOnClose      bool        `json:"proRataRefundOnClose"`
	NoticeDays                int         `json:"noticeDays"`
	MaxRetryDays              int         `json:"maxRetryDays"`
}

func (a *API) annualFees() feeFamily[fee.Yearly, CardAnnualFeeRequest, cardAnnualFee] {
	return feeFamily[fee.Yearly, CardAnnualFeeRequest, cardAnnualFee]{
		linked: linkedFees(a, &fee.AnnualFees), decode: decodeAnnualFee, encode: encodeAnnualFee,
		common: func(q *CardAnnualFeeRequest) *FeeRequest { return &q.FeeRequest },
		answer: func(f *cardAnnualFee) *FeeAnswer { return &f.FeeAnswer },
	}
}

func (a *API) createAnnualFee(ctx context.Context, c access.Caller, in *struct{ Body cardAnnualFeeCreation }) (cardAnnualFee, error) {
	return a.annualFees().create(ctx, c, feeCreation[CardAnnualFeeRequest]{in.Body.CardAnnualFeeRequest, in.Body.Links})
}

func decodeAnnualFee(in CardAnnualFeeRequest) (fee.Yearly, error) {
	var d decoding
	c := d.currency("currencyCode", in.CurrencyCode)
	f := fee.NewYearly(in.Code)
	f.Head, f.Currency = in.head(), c
	f.Amount, f.ChildAmount = d.price("amount", in.Amount, c), d.amount("childAmount", in.ChildAmount, c)
	f.Timing = given(in.ChargeTiming, f.Timing)
	f.FreeFirst = in.FreeFirstYear
	f.WaiverSpend, f.WaiverCount = d.amount("waiverMinAnnualSpend", in.WaiverMinAnnualSpend, c), value(in.WaiverMinTransactionCount)
	f.Instalments, f.ProRata = or(in.InstallmentCount, f.Instalments), or(in.ProRataRefundOnClose, f.ProRata)
	f.NoticeDays, f.MaxRetryDays = or(in.NoticeDays, f.NoticeDays), or(in.MaxRetryDays, f.MaxRetryDays)
	f.Rule = rule.Source(in.Rule)
	f.Taxes = encodeAll(in.Taxes, decodeTaxUse)
	f.AccountingCode, f.StatementText = string(in.AccountingCode), string(in.StatementText)
	return f, d.err()
}

func encodeAnnualFee(f fee.Yearly, taxes taxTable) cardAnnualFee {
	return cardAnnualFee{
		FeeAnswer: encodeFee(f.Head, f.Currency.Code(), encodeAll(f.Taxes, taxes.encode), ruleSource(f.Rule), f.AccountingCode, f.StatementText),
		Amount:    api.DecimalOf(f.Amount), ChildAmount: decimalOrNil(f.ChildAmount), ChargeTiming: string(f.Timing), FreeFirstYear: f.FreeFirst,
		WaiverMinAnnualSpend: decimalOrNil(f.WaiverSpend), WaiverMinTransactionCount: positiveOrNil(f.WaiverCount),
		InstallmentCount: f.Instalments, ProRataRefundOnClose: f.ProRata, NoticeDays: f.NoticeDays, MaxRetryDays: f.MaxRetryDays,
	}
}

// feesOf shows what making a card costs.
func (a *API) feesOf(ctx context.Context, c access.Caller, card issuing.Card) ([]additionalAmount, error) {
	all, err := a.Fees.CardFees(ctx, c, card.Issuance)
	out := []additionalAmount{}
	for _, f := range all {
		if f.Card != card.ID || f.Event == "" || f.Status == fee.FreeOfCharge || f.Status == fee.Cancelled {
			continue
		}
		charge, err := f.Charge()
		if err != nil {
			return nil, err
		}
		line := f.Applied.Line(charge)
		line.IsRefundable = f.IsRefundable
		out = append(out, encodeAdditional([]fee.Additional{line})...)
	}
	return out, err
}

// cardFeeEvent is what an event about a fee tells.
type cardFeeEvent struct {
	CardOfEvent
	FeeCode          string           `json:"feeCode"`
	Event            *string          `json:"event" doc:"Of a fee for making a card."`
	FeeYear          *int             `json:"feeYear" doc:"Of an annual fee, from 1."`
	InstallmentNo    *int             `json:"installmentNo" doc:"Of an annual fee, from 1."`
	DueDate          *string          `json:"dueDate"`
	TransactionID    *string          `json:"transactionId" doc:"Of a fee on a transaction: what it was charged with, or given back."`
	AdditionalAmount additionalAmount `json:"additionalAmount"`
}

func encodeCardFeeEvent(card CardOfEvent, told fee.CardFeeTold) cardFeeEvent {
	out := cardFeeEvent{
		CardOfEvent: card, FeeCode: told.Code, Event: orNil(told.Event), FeeYear: positiveOrNil(told.Year), DueDate: orNil(told.DueOn),
		TransactionID: orNil(told.Transaction),
	}
	if told.Year > 0 {
		out.InstallmentNo = positiveOrNil(told.Part)
	}
	if all, err := fee.ParseAdditional(told.Additional); err == nil && len(all) == 1 {
		out.AdditionalAmount = encodeAdditional(all)[0]
	}
	return out
}
