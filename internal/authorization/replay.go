package authorization

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// ReplayOrder says what is decided again, and under what.
type ReplayOrder struct {
	// From and To bound when the decisions were made; To is not included.
	From, To time.Time
	// Draft lies over what the tenant has; nil decides under what was recorded.
	Draft *control.Draft
}

// replayLongest is the longest time that is replayed, and warmUpLongest the
// longest before it from which usage is counted.
const (
	replayLongest = 366 * 24 * time.Hour
	warmUpLongest = 92 * 24 * time.Hour
)

var errReplayTime = fault.New(fault.Invalid, "replay_period_invalid", "from must lie before to, not more than 366 days, both in the years 1971 to 2200")

// Effect is how a replayed decision differs from the recorded one.
type Effect string

// The effects. Of several that are true the first in this order is told.
const (
	// Diverged is what the program decides otherwise on the record alone than was
	// stored: its record, or the program, has changed.
	Diverged           Effect = "Diverged"
	Undetermined       Effect = "Undetermined" // it cannot be told without an answer that was never asked for
	ApprovedToDeclined Effect = "ApprovedToDeclined"
	DeclinedToApproved Effect = "DeclinedToApproved"
	AmountChanged      Effect = "Amount" // approved is another part of what was asked for
	FeeChanged         Effect = "Fee"
	ReasonChanged      Effect = "Reason" // declined all the same
)

// Effects lists them.
func Effects() []Effect {
	return []Effect{Diverged, Undetermined, ApprovedToDeclined, DeclinedToApproved, AmountChanged, FeeChanged, ReasonChanged}
}

// Ruling is a decision in short.
type Ruling struct {
	Approved bool
	Reason   Reason // empty for an approval
	Amount   money.Amount
	Fees     money.Amount
	// Check refused it, because of Subject, as Detail says.
	Check, Subject, Detail string
}

// Difference is a transaction that would have been decided otherwise.
type Difference struct {
	Transaction TransactionID
	At          time.Time
	CardToken   string
	Issuance    id.ID[issuing.Issuance]
	Flow        Flow
	Code        Code
	Asked       money.Amount // in the account's currency
	Effect      Effect
	Was, Is     Ruling
	Detail      string // of what has diverged or is undetermined
}

// Sums are what was approved and charged in a currency, and would have been, of
// requests and advices that money is paid by: not of what takes back, credits or
// completes.
type Sums struct {
	Currency                          money.Currency
	Approved, ApprovedAgain           money.Amount
	Fees, FeesAgain                   money.Amount
	ApprovedCount, ApprovedCountAgain int
}

// ReplayTotals sum up a replay.
type ReplayTotals struct {
	Decided int // messages that were decided again
	Same    int
	Effects map[Effect]int
	// Skipped are messages about what the replay did not approve: reversals,
	// completions, increments of it.
	Skipped int
	Sums    []Sums // by currency
	// WarmedUp are decisions from before the period, from WarmFrom on, whose use
	// counts.
	WarmedUp int
	WarmFrom time.Time
	// Partial says why the result is not the whole truth; empty when it is.
	Partial []string
}

// ReplayListener hears of a replay while it runs. Its functions may be nil.
type ReplayListener struct {
	Differs  func(Difference) error
	Progress func(done, all int)
}

// Replays decides again what was decided, to show what another configuration
// would have made of it. It writes nothing, and is safe for concurrent use.
type Replays struct {
	db       *db.DB
	programs Programs
	controls *control.Service
	cards    IssuedCards
}

// NewReplays returns replays of what is stored in d.
func NewReplays(d *db.DB, programs Programs, controls *control.Service, cards IssuedCards) *Replays {
	return &Replays{db: d, programs: programs, controls: controls, cards: cards}
}

// Check refuses what cannot be replayed, or a draft that could not be saved.
func (r *Replays) Check(ctx context.Context, c access.Caller, o ReplayOrder) error {
	_, err := r.begin(ctx, c, o)
	return err
}

// Replay decides the messages of the caller's tenant again, oldest first. The same
// order over the same decisions gives the same, in the same order.
func (r *Replays) Replay(ctx context.Context, c access.Caller, o ReplayOrder, hear ReplayListener) (ReplayTotals, error) {
	p, err := r.begin(ctx, c, o)
	if err != nil {
		return ReplayTotals{}, err
	}
	if err := p.run(ctx, hear); err != nil {
		return ReplayTotals{}, fmt.Errorf("replay: %w", err)
	}
	return p.sumUp(), nil
}

