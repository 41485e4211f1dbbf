package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// Dialogue is how clients that own their balances are asked, and answer (§14.6).
type Dialogue struct{}

var _ webhook.Dialogue = Dialogue{}

// clientMessage is the data of a question or a fact. What is not known is null.
type clientMessage struct {
	MessageID             string  `json:"messageId"`
	MessageType           string  `json:"messageType"`
	TransactionID         string  `json:"transactionId"`
	OriginalTransactionID *string `json:"originalTransactionId"`
	FlowCode              string  `json:"flowCode"`
	TransactionCode       *string `json:"transactionCode"`
	IsDebit               bool    `json:"isDebit"`
	Network               *string `json:"network"`
	Domain                *string `json:"domain"`
	RRN                   *string `json:"rrn"`
	STAN                  *string `json:"stan"`
	AuthorizationCode     *string `json:"authorizationCode"`
	ARN                   *string `json:"acquirerReferenceNumber"`

	Amounts           clientAmounts      `json:"amounts"`
	AdditionalAmounts []additionalAmount `json:"additionalAmounts"`
	TotalAmount       api.Decimal        `json:"totalAmount"`
	ConversionRate    api.Decimal        `json:"conversionRate"`

	Merchant                 TransactionMerchant `json:"merchant"`
	POS                      TransactionPOS      `json:"pos"`
	Security                 TransactionSecurity `json:"security"`
	InstallmentCount         *int                `json:"installmentCount"`
	IsPartialApprovalAllowed bool                `json:"isPartialApprovalAllowed"`
	AccountNo                string              `json:"accountNo"`
	ExternalCardID           *string             `json:"externalCardId"`
	MaskedCardNo             string              `json:"maskedCardNo"`
	CardSequenceNo           int                 `json:"cardSequenceNo"`
	ProductCode              string              `json:"productCode"`
	LocalTransactionDate     *string             `json:"localTransactionDate"`
	PlatformDecision         *platformDecision   `json:"platformDecision"`
}

// clientAmounts has null for what the message did not bring.
type clientAmounts struct {
	Transaction clientAmount  `json:"transaction"`
	Billing     clientAmount  `json:"billing"`
	Settlement  *clientAmount `json:"settlement"`
	Cashback    *clientAmount `json:"cashback"`
}

type clientAmount struct {
	Amount       api.Decimal `json:"amount"`
	CurrencyCode string      `json:"currencyCode"`
}

// platformDecision is what has been decided; null in a question.
type platformDecision struct {
	Approved      bool    `json:"approved"`
	DeclineReason *string `json:"declineReason"`
	ResponseCode  *string `json:"responseCode"`
	DecidedBy     string  `json:"decidedBy"`
}

func clientAmountOf(a money.Amount) clientAmount {
	return clientAmount{api.DecimalOf(a), a.Currency().Code()}
}

// EncodeQuestion implements [webhook.Dialogue].
func (Dialogue) EncodeQuestion(id string, m *authorization.ClientMessage) (webhook.Content, error) {
	t, n := &m.Transaction, m.Names
	_, _, total := totalsOf(t)
	out := clientMessage{
		MessageID: id, MessageType: string(m.Type), TransactionID: t.ID.UUID(), FlowCode: string(t.Flow), TransactionCode: orNil(t.Code),
		IsDebit: t.IsDebit, Network: orNil(t.CardNetwork), Domain: orNil(t.Domain), RRN: orNil(t.Message.RRN), STAN: orNil(t.Message.STAN),
		AuthorizationCode: orNil(t.AuthorizationCode), ARN: orNil(t.ARN),
		Amounts:           clientAmounts{Transaction: clientAmountOf(t.Amount), Billing: clientAmountOf(t.Billing)},
		AdditionalAmounts: encodeAdditional(t.Additional), TotalAmount: api.DecimalOf(total), ConversionRate: rateOf(t.Message.ConversionRate),
		Merchant: encodeMerchant(t), POS: encodePOS(t), Security: encodeSecurity(t), IsPartialApprovalAllowed: m.MayApprovePartially,
		AccountNo: n.AccountNo, ExternalCardID: orNil(n.ExternalCardID), MaskedCardNo: n.MaskedNo, CardSequenceNo: n.Sequence,
		ProductCode: n.ProductCode, InstallmentCount: countOrNil(t.Message.InstalmentCount), LocalTransactionDate: acceptorDate(t),
	}
	if !t.Original.IsZero() {
		out.OriginalTransactionID = orNil(t.Original.UUID())
	}
	if s := t.Message.Settlement; !s.Currency().IsZero() {
		amount := clientAmountOf(s)
		out.Amounts.Settlement = &amount
	}
	if t.Status != authorization.StatusPending {
		out.PlatformDecision = &platformDecision{
			Approved: t.Reason == authorization.Approved, DeclineReason: orNil(t.Reason), ResponseCode: orNil(t.ResponseCode), DecidedBy: string(t.DecidedBy),
		}
	}
	content := webhook.Content{
		CustomerNo: n.CustomerNo, IssuanceNo: n.IssuanceNo, CardToken: n.Token,
		ProductCode: n.ProductCode, Network: t.CardNetwork, TransactionCode: string(t.Code),
	}
	var err error
	content.Data, err = json.Marshal(out)
	return content, err
}

