package authorization_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

var declineInPlace = program.StandInPolicy{Action: program.StandInDecline}

// external runs f with a tenant that owns its balances.
func external(t *testing.T, f func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		w := authorizationtest.NewWith(t, d, authorization.Config{Client: client, Lanes: 4})
		w.OwnBalances(program.BalanceExternal, declineInPlace)
		f(t, w, client)
	})
}

// externalInGroups is external with every size of groups.
func externalInGroups(t *testing.T, f func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client)) {
	eachSize(t, func(t *testing.T, d *db.DB, cfg authorization.Config) {
		client := &authorizationtest.Client{}
		cfg.Client = client
		w := authorizationtest.NewWith(t, d, cfg)
		w.OwnBalances(program.BalanceExternal, declineInPlace)
		f(t, w, client)
	})
}

// hang makes the client wait until release is called; entered tells that it was
// asked.
func hang(c *authorizationtest.Client, v authorization.Verdict) (entered chan struct{}, release func()) {
	entered, gate := make(chan struct{}, 64), make(chan struct{})
	c.Answer(func(ctx context.Context, _ *authorization.ClientMessage) authorization.Verdict {
		entered <- struct{}{}
		select {
		case <-gate:
			return v
		case <-ctx.Done():
			return authorizationtest.Silence()
		}
	})
	return entered, sync.OnceFunc(func() { close(gate) })
}

// A repeat that comes while the client is being asked waits for that answer: it
// is asked once, and all are told the same, on every node.
func TestAuthorize_repeatsWhileTheClientIsAskedAskOnce(t *testing.T) {
	externalInGroups(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
		card := w.NewCard("0.00")
		other := w.NewEngine()
		for _, v := range []authorization.Verdict{authorizationtest.Yes(), authorizationtest.No("57"), authorizationtest.Silence()} {
			before := len(c.Asked())
			entered, release := hang(c, v)
			r := w.Request(card, authorization.AuthorizationRequest, money.Must(100, "TRY"))
			w.Chip(card, r)
			answers := make([]authorization.Answer, 12)
			var wg sync.WaitGroup
			ask := func(i int) {
				wg.Go(func() {
					engine, req := w.Engine, r
					if i%2 == 1 {
						engine = other
					}
					if i%3 != 0 {
						req = authorizationtest.Repeat(r)
					}
					a, err := engine.Authorize(t.Context(), req)
					if err != nil {
						t.Error(err)
					}
					answers[i] = a
				})
			}
			ask(0)
			<-entered
			for i := 1; i < len(answers); i++ {
				ask(i)
			}
			time.AfterFunc(100*time.Millisecond, release)
			wg.Wait()
			release()
			if n := len(c.Asked()) - before; n != 1 {
				t.Errorf("the client was asked %d times", n)
			}
			for _, a := range answers {
				if a.Transaction != answers[0].Transaction || a.ResponseCode != answers[0].ResponseCode || a.ResponseCode == "" ||
					a.AuthorizationCode != answers[0].AuthorizationCode || string(a.IssuerAuthentication) != string(answers[0].IssuerAuthentication) {
					t.Fatalf("got different answers to one message: %+v and %+v", a, answers[0])
				}
			}
		}
		if got := w.Balance(card); got.Held != money.Must(100, "TRY") {
			t.Errorf("%s is held, want 1.00", got.Held)
		}
		w.Verify()
	})
}