// replaying is one replay under way.
type replaying struct {
	db     *db.DB
	caller access.Caller
	order  ReplayOrder
	binder binder
	limits Limits
	cfg    *program.Configuration
	draft  *control.Snapshot // nil: as recorded
	warm   time.Time         // from when usage is counted; order.From when none is

	world  *replayWorld
	totals ReplayTotals
	sums   map[money.Currency]*Sums
	why    map[string]bool // it is partial
}

func (r *Replays) begin(ctx context.Context, c access.Caller, o ReplayOrder) (*replaying, error) {
	if o.From.Year() < 1971 || o.To.Year() > 2200 || !o.From.Before(o.To) || o.To.Sub(o.From) > replayLongest {
		return nil, errReplayTime
	}
	p := &replaying{
		db: r.db, caller: c, order: o, binder: binder{programs: r.programs, controls: r.controls}, warm: o.From, world: newReplayWorld(),
		limits: Limits{Controls: r.controls, Programs: r.programs, Cards: r.cards},
		totals: ReplayTotals{Effects: map[Effect]int{}, WarmFrom: o.From}, sums: map[money.Currency]*Sums{}, why: map[string]bool{},
	}
	var err error
	if p.cfg, err = r.programs.Configuration(ctx, c.Tenant); err != nil {
		return nil, err
	}
	if o.Draft == nil {
		return p, nil
	}
	if p.draft, err = r.controls.DraftSnapshot(ctx, c, *o.Draft); err != nil {
		return nil, err
	}
	p.world.draft = p.draft
	from := p.countsFrom()
	if from.IsZero() || !from.Before(o.From) {
		return p, nil
	}
	p.warm = from
	if earliest := o.From.Add(-warmUpLongest); from.Before(earliest) {
		p.warm = earliest
	}
	p.totals.WarmFrom = p.warm
	return p, r.db.View(ctx, func(tx db.Tx) error {
		older, err := hasOlder(ctx, tx, c.Tenant, p.warm)
		if err == nil && older && from.Before(p.warm) {
			p.why["usage of more than 92 days before the period is not counted"] = true
		}
		return err
	})
}

// countsFrom is from when on it has to be known what was used, of limits that count
// otherwise under the draft, of what is free of its fees, and where rules ask; zero
// for nothing.
func (p *replaying) countsFrom() time.Time {
	begins := []time.Time{p.draft.CountsFrom(p.calendar(), p.order.From)}
	for _, f := range fee.TransactionFees.In(p.draft).All() {
		if p.draft.IsTouched(control.TransactionFee, f.Code) {
			p.world.anew[f.Group] = true
		}
	}
	for _, f := range fee.TransactionFees.In(p.draft).All() {
		if p.world.anew[f.Group] && f.IsActive && (f.FreeCount > 0 || f.FreeAmount != nil) {
			begins = append(begins, p.calendar().WindowAt(f.FreePeriod, p.order.From).Start)
		}
	}
	if p.draft.ReadsUses() {
		p.world.uses = newUseBook()
		begins = append(begins, p.order.From.Add(-spanOfMonth))
	}
	begins = slices.DeleteFunc(begins, time.Time.IsZero)
	if len(begins) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(begins, time.Time.Compare)
}

func (p *replaying) calendar() control.Calendar {
	return control.Calendar{Zone: p.cfg.Tenant.Zone, WeekStart: p.cfg.Attributes.WeekStart}
}

