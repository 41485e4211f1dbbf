package platform

import (
	"context"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

type (
	transactionStatuses struct{}
	flowCodes           struct{}
	transactionCodes    struct{}
	posEntryModes       struct{}
)

// Members of the enumerations of this resource (contract §4.5), as far as this
// build makes them.
func (transactionStatuses) Members() []api.Member {
	return api.Numbered(0, "Pending", "Approved", "Declined", "Reversed", "PartiallyReversed", "PartiallyCleared", "Cleared",
		"Expired", "Voided", "Refunded", "PartiallyRefunded", "ChargedBack", "Failed")
}

func (flowCodes) Members() []api.Member {
	return []api.Member{
		{Code: 10, Name: "AuthorizationRequest"}, {Code: 11, Name: "FinancialRequest"}, {Code: 12, Name: "AuthorizationAdvice"},
		{Code: 13, Name: "FinancialAdvice"}, {Code: 20, Name: "ReversalRequest"}, {Code: 21, Name: "ReversalAdvice"},
		{Code: 30, Name: "Clearing"}, {Code: 31, Name: "ClearingReversal"}, {Code: 32, Name: "Refund"},
		{Code: 34, Name: "Representment"}, {Code: 50, Name: "StatusCheck"},
	}
}

func (transactionCodes) Members() []api.Member {
	return []api.Member{
		{Code: 0, Name: "Purchase"}, {Code: 1, Name: "CashWithdrawal"}, {Code: 2, Name: "CashAdvance"},
		{Code: 9, Name: "PurchaseWithCashback"}, {Code: 11, Name: "QuasiCash"}, {Code: 18, Name: "UniqueTransaction"},
		{Code: 20, Name: "Refund"}, {Code: 21, Name: "CashDeposit"}, {Code: 28, Name: "Payment"}, {Code: 30, Name: "BalanceInquiry"},
		{Code: 38, Name: "CardVerification"}, {Code: 81, Name: "Adjustment"},
	}
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

	DateFrom        string   `query:"DateFrom" doc:"ISO 8601 with offset; absent: 30 days ago. At most 92 days before DateTo."`
	DateTo          string   `query:"DateTo" doc:"ISO 8601 with offset; absent: now."`
	Status          []string `query:"Status,explode" maxItems:"20"`
	FlowCodes       []string `query:"FlowCodes,explode" maxItems:"20"`
	Codes           []string `query:"TransactionCodes,explode" maxItems:"20"`
	Networks        []string `query:"Networks,explode" maxItems:"20"`
	EntryModes      []string `query:"PosEntryModes,explode" maxItems:"20"`
	MCCs            []string `query:"Mccs,explode" maxItems:"50" doc:"Four digits, or a range: 5811-5814."`
	ExcludeMCCs     []string `query:"ExcludeMccs,explode" maxItems:"50"`
	MerchantIDs     []string `query:"MerchantIds,explode" maxItems:"50" doc:"A trailing * is any rest."`
	TerminalIDs     []string `query:"TerminalIds,explode" maxItems:"50" doc:"A trailing * is any rest."`
	AcquirerIDs     []string `query:"AcquirerIds,explode" maxItems:"50" doc:"A trailing * is any rest."`
	Countries       []string `query:"Countries,explode" maxItems:"50"`
	ExcludeCountry  []string `query:"ExcludeCountries,explode" maxItems:"50"`
	Currencies      []string `query:"Currencies,explode" maxItems:"50" doc:"Of the transaction."`
	MinAmount       string   `query:"MinAmount" doc:"Of the billing amount, in the exponent of the tenant's currency."`
	MaxAmount       string   `query:"MaxAmount" doc:"Of the billing amount, in the exponent of the tenant's currency."`
	OnlyFinancial   string   `query:"OnlyFinancial" enum:"true,false" doc:"What moved or held money."`
	IncludeChildren string   `query:"IncludeChildCards" enum:"true,false" doc:"The supplementary cards of the selected ones too."`
	IncludeDeclined string   `query:"IncludeDeclined" enum:"true,false" doc:"Absent: true."`
	IsContactless   string   `query:"IsContactless" enum:"true,false"`
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
		if filter.Cards, filter.Issuances = held.Cards, held.Issuances; len(held.Cards)+len(held.Issuances) == 0 {
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
		rows[i] = encodeTransaction(t, names[t.Card])
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
		From: q.time("DateFrom", in.DateFrom), To: q.time("DateTo", in.DateTo),
		Statuses: membersOf[transactionStatuses, authorization.Status](&q, "Status", in.Status),
		Flows:    membersOf[flowCodes, authorization.Flow](&q, "FlowCodes", in.FlowCodes),
		Codes:    membersOf[transactionCodes, authorization.Code](&q, "TransactionCodes", in.Codes),
		Networks: split(in.Networks), MCCs: q.mccs("Mccs", in.MCCs), ExceptMCCs: q.mccs("ExcludeMccs", in.ExcludeMCCs),
		Countries: q.countries("Countries", in.Countries), ExceptCountries: q.countries("ExcludeCountries", in.ExcludeCountry),
		MerchantIDs: split(in.MerchantIDs), TerminalIDs: split(in.TerminalIDs), AcquirerIDs: split(in.AcquirerIDs),
		EntryModes:    q.entryModes(in.EntryModes),
		MinMinor:      q.minor("MinAmount", in.MinAmount, tenant.DefaultCurrency),
		MaxMinor:      q.minor("MaxAmount", in.MaxAmount, tenant.DefaultCurrency),
		OnlyFinancial: in.OnlyFinancial == "true", WithoutDeclined: in.IncludeDeclined == "false",
	}
	for _, code := range split(in.Currencies) {
		f.Currencies = append(f.Currencies, q.currency("Currencies", code).Code())
	}
	switch in.IsContactless {
	case "true":
		f.EntryModes = append(f.EntryModes, "07", "91")
	case "false":
		for _, m := range entryModes {
			if m.digits != "07" && m.digits != "91" {
				f.EntryModes = append(f.EntryModes, m.digits)
			}
		}
	}
	if in.TransactionID != "" {
		var err error
		if f.ID, err = id.ParseUUID[authorization.Transaction](in.TransactionID); err != nil {
			q.fail("TransactionId", "malformed", "must be a UUID")
		}
	}
	if selectors > 0 { // a reference finds whatever it names, however old
		if f.To.IsZero() {
			f.To = a.Clock.Now().Add(time.Microsecond)
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
	if len(f.Sort) == 0 {
		f.Sort = []authorization.SortKey{{By: "transactionDate", Desc: true}}
	}
	return f, q.err()
}

// split separates lists that came as one text.
func split(list []string) []string {
	var all []string
	for _, part := range list {
		for one := range strings.SplitSeq(part, ",") {
			if one = strings.TrimSpace(one); one != "" {
				all = append(all, one)
			}
		}
	}
	return all
}

func membersOf[M api.Members, T ~string](d *decoding, field string, list []string) []T {
	var all []T
	for _, one := range split(list) {
		all = append(all, T(enumOf[M](d, field, one)))
	}
	return all
}

func (d *decoding) entryModes(list []string) []string {
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

// cardTransaction is CardTransactionResponseDto (§9.1), as far as this build
// knows its fields.
type cardTransaction struct {
	TransactionID           string  `json:"transactionId"`
	OriginalTransactionID   *string `json:"originalTransactionId"`
	ParentAuthorizationID   *string `json:"parentAuthorizationId" doc:"The first transaction of the life cycle."`
	NetworkTransactionID    *string `json:"networkTransactionId"`
	RRN                     *string `json:"rrn"`
	STAN                    *string `json:"stan"`
	AuthorizationCode       *string `json:"authorizationCode"`
	AcquirerReferenceNumber *string `json:"acquirerReferenceNumber"`
	FlowCode                string  `json:"flowCode"`
	TransactionCode         *string `json:"transactionCode"`
	TransactionNetwork      string  `json:"transactionNetwork"`
	Status                  string  `json:"status"`
	IsDebit                 bool    `json:"isDebit"`
	IsFinancial             bool    `json:"isFinancial"`
	IsAdvice                bool    `json:"isAdvice"`
	IsForcePost             bool    `json:"isForcePost"`
	MTI                     *string `json:"mti"`
	ProcessingCode          *string `json:"processingCode"`
	ResponseCode            *string `json:"responseCode"`
	DeclineReason           *string `json:"declineReason"`
	DecidedBy               string  `json:"decidedBy" enum:"Platform,Network"`
	CardToken               *string `json:"cardToken"`
	MaskedCardNo            *string `json:"maskedCardNo"`
	CardSequenceNo          int     `json:"cardSequenceNo"`
	IssuanceNo              *string `json:"issuanceNo"`
	CustomerNo              *string `json:"customerNo"`
	ProductCode             *string `json:"productCode"`
	AccountNo               *string `json:"accountNo"`
	ExternalCardID          *string `json:"externalCardId"`
	TransactionAmounts
	TransactionDate  *string              `json:"transactionDate" doc:"The card acceptor's clock, without zone."`
	TransmissionDate time.Time            `json:"transmissionDate"`
	SystemDate       time.Time            `json:"systemDate"`
	BusinessDate     string               `json:"businessDate" format:"date"`
	MerchantID       *string              `json:"merchantId"`
	MerchantName     *string              `json:"merchantName"`
	MerchantCity     *string              `json:"merchantCity"`
	MerchantCountry  *string              `json:"merchantCountry"`
	MCC              *string              `json:"mcc"`
	TerminalID       *string              `json:"terminalId"`
	AcquirerID       *string              `json:"acquirerId"`
	ForwardingID     *string              `json:"forwardingInstitutionId"`
	PosEntryMode     *string              `json:"posEntryMode"`
	IsContactless    bool                 `json:"isContactless"`
	AvailableBalance api.Decimal          `json:"availableBalance" doc:"After the transaction."`
	LedgerBalance    api.Decimal          `json:"ledgerBalance" doc:"After the transaction."`
	Related          []relatedTransaction `json:"related" doc:"The others of the life cycle."`
}

// TransactionAmounts are the money of a transaction. Amounts from billingAmount
// on are in billingCurrency.
type TransactionAmounts struct {
	TransactionAmount   api.Decimal `json:"transactionAmount"`
	TransactionCurrency *string     `json:"transactionCurrency"`
	BillingAmount       api.Decimal `json:"billingAmount"`
	BillingCurrency     *string     `json:"billingCurrency"`
	TotalFeeAmount      api.Decimal `json:"totalFeeAmount"`
	TotalTaxAmount      api.Decimal `json:"totalTaxAmount"`
	TotalAmount         api.Decimal `json:"totalAmount"`
	ClearedAmount       api.Decimal `json:"clearedAmount"`
	ReversedAmount      api.Decimal `json:"reversedAmount"`
	RefundedAmount      api.Decimal `json:"refundedAmount"`
	OpenHoldAmount      api.Decimal `json:"openHoldAmount"`
	HoldExpiryDate      *time.Time  `json:"holdExpiryDate"`
}

type relatedTransaction struct {
	TransactionID string      `json:"transactionId"`
	FlowCode      string      `json:"flowCode"`
	Status        string      `json:"status"`
	Amount        api.Decimal `json:"amount" doc:"In the billing currency."`
	Date          time.Time   `json:"date"`
}

func encodeTransaction(t authorization.ListedTransaction, n issuing.CardName) cardTransaction {
	m := &t.Message
	mode := modeOf(m.EntryMode)
	out := cardTransaction{
		TransactionID: t.ID.UUID(), NetworkTransactionID: orNil(t.NetworkTransactionID), RRN: orNil(m.RRN), STAN: orNil(m.STAN),
		AuthorizationCode: orNil(t.AuthorizationCode), AcquirerReferenceNumber: orNil(t.ARN), FlowCode: string(t.Flow),
		TransactionCode: orNil(t.Code), TransactionNetwork: m.Network, Status: string(t.Status), IsDebit: t.IsDebit,
		IsFinancial: isFinancial(&t.Transaction), IsAdvice: t.IsAdvice, IsForcePost: t.IsForcePost, MTI: orNil(m.MTI),
		ProcessingCode: orNil(m.ProcessingCode), ResponseCode: orNil(t.ResponseCode), DeclineReason: orNil(t.Reason), DecidedBy: "Platform",
		CardToken: orNil(n.Token), MaskedCardNo: orNil(n.MaskedNo), CardSequenceNo: n.Sequence, IssuanceNo: orNil(n.IssuanceNo),
		CustomerNo: orNil(n.CustomerNo), ProductCode: orNil(n.ProductCode), AccountNo: orNil(n.AccountNo), ExternalCardID: orNil(n.ExternalCardID),
		TransactionAmounts: encodeAmounts(t), TransactionDate: localDate(m.LocalTime, m.TransmittedAt),
		TransmissionDate: m.TransmittedAt, SystemDate: t.CreatedAt, BusinessDate: t.BusinessOn.String(),
		MerchantID: orNil(strings.TrimSpace(m.CardAcceptorID)), MerchantName: orNil(m.MerchantName), MerchantCity: orNil(m.MerchantCity),
		MerchantCountry: orNil(m.MerchantCountry), MCC: orNil(m.MCC), TerminalID: orNil(strings.TrimSpace(m.TerminalID)),
		AcquirerID: orNil(m.AcquirerID), ForwardingID: orNil(m.ForwarderID), PosEntryMode: orNil(mode),
		IsContactless: mode == "ContactlessChip" || mode == "ContactlessMagstripe", Related: []relatedTransaction{},
	}
	if !t.Original.IsZero() {
		out.OriginalTransactionID = orNil(t.Original.UUID())
	}
	if t.Root != t.ID {
		out.ParentAuthorizationID = orNil(t.Root.UUID())
	}
	if t.IsAdvice || m.MTI == "" {
		out.DecidedBy = "Network"
	}
	if t.HasBalance {
		out.AvailableBalance, out.LedgerBalance = api.DecimalOf(t.AvailableAfter), api.DecimalOf(t.PostedAfter)
	}
	for _, r := range t.Related {
		out.Related = append(out.Related, relatedTransaction{
			TransactionID: r.ID.UUID(), FlowCode: string(r.Flow), Status: string(r.Status), Amount: api.DecimalOf(r.Billing), Date: r.CreatedAt,
		})
	}
	return out
}

func encodeAmounts(t authorization.ListedTransaction) TransactionAmounts {
	zero := money.Zero(t.Billing.Currency())
	out := TransactionAmounts{
		TransactionAmount: api.DecimalOf(t.Amount), TransactionCurrency: orNil(t.Amount.Currency().Code()),
		BillingAmount: api.DecimalOf(t.Billing), BillingCurrency: orNil(t.Billing.Currency().Code()),
		TotalFeeAmount: api.DecimalOf(zero), TotalTaxAmount: api.DecimalOf(zero), TotalAmount: api.DecimalOf(t.Billing),
		ClearedAmount: api.DecimalOf(t.Cleared), ReversedAmount: api.DecimalOf(t.Reversed), RefundedAmount: api.DecimalOf(t.Refunded),
		OpenHoldAmount: api.DecimalOf(zero),
	}
	if t.HasHold && t.Root == t.ID { // an increment lives on the hold of its first
		out.OpenHoldAmount, out.HoldExpiryDate = api.DecimalOf(t.Held.Remaining()), timeOrNil(t.Held.ExpiresAt)
	}
	return out
}

// isFinancial reports whether a transaction moved or held money.
func isFinancial(t *authorization.Transaction) bool {
	return t.Status != authorization.StatusDeclined && t.Status != authorization.StatusFailed &&
		t.Code != authorization.BalanceInquiry && t.Code != authorization.CardVerification
}

func modeOf(field22 string) string {
	for _, m := range entryModes {
		if strings.HasPrefix(field22, m.digits) {
			return m.name
		}
	}
	return ""
}

// localDate gives MMDDhhmmss, which has no year, the one that brings it nearest
// to when the message was sent.
func localDate(text string, sent time.Time) *string {
	var best time.Time
	for year := sent.Year() - 1; year <= sent.Year()+1; year++ {
		t, err := time.Parse("20060102150405", time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006")+text)
		if err == nil && (best.IsZero() || t.Sub(sent).Abs() < best.Sub(sent).Abs()) {
			best = t
		}
	}
	if best.IsZero() {
		return nil
	}
	return orNil(best.Format("2006-01-02T15:04:05"))
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
	TransactionID        string       `json:"transactionId"`
	FlowCode             string       `json:"flowCode"`
	Status               string       `json:"status"`
	DeclineReason        *string      `json:"declineReason"`
	ResponseCode         *string      `json:"responseCode"`
	ConfigurationHash    *string      `json:"configurationHash" doc:"Of the configuration that the decision was made under."`
	ConfigurationVersion int64        `json:"configurationVersion"`
	IsRecomputed         bool         `json:"isRecomputed" doc:"Deciding again from what was recorded gives the same decision."`
	Difference           *string      `json:"difference"`
	Checks               []traceCheck `json:"checks" doc:"In the order in which they ran; none for a clearing record, which is not decided."`
}

type traceCheck struct {
	Name    string  `json:"name"`
	Outcome string  `json:"outcome" enum:"Pass,Fail,Skip"`
	Reason  *string `json:"reason"`
	Detail  *string `json:"detail"`
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
		Difference: orNil(x.Difference), Checks: []traceCheck{},
	}
	for _, k := range x.Trace {
		out.Checks = append(out.Checks, traceCheck{k.Name, string(k.Outcome), orNil(k.Reason), orNil(k.Detail)})
	}
	return out, nil
}
