package authorization_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// inAnyGroups runs messages one by one and as one group: nothing of the money may
// depend on it.
func inAnyGroups(t *testing.T, run func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Card, send func(...*authorization.Request)), held, posted string) {
	for name, together := range map[string]bool{"one by one": false, "together": true} {
		t.Run(name, func(t *testing.T) {
			w := authorizationtest.New(t, dbtest.SQLite(t))
			c := w.NewCard("100.00")
			run(t, w, c, func(all ...*authorization.Request) {
				if together {
					if _, err := w.Engine.AuthorizeTogether(t.Context(), all...); err != nil {
						t.Fatal(err)
					}
					return
				}
				for _, r := range all {
					w.Authorize(r)
				}
			})
			if got := w.Balance(c); got.Held.Decimal() != held || got.Posted.Decimal() != posted {
				t.Errorf("got posted %s, held %s; want %s and %s", got.Posted.Decimal(), got.Held.Decimal(), posted, held)
			}
			w.Verify()
		})
	}
}

func more(w *authorizationtest.World, c *authorizationtest.Card, first *authorization.Request, minor int64) *authorization.Request {
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(minor, "TRY"))
	r.RRN, r.IsIncrement = first.RRN, true
	return r
}

func complete(w *authorizationtest.World, c *authorizationtest.Card, first *authorization.Request, minor int64) *authorization.Request {
	r := w.Request(c, authorization.FinancialAdvice, money.Must(minor, "TRY"))
	r.RRN = first.RRN
	return r
}

func down(w *authorizationtest.World, c *authorizationtest.Card, r *authorization.Request, minor int64) *authorization.Request {
	if minor == 0 {
		return w.Reversal(c, r, authorization.ReversalAdvice, nil)
	}
	remains := money.Must(minor, "TRY")
	return w.Reversal(c, r, authorization.ReversalAdvice, &remains)
}

func TestAuthorize_aCompletionAfterOneOfNothingHoldsItsOwn(t *testing.T) {
	inAnyGroups(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Card, send func(...*authorization.Request)) {
		r := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
		w.Authorize(r)
		send(complete(w, c, r, 0), complete(w, c, r, 3000))
	}, "30.00", "100.00")
}

func TestAuthorize_noIncrementComesAfterTheEndOfTheHold(t *testing.T) {
	inAnyGroups(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Card, send func(...*authorization.Request)) {
		r := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
		w.Authorize(r)
		i := more(w, c, r, 2000)
		w.Authorize(i)
		w.Authorize(down(w, c, r, 2000))
		send(down(w, c, i, 0), more(w, c, r, 1000))
	}, "0.00", "100.00")
}

func TestAuthorize_aCompletionIsReversedInTwoSteps(t *testing.T) {
	inAnyGroups(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Card, send func(...*authorization.Request)) {
		r := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
		w.Authorize(r)
		done := complete(w, c, r, 7000)
		send(done, down(w, c, done, 6000), down(w, c, done, 0))
	}, "0.00", "100.00")
}

func TestAuthorize_aPartlyReversedCompletionStillReplacesIncrements(t *testing.T) {
	inAnyGroups(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Card, send func(...*authorization.Request)) {
		r := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
		w.Authorize(r)
		i := more(w, c, r, 2000)
		w.Authorize(i)
		done := complete(w, c, r, 7000)
		send(done, down(w, c, done, 6000), down(w, c, i, 0))
	}, "60.00", "100.00")
}

func TestAuthorize_anIncrementAfterTheCompletionIsReversed(t *testing.T) {
	inAnyGroups(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Card, send func(...*authorization.Request)) {
		r := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
		w.Authorize(r)
		w.Authorize(complete(w, c, r, 4000))
		w.Clock.Advance(time.Second)
		i := more(w, c, r, 2000)
		send(i, down(w, c, i, 0))
	}, "40.00", "100.00")
}

func TestAuthorize_postedItemsAreReversedInSteps(t *testing.T) {
	inAnyGroups(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Card, send func(...*authorization.Request)) {
		r := w.Request(c, authorization.FinancialRequest, money.Must(5000, "TRY"))
		x := w.Request(c, authorization.FinancialRequest, money.Must(1000, "TRY"))
		y := w.Request(c, authorization.FinancialRequest, money.Must(700, "TRY"))
		send(down(w, c, y, 0), r, down(w, c, r, 3000), down(w, c, r, 0), down(w, c, r, 0), x, down(w, c, x, 0), y)
	}, "0.00", "100.00")
}

func TestAuthorize_aWholeLifeCycleInOneGroup(t *testing.T) {
	inAnyGroups(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Card, send func(...*authorization.Request)) {
		r := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
		w.Authorize(r)
		i, j := more(w, c, r, 2000), more(w, c, r, 1000)
		send(i, j, down(w, c, i, 500), down(w, c, r, 3000), down(w, c, j, 0), down(w, c, r, 0), more(w, c, r, 100), down(w, c, i, 0))
	}, "0.00", "100.00")
}