// run reads ahead while it decides: the two take about as long.
func (p *replaying) run(ctx context.Context, hear ReplayListener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	// Identifiers are made in real time, which business is never behind of.
	after := id.Floor[Transaction](p.caller.Real(p.warm).Time())
	before := id.Floor[Transaction](p.order.To)
	all := 0
	if hear.Progress != nil {
		err := p.db.View(ctx, func(tx db.Tx) (err error) {
			all, err = countTold(ctx, tx, p.caller.Tenant, after, before)
			return err
		})
		if err != nil {
			return err
		}
	}
	type batch struct {
		page []told
		err  error
	}
	pages := make(chan batch, 2)
	go func() {
		defer close(pages)
		for {
			var b batch
			b.err = p.db.View(ctx, func(tx db.Tx) (err error) {
				b.page, err = readTold(ctx, tx, p.caller.Tenant, after, before, replayPage)
				return err
			})
			if len(b.page) == 0 && b.err == nil {
				return
			}
			select {
			case pages <- b:
			case <-ctx.Done():
				return
			}
			if b.err != nil {
				return
			}
			after = b.page[len(b.page)-1].ID
		}
	}()
	done := 0
	for b := range pages {
		if b.err != nil {
			return b.err
		}
		for i := range b.page {
			if err := p.step(ctx, &b.page[i], hear.Differs); err != nil {
				return fmt.Errorf("transaction %s: %w", b.page[i].ID.UUID(), err)
			}
		}
		if done += len(b.page); hear.Progress != nil {
			hear.Progress(done, max(all, done))
		}
	}
	return ctx.Err()
}

// step takes one transaction into the replayed world, and tells whether it would
// have been decided otherwise.
func (p *replaying) step(ctx context.Context, t *told, differs func(Difference) error) error {
	if t.CreatedAt.Before(p.warm) || !t.CreatedAt.Before(p.order.To) {
		return nil
	}
	p.world.elapse(t.CreatedAt)
	switch {
	case t.damage != nil:
		return t.damage
	case t.record == nil:
		return p.present(ctx, t.Transaction)
	case t.CreatedAt.Before(p.order.From):
		p.totals.WarmedUp++
		return p.warmUp(ctx, t)
	}
	r := t.record
	if p.world.isOfNothing(r) {
		p.totals.Skipped++
		p.add(r, t.ruled(), Ruling{})
		p.note(t, nil)
		return p.world.undo(t)
	}
	uses, differ, err := p.uses(ctx, r)
	if err != nil {
		return fmt.Errorf("find what was before: %w", err)
	}
	f, ok, err := p.rebind(ctx, r, uses, differ)
	if err != nil {
		return err
	}
	p.totals.Decided++
	if t.diverges != "" {
		p.why["what follows decisions that have diverged stands as it was recorded"] = true
	}
	if !ok {
		p.note(t, &t.was)
		return p.tell(t, nil, &r.Facts, r.State, "what rules ask of the card was not recorded", differs)
	}
	s := p.world.state(r, f)
	is := decide(&r.Request, f, s)
	if is.Status == StatusPending && t.was.Status != StatusPending {
		p.note(t, &t.was)
		return p.tell(t, nil, f, s, "the client was not asked, and would have been", differs)
	}
	p.note(t, &is)
	if err := p.world.enact(t, &t.was, &is, f, s); err != nil {
		return err
	}
	return p.tell(t, &is, f, s, t.diverges, differs)
}

// note keeps for rules how a message ended; is is nil where it was never sent.
func (p *replaying) note(t *told, is *Decision) {
	if p.world.uses != nil {
		p.world.uses.meet(&t.record.Facts)
		p.world.uses.decided(t, is)
	}
}

// uses is what was before a request in the replayed world, and whether that is not
// what was before it when it was recorded.
func (p *replaying) uses(ctx context.Context, r *record) (u UseFacts, differ bool, err error) {
	if p.world.uses == nil || !r.Facts.Card.Found {
		return r.Facts.Uses, false, nil
	}
	p.world.uses.meet(&r.Facts)
	if err := p.world.uses.lookBefore(ctx, p.db, r.Facts.Tenant, r.Facts.Card.Issuance, p.warm); err != nil {
		return u, false, err
	}
	u, differ = p.world.uses.facts(&r.Facts)
	return u, differ, nil
}

// asksAnew reports whether an authorization control that the draft does not touch
// is asked again, because its rule asks what was before and that is another. One
// that was changed since is as it was recorded.
func (p *replaying) asksAnew(r *record, code string) bool {
	asks, since := p.draft.AsksUses(code)
	if asks && since.After(r.Facts.Now) {
		p.why["authorization control "+code+" has changed since decisions on which its rule would ask something else: it is as recorded there"] = true
		return false
	}
	return asks
}

