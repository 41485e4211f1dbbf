package authorization

import (
	"container/heap"
	"maps"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// cycleKept is how long a life cycle that differs is kept when it holds nothing
// any more: what is presented or reversed later than that is rare.
const cycleKept = 35 * 24 * time.Hour

// cycle is a life cycle that runs otherwise than it did, or of which is counted
// what was not counted before.
type cycle struct {
	root    TransactionID
	account ledger.AccountID
	// was is the life cycle as recorded, is as replayed; was is nil while nothing
	// differs but what is counted.
	was, is *course
	first   *Transaction // of the life cycle, as it stands in the database now
	expired time.Time    // when its hold expired as recorded; zero where that is not known
	last    time.Time    // when something happened to it
	due     time.Time    // when it is looked at again
	// stoodIn is what the world has of it, see [replayWorld.restand].
	stoodIn map[accountDay]int64
	// isForced says that it is a presentment that nothing was authorized for, counted
	// by itself. represented are presentments that came again.
	isForced    bool
	represented []TransactionID
}

// isOnlyReplayed reports whether it was approved in the replayed world alone.
func (c *cycle) isOnlyReplayed() bool {
	return c.was != nil && c.was.transactions[c.root] == nil && c.is.transactions[c.root] != nil
}

// isOnlyRecorded reports whether it was approved in the recorded world alone.
func (c *cycle) isOnlyRecorded() bool {
	return c.was != nil && c.was.transactions[c.root] != nil && c.is.transactions[c.root] == nil
}

// isOver reports whether the life cycle can be forgotten.
func (c *cycle) isOver(at time.Time) bool {
	kept := 24 * time.Hour
	if c.was != nil {
		kept = cycleKept
	}
	return !c.is.isOpen() && (c.was == nil || !c.was.isOpen()) && !at.Before(c.last.Add(kept))
}

// next is when the life cycle has to be looked at again: when a hold ends, else
// when it can be forgotten.
func (c *cycle) next(at time.Time) time.Time {
	kept := 24 * time.Hour
	if c.was != nil {
		kept = cycleKept
	}
	next := at.Add(kept)
	for _, k := range []*course{c.is, c.was} {
		if k == nil || !k.isOpen() {
			continue
		}
		if e := k.endsAt(c.expired); e.After(at) && e.Before(next) {
			next = e
		}
	}
	return next
}

// course is how a life cycle stands in one of the worlds.
type course struct {
	hold         *ledger.Hold
	transactions map[TransactionID]*Transaction // that were not refused
	entries      map[TransactionID]ledger.Entry
	completed    map[TransactionID]time.Time
	counters     *control.Counters
	dues         *fee.Dues
}

func newCourse() *course {
	return &course{
		transactions: map[TransactionID]*Transaction{}, entries: map[TransactionID]ledger.Entry{},
		completed: map[TransactionID]time.Time{}, counters: control.NewCounters(), dues: fee.NewDues(),
	}
}

// apart is a copy that goes its own way from now on. What k has counted is not
// the copy's: it was counted in the replayed world alone.
func (k *course) apart(of *cycle, tenant access.TenantID) *course {
	c := newCourse()
	if k.hold != nil {
		h := *k.hold
		c.hold = &h
	}
	for id, t := range k.transactions {
		x := *t
		c.transactions[id] = &x
	}
	maps.Copy(c.entries, k.entries)
	maps.Copy(c.completed, k.completed)
	c.dues.Begin(tenant, of.account, of.root.String(), k.dues.Of(of.root.String()), of.last)
	return c
}

// recall begins a course with the transaction that a message refers to.
func (k *course) recall(o Original, r *record) {
	zero := money.Zero(o.Billing.Currency())
	if k.transactions[o.ID] == nil {
		k.transactions[o.ID] = &Transaction{
			ID: o.ID, Tenant: r.Facts.Tenant, Root: o.Root, Flow: AuthorizationRequest, Status: o.Status, Card: r.Facts.Card.ID,
			Account: r.Facts.Card.Account, Hold: o.Hold, Amount: o.Amount, Billing: o.Billing, Reversed: o.Reversed, Cleared: o.Cleared,
			Refunded: zero, IsDebit: o.IsDebit,
		}
		if o.IsPosted {
			k.transactions[o.ID].Flow = FinancialRequest
		}
	}
	if root := o.Root.String(); len(k.dues.Of(root)) == 0 {
		k.dues.Begin(r.Facts.Tenant, r.Facts.Card.Account, root, r.State.Dues, r.Facts.Now)
	}
	if o.Hold.IsZero() {
		return
	}
	h := ledger.NewHold(o.Hold, r.Facts.Tenant, r.Facts.Card.Account, plus(o.Remaining, o.Cleared), r.Facts.HoldExpires)
	h.Cleared = o.Cleared
	k.hold = &h
}

func (k *course) isOpen() bool { return k.hold != nil && k.hold.IsOpen() }

// endsAt is when the hold ends unless something ends it before.
func (k *course) endsAt(expired time.Time) time.Time {
	if !expired.IsZero() {
		return expired
	}
	return k.hold.ExpiresAt
}

// work is the course as a transaction of the engine sees it.
func (k *course) work(a ledger.Account) *work {
	var holds []ledger.Hold
	if k.hold != nil {
		holds = append(holds, *k.hold)
	}
	return &work{
		book: ledger.NewBook([]ledger.Account{a}, holds), counters: k.counters, transactions: k.transactions, entries: k.entries,
		completed: k.completed, dues: k.dues, cards: map[id.ID[issuing.Card]]issuing.CardState{}, cardsChanged: map[id.ID[issuing.Card]]bool{},
		transactionsChanged: map[TransactionID]bool{}, chainsClosed: map[TransactionID]bool{},
	}
}

func replayAccount(a ledger.AccountID, posted, held money.Amount) ledger.Account {
	return ledger.Account{
		ID: a, Code: "L.CARD", Kind: ledger.Liability, Currency: posted.Currency(), KeepsBalance: true, Posted: posted, Held: held,
	}
}

// enact lets a decision act, and returns by how much it changes what is posted and
// held.
func (k *course) enact(r *record, f *Facts, d *Decision, s State) (posted, held int64, err error) {
	if o := s.Original; o.Found && !o.Hold.IsZero() && (k.hold == nil || k.hold.ID != o.Hold || k.hold.Remaining() != o.Remaining) {
		k.recall(o, r)
	}
	w := k.work(replayAccount(r.Facts.Card.Account, s.Posted, s.Held))
	act := *d
	act.CardChanged = false // it stays as recorded
	t, err := w.enact(&operation{req: &r.Request, facts: f}, act, s)
	if err != nil {
		return 0, 0, err
	}
	if t.Status != StatusDeclined && t.Status != StatusFailed {
		k.transactions[t.ID] = t
	}
	w.settle(t.Root)
	k.takeHold(w, f.Hold)
	after, _ := w.book.Account(r.Facts.Card.Account)
	return after.Posted.Minor() - s.Posted.Minor(), after.Held.Minor() - s.Held.Minor(), nil
}

func (k *course) takeHold(w *work, fresh ledger.HoldID) {
	if h, placed := w.book.Hold(fresh); placed {
		k.hold = &h
	} else if k.hold != nil {
		h, _ := w.book.Hold(k.hold.ID)
		k.hold = &h
	}
}

// original is what a message refers to as it stands in the course; o as it stood
// in the record.
func (k *course) original(o Original, f *Facts) Original {
	zero := money.Zero(o.Billing.Currency())
	x := k.work(replayAccount(f.Card.Account, zero, zero)).original(k.transactions[o.ID], f)
	x.SameCard, x.Amount, x.Entry = o.SameCard, o.Amount, o.Entry
	return x
}

// expire releases a hold whose time is over, and returns by how much less is held.
func (k *course) expire(at, expired time.Time) (held int64) {
	if !k.isOpen() || k.endsAt(expired).After(at) {
		return 0
	}
	zero := money.Zero(k.hold.Authorized.Currency())
	w := k.work(replayAccount(k.hold.Account, zero, zero))
	before, remains := control.StandingOf(minus(k.hold.Authorized, k.hold.Reversed), zero), k.hold.Remaining()
	w.book.ReleaseHold(k.hold.ID)
	k.takeHold(w, ledger.HoldID{})
	for _, t := range k.transactions {
		if t.Hold == k.hold.ID && t.Status.HoldsMoney() {
			root := t.Root.String()
			k.counters.Follow(root, before.WithFees(k.dues.Stands(root, remains)), control.StandingOf(k.hold.Cleared, zero).WithFees(k.dues.Stands(root, zero)))
			if t.Status == StatusPartiallyCleared {
				t.Status = StatusCleared
			} else {
				t.Status = StatusExpired
			}
		}
	}
	a, _ := w.book.Account(k.hold.Account)
	return a.Held.Minor()
}

// endings are when life cycles have to be looked at again, the next first.
type endings []ending

type ending struct {
	at   time.Time
	root TransactionID
}

func (e *endings) add(at time.Time, root TransactionID) { heap.Push(e, ending{at, root}) }

// next takes the next ending off that is due.
func (e *endings) next(now time.Time) (at time.Time, root TransactionID, due bool) {
	if len(*e) == 0 || (*e)[0].at.After(now) {
		return time.Time{}, TransactionID{}, false
	}
	x := heap.Pop(e).(ending)
	return x.at, x.root, true
}

// Len, Less, Swap, Push and Pop implement [heap.Interface].
func (e endings) Len() int { return len(e) }

func (e endings) Less(i, j int) bool {
	if !e[i].at.Equal(e[j].at) {
		return e[i].at.Before(e[j].at)
	}
	return e[i].root.String() < e[j].root.String()
}

func (e endings) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

func (e *endings) Push(x any) { *e = append(*e, x.(ending)) }

func (e *endings) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