// The network did not wait for our answer, decided itself, and tells us.
func TestAuthorize_anAdviceBesideItsLateRequestHoldsOnce(t *testing.T) {
	inAnyGroups(t, func(t *testing.T, w *authorizationtest.World, c *authorizationtest.Card, send func(...*authorization.Request)) {
		r := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
		told := w.Request(c, authorization.AuthorizationAdvice, money.Must(5000, "TRY"))
		told.RRN, told.AuthorizationCode, told.ResponseCode = r.RRN, "STANDI", "00"
		send(r, told)
	}, "50.00", "100.00")
}

// told is what a message was answered, as far as it does not differ from card to
// card.
type told struct {
	outcome           authorization.Outcome
	reason            authorization.Reason
	code              string
	approved          money.Amount
	posted, available money.Amount
	isRepeat          bool
}

func toldOf(a authorization.Answer) told {
	return told{a.Outcome, a.Reason, a.ResponseCode, a.Approved, a.Posted, a.Available, a.IsRepeat}
}

// drawMessages are messages about a card, among them such as refer to one before,
// and repeats. Drawn again for another card they are the same, but for the card.
func drawMessages(rt *rapid.T) func(w *authorizationtest.World, c *authorizationtest.Card) []*authorization.Request {
	acts := drawActs(rt)
	return func(w *authorizationtest.World, c *authorizationtest.Card) (all []*authorization.Request) {
		for _, a := range acts {
			var prior *authorization.Request
			if len(all) > 0 {
				prior = all[a.prior%len(all)]
			}
			r := w.Request(c, authorization.AuthorizationRequest, a.amount)
			r.MayApprovePartially = a.partial
			switch {
			case a.kind == "withdraw":
				r = w.Request(c, authorization.FinancialRequest, a.amount)
			case a.kind == "refund":
				r = w.Request(c, authorization.FinancialRequest, a.amount)
				r.ProcessingCode = "200000"
			case a.kind == "advise":
				r = w.Request(c, authorization.AuthorizationAdvice, a.amount)
			case prior == nil || prior.Flow.IsReversal():
			case a.kind == "complete":
				r = complete(w, c, prior, a.amount.Minor())
			case a.kind == "increment":
				r = more(w, c, prior, a.amount.Minor())
			case a.kind == "reverse" && a.partial:
				r = down(w, c, prior, a.amount.Minor())
			case a.kind == "reverse":
				r = down(w, c, prior, 0)
			case a.kind == "wait":
				r = authorizationtest.Repeat(prior)
			}
			all = append(all, r)
		}
		return all
	}
}

// groupOf is how many of these messages one group decides in their order: one that
// seeks its original by RRN, in the group, is put off until that is there.
func groupOf(all []*authorization.Request, size int) int {
	seen := map[string]bool{}
	for i, r := range all {
		if seeks := r.IsIncrement || r.Flow.IsAdvice(); i == size || seeks && seen[r.RRN] {
			return i
		}
		seen[r.RRN] = true
	}
	return len(all)
}

// Whatever messages come, a group of any size answers each, and leaves the account,
// as if they had come one by one; and deciding again what was decided in groups
// differs in nothing.
func TestAuthorize_groupsDecideAsOneByOne(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	begin := w.Clock.Now()
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.SampledFrom(groupSizes[1:]).Draw(rt, "size")
		messages := drawMessages(rt)
		alone, together := w.NewCard("100.00"), w.NewCard("100.00")
		singles, grouped := messages(w, alone), messages(w, together)
		for len(singles) > 0 {
			n := groupOf(singles, size)
			answers, err := w.Engine.AuthorizeTogether(w.T.Context(), grouped[:n]...)
			if err != nil {
				rt.Fatal(err)
			}
			for i, r := range singles[:n] {
				a, err := w.Engine.Authorize(w.T.Context(), r)
				if err != nil {
					rt.Fatal(err)
				}
				if got, want := toldOf(answers[i]), toldOf(a); got != want {
					rt.Fatalf("in a group of %d, message %d was told\n%+v, alone\n%+v", n, i, got, want)
				}
			}
			w.Clock.Advance(time.Second)
			singles, grouped = singles[n:], grouped[n:]
		}
		if a, b := w.Balance(alone), w.Balance(together); a.Held != b.Held || a.Posted != b.Posted {
			rt.Fatalf("one by one leaves %s posted and %s held, in groups %s and %s", a.Posted, a.Held, b.Posted, b.Held)
		}
	})
	if totals, all := replayAll(t, w, begin, nil); len(all) > 0 || totals.Decided < 100 {
		t.Errorf("of %d that are decided again, %d differ", totals.Decided, len(all))
	}
	w.Verify()
}
