package platform

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// cardTransaction is CardTransactionResponseDto (§9.1) with all its members, a
// block of them in each part. What this build has nothing to say about is null.
type cardTransaction struct {
	TransactionIdentity
	TransactionClass
	TransactionDecision
	TransactionCard
	TransactionAmounts
	TransactionDates
	TransactionMerchant
	TransactionPOS
	TransactionSecurity
	TransactionInstallment
	AvailableBalance api.Decimal `json:"availableBalance" doc:"After the transaction."`
	LedgerBalance    api.Decimal `json:"ledgerBalance" doc:"After the transaction."`
	TransactionSlip
	Related              []relatedTransaction `json:"related" doc:"The others of the life cycle."`
	MessageFieldsSummary []messageField       `json:"messageFieldsSummary" nullable:"true" doc:"Null unless asked for by IncludeMessageFields. What is secret is hidden or left out."`
}

// TransactionIdentity is what a transaction is known by.
type TransactionIdentity struct {
	TransactionID           string  `json:"transactionId"`
	OriginalTransactionID   *string `json:"originalTransactionId"`
	ParentAuthorizationID   *string `json:"parentAuthorizationId" doc:"The first transaction of the life cycle."`
	NetworkTransactionID    *string `json:"networkTransactionId"`
	RRN                     *string `json:"rrn"`
	STAN                    *string `json:"stan"`
	AuthorizationCode       *string `json:"authorizationCode"`
	AcquirerReferenceNumber *string `json:"acquirerReferenceNumber"`
	BatchID                 *string `json:"batchId"`
	CorrelationID           *string `json:"correlationId" doc:"Null for what came by a network."`
}

// TransactionClass says what kind of transaction it is, and where it stands.
type TransactionClass struct {
	FlowCode           string  `json:"flowCode"`
	TransactionCode    *string `json:"transactionCode"`
	TransactionNetwork *string `json:"transactionNetwork" doc:"Of the card's BIN."`
	TransactionDomain  *string `json:"transactionDomain" enum:"OnUs,Domestic,InternationalIntraRegion,International" doc:"Null when the message names no country."`
	Status             string  `json:"status"`
	IsDebit            bool    `json:"isDebit"`
	IsFinancial        bool    `json:"isFinancial"`
	IsAdvice           bool    `json:"isAdvice"`
	IsStandIn          bool    `json:"isStandIn" doc:"An advice of what the network decided in our place, or approved by us in the place of the client that owns the balance."`
	IsForcePost        bool    `json:"isForcePost"`
	MTI                *string `json:"mti"`
	ProcessingCode     *string `json:"processingCode"`
}

// TransactionDecision is what was answered, and why.
type TransactionDecision struct {
	ResponseCode        *string        `json:"responseCode"`
	NetworkResponseCode *string        `json:"networkResponseCode" doc:"What an advice reports."`
	DeclineReason       *string        `json:"declineReason"`
	DeclineDetail       *declineDetail `json:"declineDetail"`
	MatchedControls     []string       `json:"matchedControls" doc:"Codes of the authorization controls that applied, in the order in which they were asked; after the one that decided none was."`
	DecidedBy           string         `json:"decidedBy" enum:"Platform,Client,StandIn,Network" doc:"Client: the system that owns the balance; StandIn: we, as it gave no answer."`
}

type declineDetail struct {
	Stage        *string `json:"stage" doc:"The check that decided; see the trace of the transaction."`
	ControlCode  *string `json:"controlCode" doc:"Of the authorization control that refused."`
	VelocityCode *string `json:"velocityCode" doc:"Of the velocity control whose limit was exceeded."`
	PolicyType   *string `json:"policyType" doc:"The switch that is off."`
	ReasonText   *string `json:"reasonText" doc:"What the authorization control says of its refusals."`
	// What follows is told where the trace is at hand.
	Limit          *declineFigures `json:"limit,omitempty" doc:"Of a limit that refused: what it allows. This and what follows is told by events and the testing API."`
	Minimum        *declineFigures `json:"minimum,omitempty" doc:"Of a limit that refused because the amount was too low: the least it allows, in place of limit."`
	Used           *declineFigures `json:"used,omitempty" doc:"What was used of it before."`
	Requested      *declineFigures `json:"requested,omitempty"`
	Available      *declineFigures `json:"available,omitempty" doc:"What the account had left."`
	Counterfactual *counterfactual `json:"counterfactual,omitempty" doc:"The nearest change that would have approved it."`
}

