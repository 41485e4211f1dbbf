package authorization

import (
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// replayWorld is how the replayed world differs from the recorded one. What
// happened between decisions – loads, presentments, what other messages did –
// stands in the state that each decision was made on; so only differences are
// carried along, and where nothing differs nothing is carried.
type replayWorld struct {
	draft    *control.Snapshot // nil: limits are as recorded
	accounts map[ledger.AccountID]*gap
	cycles   map[TransactionID]*cycle // by root
	tallies  map[string]*tally        // by counter
	stoodIn  map[accountDay]int64     // approved in the client's place more than was recorded, in minor units
	anew     map[string]bool          // groups of fees of which is counted anew what was free
	uses     *useBook                 // nil: no rule asks
	ends     endings
	swept    time.Time
}

// gap is what an account has more than was recorded, in minor units.
type gap struct{ posted, held int64 }

// tally is what is counted under a counter more than was recorded: all of it
// where it was not counted before.
type tally struct {
	amount, count int64
	rows          map[string]control.Counted // by transaction
	ends          time.Time                  // of the window; zero is never
}

func newReplayWorld() *replayWorld {
	return &replayWorld{
		accounts: map[ledger.AccountID]*gap{}, cycles: map[TransactionID]*cycle{}, tallies: map[string]*tally{}, stoodIn: map[accountDay]int64{},
		anew: map[string]bool{},
	}
}

// shiftGap makes an account differ by so much more.
func (w *replayWorld) shiftGap(a ledger.AccountID, posted, held int64) {
	g := w.accounts[a]
	if g == nil {
		g = &gap{}
		w.accounts[a] = g
	}
	if g.posted, g.held = g.posted+posted, g.held+held; *g == (gap{}) {
		delete(w.accounts, a)
	}
}

// isOfNothing reports whether a message is about what the replay did not approve.
func (w *replayWorld) isOfNothing(r *record) bool {
	o := r.State.Original
	c := w.cycles[o.Root]
	return o.Found && o.SameCard && c != nil && c.was != nil && c.was.transactions[o.ID] != nil && c.is.transactions[o.ID] == nil
}

// undo lets a message that is about nothing act in the recorded world alone.
func (w *replayWorld) undo(t *told) error {
	r := t.record
	c := w.cycles[r.State.Original.Root]
	posted, held, err := c.was.enact(r, w.counting(r), &t.was, r.State)
	if err != nil {
		return err
	}
	w.shiftGap(c.account, -posted, -held)
	w.carry(c, t.Transaction)
	return nil
}

// state is what a request is decided on in the replayed world. f are its facts
// there.
func (w *replayWorld) state(r *record, f *Facts) State {
	s := r.State
	if g := w.accounts[r.Facts.Card.Account]; g != nil && s.AccountExists {
		s = s.shiftBy(g.posted, g.held)
		if !s.Verdict.Spare.Currency().IsZero() {
			s.Verdict.Spare = shift(s.Verdict.Spare, g.posted-g.held)
		}
	}
	if !s.Verdict.StoodIn.Currency().IsZero() {
		s.Verdict.StoodIn = shift(s.Verdict.StoodIn, w.stoodIn[accountDay{r.Facts.Card.Account, f.BusinessOn}])
	}
	if c := w.cycles[s.Original.Root]; s.Original.Found && c != nil && c.was != nil && c.is.transactions[s.Original.ID] != nil {
		s.Original, s.Dues = c.is.original(s.Original, f), c.is.dues.Of(s.Original.Root.String())
		if s.Remains != nil {
			s.Remains = remaining(&r.Request, s.Original)
		}
	}
	s.Velocity = make([]VelocityState, len(f.Velocity))
	for i := range f.Velocity {
		v := &f.Velocity[i]
		if !v.Counts {
			continue
		}
		if j := w.recordedAs(r, v); j >= 0 {
			s.Velocity[i] = r.State.Velocity[j]
		}
		more := w.used(v.key(f.Tenant).String(), v.From)
		s.Velocity[i].Amount = max(0, s.Velocity[i].Amount+more.Amount)
		s.Velocity[i].Count = max(0, s.Velocity[i].Count+more.Count)
	}
	s.Fees = make([]FeeState, len(f.Fees))
	for i := range f.Fees {
		v := &f.Fees[i]
		if v.Counter == "" {
			continue
		}
		if j := slices.IndexFunc(r.Facts.Fees, func(x FeeFacts) bool { return x.Counter == v.Counter && x.Subject == v.Subject && x.Start == v.Start }); j >= 0 && !w.isAnew(v) {
			s.Fees[i] = r.State.Fees[j]
		}
		more := w.used(v.key(f.Tenant).String(), time.Time{})
		s.Fees[i].Amount, s.Fees[i].Count = max(0, s.Fees[i].Amount+more.Amount), max(0, s.Fees[i].Count+more.Count)
	}
	return s
}

func shift(a money.Amount, minor int64) money.Amount {
	b, err := money.New(a.Minor()+minor, a.Currency())
	if err != nil {
		return a // beyond what an account can have
	}
	return b
}

// used is what is counted under a counter more than was recorded; of a rolling
// window since from.
func (w *replayWorld) used(counter string, from time.Time) VelocityState {
	t := w.tallies[counter]
	switch {
	case t == nil:
		return VelocityState{}
	case from.IsZero():
		return VelocityState{t.amount, t.count}
	}
	var sum VelocityState
	for _, r := range t.rows {
		if !r.At.Before(from) {
			sum.Amount += r.Amount
			sum.Count += r.Count
		}
	}
	return sum
}

// recordedAs finds among what was recorded the counter of v, if what stood under
// it stands there in the replayed world, too; -1 when it does not.
func (w *replayWorld) recordedAs(r *record, v *VelocityFacts) int {
	return slices.IndexFunc(r.Facts.Velocity, func(x VelocityFacts) bool {
		return x.Counts && x.Counter == v.Counter && x.Subject == v.Subject && x.Start == v.Start && w.keeps(&x)
	})
}

func (w *replayWorld) keeps(v *VelocityFacts) bool {
	return w.draft == nil || w.draft.KeepsCount(v.Code, v.Version)
}

// counting are the recorded facts with those limits only whose counts go on.
func (w *replayWorld) counting(r *record) *Facts {
	if w.draft == nil {
		return &r.Facts
	}
	f := r.Facts
	f.Velocity = slices.DeleteFunc(slices.Clone(f.Velocity), func(v VelocityFacts) bool { return !w.keeps(&v) })
	f.Fees = uncounted(f.Fees, w.isAnew)
	return &f
}

// isAnew reports whether what was free of a fee is counted anew under the draft.
func (w *replayWorld) isAnew(v *FeeFacts) bool {
	return w.draft != nil && (w.anew[v.Due.Group] || w.draft.IsTouched(control.TransactionFee, v.Due.Code))
}

// uncounted are fees of which some do not count what is free.
func uncounted(all []FeeFacts, which func(*FeeFacts) bool) []FeeFacts {
	all = slices.Clone(all)
	for i := range all {
		if which(&all[i]) {
			all[i].Counter = ""
		}
	}
	return all
}

// anewOnly are facts with only those limits and fees that count what the record
// does not, and whether there are any.
func (w *replayWorld) anewOnly(r *record, f *Facts) (*Facts, bool) {
	only := *f
	only.Velocity = slices.DeleteFunc(slices.Clone(f.Velocity), func(v VelocityFacts) bool { return !v.Counts || w.recordedAs(r, &v) >= 0 })
	only.Fees = uncounted(f.Fees, func(v *FeeFacts) bool { return !w.isAnew(v) })
	return &only, len(only.Velocity) > 0 || slices.ContainsFunc(only.Fees, func(v FeeFacts) bool { return v.Counter != "" })
}

// freed is a decision from before the period with those fees of the draft besides
// that would have been free: they cost nothing, and count.
func (w *replayWorld) freed(t *told, f *Facts) (*Decision, *Facts) {
	d, counted, r := t.was, *f, t.record
	counted.Fees = uncounted(r.Facts.Fees, func(*FeeFacts) bool { return true })
	row := classify(r.Request.ProcessingCode, r.Request.MCC, r.Request.Amount)
	if d.Reason != Approved || !d.feesComputed || len(d.Fees) != len(counted.Fees) || !beginsLifeCycle(&r.Request, r.State, row) {
		return &d, &counted
	}
	d.Fees = slices.Clone(d.Fees)
	for i := range f.Fees {
		v := &f.Fees[i]
		if v.Counter != "" && w.isAnew(v) && v.isFree(f.Billing, FeeState(w.used(v.key(f.Tenant).String(), time.Time{}))) {
			due := v.Due
			due.IsFree = true
			d.Fees, counted.Fees = append(d.Fees, due), append(counted.Fees, *v)
		}
	}
	return &d, &counted
}

// enact lets a decision act in both worlds: was as it was recorded, is as it was
// replayed on f and s.
func (w *replayWorld) enact(t *told, was, is *Decision, f *Facts, s State) error {
	r := t.record
	if !s.AccountExists {
		return nil
	}
	c := w.cycles[t.Root]
	anew, some := w.anewOnly(r, f)
	alike := actsAlike(was, is)
	if alike && c == nil && !some && w.uses == nil {
		return nil
	}
	if c == nil {
		c = &cycle{root: t.Root, account: r.Facts.Card.Account, is: newCourse()}
		if o := r.State.Original; o.Found && o.Root == t.Root {
			c.is.recall(o, r)
		}
	}
	if alike && c.was == nil {
		// Nothing differs but what is counted.
		if _, _, err := c.is.enact(r, anew, is, s); err != nil {
			return err
		}
		w.carry(c, t.Transaction)
		return nil
	}
	if c.was == nil {
		c.was = c.is.apart(c, r.Facts.Tenant)
	}
	posted, held, err := c.was.enact(r, w.counting(r), was, r.State)
	if err != nil {
		return err
	}
	postedAgain, heldAgain, err := c.is.enact(r, f, is, s)
	if err != nil {
		return err
	}
	w.shiftGap(c.account, postedAgain-posted, heldAgain-held)
	w.carry(c, t.Transaction)
	return nil
}

// present takes a clearing record into the worlds: it presents what was approved,
// and nothing of what was not. Where both worlds agree it stands in what was
// recorded.
func (w *replayWorld) present(t *Transaction) error {
	c := w.cycles[t.Root]
	if forced := w.cycles[t.Original]; forced != nil && forced.isForced {
		c = forced
	}
	if w.uses != nil {
		w.uses.present(t, c != nil)
	}
	if c == nil || t.ID == t.Root || t.isForced() && c.isOnlyReplayed() {
		return nil
	}
	posted, held, err := c.is.present(t, c)
	if err != nil {
		return err
	}
	if c.was != nil {
		postedThen, heldThen, err := c.was.present(t, c)
		if err != nil {
			return err
		}
		w.shiftGap(c.account, posted-postedThen, held-heldThen)
	}
	w.carry(c, t)
	return nil
}

// elapse lets holds expire up to a moment.
func (w *replayWorld) elapse(now time.Time) {
	for {
		at, root, due := w.ends.next(now)
		if !due {
			break
		}
		c := w.cycles[root]
		if c == nil || !c.due.Equal(at) {
			continue
		}
		held := c.is.expire(at, c.expired)
		if c.was != nil {
			w.shiftGap(c.account, 0, held-c.was.expire(at, c.expired))
		}
		w.recount(c)
		if w.uses != nil {
			w.uses.follow(c, nil)
		}
		if c.isOver(at) {
			delete(w.cycles, root)
		} else {
			c.due = c.next(at)
			w.ends.add(c.due, root)
		}
	}
	if now.Sub(w.swept) > 24*time.Hour {
		w.sweep(now)
	}
}

// sweep forgets what was counted in windows that are over for good.
func (w *replayWorld) sweep(now time.Time) {
	w.swept = now
	if w.uses != nil {
		w.uses.sweep(now)
	}
	for counter, t := range w.tallies {
		for k, r := range t.rows {
			if !r.Ends.IsZero() && r.Ends.Before(now.Add(-cycleKept)) {
				delete(t.rows, k)
			}
		}
		if !t.ends.IsZero() && t.ends.Before(now.Add(-cycleKept)) {
			delete(w.tallies, counter)
		}
	}
}

// carry keeps a life cycle after t has acted in it.
func (w *replayWorld) carry(c *cycle, t *Transaction) {
	if t.ID == c.root {
		c.first = t
	}
	if t.Status == StatusExpired {
		c.expired = t.UpdatedAt
	}
	c.last = t.CreatedAt
	w.recount(c)
	if w.uses != nil {
		w.uses.follow(c, t)
	}
	w.cycles[c.root] = c
	if next := c.next(t.CreatedAt); c.due.IsZero() || next.Before(c.due) {
		c.due = next
		w.ends.add(next, c.root)
	}
}

// recount brings the tallies to what the life cycle has now.
func (w *replayWorld) recount(c *cycle) {
	w.restand(c)
	type row struct{ counter, transaction string }
	now := map[row]control.Counted{}
	for _, u := range c.is.counters.Counted() {
		now[row{u.Counter, u.Transaction}] = u
	}
	if c.was != nil {
		for _, u := range c.was.counters.Counted() {
			k := row{u.Counter, u.Transaction}
			x, known := now[k]
			if !known {
				x = u
				x.Amount, x.Count = 0, 0
			}
			x.Amount, x.Count = x.Amount-u.Amount, x.Count-u.Count
			now[k] = x
		}
	}
	for k, u := range now {
		t := w.tallies[k.counter]
		if t == nil {
			t = &tally{rows: map[string]control.Counted{}}
			w.tallies[k.counter] = t
		}
		before := t.rows[k.transaction]
		t.amount += u.Amount - before.Amount
		t.count += u.Count - before.Count
		t.rows[k.transaction], t.ends = u, u.Ends
	}
}

// restand brings what is approved in clients' places to what the life cycle has of
// it now.
func (w *replayWorld) restand(c *cycle) {
	now := map[accountDay]int64{}
	if c.was != nil {
		for sign, k := range map[int64]*course{1: c.is, -1: c.was} {
			for _, t := range k.transactions {
				if t.DecidedBy == ByStandIn && t.Status != StatusPending {
					now[accountDay{t.Account, t.BusinessOn}] += sign * t.Outstanding().Minor()
				}
			}
		}
	}
	for k, minor := range c.stoodIn {
		w.stoodIn[k] -= minor
	}
	for k, minor := range now {
		w.stoodIn[k] += minor
	}
	c.stoodIn = now
}
