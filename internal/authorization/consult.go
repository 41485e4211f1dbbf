package authorization

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// asked are the transactions whose clients this process asks at this moment.
type asked struct {
	mu  sync.Mutex
	all map[TransactionID]chan struct{}
}

// begin notes that a client is being asked; end tells whoever waits that it is
// concluded.
func (a *asked) begin(t TransactionID) (end func()) {
	done := make(chan struct{})
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[TransactionID]chan struct{}{}
	}
	a.all[t] = done
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.all, t)
		close(done)
	}
}

func (a *asked) of(t TransactionID) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all[t]
}

// concludeMax bounds how often a conclusion is tried that waits for a locked
// account.
const concludeMax = 5

// consult asks the client about a request that was set aside as pending, and
// concludes it. Nothing is locked and no connection of the database is held
// while the client is waited for. Once the pending transaction is durable there
// is no way back: what cannot be concluded here is ErrOutcomeUnknown, and is
// concluded by FinishPending.
func (e *Engine) consult(ctx context.Context, op *operation) (*operation, error) {
	defer e.asked.begin(op.facts.Transaction)()
	SetAside(ctx)
	watch := clock.StartStopwatch()
	verdict := e.ask(ctx, op)
	op.times[StageAsk] += watch.Elapsed()
	if verdict.Hearing != Answered || verdict.Message != "" {
		e.log.Info("client consulted", "transaction", op.facts.Transaction.UUID(), "hearing", string(verdict.Hearing),
			"detail", verdict.Detail, "message", verdict.Message)
	}
	return e.conclude(op.req, op.facts, op.key, op.times, conclusion{op.state, verdict})
}

// conclude commits a conclusion.
func (e *Engine) conclude(req *Request, f *Facts, key string, t *Times, c conclusion) (*operation, error) {
	for attempt := 1; ; attempt++ {
		end := newOperation(req, f, key, t)
		end.conclusion = &c
		e.run(end)
		switch {
		case end.err == nil:
			return end, nil
		case !errors.Is(end.err, ErrBusy) || attempt == concludeMax:
			return nil, fmt.Errorf("%w: %w", ErrOutcomeUnknown, end.err)
		}
	}
}

// ask puts the question, within what is left of the time for it.
func (e *Engine) ask(ctx context.Context, op *operation) (v Verdict) {
	defer func() {
		if p := recover(); p != nil {
			e.log.ErrorContext(ctx, "asking a client panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			v = Verdict{Hearing: Unanswered, Detail: "the question failed on our side"}
		}
	}()
	left := op.facts.Client.AskUntil.Sub(clock.RealNow(e.clock).Time())
	switch {
	case e.client == nil:
		return Verdict{Hearing: Unasked, Detail: "nobody can be asked"}
	case left <= 0:
		return Verdict{Hearing: Unasked, Detail: "no time was left to ask"}
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	return e.client.Ask(ctx, op.question())
}

// question is what the client is asked about op.
func (op *operation) question() *ClientMessage {
	d := decide(op.req, op.facts, op.state)
	t := op.transaction(d, op.state)
	t.Additional = op.additional
	m := &ClientMessage{
		Type: AuthorizationMessage, Names: op.facts.Client.Names, Transaction: *t, MayApprovePartially: op.req.MayApprovePartially,
	}
	switch {
	case t.Code == BalanceInquiry:
		m.Type = BalanceInquiryMessage
	case op.req.Flow == FinancialRequest:
		m.Type = FinancialMessage
	}
	return m
}

const (
	// pendingGrace is how long after the time for its answer a pending transaction
	// is left to whoever asked.
	pendingGrace = 2 * time.Second
	pendingPoll  = 25 * time.Millisecond
	pendingBatch = 100
)

// await returns when a transaction is not pending any more: concluded by whoever
// asks its client, in this process or another one, or by us when that one did
// not come back.
func (e *Engine) await(ctx context.Context, t TransactionID) error {
	SetAside(ctx)
	if done := e.asked.of(t); done != nil {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p, err := e.readPending(ctx, t)
	if err != nil || p == nil {
		return err
	}
	left := p.Facts.Client.AskUntil.Add(pendingGrace).Sub(clock.RealNow(e.clock).Time())
	limit, cancel := context.WithTimeout(ctx, max(0, left))
	defer cancel()
	tick := time.NewTicker(pendingPoll)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if p, err := e.readPending(ctx, t); err != nil || p == nil {
				return err
			}
		case <-limit.Done():
			if err := ctx.Err(); err != nil {
				return err
			}
			return e.abandon(ctx, p)
		}
	}
}

// readPending returns what a pending transaction was decided on; nil when it is
// not pending.
func (e *Engine) readPending(ctx context.Context, t TransactionID) (*record, error) {
	var r *record
	err := e.db.View(ctx, func(tx db.Tx) error {
		r = nil
		found, err := ReadTransactions(ctx, tx, []TransactionID{t})
		if err != nil || found[t] == nil || found[t].Status != StatusPending {
			return err
		}
		d, _, err := findDecision(ctx, tx, t)
		if err != nil {
			return err
		}
		if r, err = parseRecord(d.record); err != nil {
			return err
		}
		r.times = d.times
		tenant, err := access.MustTenant(ctx, tx, r.Facts.Tenant)
		r.Facts.ahead = tenant.Ahead // as it is now, whatever this node knows
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read pending transaction: %w", err)
	}
	return r, nil
}

// abandon concludes a pending transaction whose answer nobody waits for any
// more: it is declined, and the client is told to undo what it may have held.
// The network was told nothing of it, and gets this when it asks again.
func (e *Engine) abandon(ctx context.Context, r *record) error {
	cfg, err := e.programs.Configuration(ctx, r.Facts.Tenant)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	r.Facts.codes, r.Facts.name = cfg.Attributes.ResponseCodeMap, r.Facts.Client.Names
	_, err = e.conclude(&r.Request, &r.Facts, r.Request.Key().String(), &r.times, conclusion{r.State, Verdict{Hearing: Abandoned}})
	return err
}

// FinishPending concludes the transactions whose clients were asked by a process
// that did not come back, and returns how many there were. It may run on several
// nodes at once and at any time.
func (e *Engine) FinishPending(ctx context.Context) (int, error) {
	finished := 0
	var failed error // one that cannot be concluded holds up no other
	var after TransactionID
	for {
		var some []TransactionID
		now := clock.RealNow(e.clock).Time()
		err := e.db.View(ctx, func(tx db.Tx) (err error) {
			some, err = pendingBefore(ctx, tx, clock.RealAt(now.Add(-pendingGrace)), after, pendingBatch)
			return err
		})
		if err != nil {
			return finished, fmt.Errorf("find pending transactions: %w", err)
		}
		for _, t := range some {
			r, err := e.readPending(ctx, t)
			if err == nil && (r == nil || now.Before(r.Facts.Client.AskUntil.Add(pendingGrace)) || e.asked.of(t) != nil) {
				continue
			}
			if err == nil {
				err = e.abandon(ctx, r)
			}
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("finish pending transaction %s: %w", t.UUID(), err))
				continue
			}
			finished++
		}
		if len(some) < pendingBatch || ctx.Err() != nil {
			return finished, errors.Join(failed, ctx.Err())
		}
		after = some[len(some)-1]
	}
}