type declineFigures struct {
	Amount       api.Decimal `json:"amount" nullable:"true"`
	CurrencyCode *string     `json:"currencyCode"`
	Count        *int        `json:"count"`
}

// detail adds to a decline what the check that refused compared, and what would
// have approved it.
func (d *declineDetail) detail(on *authorization.Check, c *authorization.Counterfactual) {
	d.Counterfactual = encodeCounterfactual(c)
	d.Limit, d.Used = encodeFigures(on, "limit", "limitCount"), encodeFigures(on, "used", "usedCount")
	d.Requested, d.Available = encodeFigures(on, "requested", ""), encodeFigures(on, "available", "")
	if on.IsTooLow() {
		d.Limit, d.Minimum = nil, encodeFigures(on, "minimum", "")
	}
}

// encodeFigures tells an amount and a count that a check compared; nil when it
// compared neither.
func encodeFigures(on *authorization.Check, amount, count string) *declineFigures {
	var f declineFigures
	decimal, currency, ok := strings.Cut(on.Input(amount), " ")
	if ok && len(currency) == 3 {
		f.Amount, f.CurrencyCode = api.Decimal(decimal), &currency
	}
	if n, err := strconv.Atoi(on.Input(count)); err == nil {
		f.Count = &n
	}
	if f.CurrencyCode == nil && f.Count == nil {
		return nil
	}
	return &f
}

// encodeDecline tells what refused a transaction; nil when nothing did.
func encodeDecline(t *authorization.Transaction) *declineDetail {
	if t.DeclinedBy == "" {
		return nil
	}
	d := &declineDetail{Stage: orNil(t.DeclinedBy), ReasonText: orNil(t.DeclinedText)}
	switch t.DeclinedBy {
	case authorization.ControlCheck:
		d.ControlCode = orNil(t.DeclinedSubject)
	case authorization.VelocityCheck:
		d.VelocityCode = orNil(t.DeclinedSubject)
	case authorization.PolicyCheck:
		d.PolicyType = orNil(t.DeclinedSubject)
	}
	return d
}

// TransactionCard is the card.
type TransactionCard struct {
	CardToken      *string `json:"cardToken"`
	MaskedCardNo   *string `json:"maskedCardNo"`
	CardSequenceNo int     `json:"cardSequenceNo"`
	IssuanceNo     *string `json:"issuanceNo"`
	CustomerNo     *string `json:"customerNo"`
	ProductCode    *string `json:"productCode"`
	AccountNo      *string `json:"accountNo"`
	ExternalCardID *string `json:"externalCardId"`
	WalletType     *string `json:"walletType"`
	DeviceTokenRef *string `json:"deviceTokenRef"`
}

// TransactionAmounts are the money of a transaction. The amounts without a
// currency of their own are in billingCurrency.
type TransactionAmounts struct {
	TransactionAmount   api.Decimal        `json:"transactionAmount"`
	TransactionCurrency *string            `json:"transactionCurrency"`
	BillingAmount       api.Decimal        `json:"billingAmount"`
	BillingCurrency     *string            `json:"billingCurrency"`
	SettlementAmount    api.Decimal        `json:"settlementAmount" nullable:"true"`
	SettlementCurrency  *string            `json:"settlementCurrency"`
	ConversionRate      api.Decimal        `json:"conversionRate" nullable:"true" doc:"From transaction to billing amount, as the network gave it."`
	ConversionDate      *string            `json:"conversionDate" format:"date"`
	CashbackAmount      api.Decimal        `json:"cashbackAmount" nullable:"true"`
	AdditionalAmounts   []additionalAmount `json:"additionalAmounts"`
	TotalFeeAmount      api.Decimal        `json:"totalFeeAmount"`
	TotalTaxAmount      api.Decimal        `json:"totalTaxAmount"`
	TotalAmount         api.Decimal        `json:"totalAmount" doc:"Billing, fees and taxes."`
	ClearedAmount       api.Decimal        `json:"clearedAmount"`
	ReversedAmount      api.Decimal        `json:"reversedAmount"`
	RefundedAmount      api.Decimal        `json:"refundedAmount"`
	OpenHoldAmount      api.Decimal        `json:"openHoldAmount"`
	HoldExpiryDate      *time.Time         `json:"holdExpiryDate"`
}

