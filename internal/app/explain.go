package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// explanation is why a transaction ended as it did, as it is shown. It holds
// no card data.
type explanation struct {
	TransactionID     string         `json:"transactionId"`
	Flow              string         `json:"flowCode"`
	Code              string         `json:"transactionCode"`
	Status            string         `json:"status"`
	MTI               string         `json:"mti,omitempty"`
	Amount            string         `json:"amount,omitempty"`
	EntryMode         string         `json:"posEntryMode,omitempty"`
	Merchant          string         `json:"merchant,omitempty"`
	ResponseCode      string         `json:"responseCode,omitempty"`
	DeclineReason     string         `json:"declineReason,omitempty"`
	AuthorizationCode string         `json:"authorizationCode,omitempty"`
	At                time.Time      `json:"at"`
	Checks            []explainCheck `json:"checks"`
	// Stages is how long it took until its decision was written.
	Stages        []explainStage `json:"stages,omitempty"`
	Money         explainMoney   `json:"money"`
	Configuration string         `json:"configurationHash,omitempty"`
	Version       int64          `json:"configurationVersion,omitempty"`
	Recomputed    *bool          `json:"recomputed,omitempty"` // absent where nothing was decided
	Difference    string         `json:"difference,omitempty"`
	// Counterfactual is what would have approved a decline, Instead that as a
	// sentence.
	Counterfactual *explainCounterfactual `json:"counterfactual,omitempty"`
	Instead        string                 `json:"instead,omitempty"`
}

type explainStage struct {
	Stage        string `json:"stage"`
	Microseconds int64  `json:"microseconds"`
}

type explainCounterfactual struct {
	Change  string     `json:"change"`
	Amount  string     `json:"amount,omitempty"`
	Billing string     `json:"billing,omitempty"`
	At      *time.Time `json:"at,omitempty"`
}

type explainCheck struct {
	Check string `json:"check"`
	explainFinding
	Parts []explainFinding `json:"parts,omitempty"`
}

// explainFinding is what came of a check, or of one control in it.
type explainFinding struct {
	Outcome string         `json:"outcome"`
	Reason  string         `json:"reason,omitempty"`
	Subject string         `json:"subject,omitempty"`
	Detail  string         `json:"detail,omitempty"`
	Inputs  []explainInput `json:"inputs,omitempty"`
}

type explainInput struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type explainMoney struct {
	Approved  string       `json:"approved,omitempty"`
	Reversed  string       `json:"reversed,omitempty"`
	Cleared   string       `json:"cleared,omitempty"`
	Refunded  string       `json:"refunded,omitempty"`
	Fees      []explainFee `json:"additionalAmounts,omitempty"`
	Posted    string       `json:"postedAfter,omitempty"`
	Available string       `json:"availableAfter,omitempty"`
}

// explainFee is a fee on the transaction, or one that it gives back.
type explainFee struct {
	Code    string   `json:"code"`
	Type    string   `json:"type"`
	Amount  string   `json:"amount"`
	Taxes   []string `json:"taxes,omitempty"`
	IsDebit bool     `json:"isDebit"`
	Pending bool     `json:"isPending,omitempty"`
}

func encodeFees(all []fee.Additional) []explainFee {
	var out []explainFee
	for _, a := range all {
		f := explainFee{Code: a.Code, Type: string(a.Type), Amount: a.Charge.Fee.String(), IsDebit: a.IsDebit, Pending: a.IsPending}
		for _, t := range a.Charge.Taxes {
			f.Taxes = append(f.Taxes, string(t.Type)+" "+t.Amount.String())
		}
		out = append(out, f)
	}
	return out
}

// text tells a fee to people.
func (f explainFee) text() string {
	words := append([]string{f.Amount}, f.Taxes...)
	text := strings.Join(words, " + ") + " " + f.Code
	if !f.IsDebit {
		text += ", given back"
	}
	if f.Pending {
		text += ", pending"
	}
	return text
}

// Explain prints why a transaction ended as it did. transaction is its UUID.
func Explain(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, transaction string, asJSON bool) error {
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		e, err := k.explain(ctx, transaction)
		if err != nil {
			return err
		}
		if asJSON {
			return PrintJSON(w, e)
		}
		_, err = fmt.Fprintln(w, strings.Join(e.lines(), "\n"))
		return err
	})
}

func (k *Core) explain(ctx context.Context, transaction string) (explanation, error) {
	t, err := id.ParseUUID[authorization.Transaction](transaction)
	if err != nil {
		if t, err = id.Parse[authorization.Transaction](transaction); err != nil {
			return explanation{}, fmt.Errorf("%w: a transaction is named by its UUID", ErrUsage)
		}
	}
	x, err := k.Queries.ExplainAny(ctx, t)
	if err != nil {
		return explanation{}, err
	}
	return encodeExplanation(x), nil
}

