package platform

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// transactionEvent is the data of events about transactions: what
// CardTransactionResponseDto (§9.1) shows of one, as it is after the event,
// without the rest of its life cycle and the message.
type transactionEvent struct {
	TransactionIdentity
	TransactionClass
	TransactionDecision
	TransactionCard
	TransactionAmounts
	TransactionDates
	TransactionMerchant
	TransactionPOS
	TransactionSecurity
	AvailableBalance api.Decimal          `json:"availableBalance" doc:"After the transaction."`
	LedgerBalance    api.Decimal          `json:"ledgerBalance" doc:"After the transaction."`
	Original         *affectedTransaction `json:"original" doc:"What it reverses, clears or refunds, as it is after that."`
	Clearing         *clearedRecord       `json:"clearing" doc:"The clearing record, of events that come of one."`
}

type affectedTransaction struct {
	TransactionID  string      `json:"transactionId"`
	FlowCode       string      `json:"flowCode"`
	Status         string      `json:"status"`
	BillingAmount  api.Decimal `json:"billingAmount"`
	ClearedAmount  api.Decimal `json:"clearedAmount"`
	ReversedAmount api.Decimal `json:"reversedAmount"`
	RefundedAmount api.Decimal `json:"refundedAmount"`
}

type clearedRecord struct {
	MatchResult             string      `json:"matchResult"`
	MatchRule               *string     `json:"matchRule" doc:"By which the authorization was found."`
	Causes                  []string    `json:"causes" doc:"Why a person must look at it."`
	AcquirerReferenceNumber *string     `json:"acquirerReferenceNumber"`
	Amount                  api.Decimal `json:"amount" doc:"As it was presented."`
	CurrencyCode            string      `json:"currencyCode"`
	BusinessDate            string      `json:"businessDate" format:"date"`
}

// clearingExceptionEvent is the data of a clearing record that a person must
// look at.
type clearingExceptionEvent struct {
	TransactionCard
	TransactionID         *string       `json:"transactionId" doc:"What the record became, or confirmed; null when it is on no account."`
	OriginalTransactionID *string       `json:"originalTransactionId"`
	Clearing              clearedRecord `json:"clearing"`
}

// controlAlertEvent is the data of an authorization control that alerts: the
// transaction that it was asked about, and the control.
type controlAlertEvent struct {
	transactionEvent
	Control alertingControl `json:"control"`
}

type alertingControl struct {
	Code       string  `json:"code"`
	Name       string  `json:"name"`
	Version    int     `json:"version"`
	Action     string  `json:"action"`
	LinkType   string  `json:"linkType"`
	LinkCode   *string `json:"linkCode"`
	ReasonText *string `json:"reasonText"`
}

// digitalSlipEvent is the data of a slip that was left out.
type digitalSlipEvent struct {
	TransactionID string `json:"transactionId"`
	TransactionSlip
}

func encodeDigitalSlip(e authorization.TransactionEvent) digitalSlipEvent {
	return digitalSlipEvent{TransactionID: e.Transaction.ID.UUID(), TransactionSlip: encodeTransactionSlip(e.Listed())}
}

// transactionEncoder encodes an event about a transaction.
func transactionEncoder[D any](data func(authorization.TransactionEvent) D) encoder {
	return encoder{data: reflect.TypeFor[D](), encode: func(payload []byte) (webhook.Content, error) {
		e, err := authorization.ParseTransactionEvent(payload)
		if err != nil {
			return webhook.Content{}, err
		}
		text, err := json.Marshal(data(e))
		if err != nil {
			return webhook.Content{}, fmt.Errorf("encode event: %w", err)
		}
		return webhook.Content{
			CustomerNo: e.Card.CustomerNo, IssuanceNo: e.Card.IssuanceNo, CardToken: e.Card.Token, ProductCode: e.Card.ProductCode,
			Network: e.Transaction.CardNetwork, TransactionCode: string(e.Transaction.Code), Data: text,
		}, nil
	}}
}

func encodeTransactionEvent(e authorization.TransactionEvent) transactionEvent {
	t := encodeTransaction(e.Listed(), e.Card, false)
	out := transactionEvent{
		TransactionIdentity: t.TransactionIdentity, TransactionClass: t.TransactionClass, TransactionDecision: t.TransactionDecision,
		TransactionCard: t.TransactionCard, TransactionAmounts: t.TransactionAmounts, TransactionDates: t.TransactionDates,
		TransactionMerchant: t.TransactionMerchant, TransactionPOS: t.TransactionPOS, TransactionSecurity: t.TransactionSecurity,
		AvailableBalance: t.AvailableBalance, LedgerBalance: t.LedgerBalance,
	}
	if out.DeclineDetail != nil && e.Decline != nil {
		out.DeclineDetail.detail(&e.Decline.On, e.Decline.Counterfactual)
	}
	if o := e.Original; o != nil {
		out.Original = &affectedTransaction{
			TransactionID: o.ID.UUID(), FlowCode: string(o.Flow), Status: string(o.Status), BillingAmount: api.DecimalOf(o.Billing),
			ClearedAmount: api.DecimalOf(o.Cleared), ReversedAmount: api.DecimalOf(o.Reversed), RefundedAmount: api.DecimalOf(o.Refunded),
		}
	}
	if e.Record != nil {
		record := encodeClearedRecord(e.Record)
		out.Clearing = &record
	}
	return out
}

func encodeControlAlert(e authorization.TransactionEvent) controlAlertEvent {
	out := controlAlertEvent{transactionEvent: encodeTransactionEvent(e)}
	if c := e.Alert; c != nil {
		linkType, linkCode, _ := strings.Cut(c.Link, "/")
		out.Control = alertingControl{
			Code: c.Code, Name: c.Name, Version: c.Version, Action: string(c.Action), LinkType: linkType, LinkCode: orNil(linkCode),
			ReasonText: orNil(c.ReasonText),
		}
	}
	return out
}

func encodeClearedRecord(r *authorization.ClearedRecord) clearedRecord {
	out := clearedRecord{
		MatchResult: r.MatchStatus, MatchRule: orNil(r.Rule), Causes: []string{}, AcquirerReferenceNumber: orNil(r.ARN),
		Amount: api.DecimalOf(r.Amount), CurrencyCode: r.Amount.Currency().Code(), BusinessDate: r.BusinessOn,
	}
	out.Causes = append(out.Causes, r.Causes...)
	return out
}

func encodeClearingException(e authorization.TransactionEvent) clearingExceptionEvent {
	out := clearingExceptionEvent{TransactionCard: encodeTransaction(e.Listed(), e.Card, false).TransactionCard}
	if e.Record != nil {
		out.Clearing = encodeClearedRecord(e.Record)
	}
	if !e.Transaction.ID.IsZero() {
		out.TransactionID = orNil(e.Transaction.ID.UUID())
	}
	if !e.Transaction.Original.IsZero() {
		out.OriginalTransactionID = orNil(e.Transaction.Original.UUID())
	}
	return out
}