// additionalAmount is AdditionalAmountDto, taxAmount TaxDto.
type additionalAmount struct {
	Type              string      `json:"type"`
	CalculationSource *string     `json:"calculationSource"`
	Code              *string     `json:"code"`
	Name              *string     `json:"name"`
	Amount            api.Decimal `json:"amount"`
	CurrencyCode      string      `json:"currencyCode"`
	IsDebit           bool        `json:"isDebit"`
	Taxes             []taxAmount `json:"taxes"`
	TotalAmount       api.Decimal `json:"totalAmount"`
	IsRefundable      bool        `json:"isRefundable"`
	IsPending         bool        `json:"isPending" doc:"The balance does not cover it, and it is not held: it is charged by the next credit that does, but not before its transaction is presented."`
	Description       *string     `json:"description"`
}

type taxAmount struct {
	TaxType      string      `json:"taxType"`
	Rate         api.Decimal `json:"rate"`
	Amount       api.Decimal `json:"amount"`
	CurrencyCode string      `json:"currencyCode"`
	IsIncluded   bool        `json:"isIncluded"`
}

// TransactionDates are when things happened.
type TransactionDates struct {
	TransactionDate  *string   `json:"transactionDate" doc:"The card acceptor's clock, without zone."`
	TransmissionDate time.Time `json:"transmissionDate"`
	SystemDate       time.Time `json:"systemDate"`
	BusinessDate     string    `json:"businessDate" format:"date"`
	SettlementDate   *string   `json:"settlementDate" format:"date"`
	ClearingDate     *string   `json:"clearingDate" format:"date" doc:"The business date of the last clearing record for it."`
}

// TransactionMerchant is where the card was used.
type TransactionMerchant struct {
	MerchantID           *string `json:"merchantId"`
	MerchantName         *string `json:"merchantName"`
	MerchantCity         *string `json:"merchantCity"`
	MerchantCountry      *string `json:"merchantCountry"`
	MerchantPostalCode   *string `json:"merchantPostalCode"`
	MCC                  *string `json:"mcc"`
	MCCGroup             *string `json:"mccGroup" doc:"The narrowest that holds mcc."`
	TerminalID           *string `json:"terminalId"`
	TerminalType         *string `json:"terminalType" doc:"Derived from mcc, posEntryMode and the condition code (DE25)."`
	AcquirerID           *string `json:"acquirerId"`
	ForwardingID         *string `json:"forwardingInstitutionId"`
	PaymentFacilitatorID *string `json:"paymentFacilitatorId"`
	SubMerchantID        *string `json:"subMerchantId"`
}

// TransactionPOS is how the card was used.
type TransactionPOS struct {
	PosEntryMode                     *string `json:"posEntryMode"`
	TerminalPINCapability            *string `json:"terminalPinCapability" enum:"Unknown,PinCapable,NotPinCapable,SoftwarePin,PinPadDown"`
	CardholderPresence               *string `json:"cardholderPresence"`
	CardPresence                     *string `json:"cardPresence" enum:"Present,NotPresent"`
	CardholderActivatedTerminalLevel *string `json:"cardholderActivatedTerminalLevel"`
	IsContactless                    bool    `json:"isContactless"`
	IsRecurring                      *bool   `json:"isRecurring"`
	IsMOTO                           bool    `json:"isMoto"`
	IsEcommerce                      bool    `json:"isEcommerce"`
	IsTokenised                      *bool   `json:"isTokenised"`
	CVMMethod                        *string `json:"cvmMethod" enum:"None,OnlinePin,OfflinePin,Signature,Cdcvm"`
}

