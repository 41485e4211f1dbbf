package authorization_test

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// What was authorized with one plastic can be added to and completed when a newer
// one of the same number is in force.
func TestAuthorize_completesAcrossPlasticsOfANumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		c := w.NewCard("1000.00")
		first := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "TRY"))
		if a := w.Authorize(first); a.Reason != authorization.Approved {
			t.Fatalf("got %s", a.Reason)
		}
		keep := true
		next, err := w.Issuing.RenewCard(t.Context(), w.Caller, c.Token, issuing.Renewal{Reason: issuing.RenewForExpiry, KeepNumber: &keep})
		if err != nil {
			t.Fatal(err)
		}
		if next.New.Card.Status == issuing.Pending {
			_, err = w.Issuing.ChangeStatus(t.Context(), w.Caller, c.Token,
				issuing.NewStatus{Status: issuing.Active, Reason: issuing.FirstActivation, Sequence: next.New.Card.Sequence})
			if err != nil {
				t.Fatal(err)
			}
		}
		more := w.Request(c, authorization.AuthorizationRequest, money.Must(2000, "TRY"))
		more.RRN, more.IsIncrement, more.Expiry, more.PSN = first.RRN, true, "", ""
		if a := w.Authorize(more); a.Reason != authorization.Approved {
			t.Errorf("the increment: got %s", a.Reason)
		}
		done := w.Request(c, authorization.FinancialAdvice, money.Must(9000, "TRY"))
		done.RRN, done.Expiry, done.PSN = first.RRN, "", ""
		w.Authorize(done)
		if held := w.Balance(c).Held; held != money.Must(9000, "TRY") {
			t.Errorf("%v is held after a completion over 90.00", held)
		}
		w.Verify()
	})
}