// warmUp counts what a decision from before the period used of limits that count
// otherwise under the draft.
func (p *replaying) warmUp(ctx context.Context, t *told) error {
	f, ok, err := p.rebind(ctx, t.record, t.record.Facts.Uses, false)
	if err != nil {
		return err
	}
	p.note(t, &t.was)
	if !ok {
		p.why["decisions before the period do not tell what rules ask of the card"] = true
		return nil
	}
	if t.was.Status == StatusPending {
		return nil
	}
	d, f := p.world.freed(t, f)
	return p.world.enact(t, d, d, f, p.world.state(t.record, f))
}

// rebind returns the facts of a request under the draft, uses before it: what the
// draft does not touch is as it was recorded, but for rules to which these uses
// differ. ok is false where the record does not tell enough.
func (p *replaying) rebind(ctx context.Context, r *record, uses UseFacts, differ bool) (f *Facts, ok bool, err error) {
	if p.draft == nil || !r.Facts.Card.Found || r.Request.Flow.IsReversal() {
		return &r.Facts, true, nil
	}
	if r.Facts.Subject.Zone == "" {
		return nil, false, nil
	}
	fresh := r.Facts
	fresh.Velocity, fresh.Controls, fresh.Fees, fresh.Uses = nil, nil, nil, uses
	if err := p.binder.bind(ctx, &r.Request, &fresh, p.cfg, p.draft); err != nil {
		return nil, false, fmt.Errorf("bind: %w", err)
	}
	f = new(Facts)
	*f = r.Facts
	f.Velocity = overlaid(r.Facts.Velocity, fresh.Velocity, func(v *VelocityFacts) (code string, touched bool) {
		return v.Code, p.draft.IsTouched(control.Velocity, v.Code)
	})
	f.Controls = overlaid(r.Facts.Controls, fresh.Controls, func(v *ControlFacts) (code string, touched bool) {
		return v.Code, p.draft.IsTouched(control.Authorization, v.Code) || differ && p.asksAnew(r, v.Code)
	})
	// Of a group of fees there is one: if one of it is touched, all are.
	groups := map[string]bool{}
	for _, all := range [][]FeeFacts{r.Facts.Fees, fresh.Fees} {
		for i := range all {
			p.touchGroup(groups, &all[i].Due)
		}
	}
	f.Fees = overlaid(r.Facts.Fees, fresh.Fees, func(v *FeeFacts) (code string, touched bool) { return v.Due.Code, groups[v.Due.Group] })
	f.AllowsFeeShortfall = r.Facts.AllowsFeeShortfall || len(groups) > 0 && fresh.AllowsFeeShortfall
	return f, true, nil
}

// touchGroup adds the group of a fee to others if the draft touches the fee.
func (p *replaying) touchGroup(groups map[string]bool, due *fee.Due) {
	if !p.draft.IsTouched(control.TransactionFee, due.Code) {
		return
	}
	if groups[due.Group] = true; due.Type == fee.CurrencyConversionFee {
		groups[fee.MarkupGroup] = true // it stands for the tenant's mark-up
	}
}

// overlaid takes what is not touched from what was recorded, and the rest from
// what was bound anew, in the order of the codes.
func overlaid[F any](recorded, fresh []F, of func(*F) (code string, touched bool)) []F {
	var all []F
	for i := range recorded {
		if _, touched := of(&recorded[i]); !touched {
			all = append(all, recorded[i])
		}
	}
	for i := range fresh {
		if _, touched := of(&fresh[i]); touched {
			all = append(all, fresh[i])
		}
	}
	slices.SortStableFunc(all, func(a, b F) int {
		x, _ := of(&a)
		y, _ := of(&b)
		return cmp.Compare(x, y)
	})
	return all
}

// tell counts a decision and, if it differs, tells of it. is is nil where it
// cannot be told.
func (p *replaying) tell(t *told, is *Decision, f *Facts, s State, why string, differs func(Difference) error) error {
	d := Difference{
		Transaction: t.ID, At: t.CreatedAt, CardToken: t.record.Facts.Subject.CardToken, Issuance: t.Issuance, Flow: t.Flow, Code: t.Code,
		Asked: f.Billing, Was: t.ruled(), Detail: why,
	}
	switch {
	case is == nil:
		d.Effect, d.Is = Undetermined, Ruling{Amount: d.Was.Amount, Fees: d.Was.Fees}
		p.add(t.record, d.Was, d.Was)
	default:
		d.Is = ruling(is, &t.record.Request, f, s)
		if d.Effect = effectOf(d.Was, d.Is); t.diverges != "" {
			d.Effect = Diverged
		}
		p.add(t.record, d.Was, d.Is)
	}
	if d.Effect == "" {
		p.totals.Same++
		return nil
	}
	p.totals.Effects[d.Effect]++
	if differs == nil {
		return nil
	}
	return differs(d)
}