// A reversal that comes while the client is being asked waits for the answer, and
// then leaves nothing held.
func TestAuthorize_aReversalWaitsForTheClientsAnswer(t *testing.T) {
	externalInGroups(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
		card := w.NewCard("0.00")
		for _, v := range []authorization.Verdict{authorizationtest.Yes(), authorizationtest.No("")} {
			entered, release := hang(c, v)
			r := w.Request(card, authorization.AuthorizationRequest, money.Must(100, "TRY"))
			var wg sync.WaitGroup
			wg.Go(func() { w.Authorize(r) })
			<-entered
			var reversal authorization.Answer
			wg.Go(func() { reversal = w.Authorize(w.Reversal(card, r, authorization.ReversalAdvice, nil)) })
			time.AfterFunc(50*time.Millisecond, release)
			wg.Wait()
			if reversal.ResponseCode != "00" {
				t.Errorf("the reversal was answered %s", reversal.ResponseCode)
			}
			if got := w.Balance(card); !got.Held.IsZero() {
				t.Errorf("%s is held", got.Held)
			}
		}
		told := w.Heard()
		if len(told) != 1 || told[0].Type != authorization.ReversalMessage {
			t.Errorf("the client was told %v", told)
		}
		w.Verify()
	})
}

// The first use activates a card, too, where the client decides: once it has
// approved.
func TestAuthorize_aFirstUseThatTheClientApprovesActivates(t *testing.T) {
	external(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
		attributes, err := w.Programs.Attributes(t.Context(), w.Caller)
		if err != nil {
			t.Fatal(err)
		}
		attributes.ActivateOnFirstPIN = true
		if _, err := w.Programs.UpdateAttributes(t.Context(), w.Caller, attributes, attributes.ConcurrencyStamp); err != nil {
			t.Fatal(err)
		}
		old := w.NewCard("0.00")
		if _, err := w.Issuing.ChangeStatus(t.Context(), w.Caller, old.Token, issuing.NewStatus{Status: issuing.Inactive, Reason: issuing.CustomerRequest}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Issuing.RenewCard(t.Context(), w.Caller, old.Token, issuing.Renewal{Reason: issuing.RenewForExpiry}); err != nil {
			t.Fatal(err)
		}
		fresh := &authorizationtest.Card{Token: old.Token, AccountNo: old.AccountNo, Account: old.Account, PIN: old.PIN}
		if fresh.Clear, err = w.Issuing.RevealCard(t.Context(), w.Caller, old.Token, 2); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			answer   authorization.Verdict
			reason   authorization.Reason
			sequence int // of the plastic in force after it
		}{
			{authorizationtest.No(""), authorization.ClientDeclined, 1},
			{authorizationtest.Yes(), authorization.Approved, 2},
		} {
			c.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict { return step.answer })
			r := w.Request(fresh, authorization.FinancialRequest, money.Must(1_000, "TRY"))
			r.ProcessingCode, r.MCC = "010000", "6011"
			w.Chip(fresh, r)
			w.WithPIN(fresh, r, fresh.PIN)
			if a := w.Authorize(r); a.Reason != step.reason {
				t.Errorf("the first use: got %q, want %q", a.Reason, step.reason)
			}
			now, err := w.Issuing.CardDetails(t.Context(), w.Caller, old.Token)
			if err != nil || now.Card.Sequence != step.sequence {
				t.Errorf("after %q plastic %d is in force, want %d; %v", step.reason, now.Card.Sequence, step.sequence, err)
			}
		}
		w.Verify()
	})
}

// No committer waits for a client: another card of the same tenant, and another
// message about the same card, are decided meanwhile.
func TestAuthorize_aSlowClientHoldsUpNobody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		w := authorizationtest.NewWith(t, d, authorization.Config{Client: client, Lanes: 1})
		w.OwnBalances(program.BalanceExternal, declineInPlace)
		card := w.NewCard("0.00")
		entered, release := hang(client, authorizationtest.Yes())
		defer release()
		var wg sync.WaitGroup
		for range 16 {
			r := w.Request(card, authorization.AuthorizationRequest, money.Must(100, "TRY"))
			wg.Go(func() { w.Authorize(r) })
			<-entered
		}
		watch := time.Now()
		r := w.Request(card, authorization.AuthorizationRequest, money.Must(100, "TRY"))
		r.Expiry = "2001" // refused without asking
		if a := w.Authorize(r); a.Reason != authorization.ExpiryMismatch {
			t.Errorf("got %s", a.Reason)
		}
		if took := time.Since(watch); took > time.Second {
			t.Errorf("it took %s", took)
		}
		if got := w.Balance(card); got.Held != money.Must(1600, "TRY") {
			t.Errorf("%s is set aside while the client is asked", got.Held)
		}
		release()
		wg.Wait()
		w.Verify()
	})
}

