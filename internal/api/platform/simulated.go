package platform

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
)

// simulationResponse is DetailedSimulationResponseDto (§15).
type simulationResponse struct {
	SimulationOutcome
	SimulationMoney
	SimulationResults
	Trace           []simulationStep   `json:"trace" doc:"The way over the wire, each check in its order, and what the card made of the answer."`
	MatchedControls []string           `json:"matchedControls" doc:"Codes of the authorization controls that matched."`
	Velocity        []simulationLimit  `json:"velocity" doc:"The velocity controls that count the transaction."`
	RequestMessage  *simulationMessage `json:"requestMessage"`
	ResponseMessage *simulationMessage `json:"responseMessage" doc:"Null when it got lost."`
	Repeat          *simulationFollow  `json:"repeat" doc:"Of simulateDuplicate."`
	Reversal        *simulationFollow  `json:"reversal" doc:"Of simulateTimeout."`
	Clearing        *simulationRecord  `json:"clearing" doc:"Of a clearing record."`
}

// SimulationOutcome is BaseSimulationResponseDto.
type SimulationOutcome struct {
	TransactionID        *string        `json:"transactionId" doc:"Null for a message that was refused before anything was decided, such as a format error."`
	ResponseCode         *string        `json:"responseCode" doc:"Null for a clearing record."`
	ResponseDescription  *string        `json:"responseDescription"`
	IsApproved           bool           `json:"isApproved"`
	AuthorizationCode    *string        `json:"authorizationCode"`
	RRN                  *string        `json:"rrn"`
	STAN                 *string        `json:"stan"`
	NetworkTransactionID *string        `json:"networkTransactionId"`
	TransactionDate      *string        `json:"transactionDate" doc:"The terminal's clock, without zone."`
	DeclineReason        *string        `json:"declineReason"`
	DeclineDetail        *declineDetail `json:"declineDetail"`
	Status               *string        `json:"status" doc:"Of the transaction, now."`
	OriginalID           *string        `json:"originalTransactionId" doc:"What it reverses, completes, clears or refunds."`
	OriginalStatus       *string        `json:"originalStatus" doc:"Of that, now."`
}

// SimulationMoney is what SimulationResponseDto adds.
type SimulationMoney struct {
	BillingAmount     api.Decimal        `json:"billingAmount" nullable:"true"`
	BillingCurrency   *string            `json:"billingCurrency"`
	TotalAmount       api.Decimal        `json:"totalAmount" nullable:"true" doc:"Billing, fees and taxes."`
	AvailableBalance  api.Decimal        `json:"availableBalance" nullable:"true" doc:"After the transaction."`
	AdditionalAmounts []additionalAmount `json:"additionalAmounts"`
}

// SimulationResults are what came of the secrets in the message.
type SimulationResults struct {
	ARQCResult *string `json:"arqcResult"`
	ARPC       *string `json:"arpc" doc:"Tag 91 of the answer, hexadecimal."`
	CVCResult  *string `json:"cvcResult"`
	CVV2Result *string `json:"cvv2Result"`
	CAVVResult *string `json:"cavvResult"`
	PINResult  *string `json:"pinResult"`
}

// simulationStep is a step on the way of a simulated message: a check is told as
// the trace of its transaction tells it.
type simulationStep struct {
	Step string `json:"step"`
	TraceFinding
	Parts      []TraceFinding `json:"parts" doc:"Of a check that stands for several controls: one for each, in the order in which they were looked at."`
	DurationMS *int64         `json:"durationMs" doc:"Where it is known."`
}

// newStep is a step that is no check.
func newStep(name, outcome, detail string) simulationStep {
	return simulationStep{Step: name, TraceFinding: TraceFinding{Outcome: outcome, Detail: orNil(detail), Inputs: []traceInput{}}, Parts: []TraceFinding{}}
}

type simulationRecord struct {
	ARN         string   `json:"acquirerReferenceNumber"`
	MatchStatus string   `json:"matchStatus"`
	Exceptions  []string `json:"exceptions"`
}

type simulationMessage struct {
	MTI    string         `json:"mti"`
	Fields []messageField `json:"fields" doc:"Masked."`
}