// ruling is a decision in short.
func ruling(d *Decision, req *Request, f *Facts, s State) Ruling {
	zero := money.Zero(d.Approved.Currency())
	r := Ruling{Approved: d.Reason == Approved && d.Status != StatusPending, Reason: d.Reason, Amount: d.Approved, Fees: zero}
	if r.Approved {
		row := classify(req.ProcessingCode, req.MCC, req.Amount)
		if d.feesComputed && !req.Flow.IsReversal() && d.Approved.Currency() == f.Billing.Currency() {
			r.Fees = d.feesOn(d.Approved, req, f, s, row)
		}
		return r
	}
	r.Amount = zero
	r.refusedBy(d.Trace)
	return r
}

// refusedBy notes which check refused it.
func (r *Ruling) refusedBy(trace Trace) {
	for _, c := range trace {
		if c.Outcome == Fail && c.Reason == r.Reason {
			r.Check, r.Subject, r.Detail = c.Name, c.Subject, c.Detail
			break
		}
	}
}

func effectOf(was, is Ruling) Effect {
	switch {
	case was.Approved && !is.Approved:
		return ApprovedToDeclined
	case !was.Approved && is.Approved:
		return DeclinedToApproved
	case was.Amount != is.Amount:
		return AmountChanged
	case was.Fees != is.Fees:
		return FeeChanged
	case was.Reason != is.Reason || was.Subject != is.Subject:
		return ReasonChanged
	}
	return ""
}

// add sums up what was and would be approved, of what is paid.
func (p *replaying) add(r *record, was, is Ruling) {
	c := r.Facts.Billing.Currency()
	if c.IsZero() || !r.pays() {
		return
	}
	s := p.sums[c]
	if s == nil {
		zero := money.Zero(c)
		s = &Sums{Currency: c, Approved: zero, ApprovedAgain: zero, Fees: zero, FeesAgain: zero}
		p.sums[c] = s
	}
	for _, x := range []struct {
		r     Ruling
		sum   *money.Amount
		fees  *money.Amount
		count *int
	}{{was, &s.Approved, &s.Fees, &s.ApprovedCount}, {is, &s.ApprovedAgain, &s.FeesAgain, &s.ApprovedCountAgain}} {
		if !x.r.Approved || x.r.Amount.Currency() != c {
			continue
		}
		*x.count++
		*x.sum, *x.fees = sumUp(*x.sum, x.r.Amount), sumUp(*x.fees, x.r.Fees)
	}
}

// pays reports whether money is paid by a message: it takes nothing back, gives
// the cardholder nothing, and does not only bring a payment to its final amount.
func (r *record) pays() bool {
	o := r.State.Original
	completes := r.Request.Flow.IsAdvice() && o.Found && o.SameCard && o.Status.HoldsMoney()
	row := classify(r.Request.ProcessingCode, r.Request.MCC, r.Request.Amount)
	return row.dir == debit && !r.Request.Flow.IsReversal() && !completes
}

// sumUp adds, and stays at what can be told.
func sumUp(sum, more money.Amount) money.Amount {
	if s, err := sum.Add(more); err == nil {
		return s
	}
	return sum
}

func (p *replaying) sumUp() ReplayTotals {
	for _, s := range p.sums {
		p.totals.Sums = append(p.totals.Sums, *s)
	}
	slices.SortFunc(p.totals.Sums, func(a, b Sums) int { return cmp.Compare(a.Currency.Code(), b.Currency.Code()) })
	for why := range p.why {
		p.totals.Partial = append(p.totals.Partial, why)
	}
	slices.Sort(p.totals.Partial)
	return p.totals
}

// actsAlike reports whether two decisions do the same, whatever they say of it.
func actsAlike(a, b *Decision) bool {
	acts := func(d *Decision) Decision {
		x := *d
		x.Trace, x.Slip, x.Outcome, x.Reason, x.ResponseCode, x.By = nil, SlipNotice(""), "", "", "", ""
		return x
	}
	return reflect.DeepEqual(acts(a), acts(b))
}
