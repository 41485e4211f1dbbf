package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/config"
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
	Money             explainMoney   `json:"money"`
	Configuration     string         `json:"configurationHash,omitempty"`
	Version           int64          `json:"configurationVersion,omitempty"`
	Recomputed        *bool          `json:"recomputed,omitempty"` // absent where nothing was decided
	Difference        string         `json:"difference,omitempty"`
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
	Approved  string `json:"approved,omitempty"`
	Reversed  string `json:"reversed,omitempty"`
	Cleared   string `json:"cleared,omitempty"`
	Refunded  string `json:"refunded,omitempty"`
	Posted    string `json:"postedAfter,omitempty"`
	Available string `json:"availableAfter,omitempty"`
}

// Explain prints why a transaction ended as it did. transaction is its UUID.
func Explain(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, transaction string, asJSON bool) error {
	return withCore(ctx, c, log, func(k *core) error {
		e, err := k.explain(ctx, transaction)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(w, e)
		}
		_, err = fmt.Fprintln(w, strings.Join(e.lines(), "\n"))
		return err
	})
}

func (k *core) explain(ctx context.Context, transaction string) (explanation, error) {
	t, err := id.ParseUUID[authorization.Transaction](transaction)
	if err != nil {
		if t, err = id.Parse[authorization.Transaction](transaction); err != nil {
			return explanation{}, fmt.Errorf("%w: a transaction is named by its UUID", ErrUsage)
		}
	}
	x, err := k.queries.ExplainAny(ctx, t)
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
	if t.Reason != authorization.Approved {
		e.Money.Approved = "" // what was asked for is no promise
	}
	if t.HasBalance {
		e.Money.Posted, e.Money.Available = t.PostedAfter.String(), t.AvailableAfter.String()
	}
	if len(x.Trace) > 0 {
		e.Recomputed = &x.Recomputed
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

// checks is the trace as a table: each check with what it compared, and below it
// the controls that it stands for.
func (e explanation) checks() []string {
	var table bytes.Buffer
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	row := func(name string, f explainFinding, said string) {
		var inputs []string
		for _, in := range f.Inputs {
			inputs = append(inputs, in.Name+" "+in.Value)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", strings.ToLower(f.Outcome), name, said, strings.Join(inputs, ", "))
	}
	for _, c := range e.Checks {
		row(c.Check, c.explainFinding, joinWords(c.Reason, c.Detail))
		for _, p := range c.Parts {
			row("  "+p.Subject, p, p.Detail)
		}
	}
	_ = t.Flush() // a buffer takes everything
	var lines []string
	for line := range strings.Lines(table.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
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
		"",
	}
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
	if e.Configuration != "" {
		lines = append(lines, fmt.Sprintf("under        configuration %d, %.16s…", e.Version, e.Configuration))
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