// Approvals in the client's place never exceed the day's limit, however many come
// at once, on two nodes.
func TestAuthorize_parallelStandInsNeverExceedTheDay(t *testing.T) {
	eachSize(t, func(t *testing.T, d *db.DB, cfg authorization.Config) {
		client := &authorizationtest.Client{}
		cfg.Client = client
		w := authorizationtest.NewWith(t, d, cfg)
		w.OwnBalances(program.BalanceExternal, authorizationtest.UpTo(1000, 5000))
		client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
			return authorizationtest.Silence()
		})
		card := w.NewCard("0.00")
		other := w.NewEngine()
		var approved, declined atomic.Int64
		var wg sync.WaitGroup
		for i := range 24 {
			r := w.Request(card, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
			engine := w.Engine
			if i%2 == 1 {
				engine = other
			}
			wg.Go(func() {
				a, err := engine.Authorize(t.Context(), r)
				for errors.Is(err, authorization.ErrBusy) { // the other node has the account; nothing was kept
					a, err = engine.Authorize(t.Context(), r)
				}
				switch {
				case err != nil:
					t.Error(err)
				case a.IsApproved():
					approved.Add(1)
				case a.Reason == authorization.ClientTimeout:
					declined.Add(1)
				default:
					t.Errorf("got %s", a.Reason)
				}
			})
		}
		wg.Wait()
		if approved.Load() != 5 || declined.Load() != 19 {
			t.Errorf("%d were approved and %d declined, want 5 and 19", approved.Load(), declined.Load())
		}
		kinds := map[authorization.MessageType]int{}
		for _, m := range w.Heard() {
			kinds[m.Type]++
		}
		if kinds[authorization.AdviceMessage] != 5 || kinds[authorization.ReversalMessage] != 19 {
			t.Errorf("the client was told %v", kinds)
		}
		w.Verify()
	})
}

// reserve leaves a transaction pending, as a process does that dies while it
// waits for the client: its engine never comes back.
func reserve(t *testing.T, w *authorizationtest.World, r *authorization.Request) {
	t.Helper()
	if err := w.Engine.Reserve(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// What a process left pending is declined by another one, once the time for the
// answer is over; a repeat then gets that answer.
func TestFinishPending_endsWhatAProcessLeft(t *testing.T) {
	external(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
		card := w.NewCard("0.00")
		r := w.Request(card, authorization.AuthorizationRequest, money.Must(2500, "TRY"))
		reserve(t, w, r)
		other := w.NewEngine()
		finish := func(want int) {
			t.Helper()
			if n, err := other.FinishPending(t.Context()); n != want || err != nil {
				t.Errorf("finished %d (%v), want %d", n, err, want)
			}
		}
		finish(0) // it may still come back
		if got := w.Balance(card); got.Held != money.Must(2500, "TRY") {
			t.Errorf("%s is held", got.Held)
		}
		w.Verify()
		w.Clock.Advance(10 * time.Second)
		finish(1)
		finish(0)
		if got := w.Balance(card); !got.Held.IsZero() {
			t.Errorf("%s is held", got.Held)
		}
		a := w.Authorize(authorizationtest.Repeat(r))
		if a.ResponseCode != "91" || a.Reason != authorization.ClientTimeout || !a.IsRepeat {
			t.Errorf("the repeat got %+v", a)
		}
		told := w.Heard()
		if len(told) != 1 || told[0].Type != authorization.ReversalMessage || told[0].Transaction.ID != a.Transaction ||
			told[0].Transaction.Original != a.Transaction {
			t.Errorf("the client was told %+v", told)
		}
		if len(c.Asked()) != 0 {
			t.Error("the client was asked")
		}
		w.Verify()
	})
}

// A repeat that comes first ends it itself, and many at once end it once.
func TestAuthorize_aRepeatEndsWhatAProcessLeft(t *testing.T) {
	external(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
		card := w.NewCard("0.00")
		r := w.Request(card, authorization.FinancialRequest, money.Must(2500, "TRY"))
		reserve(t, w, r)
		w.Clock.Advance(10 * time.Second)
		other := w.NewEngine()
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				engine := w.Engine
				if i%2 == 1 {
					engine = other
				}
				a, err := engine.Authorize(t.Context(), authorizationtest.Repeat(r))
				if err != nil || a.ResponseCode != "91" {
					t.Errorf("got %s, %v", a.ResponseCode, err)
				}
			})
		}
		wg.Wait()
		if told := w.Heard(); len(told) != 1 {
			t.Errorf("the client was told %d times", len(told))
		}
		if len(c.Asked()) != 0 {
			t.Error("the client was asked")
		}
		w.Verify()
	})
}

