package authorization_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// One request of a full group cannot be written, or its decision panics: it alone
// gets an error, and the 255 others are answered and booked once.
func TestAuthorize_aPoisonedRequestHarmsOnlyItself(t *testing.T) {
	const size, bad = 256, 100
	for name, poison := range map[string]func(r *authorization.Request, f *authorization.Facts, used authorization.Answer){
		"conflict": func(_ *authorization.Request, f *authorization.Facts, used authorization.Answer) {
			f.Transaction = used.Transaction // another one's key
		},
		"constraint": func(_ *authorization.Request, f *authorization.Facts, _ authorization.Answer) {
			f.HoldExpires = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) // out of the column's range
		},
		"panic": func(r *authorization.Request, _ *authorization.Facts, _ authorization.Answer) {
			r.Network = authorization.BrokenNetwork
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := authorizationtest.New(t, d)
				c, other := w.NewCard("10000.00"), w.NewCard("100.00")
				used := w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY")))
				all := make([]*authorization.Request, size)
				for i := range all {
					all[i] = w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
				}
				all[bad] = w.Request(other, authorization.AuthorizationRequest, money.Must(100, "TRY"))
				answers, errs := w.Engine.CommitSpoilt(t.Context(), func(i int, f *authorization.Facts) {
					if i == bad {
						poison(all[i], f, used)
					}
				}, all...)
				for i := range all {
					switch {
					case i == bad && errs[i] == nil:
						t.Errorf("the poisoned one was answered %s", answers[i].Reason)
					case i != bad && (errs[i] != nil || answers[i].Reason != authorization.Approved || answers[i].IsRepeat):
						t.Fatalf("request %d was answered %s, %v", i, answers[i].Reason, errs[i])
					}
				}
				if got, want := w.Balance(c).Held, money.Must(size*100, "TRY"); got != want { // 255 and the one before
					t.Errorf("%s is held, want %s", got, want)
				}
				if got := w.Balance(other).Held; !got.IsZero() {
					t.Errorf("%s is held for the poisoned one", got)
				}
				// Nothing of it was kept: the same message is decided as if for the first time.
				if a := w.Authorize(all[bad]); a.Reason != authorization.Approved || a.IsRepeat {
					t.Errorf("sent again it got %s, repeat %v", a.Reason, a.IsRepeat)
				}
				if a := w.Authorize(all[bad+1]); a.Transaction != answers[bad+1].Transaction || !a.IsRepeat {
					t.Error("another one sent again did not get its first answer")
				}
				w.Verify()
			})
		})
	}
}
