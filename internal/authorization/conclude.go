package authorization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// conclusion is what ends a request whose client was asked: what was decided on
// when the money was set aside, and what the client said.
type conclusion struct {
	reserved State
	verdict  Verdict
}

// concluded is a pending transaction that came to its end, for writing.
type concluded struct {
	transaction *Transaction
	message     *message
	decision    storedDecision
}

// accountDay is what an approval in the client's place counts against.
type accountDay struct {
	account ledger.AccountID
	on      clock.Date
}

// readClients reads, under the locks of the accounts, what conclusions and those
// that wait for them need. Where our ledger has the balance, that is nothing.
func (w *work) readClients(ctx context.Context, tx db.Tx, ops []*operation) error {
	for _, op := range ops {
		f := op.facts
		if op.conclusion == nil {
			if f.Client.Owns() && (op.req.Flow.IsReversal() || op.req.Flow.IsAdvice()) {
				if err := w.readPending(ctx, tx, op); err != nil {
					return fmt.Errorf("read what is pending: %w", err)
				}
			}
			continue
		}
		k := accountDay{f.Card.Account, f.BusinessOn}
		if _, known := w.stoodIn[k]; known || !f.Client.StandsIn {
			continue
		}
		if w.stoodIn == nil {
			w.stoodIn = map[accountDay]money.Amount{}
		}
		sum, err := sumStoodIn(ctx, tx, k, f.Billing.Currency())
		if err != nil {
			return fmt.Errorf("sum approvals in the client's place: %w", err)
		}
		w.stoodIn[k] = sum
	}
	return nil
}

// readPending finds what is pending in the life cycle that op refers to.
func (w *work) readPending(ctx context.Context, tx db.Tx, op *operation) error {
	t := w.transactions[w.refersTo(op)]
	if t == nil {
		return nil
	}
	member, found, err := pendingOf(ctx, tx, t.Root)
	if found {
		if w.pending == nil {
			w.pending = map[TransactionID]TransactionID{}
		}
		w.pending[t.Root] = member
	}
	return err
}

// refersTo is the transaction that op reverses, adds to or completes; zero when
// there is none.
func (w *work) refersTo(op *operation) TransactionID {
	if m := w.messages[op.original]; m != nil && !m.tombstone {
		return m.transaction
	}
	return op.facts.Candidate
}

// awaited is the transaction that op has to wait for, as its client is being
// asked: its own, when op repeats it; the one it refers to, or another of that
// life cycle.
func (w *work) awaited(op *operation) TransactionID {
	if m := w.messages[op.key]; m != nil && !m.tombstone {
		if m.answer.Outcome == OutcomePending && m.fingerprint == op.facts.fingerprint {
			return m.transaction
		}
		return TransactionID{}
	}
	t := w.transactions[w.refersTo(op)]
	switch {
	case t == nil:
		return TransactionID{}
	case t.Status == StatusPending:
		return t.ID
	}
	return w.pending[t.Root]
}

// conclude ends a pending transaction as the client, or we in its place,
// decided. One that somebody else has concluded keeps that answer.
func (w *work) conclude(op *operation) error {
	f := op.facts
	t, m := w.transactions[f.Transaction], w.messages[op.key]
	if t == nil || m == nil || m.transaction != t.ID {
		return fmt.Errorf("transaction %s is not there any more", f.Transaction)
	}
	if t.Status != StatusPending {
		op.answer, op.answer.IsRepeat = m.answer, true
		return nil
	}
	s := op.conclusion.reserved
	s.Verdict = w.weigh(op)
	watch := clock.StartStopwatch()
	d := decide(op.req, f, s)
	op.deciding = watch.Elapsed()
	before, reserved, held := w.standing(t), t.Hold, money.Zero(f.Billing.Currency())
	if h, ok := w.book.Hold(t.Hold); ok {
		held = minus(h.Remaining(), least(h.Remaining(), f.Billing))
	}
	if err := w.settleReserve(op, d, s, t); err != nil {
		return fmt.Errorf("conclude: %w", err)
	}
	if err := w.concludeFees(op, d, t, held, reserved); err != nil {
		return fmt.Errorf("charge fees: %w", err)
	}
	w.recount(op, d, t, before, reserved)
	w.activate(op, d, s)
	t.Status, t.Reason, t.DecidedBy, t.ClientReference = d.Status, d.Reason, d.By, s.Verdict.Reference
	if t.Billing = d.Approved; d.Status == StatusDeclined {
		t.Billing = f.Billing
	}
	t.judged(op.req, f, s, d)
	w.balances(op, s.Verdict, t)
	if err := w.answerTo(op, d, t); err != nil {
		return err
	}
	m.answer = op.answer
	if k := (accountDay{f.Card.Account, f.BusinessOn}); f.Client.StandsIn && d.By == ByStandIn && d.Status != StatusDeclined {
		w.stoodIn[k] = plus(w.stoodIn[k], d.Approved)
	}
	r := record{Request: *op.req, Facts: *f, State: s}
	w.concluded = append(w.concluded, concluded{t, m, storedDecision{transaction: t.ID, record: r.String(), trace: d.Trace, times: op.written()}})
	w.tellClient(op, d, t)
	w.settle(t.Root)
	w.tell(op, d, t)
	w.alert(op, s, nil, t)
	return nil
}

