package authorization

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// lane commits operations in groups.
type lane struct {
	in    chan *operation
	ended chan struct{}
}

func newLane(max int, commit func([]*operation)) *lane {
	l := &lane{in: make(chan *operation, 4*max), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		// Whose sender has been refused is passed over.
		inGroups(l.in, max, func(op *operation) bool { return op.claimed.CompareAndSwap(false, true) }, commit)
	}()
	return l
}

func (l *lane) close() {
	close(l.in)
	<-l.ended
}

// inGroups does what comes in, until that is closed, in groups of at most max. A
// group is whatever of it may be taken and arrived while the one before was being
// done, so that what comes alone waits for nobody and there is no timer. do must not
// keep the group.
func inGroups[T any](in <-chan T, max int, take func(T) bool, do func([]T)) {
	group := make([]T, 0, max)
	for one := range in {
		group = group[:0]
		for more := true; more; {
			if take(one) {
				group = append(group, one)
			}
			if len(group) == max {
				break
			}
			select {
			case one, more = <-in:
			default:
				more = false
			}
		}
		if len(group) > 0 {
			do(group)
		}
		clear(group)
	}
}

// ErrOutcomeUnknown is returned when a decision may be durable or not: the
// database did not answer the commit and could not be asked again. The sender
// must get no answer; its repeat or reversal will find out.
var ErrOutcomeUnknown = errors.New("the decision may be durable or not")

// ErrBusy is returned when the account stayed locked by something else, such as
// a clearing file that is being posted. Nothing was kept.
var ErrBusy = fault.New(fault.Unavailable, "account_busy", "the account is being worked on; try again")

// How long a group waits for a row that something else has locked, and how long
// an operation waits that runs alone after that: half as long after each that
// waited in vain, so that many locked accounts do not hold up the free ones.
const (
	lockWaitGroup = 250 * time.Millisecond
	lockWaitAlone = 100 * time.Millisecond
	lockWaitLeast = 10 * time.Millisecond
)

// yieldMax: after a group of at most this many its lane yields once, so that those who
// were just answered run before the next group. With as few processors as lanes they
// would wait behind all of it. Large groups come where many wait, and what these wait
// for is the lane.
const yieldMax = 8

// commit decides and writes a group in one transaction, and then answers all of
// it. If the transaction fails, its operations run one by one: so one that
// cannot be written, or waits for a lock, harms only itself, and after a commit
// whose outcome is unknown each finds its answer if it is there. Those whose time
// is over by then are not tried again: nothing of them was kept.
func (e *Engine) commit(ctx context.Context, group []*operation) {
	watch := clock.StartStopwatch()
	for _, op := range group {
		op.committing = watch
		op.times[StageQueue] += op.submitted.Elapsed()
	}
	if err := e.commitTogether(ctx, group, lockWaitGroup); err != nil {
		unknown := errors.Is(err, db.ErrOutcomeUnknown)
		wait := lockWaitAlone
		for _, op := range group {
			if !unknown && op.isLate() {
				op.err = e.door.refuse(op.req.Flow, shedUndone)
				continue
			}
			op.err = e.commitTogether(ctx, []*operation{op}, wait)
			if db.IsLocked(op.err) {
				wait = max(wait/2, lockWaitLeast)
			}
			switch {
			case op.err == nil:
			case unknown || errors.Is(op.err, db.ErrOutcomeUnknown):
				op.err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, op.err)
			case db.IsLocked(op.err):
				op.err = ErrBusy.Wrap(op.err)
			}
		}
	}
	e.observe.Group(len(group), watch)
	for _, op := range group {
		close(op.done)
	}
	if len(group) <= yieldMax {
		runtime.Gosched()
	}
}

// claimMax bounds how often a group runs again because another node claimed
// one of its message keys at the same moment.
const claimMax = 3

func (e *Engine) commitTogether(ctx context.Context, group []*operation, wait time.Duration) error {
	for attempt := 1; ; attempt++ {
		err := e.db.InTx(ctx, func(tx db.Tx) error {
			if err := db.LimitLockWait(ctx, tx, wait); err != nil {
				return err
			}
			return e.decideAll(ctx, tx, group)
		})
		if !db.IsUnique(err) && !errors.Is(err, errClaimed) || attempt == claimMax {
			return err
		}
	}
}

// decideAll is the body of the transaction. It may run several times: all it
// leaves outside tx are the operations' outcomes, set anew by each run.
func (e *Engine) decideAll(ctx context.Context, tx db.Tx, group []*operation) (err error) {
	defer func() {
		// A broken invariant must cost one group, not the process.
		if p := recover(); p != nil {
			e.log.Error("decision panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("decide: broken invariant: %v", p)
		}
	}()
	for _, op := range group {
		op.stale, op.err, op.answer, op.trace = false, nil, Answer{}, nil
		op.state, op.asks, op.awaits, op.deciding = State{}, false, TransactionID{}, 0
	}
	w, err := open(ctx, tx, group, clock.RealNow(e.clock), e.codes)
	if err != nil {
		return err
	}
	for _, op := range group {
		if op.stale {
			continue
		}
		if err := w.step(op); err != nil {
			return err
		}
	}
	return w.write(ctx, tx)
}
