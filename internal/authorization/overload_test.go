package authorization_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Somebody holds what every payment needs, and payments come by the hundred: each
// is answered in time or refused, what was refused left nothing behind, and once
// it is free the next one is approved.
func TestAuthorize_aHeldWriterRefusesAndRecovers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const within = 400 * time.Millisecond
		w := authorizationtest.NewWith(t, d, authorization.Config{
			GroupMax: 4, Load: authorization.Load{WorkingMax: 16, WaitingMax: 32, AnswerWithin: within},
		})
		c := w.NewCard("1000.00")
		card, err := w.Issuing.Card(t.Context(), w.Caller, c.Token)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		approved, refused, slowest := 0, 0, time.Duration(0)
		var running sync.WaitGroup
		err = d.InTx(t.Context(), func(tx db.Tx) error {
			if _, err := issuing.LockCardStates(t.Context(), tx, []id.ID[issuing.Card]{card.Card.ID}); err != nil {
				return err
			}
			for range 300 {
				r := w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
				running.Go(func() {
					watch := clock.StartStopwatch()
					a, err := w.Engine.Authorize(t.Context(), r)
					took := watch.Elapsed()
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil && a.Reason == authorization.Approved:
						approved++
					case errors.Is(err, authorization.ErrOverloaded), errors.Is(err, authorization.ErrBusy):
						refused++
						slowest = max(slowest, took)
					default:
						t.Errorf("got %s, %v", a.Reason, err)
					}
					if f, ok := errors.AsType[*fault.Error](err); err != nil && (!ok || f.Kind != fault.Unavailable) {
						t.Errorf("%v is no reason to try again", err)
					}
				})
			}
			time.Sleep(3 * within)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		running.Wait()
		if refused < 250 {
			t.Errorf("%d of 300 were refused", refused)
		}
		// On PostgreSQL a group that has its turn waits for the row a moment longer.
		if slowest > 4*within {
			t.Errorf("the slowest was refused after %v", slowest)
		}
		for range 20 {
			if a := w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))); a.Reason != authorization.Approved {
				t.Fatalf("after it: %s", a.Reason)
			}
		}
		if got, want := w.Balance(c).Held, money.Must(int64(approved+20)*100, "TRY"); got != want {
			t.Errorf("%s is held after %d approvals, want %s", got, approved+20, want)
		}
		w.Verify()
	})
}