func encodeExplanation(x authorization.Explanation) explanation {
	t := x.Transaction
	e := explanation{
		TransactionID: t.ID.UUID(), Flow: string(t.Flow), Code: string(t.Code), Status: string(t.Status),
		MTI: t.Message.MTI, Amount: amountText(t.Amount), EntryMode: t.Message.EntryMode,
		Merchant:     joinWords(t.Message.MerchantName, t.Message.MerchantCity, t.Message.MCC),
		ResponseCode: t.ResponseCode, DeclineReason: string(t.Reason), AuthorizationCode: t.AuthorizationCode,
		At: t.CreatedAt, Configuration: x.ConfigurationHash, Version: x.ConfigurationVersion, Difference: x.Difference,
		Money: explainMoney{
			Approved: amountText(t.Billing), Reversed: amountText(t.Reversed), Cleared: amountText(t.Cleared), Refunded: amountText(t.Refunded),
		},
	}
	e.Money.Fees = encodeFees(t.Additional)
	if t.Reason != authorization.Approved {
		e.Money.Approved = "" // what was asked for is no promise
	}
	if t.HasBalance {
		e.Money.Posted, e.Money.Available = t.PostedAfter.String(), t.AvailableAfter.String()
	}
	if c := x.Counterfactual; c != nil {
		e.Instead, e.Counterfactual = c.String(), &explainCounterfactual{Change: string(c.Change), Amount: amountText(c.Amount), Billing: amountText(c.Billing)}
		if !c.At.IsZero() {
			e.Counterfactual.At = &c.At
		}
	}
	if len(x.Trace) > 0 {
		e.Recomputed = &x.Recomputed
	}
	for s, took := range x.Times {
		if took > 0 {
			e.Stages = append(e.Stages, explainStage{authorization.Stage(s).String(), took.Microseconds()})
		}
	}
	for _, c := range x.Trace {
		k := explainCheck{Check: c.Name, explainFinding: encodeFinding(c)}
		for _, p := range c.Parts {
			k.Parts = append(k.Parts, encodeFinding(p))
		}
		e.Checks = append(e.Checks, k)
	}
	return e
}

func encodeFinding(c authorization.Check) explainFinding {
	f := explainFinding{Outcome: string(c.Outcome), Reason: string(c.Reason), Subject: c.Subject, Detail: c.Detail}
	for _, in := range c.Inputs {
		f.Inputs = append(f.Inputs, explainInput{in.Name, in.Value})
	}
	return f
}

// amountText is an amount for people, empty when there is none.
func amountText(a money.Amount) string {
	if a.Currency().IsZero() || a.IsZero() {
		return ""
	}
	return a.String()
}

// withName is value after its name, and nothing when there is no value.
func withName(name, value string) string {
	if value == "" {
		return ""
	}
	return name + " " + value
}

// explainWidth is how wide lines become before they go on in the next one.
const explainWidth = 110

// checks is the trace for people: each check, below it what it compared, and then
// the controls that it stands for.
func (e explanation) checks() []string {
	width := 0
	for _, c := range e.Checks {
		width = max(width, len(c.Check))
		for _, p := range c.Parts {
			width = max(width, len(p.Subject)+2)
		}
	}
	var lines []string
	row := func(name string, f explainFinding, said string) {
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%-4s  %-*s  %s", strings.ToLower(f.Outcome), width, name, said), " "))
		lines = append(lines, f.compared(width+8)...)
	}
	for _, c := range e.Checks {
		if row(c.Check, c.explainFinding, joinWords(c.Reason, c.Detail)); c.Outcome == string(authorization.Skip) {
			continue
		}
		for _, p := range c.Parts {
			row("  "+p.Subject, p, p.Detail)
		}
	}
	return lines
}

// compared are the inputs, so far from the left.
func (f explainFinding) compared(margin int) []string {
	var lines []string
	line := ""
	for _, in := range f.Inputs {
		text := in.Name + " " + in.Value
		switch {
		case line == "":
			line = text
		case margin+len(line)+2+len(text) > explainWidth:
			lines, line = append(lines, strings.Repeat(" ", margin)+line+","), text
		default:
			line += ", " + text
		}
	}
	if line != "" {
		lines = append(lines, strings.Repeat(" ", margin)+line)
	}
	return lines
}

// lines tells the explanation to people.
func (e explanation) lines() []string {
	lines := []string{
		"transaction  " + joinWords(e.TransactionID, e.At.Format(time.RFC3339)),
		"message      " + joinWords(e.MTI, e.Flow, e.Code, e.Amount),
		"where        " + joinWords(e.Merchant, withName("entry mode", e.EntryMode)),
		"ended        " + joinWords(e.Status, e.DeclineReason, withName("answered", e.ResponseCode), e.AuthorizationCode),
	}
	for _, c := range e.Checks {
		if c.Outcome == string(authorization.Fail) && c.Reason == e.DeclineReason {
			lines = append(lines, "why          "+c.Check+" refused it: "+c.Detail)
			break
		}
	}
	if e.Instead != "" {
		lines = append(lines, "instead      "+e.Instead)
	}
	lines = append(lines, "")
	lines = append(lines, e.checks()...)
	lines = append(lines, "")
	for _, m := range []struct{ name, amount string }{
		{"approved", e.Money.Approved}, {"reversed", e.Money.Reversed}, {"cleared", e.Money.Cleared}, {"refunded", e.Money.Refunded},
		{"posted then", e.Money.Posted}, {"available", e.Money.Available},
	} {
		if m.amount != "" {
			lines = append(lines, fmt.Sprintf("%-12s %s", m.name, m.amount))
		}
	}
	for _, f := range e.Money.Fees {
		lines = append(lines, fmt.Sprintf("%-12s %s", "fee", f.text()))
	}
	if e.Configuration != "" {
		lines = append(lines, fmt.Sprintf("under        configuration %d, %.16s…", e.Version, e.Configuration))
	}
	if len(e.Stages) > 0 {
		var took []string
		for _, s := range e.Stages {
			took = append(took, fmt.Sprintf("%s %d", s.Stage, s.Microseconds))
		}
		lines = append(lines, "took, in µs  "+strings.Join(took, ", "))
	}
	switch {
	case e.Recomputed == nil:
	case *e.Recomputed:
		lines = append(lines, "again        deciding from the record gives the same")
	default:
		lines = append(lines, "again        deciding from the record gives something else: "+e.Difference)
	}
	return lines
}