// weigh adds to what the client said what stands under the locks now.
func (w *work) weigh(op *operation) Verdict {
	f, v := op.facts, op.conclusion.verdict
	if f.Client.StandsIn {
		v.StoodIn = w.stoodIn[accountDay{f.Card.Account, f.BusinessOn}]
	}
	if a, ok := w.book.Account(f.Card.Account); ok && f.Client.Mode == program.BalanceHybrid {
		v.Spare = a.AvailableTo(f.Card.Issuance.String())
	}
	if op.req.IsIncrement && op.req.Flow == AuthorizationRequest {
		first := w.transactions[f.Candidate]
		v.IsLate = first == nil || !first.Status.HoldsMoney()
	}
	return v
}

// settleReserve makes of what was set aside what d says: all of it stays, a part
// is given back, it is posted, or all is given back.
func (w *work) settleReserve(op *operation, d Decision, s State, t *Transaction) error {
	f := op.facts
	switch {
	case t.Hold.IsZero(): // nothing was: it asked for a balance
	case d.Post.Sign() > 0:
		w.giveBackTap(op, d)
		w.book.ClearHold(t.Hold, d.Post)
		w.book.ReleaseHold(t.Hold)
		t.Hold = ledger.HoldID{}
		return w.post(op, d, s.Original, t)
	case d.Status == StatusDeclined:
		w.giveBack(t, f.Billing)
		t.Hold = ledger.HoldID{}
		w.giveBackTap(op, d)
	default:
		w.giveBack(t, minus(f.Billing, d.Approved))
		w.giveBackTap(op, d)
	}
	return nil
}

// giveBack takes a part off the hold that t lives on. A hold that comes to its
// end takes its life cycle with it, unless it was t's own.
func (w *work) giveBack(t *Transaction, part money.Amount) {
	h, ok := w.book.Hold(t.Hold)
	if !ok || part.IsZero() || !h.IsOpen() {
		return
	}
	w.book.ReverseHold(t.Hold, part)
	if h, _ := w.book.Hold(t.Hold); !h.IsOpen() && t.ID != t.Root {
		w.chainsClosed[t.Root] = false
	}
}

// giveBackTap returns to its limit what d does not approve of a contactless
// payment without a PIN. One that is approved in part still counts as a tap.
// What a PIN has made forgotten since then is not in the count any more.
func (w *work) giveBackTap(op *operation, d Decision) {
	f, part := op.facts, op.facts.Billing
	if d.Status != StatusDeclined {
		part = minus(part, d.Approved)
	}
	if !op.req.IsContactless() || f.PIN == Match || part.IsZero() {
		return
	}
	card := w.cards[f.Card.ID]
	if card.ContactlessRuns != op.conclusion.reserved.Card.ContactlessRuns {
		return
	}
	if d.Status == StatusDeclined {
		card.ContactlessCount = max(0, card.ContactlessCount-1)
	}
	card.ContactlessAmount = max(0, card.ContactlessAmount-part.Minor())
	w.cards[f.Card.ID] = card
	w.cardsChanged[f.Card.ID] = true
}

// activate brings a card into use whose first use was approved; unless it has
// left Pending meanwhile. What else a decision does to its card was done before
// the client was asked.
func (w *work) activate(op *operation, d Decision, s State) {
	card := w.cards[op.facts.Card.ID]
	if s.Card.Status != issuing.Pending || d.Card.Status != issuing.Active || card.Status != issuing.Pending {
		return
	}
	card.Status = issuing.Active
	w.cards[card.ID], w.cardsChanged[card.ID] = card, true
}

// balances notes the account's balances after t: those that the client told,
// else those of our ledger where it has a say.
func (w *work) balances(op *operation, v Verdict, t *Transaction) {
	c := t.Billing.Currency()
	if v.Available != nil && v.Available.Currency() == c {
		t.HasBalance, t.AvailableAfter, t.PostedAfter = true, *v.Available, *v.Available
		if v.Ledger != nil && v.Ledger.Currency() == c {
			t.PostedAfter = *v.Ledger
		}
		return
	}
	if a, ok := w.book.Account(t.Account); ok && op.facts.Client.Mode == program.BalanceHybrid {
		t.HasBalance, t.PostedAfter, t.AvailableAfter = true, a.Posted, a.AvailableTo(t.Issuance.String())
	}
}

// tellClient keeps what the client is told of op.
func (w *work) tellClient(op *operation, d Decision, t *Transaction) {
	if d.Tell == "" {
		return
	}
	m := ClientMessage{Type: d.Tell, Names: op.facts.Client.Names, Transaction: *t}
	if m.Type == ReversalMessage && !op.req.Flow.IsReversal() {
		m.undo()
	}
	w.told = append(w.told, m)
}

// clientEvents are messages to clients as the outbox takes them.
func clientEvents(all []ClientMessage, now clock.Real) []outbox.Event {
	events := make([]outbox.Event, len(all))
	for i := range all {
		events[i] = all[i].event(now)
	}
	return events
}

// TellClients tells clients that own their balances, with the commit of tx, what
// has happened.
func TellClients(ctx context.Context, tx db.Tx, all []ClientMessage, now clock.Real) error {
	return outbox.Add(ctx, tx, clientEvents(all, now)...)
}

// writeConclusions writes what pending transactions, their messages and their
// decisions became.
func (w *work) writeConclusions(ctx context.Context, tx db.Tx) error {
	if len(w.concluded) == 0 {
		return nil
	}
	if err := concludeTransactions(ctx, tx, w.concluded, w.at); err != nil {
		return fmt.Errorf("conclude transactions: %w", err)
	}
	if err := concludeMessages(ctx, tx, w.concluded); err != nil {
		return fmt.Errorf("conclude messages: %w", err)
	}
	if err := concludeDecisions(ctx, tx, w.concluded); err != nil {
		return fmt.Errorf("conclude decisions: %w", err)
	}
	return nil
}