// clientAnswer is what a client answers.
type clientAnswer struct {
	Approved         *bool       `json:"approved"`
	ResponseCode     string      `json:"responseCode"`
	ApprovedAmount   api.Decimal `json:"approvedAmount"`
	ClientReference  string      `json:"clientReference"`
	AvailableBalance api.Decimal `json:"availableBalance"`
	LedgerBalance    api.Decimal `json:"ledgerBalance"`
	CurrencyCode     string      `json:"currencyCode"`
	Message          string      `json:"message"`
}

var (
	errAnswerForm  = errors.New("it is no JSON object of the form agreed")
	responseSyntax = regexp.MustCompile(`^[0-9A-Z]{2}$`)
)

// referenceMax is how long a client's own name of a transaction may be.
const referenceMax = 64

// DecodeVerdict implements [webhook.Dialogue]. Members that it does not
// know are ignored; balances in another currency than the account's are left out.
func (Dialogue) DecodeVerdict(body []byte, c money.Currency) (authorization.Verdict, error) {
	none := authorization.Verdict{}
	document, err := api.Parse(body)
	object, isObject := document.(api.Object)
	if err != nil || !isObject {
		return none, errAnswerForm
	}
	seen := map[string]bool{}
	for name := range object { // encoding/json takes names without regard to case
		if name = strings.ToLower(name); seen[name] {
			return none, errAnswerForm
		}
		seen[name] = true
	}
	var in clientAnswer
	if json.Unmarshal(body, &in) != nil {
		return none, errAnswerForm
	}
	switch {
	case in.Approved == nil:
		return none, errors.New("approved is missing")
	case in.ResponseCode != "" && !responseSyntax.MatchString(in.ResponseCode):
		return none, errors.New("responseCode is no response code")
	case utf8.RuneCountInString(in.ClientReference) > referenceMax:
		return none, errors.New("clientReference is longer than 64 characters")
	case pan.ContainsPAN(in.ClientReference):
		return none, errors.New("clientReference could be a card number")
	}
	v := authorization.Verdict{
		Hearing: authorization.Answered, Approved: *in.Approved, ResponseCode: in.ResponseCode, Reference: in.ClientReference, Message: in.Message,
	}
	if c.IsZero() {
		return v, nil
	}
	if v.ApprovedAmount, err = answeredAmount("approvedAmount", in.ApprovedAmount, c); err != nil {
		return none, err
	}
	if in.CurrencyCode != "" && in.CurrencyCode != c.Code() {
		return v, nil
	}
	if v.Available, err = answeredAmount("availableBalance", in.AvailableBalance, c); err != nil {
		return none, err
	}
	v.Ledger, err = answeredAmount("ledgerBalance", in.LedgerBalance, c)
	return v, err
}

// answeredAmount reads an optional amount.
func answeredAmount(field string, d api.Decimal, c money.Currency) (*money.Amount, error) {
	if d == "" {
		return nil, nil
	}
	a, err := d.Amount(field, c)
	if err != nil {
		return nil, fmt.Errorf("%s is no amount in the currency of the account", field)
	}
	return &a, nil
}
