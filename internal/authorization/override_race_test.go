package authorization_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// However many set and remove the limit of a card at once: each act says what was
// before it, a limit is made once, and removed by one.
func TestOverrideLimit_racesAreJudgedOneAfterTheOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		if said := w.NewLimit(map[string]string{"code": "DAY", "period": "Day", "max": "10.00", "of": "all"}); said != "ok" {
			t.Fatal(said)
		}
		c := w.NewCard("1000.00")
		w.Listen(control.EventVelocityChanged)
		const many = 8
		race := func(act func(i int) error) (done int) {
			var all sync.WaitGroup
			var mu sync.Mutex
			for i := range many {
				all.Go(func() {
					err := act(i)
					mu.Lock()
					defer mu.Unlock()
					var f *fault.Error
					switch {
					case err == nil:
						done++
					case !errors.As(err, &f) || f.Kind != fault.NotFound:
						t.Error(err)
					}
				})
			}
			all.Wait()
			return done
		}
		set := race(func(i int) error {
			max := money.Must(int64(2000+i), "TRY")
			_, err := w.Controls.OverrideLimit(t.Context(), w.Caller, c.Token, control.Override{Check: "DAY", Limits: control.Limits{Amount: &max}})
			return err
		})
		removed := race(func(int) error { return w.Controls.RemoveOverride(t.Context(), w.Caller, c.Token, "DAY") })
		if set != many || removed != 1 {
			t.Errorf("set %d times, removed %d times", set, removed)
		}
		var actions []string
		var left *string // by the act before
		for _, a := range overrideActs(t, w) {
			actions = append(actions, a.Action)
			i := slices.IndexFunc(a.Changes, func(c audit.Change) bool { return c.Property == "limits.amount" })
			if i < 0 {
				t.Fatalf("an act changes no amount: %v", a.Changes)
			}
			if c := a.Changes[i]; (c.Old == nil) != (left == nil) || c.Old != nil && *c.Old != *left {
				t.Errorf("an act does not begin with what the one before it left: %s", a.Action)
			}
			left = a.Changes[i].New
		}
		if want := append([]string{"Create"}, append(slices.Repeat([]string{"Update"}, many-1), "Delete")...); !slices.Equal(actions, want) {
			t.Errorf("acts: %v", actions)
		}
		var told int
		err := d.View(t.Context(), func(tx db.Tx) error {
			waiting, err := outbox.WaitingEvents(t.Context(), tx, w.Caller.Tenant.String())
			for _, e := range waiting {
				if e.Name == control.EventVelocityChanged {
					told++
				}
			}
			return err
		})
		if err != nil || told != len(actions) {
			t.Errorf("told %d times, %v", told, err)
		}
	})
}

// overrideActs are the acts about limits of cards, in their order.
func overrideActs(t *testing.T, w *authorizationtest.World) (all []audit.Entry) {
	t.Helper()
	err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
		all, err = audit.ActsAfter(t.Context(), tx, w.Caller.Tenant.String(), audit.PolicyStream, 0, 100)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e audit.Entry) bool { return e.EntityType != "CardVelocity" })
}
