package authorization_test

import (
	"testing"
	"time"

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
