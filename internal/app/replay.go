package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api/platform"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/control"
)

// ReplayOptions say what is decided again.
type ReplayOptions struct {
	Tenant   string // empty: all, one after another
	From, To string // days of the tenant's zone, or moments
	With     string // a file with a draft; empty: as recorded
	JSON     bool
}

// replayDifference is a transaction that would have been decided otherwise, as it
// is shown. It holds no card data.
type replayDifference struct {
	TransactionID string       `json:"transactionId"`
	At            time.Time    `json:"at"`
	CardToken     string       `json:"cardToken,omitempty"`
	Flow          string       `json:"flowCode"`
	Code          string       `json:"transactionCode"`
	Amount        string       `json:"amount"`
	Effect        string       `json:"effect"`
	Was           replayRuling `json:"was"`
	Is            replayRuling `json:"is"`
	Detail        string       `json:"detail,omitempty"`
}

type replayRuling struct {
	Approved bool   `json:"isApproved"`
	Amount   string `json:"approvedAmount,omitempty"`
	Fees     string `json:"fees,omitempty"`
	Reason   string `json:"declineReason,omitempty"`
	Check    string `json:"check,omitempty"`
	Subject  string `json:"subject,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

type replayTotals struct {
	Decided  int            `json:"decided"`
	Same     int            `json:"same"`
	Effects  map[string]int `json:"effects"`
	Skipped  int            `json:"skipped"`
	Sums     []replaySums   `json:"sums"`
	WarmedUp int            `json:"warmedUp"`
	WarmFrom time.Time      `json:"warmFrom"`
	Partial  []string       `json:"partial"`
}

type replaySums struct {
	Currency           string `json:"currencyCode"`
	ApprovedCount      int    `json:"approvedCount"`
	ApprovedCountAgain int    `json:"approvedCountAgain"`
	Approved           string `json:"approved"`
	ApprovedAgain      string `json:"approvedAgain"`
	Fees               string `json:"fees"`
	FeesAgain          string `json:"feesAgain"`
}

// Replay decides stored requests again and prints what differs. It changes
// nothing; what goes to w is the same for the same decisions, and how far it is
// goes to progress.
func Replay(ctx context.Context, c config.Config, log *slog.Logger, w, progress io.Writer, o ReplayOptions) error {
	CollectLess()
	var draft *control.Draft
	if o.With != "" {
		d, err := readDraft(o.With)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrUsage, o.With, err)
		}
		draft = &d
	}
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		tenants, err := k.replayTenants(ctx, o)
		if err != nil {
			return err
		}
		out := replayPrinter{w: w, asJSON: o.JSON}
		out.begin()
		for i, t := range tenants {
			if err := k.replayTenant(ctx, t, o, draft, &out, progress, i); err != nil {
				return err
			}
		}
		return out.end()
	})
}

// readDraft reads a draft from a YAML or JSON file.
func readDraft(path string) (control.Draft, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return control.Draft{}, err
	}
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) { // JSON keeps its numbers as they are written
		members, err := config.ParseDocument(text)
		if err != nil {
			return control.Draft{}, err
		}
		if text, err = json.Marshal(members); err != nil {
			return control.Draft{}, err
		}
	}
	return platform.ParseReplayDraft(text)
}

// replayTenants are those that are replayed.
func (k *Core) replayTenants(ctx context.Context, o ReplayOptions) ([]access.Tenant, error) {
	all, err := k.Access.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	if o.Tenant == "" {
		if o.With != "" && len(all) != 1 {
			return nil, fmt.Errorf("%w: a draft is for one tenant: say which with --tenant", ErrUsage)
		}
		return all, nil
	}
	wanted, err := namedTenant(o.Tenant)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.ID == wanted {
			return []access.Tenant{t}, nil
		}
	}
	return nil, fmt.Errorf("there is no such tenant")
}

func (k *Core) replayTenant(ctx context.Context, t access.Tenant, o ReplayOptions, draft *control.Draft, out *replayPrinter, progress io.Writer, n int) error {
	order := authorization.ReplayOrder{Draft: draft}
	var err error
	if order.From, err = momentOrDay(o.From, t.Zone); err != nil {
		return fmt.Errorf("%w: --from %w", ErrUsage, err)
	}
	if order.To, err = momentOrDay(o.To, t.Zone); err != nil {
		return fmt.Errorf("%w: --to %w", ErrUsage, err)
	}
	caller := access.System(t)
	if err := k.Replays.Check(ctx, caller, order); err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	out.tenant(t, n)
	watch, told := clock.StartStopwatch(), time.Duration(0)
	totals, err := k.Replays.Replay(ctx, caller, order, authorization.ReplayListener{
		Differs: func(d authorization.Difference) error { return out.difference(encodeDifference(d)) },
		Progress: func(done, all int) {
			if since := watch.Elapsed(); since-told >= 2*time.Second || done == all {
				told = since
				fmt.Fprintf(progress, "tenant %s: %d of %d transactions (%d %%), %.1f s\n", t.ID.UUID(), done, all, 100*done/max(1, all), since.Seconds())
			}
		},
	})
	if err != nil {
		return err
	}
	return out.totals(encodeTotals(totals))
}

// momentOrDay reads a moment, or the beginning of a day in a zone.
func momentOrDay(text string, zone *time.Location) (time.Time, error) {
	if d, err := clock.ParseDate(text); err == nil {
		return d.In(zone), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("must be a day like 2026-11-21 or a moment like 2026-11-21T09:00:00+03:00")
	}
	return at.UTC(), nil
}

func encodeDifference(d authorization.Difference) replayDifference {
	return replayDifference{
		TransactionID: d.Transaction.UUID(), At: d.At, CardToken: d.CardToken, Flow: string(d.Flow), Code: string(d.Code),
		Amount: d.Asked.String(), Effect: string(d.Effect), Was: encodeRuling(d.Was), Is: encodeRuling(d.Is), Detail: d.Detail,
	}
}

func encodeRuling(r authorization.Ruling) replayRuling {
	return replayRuling{
		Approved: r.Approved, Amount: amountText(r.Amount), Fees: amountText(r.Fees), Reason: string(r.Reason), Check: r.Check,
		Subject: r.Subject, Detail: r.Detail,
	}
}

func encodeTotals(t authorization.ReplayTotals) replayTotals {
	out := replayTotals{
		Decided: t.Decided, Same: t.Same, Effects: map[string]int{}, Skipped: t.Skipped, Sums: []replaySums{}, WarmedUp: t.WarmedUp,
		WarmFrom: t.WarmFrom.UTC(), Partial: append([]string{}, t.Partial...),
	}
	for _, e := range authorization.Effects() {
		out.Effects[string(e)] = t.Effects[e]
	}
	for _, s := range t.Sums {
		out.Sums = append(out.Sums, replaySums{
			Currency: s.Currency.Code(), ApprovedCount: s.ApprovedCount, ApprovedCountAgain: s.ApprovedCountAgain,
			Approved: s.Approved.Decimal(), ApprovedAgain: s.ApprovedAgain.Decimal(), Fees: s.Fees.Decimal(), FeesAgain: s.FeesAgain.Decimal(),
		})
	}
	return out
}

// replayPrinter writes differences as they come: a replay may have many.
type replayPrinter struct {
	w      io.Writer
	asJSON bool
	some   bool // of the tenant were written
	err    error
}

func (p *replayPrinter) print(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *replayPrinter) begin() {
	if p.asJSON {
		p.print("{\"tenants\": [")
	}
}

func (p *replayPrinter) end() error {
	if p.asJSON {
		p.print("]}\n")
	}
	return p.err
}

func (p *replayPrinter) tenant(t access.Tenant, n int) {
	p.some = false
	if !p.asJSON {
		p.print("tenant %s\n", t.ID.UUID())
		return
	}
	if n > 0 {
		p.print(",")
	}
	p.print("\n{\"tenantId\": %q, \"differences\": [", t.ID.UUID())
}

func (p *replayPrinter) difference(d replayDifference) error {
	if !p.asJSON {
		p.print("%s  %s  %s  %s  %s  %s -> %s\n", d.At.UTC().Format(time.RFC3339), d.TransactionID, d.Effect, d.Flow, d.Amount, d.Was.text(), d.Is.text())
		return p.err
	}
	if p.some {
		p.print(",")
	}
	p.some = true
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	p.print("\n%s", text)
	return p.err
}

// text tells a ruling to people.
func (r replayRuling) text() string {
	if !r.Approved {
		return joinWords("declined", r.Reason, r.Detail)
	}
	return joinWords("approved", r.Amount, withName("fees", r.Fees))
}

func (p *replayPrinter) totals(t replayTotals) error {
	if p.asJSON {
		text, err := json.Marshal(t)
		if err != nil {
			return err
		}
		p.print("\n], \"totals\": %s}", text)
		return p.err
	}
	p.print("\n%d decided again: %d the same, %d skipped\n", t.Decided, t.Same, t.Skipped)
	for _, e := range authorization.Effects() {
		if n := t.Effects[string(e)]; n > 0 {
			p.print("  %-20s %d\n", e, n)
		}
	}
	for _, s := range t.Sums {
		p.print("%s  approved %d -> %d, %s -> %s, fees %s -> %s\n", s.Currency, s.ApprovedCount, s.ApprovedCountAgain, s.Approved, s.ApprovedAgain, s.Fees, s.FeesAgain)
	}
	if t.WarmedUp > 0 {
		p.print("usage is counted from %s on (%d decisions)\n", t.WarmFrom.Format(time.RFC3339), t.WarmedUp)
	}
	for _, why := range t.Partial {
		p.print("partial: %s\n", why)
	}
	return p.err
}