// TransactionSecurity is what came of the secrets in the message. A value that
// the decision did not come to, or had no tries left for, was not judged.
type TransactionSecurity struct {
	PINResult          *string        `json:"pinResult" enum:"Valid,Invalid,NotChecked" doc:"Null when no PIN came."`
	CVCResult          *string        `json:"cvcResult" enum:"M,N,P" doc:"Of the stripe or the chip's image of it: match, no match, not processed."`
	CVV2Result         *string        `json:"cvv2Result" enum:"M,N,P" doc:"Match, no match, not processed."`
	ARQCResult         *string        `json:"arqcResult" enum:"NotPresent,NotChecked,Valid,Invalid,AtcReplay" doc:"Null for a clearing record."`
	CAVVResult         *string        `json:"cavvResult" enum:"0" doc:"Null when no value came; 0: not verified."`
	ECI                *string        `json:"eci"`
	SLI                *securityLevel `json:"sli"`
	Is3DSAuthenticated *bool          `json:"is3dsAuthenticated" doc:"As the merchant's side says."`
	ThreeDSVersion     *string        `json:"threeDsVersion"`
	AVSResult          *string        `json:"avsResult"`
	RiskScore          *int           `json:"riskScore"`
}

type securityLevel struct {
	Channel    *string `json:"channel"`
	UCAFStatus *string `json:"ucafStatus"`
}

// TransactionInstallment is the place in an instalment plan.
type TransactionInstallment struct {
	InstallmentCount *int    `json:"installmentCount"`
	InstallmentNo    *int    `json:"installmentNo"`
	InstallmentPlan  *string `json:"installmentPlan"`
}

// TransactionSlip is the digital slip.
type TransactionSlip struct {
	DigitalSlipType   *string      `json:"digitalSlipType" doc:"The cardholder's choice when the paper was left out."`
	IsPaperSuppressed *bool        `json:"isPaperSuppressed" doc:"Null for a clearing record."`
	SlipReference     *string      `json:"slipReference"`
	DigitalSlip       *slipContent `json:"digitalSlip" doc:"What stands on a slip that was left out, while it is kept."`
}

// slipContent is what a cardholder would read on paper.
type slipContent struct {
	MerchantID          *string     `json:"merchantId"`
	MerchantName        *string     `json:"merchantName"`
	MerchantCity        *string     `json:"merchantCity"`
	MerchantCountry     *string     `json:"merchantCountry"`
	TerminalID          *string     `json:"terminalId"`
	RRN                 *string     `json:"rrn"`
	AuthorizationCode   *string     `json:"authorizationCode"`
	MaskedCardNo        string      `json:"maskedCardNo"`
	TransactionAmount   api.Decimal `json:"transactionAmount"`
	TransactionCurrency string      `json:"transactionCurrency"`
	BillingAmount       api.Decimal `json:"billingAmount"`
	BillingCurrency     string      `json:"billingCurrency"`
	TransactionDate     *string     `json:"transactionDate" doc:"The card acceptor's clock, without zone."`
	PosEntryMode        *string     `json:"posEntryMode"`
	CVMMethod           *string     `json:"cvmMethod"`
	AID                 *string     `json:"aid" doc:"Hexadecimal; null when no chip told it."`
	TVR                 *string     `json:"tvr" doc:"Hexadecimal; null without a chip."`
	KeptUntil           time.Time   `json:"keptUntil"`
}

func encodeTransactionSlip(t authorization.ListedTransaction) TransactionSlip {
	if isClearingRecord(&t.Transaction) {
		return TransactionSlip{}
	}
	s, suppressed := t.Slip, t.Slip != nil
	out := TransactionSlip{IsPaperSuppressed: &suppressed}
	if !suppressed {
		return out
	}
	out.DigitalSlipType, out.SlipReference = orNil(s.Type), orNil(authorization.SlipReference(s.Transaction))
	out.DigitalSlip = &slipContent{
		MerchantID: orNil(s.MerchantID), MerchantName: orNil(s.MerchantName), MerchantCity: orNil(s.MerchantCity),
		MerchantCountry: orNil(s.MerchantCountry), TerminalID: orNil(s.TerminalID), RRN: orNil(s.RRN),
		AuthorizationCode: orNil(s.AuthorizationCode), MaskedCardNo: s.MaskedNo,
		TransactionAmount: api.DecimalOf(s.Amount), TransactionCurrency: s.Amount.Currency().Code(),
		BillingAmount: api.DecimalOf(s.Billing), BillingCurrency: s.Billing.Currency().Code(),
		TransactionDate: localDate(s.LocalTime, s.SentAt), PosEntryMode: orNil(modeOf(s.EntryMode)), CVMMethod: orNil(s.CVM),
		AID: orNil(s.AID), TVR: orNil(s.TVR), KeptUntil: s.ExpiresAt,
	}
	return out
}

