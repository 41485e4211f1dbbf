package authorization_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// However many cards of a customer, on however many nodes, come to a percentage of
// their limit at once: it is told once.
func TestVelocityAlert_isToldOnceInAWindow(t *testing.T) {
	eachSize(t, func(t *testing.T, d *db.DB, cfg authorization.Config) {
		w := authorizationtest.NewWith(t, d, cfg)
		w.Listen(authorization.EventVelocityThreshold)
		if said := w.NewLimit(map[string]string{"code": "DAY", "period": "Day", "max": "100.00", "of": "all", "alert": "50"}); said != "ok" {
			t.Fatal(said)
		}
		c := w.NewCard("1000.00")
		engines := []*authorization.Engine{w.Engine, w.NewEngine()}
		var all sync.WaitGroup
		for i := range 24 {
			r := w.Request(c, authorization.AuthorizationRequest, money.Must(500, "TRY"))
			all.Go(func() {
				_, err := engines[i%2].Authorize(t.Context(), r)
				for errors.Is(err, authorization.ErrBusy) { // the other engine has the account; nothing was kept
					_, err = engines[i%2].Authorize(t.Context(), r)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		told := w.Told()
		if len(told) != 1 {
			t.Fatalf("told %d times:\n%s", len(told), authorizationtest.TellEvents(told))
		}
		if a := told[0].Velocity; a.Percent != 50 || a.UsedCount != 10 || a.Used != money.Must(5000, "TRY") {
			t.Errorf("told of %+v", a)
		}
		w.Verify()
	})
}
