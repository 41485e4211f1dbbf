package platform

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

type reversalReasons struct{}

func (reversalReasons) Members() []api.Member {
	return api.Numbered(1, "CustomerCancel", "Timeout", "Malfunction", "SuspectedFraud")
}

// voidRequest is DetailedSimulationReversalRequestDto (§15).
type voidRequest struct {
	OriginalID        string                    `json:"originalTransactionId,omitempty" maxLength:"36" doc:"Or rrn, authorizationCode and cardToken."`
	RRN               string                    `json:"rrn,omitempty" maxLength:"12"`
	AuthorizationCode string                    `json:"authorizationCode,omitempty" maxLength:"6"`
	CardToken         string                    `json:"cardToken,omitempty" maxLength:"32"`
	Amount            api.Decimal               `json:"amount,omitempty" doc:"What is taken back, in the original's currency; default: all of it."`
	Reason            api.Enum[reversalReasons] `json:"reversalReason,omitempty" doc:"Default CustomerCancel."`
	FlowCode          api.Enum[flowCodes]       `json:"flowCode,omitempty" doc:"ReversalRequest (default) or ReversalAdvice."`
}

// refundRequest is DetailedSimulationRefundRequestDto.
type refundRequest struct {
	OriginalID string `json:"originalTransactionId,omitempty" maxLength:"36" doc:"Default: a refund of nothing that is known, on cardToken."`
	TestCard
	Amount       api.Decimal `json:"amount" required:"true"`
	CurrencyCode string      `json:"currencyCode" required:"true"`
	SimulatedMerchant
	IsOnline bool                `json:"isOnlineRefund,omitempty" doc:"By a message (0100, DE3 20), which is only recorded until it is presented; else by a clearing record."`
	FlowCode api.Enum[flowCodes] `json:"transactionFlowCode,omitempty" doc:"Of an online refund: AuthorizationRequest (default), or FinancialRequest (0200), which credits at once."`
}

// clearRequest asks for a presentment.
type clearRequest struct {
	TransactionID string `json:"transactionId,omitempty" maxLength:"36" doc:"Or forced, on cardToken."`
	IsForced      bool   `json:"forced,omitempty" doc:"A record of something that nobody was asked for."`
	TestCard
	Amount       api.Decimal `json:"amount,omitempty" doc:"Default: what is left of the transaction."`
	CurrencyCode string      `json:"currencyCode,omitempty" doc:"Required with amount."`
	SimulatedMerchant
	IsFinal *bool `json:"isFinal,omitempty" doc:"Default true: no more will come."`
}

func (a *API) voidTransaction(ctx context.Context, c access.Caller, in *struct{ Body voidRequest }) (simulationResponse, error) {
	var d decoding
	b := in.Body
	s := SimulatedVoid{
		Transaction: d.transactionID("originalTransactionId", b.OriginalID), RRN: b.RRN, AuthorizationCode: b.AuthorizationCode,
		CardToken: b.CardToken, Amount: b.Amount, Reason: given(b.Reason, "CustomerCancel"),
	}
	switch byReference := b.RRN != "" && b.AuthorizationCode != "" && b.CardToken != ""; {
	case b.OriginalID == "" && !byReference:
		d.fail("originalTransactionId", "required", "is required, or rrn, authorizationCode and cardToken in its place")
	case b.OriginalID != "" && (b.RRN != "" || b.AuthorizationCode != "" || b.CardToken != ""):
		d.fail("originalTransactionId", "both", "must not stand with rrn, authorizationCode or cardToken")
	}
	switch flow := given(b.FlowCode, authorization.ReversalRequest); flow {
	case authorization.ReversalRequest, authorization.ReversalAdvice:
		s.IsAdvice = flow == authorization.ReversalAdvice
	default:
		d.fail("flowCode", "unsupported", "must be ReversalRequest or ReversalAdvice")
	}
	if err := d.err(); err != nil {
		return simulationResponse{}, err
	}
	done, err := a.Tester.Void(ctx, c, s)
	if err != nil {
		return simulationResponse{}, err
	}
	return a.encodeSimulated(ctx, c, done)
}