type relatedTransaction struct {
	TransactionID string      `json:"transactionId"`
	FlowCode      string      `json:"flowCode"`
	Status        string      `json:"status"`
	Amount        api.Decimal `json:"amount" doc:"In the billing currency."`
	Date          time.Time   `json:"date"`
}

type messageField struct {
	Field int    `json:"field"`
	Name  string `json:"name"`
	Value string `json:"value" doc:"Masked."`
}

func encodeTransaction(t authorization.ListedTransaction, n issuing.CardName, withFields bool) cardTransaction {
	m := &t.Message
	out := cardTransaction{
		TransactionIdentity: TransactionIdentity{
			TransactionID: t.ID.UUID(), NetworkTransactionID: orNil(t.NetworkTransactionID), RRN: orNil(m.RRN), STAN: orNil(m.STAN),
			AuthorizationCode: orNil(t.AuthorizationCode), AcquirerReferenceNumber: orNil(t.ARN),
		},
		TransactionClass: TransactionClass{
			FlowCode: string(t.Flow), TransactionCode: orNil(t.Code), TransactionNetwork: orNil(t.CardNetwork), TransactionDomain: orNil(t.Domain),
			Status: string(t.Status), IsDebit: t.IsDebit, IsFinancial: t.IsFinancial(), IsAdvice: t.IsAdvice,
			IsStandIn: t.Flow == authorization.AuthorizationAdvice || t.DecidedBy == authorization.ByStandIn && t.Reason == authorization.Approved, IsForcePost: t.IsForcePost, MTI: orNil(m.MTI), ProcessingCode: orNil(m.ProcessingCode),
		},
		TransactionDecision: TransactionDecision{
			ResponseCode: orNil(t.ResponseCode), NetworkResponseCode: orNil(m.ResponseCode), DeclineReason: orNil(t.Reason), DecidedBy: string(t.DecidedBy),
			MatchedControls: append([]string{}, t.MatchedControls...),
		},
		TransactionCard: TransactionCard{
			CardToken: orNil(n.Token), MaskedCardNo: orNil(n.MaskedNo), CardSequenceNo: n.Sequence, IssuanceNo: orNil(n.IssuanceNo),
			CustomerNo: orNil(n.CustomerNo), ProductCode: orNil(n.ProductCode), AccountNo: orNil(n.AccountNo), ExternalCardID: orNil(n.ExternalCardID),
			WalletType: orNil(m.Wallet),
		},
		TransactionAmounts: encodeAmounts(t),
		TransactionDates: TransactionDates{
			TransactionDate: acceptorDate(&t.Transaction), TransmissionDate: m.TransmittedAt, SystemDate: t.CreatedAt,
			BusinessDate: t.BusinessOn.String(), SettlementDate: dayOf(m.SettlementDate, m.TransmittedAt), ClearingDate: clearingDate(t),
		},
		TransactionMerchant:    encodeMerchant(&t.Transaction),
		TransactionPOS:         encodePOS(&t.Transaction),
		TransactionSecurity:    encodeSecurity(&t.Transaction),
		TransactionInstallment: TransactionInstallment{InstallmentCount: countOrNil(m.InstalmentCount), InstallmentNo: countOrNil(m.InstalmentNo)},
		TransactionSlip:        encodeTransactionSlip(t),
		Related:                []relatedTransaction{},
	}
	if !t.Original.IsZero() {
		out.OriginalTransactionID = orNil(t.Original.UUID())
	}
	if t.Root != t.ID {
		out.ParentAuthorizationID = orNil(t.Root.UUID())
	}
	out.DeclineDetail = encodeDecline(&t.Transaction)
	if t.HasBalance {
		out.AvailableBalance, out.LedgerBalance = api.DecimalOf(t.AvailableAfter), api.DecimalOf(t.PostedAfter)
	}
	for _, r := range t.Related {
		out.Related = append(out.Related, relatedTransaction{
			TransactionID: r.ID.UUID(), FlowCode: string(r.Flow), Status: string(r.Status), Amount: api.DecimalOf(r.Billing), Date: r.CreatedAt,
		})
	}
	if withFields {
		out.MessageFieldsSummary = encodeFields(t.Fields, n)
	}
	return out
}

