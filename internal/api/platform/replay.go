package platform

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Drafts reads the drafts of replays that were kept. It is an
// authorization.Drafts.
type Drafts struct{}

// ParseDraft reads a draft as its author wrote it.
func (Drafts) ParseDraft(text string) (*control.Draft, error) {
	d, err := ParseReplayDraft([]byte(text))
	return &d, err
}

type replayRequest struct {
	From  *time.Time   `json:"from" required:"true" doc:"When the first decisions were made."`
	To    *time.Time   `json:"to" required:"true" doc:"Not included; at most 366 days after from."`
	Draft *ReplayDraft `json:"draft,omitempty" doc:"What is tried in place of what the tenant has. Absent: decided as recorded."`
}

type replayResponse struct {
	ReplayID     string                `json:"replayId"`
	Status       string                `json:"status" enum:"Queued,Running,Completed,Failed"`
	From         time.Time             `json:"from"`
	To           time.Time             `json:"to"`
	Done         int                   `json:"doneCount" doc:"Transactions, of allCount."`
	All          int                   `json:"allCount"`
	CreationTime time.Time             `json:"creationTime"`
	FinishTime   *time.Time            `json:"finishTime"`
	Totals       *replayTotalsResponse `json:"totals" doc:"Of a completed replay."`
}

type replayTotalsResponse struct {
	Decided  int             `json:"decidedCount" doc:"Messages that were decided again."`
	Same     int             `json:"sameCount"`
	Skipped  int             `json:"skippedCount" doc:"Messages about what the replay did not approve."`
	Effects  []replayEffect  `json:"effects"`
	Sums     []replaySummary `json:"sums"`
	WarmedUp int             `json:"warmedUpCount" doc:"Decisions from before the period, from warmFrom on, whose use counts."`
	WarmFrom time.Time       `json:"warmFrom"`
	Partial  []string        `json:"partial" doc:"Why the result is not the whole truth; empty when it is."`
}

type replayEffect struct {
	Effect string `json:"effect"`
	Count  int    `json:"count"`
}

type replaySummary struct {
	CurrencyCode       string      `json:"currencyCode"`
	ApprovedCount      int         `json:"approvedCount"`
	ApprovedCountAgain int         `json:"approvedCountAgain"`
	Approved           api.Decimal `json:"approvedAmount"`
	ApprovedAgain      api.Decimal `json:"approvedAmountAgain"`
	Fees               api.Decimal `json:"feeAmount"`
	FeesAgain          api.Decimal `json:"feeAmountAgain"`
}

type replayDifference struct {
	TransactionID   string       `json:"transactionId"`
	TransactionTime time.Time    `json:"transactionTime"`
	CardToken       *string      `json:"cardToken"`
	FlowCode        string       `json:"flowCode"`
	TransactionCode string       `json:"transactionCode"`
	Amount          api.Decimal  `json:"amount" doc:"That was asked for, in currencyCode."`
	CurrencyCode    string       `json:"currencyCode"`
	Effect          string       `json:"effect" enum:"Diverged,Undetermined,ApprovedToDeclined,DeclinedToApproved,Amount,Fee,Reason"`
	Was             replayRuling `json:"was"`
	Is              replayRuling `json:"is"`
	Detail          *string      `json:"detail"`
}

type replayRuling struct {
	IsApproved     bool        `json:"isApproved"`
	ApprovedAmount api.Decimal `json:"approvedAmount"`
	FeeAmount      api.Decimal `json:"feeAmount"`
	DeclineReason  *string     `json:"declineReason"`
	Check          *string     `json:"check"`
	Subject        *string     `json:"subject" doc:"Code of the control that refused it."`
	Detail         *string     `json:"detail"`
}

// ReplayPath names a replay.
type ReplayPath struct {
	ReplayID string `path:"replayId" maxLength:"64"`
}

func (p ReplayPath) id() id.ID[authorization.ReplayJob] {
	r, _ := id.ParseUUID[authorization.ReplayJob](p.ReplayID) // zero is not found
	return r
}