func (a *API) refundTransaction(ctx context.Context, c access.Caller, in *struct{ Body refundRequest }) (simulationResponse, error) {
	var d decoding
	b := in.Body
	s := SimulatedRefund{
		Transaction: d.transactionID("originalTransactionId", b.OriginalID), Card: d.subject(b.OriginalID, "originalTransactionId", b.TestCard),
		Merchant: d.named(b.SimulatedMerchant), IsOnline: b.IsOnline, Flow: given(b.FlowCode, authorization.AuthorizationRequest),
	}
	if amount := d.positive("amount", b.Amount, d.currency("currencyCode", b.CurrencyCode)); amount != nil {
		s.Amount = *amount
		if amount.IsZero() {
			d.fail("amount", "range", "must be above zero")
		}
	}
	switch {
	case b.FlowCode != "" && !b.IsOnline:
		d.fail("transactionFlowCode", "alone", "is of an online refund")
	case s.Flow != authorization.AuthorizationRequest && s.Flow != authorization.FinancialRequest:
		d.fail("transactionFlowCode", "unsupported", "must be AuthorizationRequest or FinancialRequest")
	}
	if err := d.err(); err != nil {
		return simulationResponse{}, err
	}
	done, err := a.Tester.Refund(ctx, c, s)
	if err != nil {
		return simulationResponse{}, err
	}
	return a.encodeSimulated(ctx, c, done)
}

func (a *API) clearTransaction(ctx context.Context, c access.Caller, in *struct{ Body clearRequest }) (simulationResponse, error) {
	var d decoding
	b := in.Body
	s := SimulatedPresentment{
		Transaction: d.transactionID("transactionId", b.TransactionID), Card: d.subject(b.TransactionID, "transactionId", b.TestCard),
		Merchant: d.named(b.SimulatedMerchant), Amount: d.inCurrency("amount", b.Amount, "currencyCode", b.CurrencyCode),
		IsPartial: b.IsFinal != nil && !*b.IsFinal,
	}
	if b.IsForced != (b.TransactionID == "") {
		d.fail("forced", "contradiction", "must be true without transactionId, and only then")
	}
	switch {
	case s.Amount == nil && b.IsForced:
		d.fail("amount", "required", "is required: nothing says it")
	case s.Amount != nil && s.Amount.IsZero():
		d.fail("amount", "range", "must be above zero")
	}
	if err := d.err(); err != nil {
		return simulationResponse{}, err
	}
	done, err := a.Tester.Clear(ctx, c, s)
	if err != nil {
		return simulationResponse{}, err
	}
	return a.encodeSimulated(ctx, c, done)
}

// transactionID reads an optional identifier.
func (d *decoding) transactionID(member, text string) authorization.TransactionID {
	if text == "" {
		return authorization.TransactionID{}
	}
	t, err := id.ParseUUID[authorization.Transaction](text)
	if err != nil {
		d.fail(member, "malformed", "must be a UUID")
	}
	return t
}

// subject reads the card of what names no transaction, which has one.
func (d *decoding) subject(transaction, member string, card TestCard) issuing.NamedCard {
	if transaction == "" {
		return d.testCard(card)
	}
	if card.CardToken != "" || card.CardNo != "" {
		d.fail("cardToken", "both", "must not stand with "+member)
	}
	return issuing.NamedCard{Token: card.CardToken, Number: issuing.Sensitive{Member: "cardNo", Clear: secret.FromString(card.CardNo)}}
}

// named reads where something happens, as far as it is said.
func (d *decoding) named(in SimulatedMerchant) SimulatedPlace {
	p := SimulatedPlace{
		MCC: in.MCC, ID: string(in.MerchantID), Name: string(in.MerchantName), City: string(in.MerchantCity), TerminalID: in.TerminalID,
		AcquirerID: in.AcquirerID, Forwarding: in.ForwardingID,
	}
	p.Country = d.country("merchantCountry", in.MerchantCountry)
	d.printable("merchantId", p.ID)
	d.printable("merchantName", p.Name)
	d.printable("merchantCity", p.City)
	return p
}