func encodeMerchant(t *authorization.Transaction) TransactionMerchant {
	m := &t.Message
	return TransactionMerchant{
		MerchantID: orNil(strings.TrimSpace(m.CardAcceptorID)), MerchantName: orNil(m.MerchantName), MerchantCity: orNil(m.MerchantCity),
		MerchantCountry: orNil(m.MerchantCountry), MCC: orNil(m.MCC), MCCGroup: orNil(authorization.MCCGroupOf(m.MCC)), TerminalID: orNil(strings.TrimSpace(m.TerminalID)),
		TerminalType: orNil(t.Terminal), AcquirerID: orNil(m.AcquirerID), ForwardingID: orNil(m.ForwarderID),
	}
}

// encodeFields shows a message. Its card number is the card's: it is kept
// nowhere else.
func encodeFields(fields []authorization.MessageField, n issuing.CardName) []messageField {
	all := make([]messageField, 0, len(fields)+1)
	if len(fields) > 0 && n.MaskedNo != "" {
		all = append(all, messageField{2, "pan", n.MaskedNo})
	}
	for _, f := range fields {
		all = append(all, messageField{f.Number, f.Name, f.Value})
	}
	return all
}

func encodeAmounts(t authorization.ListedTransaction) TransactionAmounts {
	m, zero := &t.Message, money.Zero(t.Billing.Currency())
	fees, taxes, total := totalsOf(&t.Transaction)
	out := TransactionAmounts{
		TransactionAmount: api.DecimalOf(t.Amount), TransactionCurrency: orNil(t.Amount.Currency().Code()),
		BillingAmount: api.DecimalOf(t.Billing), BillingCurrency: orNil(t.Billing.Currency().Code()),
		ConversionRate: rateOf(m.ConversionRate), ConversionDate: dayOf(m.ConversionDate, m.TransmittedAt),
		AdditionalAmounts: encodeAdditional(t.Additional),
		TotalFeeAmount:    api.DecimalOf(fees), TotalTaxAmount: api.DecimalOf(taxes), TotalAmount: api.DecimalOf(total),
		ClearedAmount: api.DecimalOf(t.Cleared), ReversedAmount: api.DecimalOf(t.Reversed), RefundedAmount: api.DecimalOf(t.Refunded),
		OpenHoldAmount: api.DecimalOf(zero),
	}
	if c := m.Settlement.Currency(); !c.IsZero() {
		out.SettlementAmount, out.SettlementCurrency = api.DecimalOf(m.Settlement), orNil(c.Code())
	}
	if t.HasHold && t.Root == t.ID { // an increment lives on the hold of its first
		out.OpenHoldAmount, out.HoldExpiryDate = api.DecimalOf(t.Held.Total()), timeOrNil(t.Held.ExpiresAt)
	}
	return out
}

// pinCapabilities are the third digit of field 22.
var pinCapabilities = map[string]string{"0": "Unknown", "1": "PinCapable", "2": "NotPinCapable", "3": "SoftwarePin", "8": "PinPadDown"}

func encodePOS(t *authorization.Transaction) TransactionPOS {
	m := &t.Message
	out := TransactionPOS{
		PosEntryMode: orNil(modeOf(m.EntryMode)), CardholderPresence: orNil(t.Presence), IsContactless: m.IsContactless(),
		IsMOTO: t.Terminal == authorization.MOTO, IsEcommerce: t.Terminal == authorization.VirtualPOS, CVMMethod: orNil(t.CVM),
	}
	if saysManner(t) {
		recurring, tokenised := m.IsRecurring(), m.IsTokenised
		out.IsRecurring, out.IsTokenised = &recurring, &tokenised
	}
	if len(m.EntryMode) == 3 {
		out.TerminalPINCapability = orNil(pinCapabilities[m.EntryMode[2:]])
	}
	switch present, known := m.CardPresent(); {
	case present && known:
		out.CardPresence = orNil("Present")
	case known:
		out.CardPresence = orNil("NotPresent")
	}
	return out
}