func (a *API) startReplay(ctx context.Context, c access.Caller, in *struct{ Body replayRequest }) (replayResponse, error) {
	draft := ""
	if in.Body.Draft != nil {
		text, err := json.Marshal(in.Body.Draft)
		if err != nil {
			return replayResponse{}, err
		}
		draft = string(text)
	}
	job, err := a.Replays.Ask(ctx, c, in.Body.From.UTC(), in.Body.To.UTC(), draft)
	if f, ok := fault.As(err); ok && len(f.Fields) > 0 {
		err = control.Within("draft", err)
	}
	return encodeReplay(job), err
}

func (a *API) showReplay(ctx context.Context, c access.Caller, in *ReplayPath) (replayResponse, error) {
	job, err := a.Replays.Show(ctx, c, in.id())
	return encodeReplay(job), err
}

func (a *API) listReplayDifferences(ctx context.Context, c access.Caller, in *struct {
	ReplayPath
	api.Paging
}) (api.Page[replayDifference], error) {
	if err := a.permitTransactions(ctx, c); err != nil {
		return api.Page[replayDifference]{}, err
	}
	var d decoding
	p := d.page(in.Paging)
	if err := d.err(); err != nil {
		return api.Page[replayDifference]{}, err
	}
	page, total, err := a.Replays.Differences(ctx, c, in.id(), p)
	return api.PageOf(total, encodeAll(page, encodeReplayDifference)), err
}

func encodeReplay(j authorization.ReplayJob) replayResponse {
	out := replayResponse{
		ReplayID: j.ID.UUID(), Status: string(j.Status), From: j.From, To: j.To, Done: j.Done, All: j.All, CreationTime: j.CreatedAt,
		FinishTime: timeOrNil(j.FinishedAt),
	}
	if j.Status != authorization.ReplayCompleted {
		return out
	}
	t := j.Totals
	totals := &replayTotalsResponse{
		Decided: t.Decided, Same: t.Same, Skipped: t.Skipped, WarmedUp: t.WarmedUp, WarmFrom: t.WarmFrom, Partial: append([]string{}, t.Partial...),
		Effects: []replayEffect{}, Sums: []replaySummary{},
	}
	for _, e := range authorization.Effects() {
		totals.Effects = append(totals.Effects, replayEffect{string(e), t.Effects[e]})
	}
	for _, s := range t.Sums {
		totals.Sums = append(totals.Sums, replaySummary{
			CurrencyCode: s.Currency.Code(), ApprovedCount: s.ApprovedCount, ApprovedCountAgain: s.ApprovedCountAgain,
			Approved: api.DecimalOf(s.Approved), ApprovedAgain: api.DecimalOf(s.ApprovedAgain), Fees: api.DecimalOf(s.Fees), FeesAgain: api.DecimalOf(s.FeesAgain),
		})
	}
	out.Totals = totals
	return out
}

func encodeReplayDifference(d authorization.Difference) replayDifference {
	return replayDifference{
		TransactionID: d.Transaction.UUID(), TransactionTime: d.At, CardToken: orNil(d.CardToken), FlowCode: string(d.Flow),
		TransactionCode: string(d.Code), Amount: api.DecimalOf(d.Asked), CurrencyCode: d.Asked.Currency().Code(), Effect: string(d.Effect),
		Was: encodeReplayRuling(d.Was), Is: encodeReplayRuling(d.Is), Detail: orNil(d.Detail),
	}
}

func encodeReplayRuling(r authorization.Ruling) replayRuling {
	return replayRuling{
		IsApproved: r.Approved, ApprovedAmount: api.DecimalOf(r.Amount), FeeAmount: api.DecimalOf(r.Fees), DeclineReason: orNil(string(r.Reason)),
		Check: orNil(r.Check), Subject: orNil(r.Subject), Detail: orNil(r.Detail),
	}
}