// An answer that comes when somebody else has ended the transaction changes
// nothing: the network is told what was concluded, and nothing stays held.
func TestAuthorize_aLateApprovalLeavesNoHold(t *testing.T) {
	external(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
		card := w.NewCard("0.00")
		entered, release := hang(c, authorizationtest.Yes())
		r := w.Request(card, authorization.AuthorizationRequest, money.Must(2500, "TRY"))
		var a authorization.Answer
		var wg sync.WaitGroup
		wg.Go(func() { a = w.Authorize(r) })
		<-entered
		w.Clock.Advance(10 * time.Second)
		if n, err := w.NewEngine().FinishPending(t.Context()); n != 1 || err != nil {
			t.Fatalf("finished %d (%v)", n, err)
		}
		release()
		wg.Wait()
		if a.ResponseCode != "91" {
			t.Errorf("the network was told %s", a.ResponseCode)
		}
		if got := w.Balance(card); !got.Held.IsZero() {
			t.Errorf("%s is held", got.Held)
		}
		if told := w.Heard(); len(told) != 1 || told[0].Type != authorization.ReversalMessage {
			t.Errorf("the client was told %v", told)
		}
		w.Verify()
	})
}

// A panic of what asks is no answer, not the end of the process.
func TestAuthorize_survivesAPanicOfWhatAsks(t *testing.T) {
	external(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
		c.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict { panic(errors.New("broken")) })
		card := w.NewCard("0.00")
		if a := w.Authorize(w.Request(card, authorization.AuthorizationRequest, money.Must(100, "TRY"))); a.ResponseCode != "91" {
			t.Errorf("got %s", a.ResponseCode)
		}
		w.Verify()
	})
}

// The time that the network waits is counted from the receipt of its message.
func TestAuthorize_asksNobodyWhenNoTimeIsLeft(t *testing.T) {
	external(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
		card := w.NewCard("0.00")
		r := w.Request(card, authorization.AuthorizationRequest, money.Must(100, "TRY"))
		w.Clock.Advance(9 * time.Second)
		if a := w.Authorize(r); a.ResponseCode != "91" {
			t.Errorf("got %s", a.ResponseCode)
		}
		if len(c.Asked()) != 0 || len(w.Heard()) != 0 {
			t.Error("the client was asked, or told")
		}
		w.Verify()
	})
}