// simulationFollow is a message that followed another.
type simulationFollow struct {
	TransactionID   *string           `json:"transactionId"`
	ResponseCode    string            `json:"responseCode"`
	RequestMessage  simulationMessage `json:"requestMessage"`
	ResponseMessage simulationMessage `json:"responseMessage"`
}

// encodeSimulated tells what became of a message, as it is recorded now.
func (a *API) encodeSimulated(ctx context.Context, c access.Caller, s Simulated) (simulationResponse, error) {
	out := encodeExchangeOf(s)
	original := s.Original
	if t, found, err := a.simulatedTransaction(ctx, c, s.Transaction); err != nil {
		return out, err
	} else if found {
		if err := a.addDecision(ctx, c, s, t, &out); err != nil {
			return out, err
		}
		if !t.Original.IsZero() {
			original = t.Original
		}
	}
	if t, found, err := a.simulatedTransaction(ctx, c, original); err != nil || !found {
		return out, err
	} else {
		out.OriginalID, out.OriginalStatus = orNil(t.ID.UUID()), orNil(t.Status)
	}
	return out, nil
}

// encodeExchangeOf tells what went over the wire, or stood in the clearing file.
func encodeExchangeOf(s Simulated) simulationResponse {
	out := simulationResponse{
		SimulationOutcome: SimulationOutcome{
			ResponseCode: orNil(s.ResponseCode), ResponseDescription: orNil(responseTexts[s.ResponseCode]),
			RRN: orNil(s.Sent.field(37)), STAN: orNil(s.Sent.field(11)),
		},
		SimulationMoney: SimulationMoney{AdditionalAmounts: []additionalAmount{}},
		Trace:           []simulationStep{}, MatchedControls: []string{}, Velocity: []simulationLimit{},
		Repeat: encodeFollow(s.Again), Reversal: encodeFollow(s.Reversed),
	}
	if r := s.Clearing; r != nil {
		out.Clearing = &simulationRecord{ARN: r.ARN, MatchStatus: r.MatchStatus, Exceptions: append([]string{}, r.Exceptions...)}
		return out
	}
	out.Trace = append(out.Trace, wireStep(s))
	sent, answered := encodeMessage(s.Sent), encodeMessage(s.Answered)
	out.RequestMessage, out.ResponseMessage = &sent, &answered
	if s.Reversed != nil {
		out.ResponseMessage = nil
	}
	return out
}

// simulatedTransaction reads a transaction as it is now; a zero one is not found.
func (a *API) simulatedTransaction(ctx context.Context, c access.Caller, t authorization.TransactionID) (authorization.ListedTransaction, bool, error) {
	if t.IsZero() {
		return authorization.ListedTransaction{}, false, nil
	}
	page, _, err := a.Transactions.Transactions(ctx, c, authorization.TransactionFilter{ID: t, Take: 1})
	if err != nil || len(page) == 0 {
		return authorization.ListedTransaction{}, false, err
	}
	return page[0], true, nil
}

// addDecision tells how the platform decided.
func (a *API) addDecision(ctx context.Context, c access.Caller, s Simulated, t authorization.ListedTransaction, out *simulationResponse) error {
	out.SimulationOutcome = SimulationOutcome{
		TransactionID: orNil(t.ID.UUID()), ResponseCode: orNil(s.ResponseCode), ResponseDescription: orNil(responseTexts[s.ResponseCode]),
		IsApproved: t.Reason == authorization.Approved, AuthorizationCode: orNil(t.AuthorizationCode), RRN: orNil(t.Message.RRN),
		STAN: orNil(t.Message.STAN), NetworkTransactionID: orNil(t.NetworkTransactionID),
		TransactionDate: acceptorDate(&t.Transaction), DeclineReason: orNil(t.Reason),
		DeclineDetail: encodeDecline(&t.Transaction), Status: orNil(t.Status),
	}
	amounts := encodeAmounts(t)
	out.SimulationMoney = SimulationMoney{
		BillingAmount: amounts.BillingAmount, BillingCurrency: amounts.BillingCurrency, TotalAmount: amounts.TotalAmount,
		AdditionalAmounts: amounts.AdditionalAmounts,
	}
	if t.HasBalance {
		out.AvailableBalance = api.DecimalOf(t.AvailableAfter)
	}
	out.MatchedControls = append([]string{}, t.MatchedControls...)
	results := encodeSecurity(&t.Transaction)
	out.SimulationResults = SimulationResults{
		ARQCResult: results.ARQCResult, CVCResult: results.CVCResult, CVV2Result: results.CVV2Result, CAVVResult: results.CAVVResult,
		PINResult: results.PINResult,
	}
	x, err := a.Transactions.Explain(ctx, c, t.ID)
	if err != nil {
		return err
	}
	if on := x.Refusal(); on != nil && out.DeclineDetail != nil {
		out.DeclineDetail.detail(on, x.Counterfactual)
	}
	for _, k := range x.Trace {
		check := encodeCheck(k)
		out.Trace = append(out.Trace, simulationStep{Step: check.Name, TraceFinding: check.TraceFinding, Parts: check.Parts})
	}
	out.Velocity = encodeLimits(x)
	if len(s.ARPC) > 0 {
		out.ARPC = orNil(strings.ToUpper(hex.EncodeToString(s.ARPC)))
		out.Trace = append(out.Trace, issuerStep(s.IsIssuer))
	}
	return nil
}

