package platform

import (
	"context"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

type (
	transactionStatuses struct{}
	flowCodes           struct{}
	transactionCodes    struct{}
	posEntryModes       struct{}
	transactionDomains  struct{}
	terminalTypes       struct{}
	cardholderPresences struct{}
)

// Members of the enumerations of this resource (contract §4.5). A filter takes
// those that this build never makes, too, and finds nothing.
func (transactionStatuses) Members() []api.Member {
	return api.Numbered(0, "Pending", "Approved", "Declined", "Reversed", "PartiallyReversed", "PartiallyCleared", "Cleared",
		"Expired", "Voided", "Refunded", "PartiallyRefunded", "ChargedBack", "Failed")
}

func (flowCodes) Members() []api.Member {
	return []api.Member{
		{Code: 10, Name: "AuthorizationRequest"}, {Code: 11, Name: "FinancialRequest"}, {Code: 12, Name: "AuthorizationAdvice"},
		{Code: 13, Name: "FinancialAdvice"}, {Code: 20, Name: "ReversalRequest"}, {Code: 21, Name: "ReversalAdvice"},
		{Code: 30, Name: "Clearing"}, {Code: 31, Name: "ClearingReversal"}, {Code: 32, Name: "Refund"},
		{Code: 33, Name: "Chargeback"}, {Code: 34, Name: "Representment"}, {Code: 35, Name: "FeeCollection"},
		{Code: 40, Name: "InternalFee"}, {Code: 41, Name: "ManualAdjustment"}, {Code: 50, Name: "StatusCheck"},
	}
}

func (transactionCodes) Members() []api.Member {
	return []api.Member{
		{Code: 0, Name: "Purchase"}, {Code: 1, Name: "CashWithdrawal"}, {Code: 2, Name: "CashAdvance"},
		{Code: 9, Name: "PurchaseWithCashback"}, {Code: 11, Name: "QuasiCash"}, {Code: 18, Name: "UniqueTransaction"},
		{Code: 20, Name: "Refund"}, {Code: 21, Name: "CashDeposit"}, {Code: 28, Name: "Payment"}, {Code: 30, Name: "BalanceInquiry"},
		{Code: 38, Name: "CardVerification"}, {Code: 40, Name: "CardToCardTransfer"}, {Code: 50, Name: "PreAuthorization"},
		{Code: 51, Name: "PreAuthorizationCompletion"}, {Code: 60, Name: "InstallmentSale"}, {Code: 70, Name: "PinUnblock"},
		{Code: 71, Name: "PinChange"}, {Code: 80, Name: "Fee"}, {Code: 81, Name: "Adjustment"},
	}
}

func (transactionDomains) Members() []api.Member {
	return api.Numbered(1, "OnUs", "Domestic", "InternationalIntraRegion", "International")
}

func (terminalTypes) Members() []api.Member {
	return api.Numbered(0, "Unspecified", "Atm", "Pos", "UnattendedPos", "MobilePos", "VirtualPos", "Moto", "Qr", "TransitGate",
		"BranchTerminal", "Kiosk")
}

func (cardholderPresences) Members() []api.Member {
	return append(api.Numbered(0, "Present", "NotPresentUnspecified", "MailOrder", "PhoneOrder", "Recurring", "ElectronicOrder"),
		api.Member{Code: 8, Name: "RecurringInstallment"})
}

// entryModes are the first two digits of field 22.
var entryModes = []struct{ digits, name string }{
	{"00", "Unknown"}, {"01", "Manual"}, {"02", "MagneticStripe"}, {"03", "QrCode"}, {"04", "Ocr"}, {"05", "Chip"},
	{"06", "KeyEntry"}, {"07", "ContactlessChip"}, {"09", "EcommerceDsrp"}, {"10", "CredentialOnFile"}, {"79", "ChipFallbackManual"},
	{"80", "ChipFallbackMagstripe"}, {"81", "Ecommerce"}, {"82", "AutoEntryServer"}, {"90", "MagneticStripeFull"},
	{"91", "ContactlessMagstripe"}, {"95", "ChipCvvUnreliable"},
}

func (posEntryModes) Members() []api.Member {
	all := make([]api.Member, len(entryModes))
	for i, m := range entryModes {
		all[i] = api.Member{Code: int(m.digits[0]-'0')*10 + int(m.digits[1]-'0'), Name: m.name}
	}
	return all
}

// transactionQuery is the filter of the transaction list (§9, §9.2).
// Enumerations take the name or the code; lists are repeated or separated by
// commas.
type transactionQuery struct {
	api.Paging
	CardToken            string `query:"CardToken" maxLength:"32"`
	IssuanceNo           string `query:"IssuanceNo" maxLength:"16"`
	CustomerNo           string `query:"CustomerNo" maxLength:"20"`
	TransactionID        string `query:"TransactionId" maxLength:"36"`
	RRN                  string `query:"Rrn" maxLength:"12"`
	NetworkTransactionID string `query:"NetworkTransactionId" maxLength:"40"`

	DateFrom        string                            `query:"DateFrom" doc:"ISO 8601 with offset, or a day; absent: 30 days ago. At most 92 days before DateTo."`
	DateTo          string                            `query:"DateTo" doc:"ISO 8601 with offset, or a day, which is included; absent: now."`
	Status          []api.Choice[transactionStatuses] `query:"Status,explode" maxItems:"20"`
	FlowCodes       []api.Choice[flowCodes]           `query:"FlowCodes,explode" maxItems:"20"`
	Codes           []api.Choice[transactionCodes]    `query:"TransactionCodes,explode" maxItems:"20"`
	Networks        []api.Choice[networks]            `query:"Networks,explode" maxItems:"20"`
	EntryModes      []api.Choice[posEntryModes]       `query:"PosEntryModes,explode" maxItems:"20"`
	Domains         []api.Choice[transactionDomains]  `query:"Domains,explode" maxItems:"20"`
	TerminalTypes   []api.Choice[terminalTypes]       `query:"TerminalTypes,explode" maxItems:"20"`
	Presences       []api.Choice[cardholderPresences] `query:"CardholderPresences,explode" maxItems:"20"`
	MCCs            []string                          `query:"Mccs,explode" maxItems:"50" doc:"Four digits, or a range: 5811-5814."`
	ExcludeMCCs     []string                          `query:"ExcludeMccs,explode" maxItems:"50"`
	MerchantIDs     []string                          `query:"MerchantIds,explode" maxItems:"50" doc:"A trailing * is any rest."`
	TerminalIDs     []string                          `query:"TerminalIds,explode" maxItems:"50" doc:"A trailing * is any rest."`
	AcquirerIDs     []string                          `query:"AcquirerIds,explode" maxItems:"50" doc:"A trailing * is any rest."`
	Countries       []string                          `query:"Countries,explode" maxItems:"50"`
	ExcludeCountry  []string                          `query:"ExcludeCountries,explode" maxItems:"50"`
	Currencies      []string                          `query:"Currencies,explode" maxItems:"50" doc:"Of the transaction."`
	MinAmount       string                            `query:"MinAmount" doc:"Of the billing amount, in the exponent of the tenant's currency."`
	MaxAmount       string                            `query:"MaxAmount" doc:"Of the billing amount, in the exponent of the tenant's currency."`
	OnlyFinancial   string                            `query:"OnlyFinancial" enum:"true,false" doc:"What moved or held money."`
	IncludeChildren string                            `query:"IncludeChildCards" enum:"true,false" doc:"The supplementary cards of the selected ones too."`
	IncludeDeclined string                            `query:"IncludeDeclined" enum:"true,false" doc:"Absent: true."`
	IsContactless   string                            `query:"IsContactless" enum:"true,false"`
	IsPINVerified   string                            `query:"IsPinVerified" enum:"true,false" doc:"By a right PIN, online or by the chip."`
	WithFields      string                            `query:"IncludeMessageFields" enum:"true,false" doc:"The fields of the messages too, masked."`

	MCCGroups     []string `query:"MccGroups,explode" maxItems:"50" doc:"Named groups of merchant categories."`
	IsRecurring   string   `query:"IsRecurring" enum:"true,false"`
	IsTokenised   string   `query:"IsTokenised" enum:"true,false"`
	IsInstallment string   `query:"IsInstallment" enum:"true,false" doc:"In more than one part."`
	Is3DS         string   `query:"Is3dsAuthenticated" enum:"true,false"`
}

const (
	listDays = 30
	spanDays = 92
	hoursDay = 24 * time.Hour
)

func (a *API) listTransactions(ctx context.Context, c access.Caller, in *transactionQuery) (api.Page[cardTransaction], error) {
	none := api.Page[cardTransaction]{}
	tenant, err := a.Access.Tenant(ctx, c)
	if err != nil {
		return none, err
	}
	filter, err := a.decodeTransactionQuery(in, tenant)
	if err != nil {
		return none, err
	}
	if in.CardToken != "" || in.IssuanceNo != "" || in.CustomerNo != "" {
		held, err := a.Issuing.Held(ctx, c, issuing.Holding{
			CardToken: in.CardToken, IssuanceNo: in.IssuanceNo, CustomerNo: in.CustomerNo, WithChildren: in.IncludeChildren == "true",
		})
		if err != nil {
			return none, err
		}
		if filter.Cards, filter.Issuances = held.Cards, held.Issuances; len(held.Issuances) == 0 {
			return api.PageOf[cardTransaction](0, nil), nil
		}
	}
	page, total, err := a.Transactions.Transactions(ctx, c, filter)
	if err != nil {
		return none, err
	}
	var cards []id.ID[issuing.Card]
	for _, t := range page {
		cards = append(cards, t.Card)
	}
	names, err := a.Issuing.CardNames(ctx, c, cards)
	if err != nil {
		return none, err
	}
	rows := make([]cardTransaction, len(page))
	for i, t := range page {
		rows[i] = encodeTransaction(t, names[t.Card], filter.WithFields)
	}
	return api.PageOf(total, rows), nil
}

func (a *API) decodeTransactionQuery(in *transactionQuery, tenant access.Tenant) (authorization.TransactionFilter, error) {
	var q decoding
	selectors := 0
	for _, s := range []string{in.CardToken, in.IssuanceNo, in.CustomerNo} {
		if s != "" {
			selectors++
		}
	}
	if selectors > 1 {
		q.fail("CardToken", "ambiguous", "must not stand with IssuanceNo or CustomerNo: one of them selects")
	}
	if selectors == 0 && in.TransactionID == "" && in.RRN == "" && in.NetworkTransactionID == "" {
		q.fail("CardToken", "required", "or one of IssuanceNo, CustomerNo, TransactionId, Rrn, NetworkTransactionId is required")
	}
	f := authorization.TransactionFilter{
		RRN: in.RRN, NetworkTransactionID: in.NetworkTransactionID,
		From: q.from("DateFrom", in.DateFrom, tenant.Zone), To: q.until("DateTo", in.DateTo, tenant.Zone),
		Statuses:  membersOf[transactionStatuses, authorization.Status](&q, "Status", in.Status),
		Flows:     membersOf[flowCodes, authorization.Flow](&q, "FlowCodes", in.FlowCodes),
		Codes:     membersOf[transactionCodes, authorization.Code](&q, "TransactionCodes", in.Codes),
		Domains:   membersOf[transactionDomains, authorization.Domain](&q, "Domains", in.Domains),
		Terminals: membersOf[terminalTypes, authorization.TerminalType](&q, "TerminalTypes", in.TerminalTypes),
		Presences: membersOf[cardholderPresences, authorization.CardholderPresence](&q, "CardholderPresences", in.Presences),
		Networks:  membersOf[networks, string](&q, "Networks", in.Networks), MCCs: q.mccs("Mccs", in.MCCs), ExceptMCCs: q.mccs("ExcludeMccs", in.ExcludeMCCs),
		MCCGroups: q.mccGroups("MccGroups", in.MCCGroups),
		Countries: q.countries("Countries", in.Countries), ExceptCountries: q.countries("ExcludeCountries", in.ExcludeCountry),
		MerchantIDs:   q.patterns("MerchantIds", control.MerchantPattern, in.MerchantIDs),
		TerminalIDs:   q.patterns("TerminalIds", control.TerminalPattern, in.TerminalIDs),
		AcquirerIDs:   q.patterns("AcquirerIds", control.AcquirerPattern, in.AcquirerIDs),
		EntryModes:    q.entryModes(in.EntryModes),
		MinMinor:      q.minor("MinAmount", in.MinAmount, tenant.DefaultCurrency),
		MaxMinor:      q.minor("MaxAmount", in.MaxAmount, tenant.DefaultCurrency),
		OnlyFinancial: in.OnlyFinancial == "true", WithoutDeclined: in.IncludeDeclined == "false",
		IsContactless: choice(in.IsContactless), IsPINVerified: choice(in.IsPINVerified),
		IsRecurring: choice(in.IsRecurring), IsTokenised: choice(in.IsTokenised), IsInstalment: choice(in.IsInstallment),
		Is3DSAuthenticated: choice(in.Is3DS), WithFields: in.WithFields == "true",
	}
	for _, code := range split(in.Currencies) {
		f.Currencies = append(f.Currencies, q.currency("Currencies", code).Code())
	}
	if in.TransactionID != "" {
		var err error
		if f.ID, err = id.ParseUUID[authorization.Transaction](in.TransactionID); err != nil {
			q.fail("TransactionId", "malformed", "must be a UUID")
		}
	}
	if selectors > 0 { // a reference finds whatever it names, however old
		if f.To.IsZero() {
			f.To = tenant.Now(a.Clock).Add(time.Microsecond)
		}
		if f.From.IsZero() {
			f.From = f.To.Add(-listDays * hoursDay)
		}
	}
	if !f.From.IsZero() && !f.To.IsZero() && (f.To.Before(f.From) || f.To.Sub(f.From) > spanDays*hoursDay) {
		q.fail("DateFrom", "range", "must be at most 92 days before DateTo")
	}
	page := q.page(in.Paging, authorization.TransactionSorts()...)
	f.Skip, f.Take = page.Skip, page.Limit
	for _, k := range page.Sort {
		f.Sort = append(f.Sort, authorization.SortKey{By: k.Name, Desc: k.Descending})
	}
	return f, q.err()
}

// patterns reads a list of patterns, each of which something may fit.
func (d *decoding) patterns(field string, kind control.PatternKind, list []string) []string {
	var v fault.Checks
	all := split(list)
	for _, pattern := range all {
		kind.CheckInto(&v, field, pattern)
	}
	for _, f := range v.Fields {
		d.fail(f.Name, f.Code, f.Text)
	}
	return all
}

// split separates lists that came as one text.
func split[C ~string](list []C) []string {
	var all []string
	for _, part := range list {
		for one := range strings.SplitSeq(string(part), ",") {
			if one = strings.TrimSpace(one); one != "" {
				all = append(all, one)
			}
		}
	}
	return all
}

// choice reads an optional flag.
func choice(text string) *bool {
	if text == "" {
		return nil
	}
	is := text == "true"
	return &is
}

func membersOf[M api.Members, T, C ~string](d *decoding, field string, list []C) []T {
	var all []T
	for _, one := range split(list) {
		all = append(all, T(enumOf[M](d, field, one)))
	}
	return all
}

func (d *decoding) entryModes(list []api.Choice[posEntryModes]) []string {
	var all []string
	for _, name := range membersOf[posEntryModes, string](d, "PosEntryModes", list) {
		for _, m := range entryModes {
			if m.name == name {
				all = append(all, m.digits)
			}
		}
	}
	return all
}

func (d *decoding) mccs(field string, list []string) []authorization.MCCRange {
	var all []authorization.MCCRange
	for _, one := range split(list) {
		from, to, isRange := strings.Cut(one, "-")
		if !isRange {
			to = from
		}
		if !isMCC(from) || !isMCC(to) || from > to {
			d.fail(field, "not_an_mcc", "must be four digits, or two of those with '-' between them")
			continue
		}
		all = append(all, authorization.MCCRange{From: from, To: to})
	}
	return all
}

// mccGroups reads the codes of groups of merchant categories.
func (d *decoding) mccGroups(field string, list []string) []authorization.MCCRange {
	var all []authorization.MCCRange
	for _, code := range split(list) {
		found, known := authorization.MCCGroupRanges(strings.ToUpper(code))
		if !known {
			d.fail(field, "unknown", "must be of "+strings.Join(authorization.MCCGroupCodes(), ", "))
		}
		all = append(all, found...)
	}
	return all
}

func isMCC(s string) bool {
	return len(s) == 4 && strings.Trim(s, "0123456789") == ""
}

func (d *decoding) countries(field string, list []string) []string {
	var all []string
	for _, one := range split(list) {
		where, err := country.Parse(one)
		if err != nil {
			d.fail(field, "not_a_country", "must be a country of ISO 3166")
			continue
		}
		all = append(all, where.Alpha2())
	}
	return all
}

// minor reads an optional amount in minor units.
func (d *decoding) minor(field, text string, c money.Currency) *int64 {
	amount := d.amount(field, api.Decimal(text), c)
	if amount == nil {
		return nil
	}
	n := amount.Minor()
	return &n
}

// outwardTransaction shows the identifier of a transaction as this family does.
func outwardTransaction(text string) *string {
	t, err := id.Parse[authorization.Transaction](text)
	if err != nil {
		return nil
	}
	return orNil(t.UUID())
}

type transactionTrace struct {
	TransactionID        string          `json:"transactionId"`
	FlowCode             string          `json:"flowCode"`
	Status               string          `json:"status"`
	DeclineReason        *string         `json:"declineReason"`
	ResponseCode         *string         `json:"responseCode"`
	ConfigurationHash    *string         `json:"configurationHash" doc:"Of the configuration that the decision was made under."`
	ConfigurationVersion int64           `json:"configurationVersion"`
	IsRecomputed         bool            `json:"isRecomputed" doc:"Deciding again from what was recorded gives the same decision."`
	Difference           *string         `json:"difference"`
	Counterfactual       *counterfactual `json:"counterfactual" doc:"Of a decline: the nearest change that would have approved it. Null when nothing would, or when that cannot be told."`
	Checks               []traceCheck    `json:"checks" doc:"In the order in which they ran; none for a clearing record, which is not decided."`
	Stages               []traceStage    `json:"stages" doc:"How long each stage took that the request had passed when its decision was written. No part of what is decided again."`
}

// counterfactual is what would have approved a declined request, everything else
// as it was.
type counterfactual struct {
	Change          string      `json:"change" enum:"Amount,Time,Pin,ThreeDSecure"`
	Amount          api.Decimal `json:"amount" nullable:"true" doc:"Of Amount: the highest that would have been approved or, below a minimum, the lowest; in the transaction's currency."`
	CurrencyCode    *string     `json:"currencyCode"`
	BillingAmount   api.Decimal `json:"billingAmount" nullable:"true" doc:"What that comes to in the account's currency."`
	BillingCurrency *string     `json:"billingCurrency"`
	At              *time.Time  `json:"at" doc:"Of Time: from when on."`
}

func encodeCounterfactual(c *authorization.Counterfactual) *counterfactual {
	if c == nil {
		return nil
	}
	out := &counterfactual{Change: string(c.Change)}
	if c.Change == authorization.AnotherAmount {
		out.Amount, out.CurrencyCode = api.DecimalOf(c.Amount), orNil(c.Amount.Currency().Code())
		out.BillingAmount, out.BillingCurrency = api.DecimalOf(c.Billing), orNil(c.Billing.Currency().Code())
	}
	if !c.At.IsZero() {
		out.At = &c.At
	}
	return out
}

type traceStage struct {
	Stage        string `json:"stage" enum:"queue,parse,replay,gather,crypto,decide,commit,ask"`
	Microseconds int64  `json:"microseconds"`
}

func encodeTimes(t authorization.Times) []traceStage {
	out := []traceStage{}
	for s, took := range t {
		if took > 0 {
			out = append(out, traceStage{authorization.Stage(s).String(), took.Microseconds()})
		}
	}
	return out
}

type traceCheck struct {
	Name string `json:"name"`
	TraceFinding
	Parts []TraceFinding `json:"parts" doc:"Of a check that stands for several controls: one for each, in the order in which they were looked at."`
}

// TraceFinding is what came of a check, or of one control in it.
type TraceFinding struct {
	Outcome string       `json:"outcome" enum:"Pass,Fail,Skip"`
	Reason  *string      `json:"reason"`
	Subject *string      `json:"subject" doc:"The code of the control, policy or fee, or the limit of the product, that it was about."`
	Detail  *string      `json:"detail"`
	Inputs  []traceInput `json:"inputs" doc:"What was compared."`
}

type traceInput struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func encodeCheck(k authorization.Check) traceCheck {
	out := traceCheck{Name: k.Name, TraceFinding: encodeFinding(k), Parts: []TraceFinding{}}
	for _, p := range k.Parts {
		out.Parts = append(out.Parts, encodeFinding(p))
	}
	return out
}

func encodeFinding(k authorization.Check) TraceFinding {
	out := TraceFinding{
		Outcome: string(k.Outcome), Reason: orNil(k.Reason), Subject: orNil(k.Subject), Detail: orNil(k.Detail), Inputs: []traceInput{},
	}
	for _, in := range k.Inputs {
		out.Inputs = append(out.Inputs, traceInput{in.Name, in.Value})
	}
	return out
}

func (a *API) traceTransaction(ctx context.Context, c access.Caller, in *struct {
	TransactionID string `path:"transactionId" maxLength:"36"`
}) (transactionTrace, error) {
	t, err := id.ParseUUID[authorization.Transaction](in.TransactionID)
	if err != nil {
		return transactionTrace{}, api.Invalid().OnField("transactionId", "malformed", "must be a UUID")
	}
	x, err := a.Transactions.Explain(ctx, c, t)
	if err != nil {
		return transactionTrace{}, err
	}
	out := transactionTrace{
		TransactionID: x.Transaction.ID.UUID(), FlowCode: string(x.Transaction.Flow), Status: string(x.Transaction.Status),
		DeclineReason: orNil(x.Transaction.Reason), ResponseCode: orNil(x.Transaction.ResponseCode),
		ConfigurationHash: orNil(x.ConfigurationHash), ConfigurationVersion: x.ConfigurationVersion, IsRecomputed: x.Recomputed,
		Difference: orNil(x.Difference), Counterfactual: encodeCounterfactual(x.Counterfactual), Checks: []traceCheck{}, Stages: encodeTimes(x.Times),
	}
	for _, k := range x.Trace {
		out.Checks = append(out.Checks, encodeCheck(k))
	}
	return out, nil
}