// Money that is held for the client is looked for by nobody else: expiry and
// presentments leave a pending transaction alone.
func TestAuthorize_anIncrementOfWhatEndedMeanwhileIsNotHeld(t *testing.T) {
	external(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
		card := w.NewCard("0.00")
		first := w.Request(card, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
		w.Authorize(first)
		entered, release := hang(c, authorizationtest.Yes())
		var a authorization.Answer
		var wg sync.WaitGroup
		more := more(w, card, first, 700)
		wg.Go(func() { a = w.Authorize(more) })
		<-entered
		w.Clock.Advance(8 * 24 * time.Hour) // the hold expires
		if n, err := w.Engine.Expire(t.Context()); n != 1 || err != nil {
			t.Errorf("expired %d (%v)", n, err)
		}
		release()
		wg.Wait()
		if a.IsApproved() {
			t.Error("it was approved")
		}
		if got := w.Balance(card); !got.Held.IsZero() {
			t.Errorf("%s is held", got.Held)
		}
		if told := w.Heard(); len(told) != 1 || told[0].Type != authorization.ReversalMessage {
			t.Errorf("the client was told %v", told)
		}
		w.Verify()
	})
}

// Of a tap without a PIN that the client approves in part, only that part counts
// against what may be tapped in a row; the tap itself counts.
func TestAuthorize_aPartlyApprovedTapCountsWhatWasApproved(t *testing.T) {
	for _, flow := range []authorization.Flow{authorization.AuthorizationRequest, authorization.FinancialRequest} {
		external(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
			part := money.Must(3_000, "TRY")
			c.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
				return authorization.Verdict{Hearing: authorization.Answered, Approved: true, ApprovedAmount: &part}
			})
			card := w.NewCard("0.00")
			r := w.Request(card, flow, money.Must(10_000, "TRY"))
			w.Chip(card, r)
			r.EntryMode, r.MayApprovePartially = "071", true
			if a := w.Authorize(r); a.Approved != part {
				t.Fatalf("%s: approved for %s (%s)", flow, a.Approved, a.Reason)
			}
			d, err := w.Issuing.CardDetails(t.Context(), w.Caller, card.Token)
			if err != nil || d.Card.Contactless.Count != 1 || d.ContactlessAmount() != part {
				t.Errorf("%s: %d taps of %s count, want one of %s; %v", flow, d.Card.Contactless.Count, d.ContactlessAmount(), part, err)
			}
			w.Verify()
		})
	}
}

// A PIN makes the taps before it forgotten, also one whose client is still being
// asked: when that is declined, the taps after the PIN still count.
func TestAuthorize_aDeclinedTapFromBeforeThePINTakesNoLaterOneBack(t *testing.T) {
	external(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Client) {
		card := w.NewCard("0.00")
		tap := func(minor int64) *authorization.Request {
			r := w.Request(card, authorization.AuthorizationRequest, money.Must(minor, "TRY"))
			w.Chip(card, r)
			r.EntryMode = "071"
			return r
		}
		first := tap(10_000)
		entered, release := hang(c, authorizationtest.No("57"))
		done := make(chan authorization.Answer)
		go func() { done <- w.Authorize(first) }()
		<-entered
		c.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
			return authorizationtest.Yes()
		})
		withPIN := w.Request(card, authorization.AuthorizationRequest, money.Must(5_000, "TRY"))
		w.Chip(card, withPIN)
		w.WithPIN(card, withPIN, "4712")
		if a := w.Authorize(withPIN); a.ResponseCode != "00" {
			t.Fatalf("with the PIN: %s", a.Reason)
		}
		if a := w.Authorize(tap(3_000)); a.ResponseCode != "00" {
			t.Fatalf("tapped after it: %s", a.Reason)
		}
		release()
		if a := <-done; a.ResponseCode == "00" {
			t.Fatal("the first tap was approved")
		}
		d, err := w.Issuing.CardDetails(t.Context(), w.Caller, card.Token)
		if err != nil || d.Card.Contactless.Count != 1 || d.ContactlessAmount() != money.Must(3_000, "TRY") {
			t.Errorf("%d taps of %s count, want the one after the PIN; %v", d.Card.Contactless.Count, d.ContactlessAmount(), err)
		}
		w.Verify()
	})
}