// The results in the words of the contract (§4.5). A PIN or cryptogram that
// cannot be read is a wrong one.
var (
	pinResults = map[authorization.Result]string{
		authorization.Match: "Valid", authorization.NoMatch: "Invalid", authorization.Unusable: "Invalid", authorization.Unjudged: "NotChecked",
	}
	cvcResults = map[authorization.Result]string{
		authorization.Match: "M", authorization.NoMatch: "N", authorization.Unusable: "P", authorization.Unjudged: "P",
	}
	arqcResults = map[authorization.Result]string{
		authorization.NotPresent: "NotPresent", authorization.Match: "Valid", authorization.NoMatch: "Invalid",
		authorization.Unusable: "Invalid", authorization.Unjudged: "NotChecked", authorization.Replayed: "AtcReplay",
	}
)

func encodeSecurity(t *authorization.Transaction) TransactionSecurity {
	out := TransactionSecurity{
		PINResult: orNil(pinResults[t.PIN]), CVCResult: orNil(cvcResults[t.CVV]), CVV2Result: orNil(cvcResults[t.CVV2]),
	}
	if !isClearingRecord(t) {
		out.ARQCResult = orNil(arqcResults[t.ARQC])
	}
	m := &t.Message
	if saysManner(t) {
		authenticated := m.Is3DSAuthenticated()
		out.Is3DSAuthenticated = &authenticated
	}
	switch len(m.ECI) {
	case 2:
		out.ECI = &m.ECI
	case 3:
		out.SLI = &securityLevel{Channel: orNil(m.ECI[:2]), UCAFStatus: orNil(m.ECI[2:])}
	}
	out.CAVVResult = orNil(m.CAVVResult())
	return out
}

// saysManner reports whether it is known how the payment was made: from the
// message, or from that of the authorization that a clearing record is for.
func saysManner(t *authorization.Transaction) bool {
	return !isClearingRecord(t) || !t.Original.IsZero()
}

// countOrNil shows zero as null.
func countOrNil(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// isClearingRecord reports whether a transaction came in a clearing file and not
// as a message.
func isClearingRecord(t *authorization.Transaction) bool { return t.Message.MTI == "" }

// clearingDate is the business date of a clearing record, or of the last one
// that refers to the transaction.
func clearingDate(t authorization.ListedTransaction) *string {
	if isClearingRecord(&t.Transaction) {
		return orNil(t.BusinessOn.String())
	}
	var last *string
	for i := range t.Related {
		if r := &t.Related[i]; isClearingRecord(r) && r.Original == t.ID {
			last = orNil(r.BusinessOn.String())
		}
	}
	return last
}

// rateOf reads DE10: its first digit says how many of the other seven are
// decimals.
func rateOf(field10 string) api.Decimal {
	if len(field10) != 8 || strings.Trim(field10, "0123456789") != "" {
		return ""
	}
	rate, ok := new(big.Rat).SetString(field10[1:] + "e-" + field10[:1])
	if !ok || rate.Sign() == 0 {
		return ""
	}
	text := rate.FloatString(9)
	return api.Decimal(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}

// dayOf gives MMDD, which has no year, the one that brings it nearest to when
// the message was sent.
func dayOf(text string, sent time.Time) *string {
	whole := localDate(text+"120000", sent)
	if len(text) != 4 || whole == nil {
		return nil
	}
	day, _, _ := strings.Cut(*whole, "T")
	return orNil(day)
}

func modeOf(field22 string) string {
	for _, m := range entryModes {
		if strings.HasPrefix(field22, m.digits) {
			return m.name
		}
	}
	return ""
}

// acceptorDate is what the card acceptor's clock showed. Its year is the one that
// the tenant had: a message of a sandbox whose time was moved is sent today, but
// from a terminal that has the sandbox's date.
func acceptorDate(t *authorization.Transaction) *string {
	near := t.CreatedAt
	if isClearingRecord(t) {
		near = t.Message.TransmittedAt // the same clock, with its year
	}
	return localDate(t.Message.LocalTime, near)
}

// localDate gives MMDDhhmmss, which has no year, the one that brings it nearest
// to a moment that is not far from it.
func localDate(text string, near time.Time) *string {
	var best time.Time
	for year := near.Year() - 1; year <= near.Year()+1; year++ {
		t, err := time.Parse("20060102150405", time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006")+text)
		if err == nil && (best.IsZero() || t.Sub(near).Abs() < best.Sub(near).Abs()) {
			best = t
		}
	}
	if best.IsZero() {
		return nil
	}
	return orNil(best.Format("2006-01-02T15:04:05"))
}