// wireStep is the way of a message to the platform and of its answer back.
func wireStep(s Simulated) simulationStep {
	took := s.Took.Round(time.Millisecond).Milliseconds()
	step := newStep("Wire", "Pass", s.Sent.MTI+" answered by "+s.Answered.MTI)
	step.DurationMS = &took
	return step
}

// issuerStep is what the card makes of the response cryptogram.
func issuerStep(isIssuer *bool) simulationStep {
	switch {
	case isIssuer == nil:
		return newStep("Arpc", "Skip", "the request's cryptogram is not of a card of ours")
	case *isIssuer:
		return newStep("Arpc", "Pass", "the card believes that the answer is its issuer's")
	}
	return newStep("Arpc", "Fail", "the card does not believe that the answer is its issuer's")
}

// field is the content of a field; empty where there is none.
func (m *SimulatedMessage) field(number int) string {
	for _, f := range m.Fields {
		if f.Number == number {
			return strings.TrimSpace(f.Value)
		}
	}
	return ""
}

func encodeMessage(m SimulatedMessage) simulationMessage {
	return simulationMessage{MTI: m.MTI, Fields: encodeAll(m.Fields, func(f SimulatedField) messageField {
		return messageField{f.Number, f.Name, f.Value}
	})}
}

func encodeFollow(s *Simulated) *simulationFollow {
	if s == nil {
		return nil
	}
	out := &simulationFollow{ResponseCode: s.ResponseCode, RequestMessage: encodeMessage(s.Sent), ResponseMessage: encodeMessage(s.Answered)}
	if !s.Transaction.IsZero() {
		out.TransactionID = orNil(s.Transaction.UUID())
	}
	return out
}

// responseTexts says what the response codes of the contract mean (§4.5).
var responseTexts = map[string]string{
	"00": "approved", "01": "refer to the issuer", "03": "invalid merchant", "04": "pick up", "05": "do not honour", "06": "error",
	"08": "honour with identification", "10": "approved in part", "12": "invalid transaction", "13": "invalid amount",
	"14": "invalid card", "15": "no such issuer", "1A": "additional authentication required", "25": "record not found",
	"30": "format error", "40": "function not supported", "41": "lost card", "43": "stolen card", "46": "closed account",
	"51": "insufficient funds", "54": "expired card", "55": "wrong PIN", "57": "not permitted to the cardholder",
	"58": "not permitted to the terminal", "59": "suspected fraud", "61": "exceeds the amount limit", "62": "restricted card",
	"63": "security violation", "65": "exceeds the count limit, or authentication required", "70": "PIN required",
	"75": "PIN tries exceeded", "76": "original not found", "78": "blocked, or first use", "82": "card value or cryptogram wrong",
	"85": "no reason to decline", "86": "PIN cannot be verified", "88": "cryptogram wrong", "91": "issuer unavailable",
	"92": "no route", "93": "violation of law", "94": "duplicate", "96": "system error", "N7": "CVV2 wrong",
}
