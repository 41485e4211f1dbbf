package authorization_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// A limit that was raised for a time holds until its end, whether or not it was
// swept away then; what has no end stays.
func TestSweep_deletesLimitsOfCardsThatHaveEnded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		for _, code := range []string{"DAY", "MONTH"} {
			if said := w.NewLimit(map[string]string{"code": code, "period": "Lifetime", "max": "10.00", "of": "all"}); said != "ok" {
				t.Fatal(said)
			}
		}
		c := w.NewCard("1000.00")
		raise := func(code string, ends *time.Time) {
			t.Helper()
			max := money.Must(5000, "TRY")
			o := control.Override{Check: code, Limits: control.Limits{Amount: &max}, EndsAt: ends}
			if _, err := w.Controls.OverrideLimit(t.Context(), w.Caller, c.Token, o); err != nil {
				t.Fatal(err)
			}
		}
		sweep := func(want, left int) {
			t.Helper()
			if n, err := w.Controls.Sweep(t.Context()); err != nil || n != want {
				t.Errorf("swept %d, %v; want %d", n, err, want)
			}
			if all, err := w.Controls.Overrides(t.Context(), w.Caller, c.Token); err != nil || len(all) != left {
				t.Errorf("%d are left, %v; want %d", len(all), err, left)
			}
		}
		buy := func(want authorization.Reason) {
			t.Helper()
			if a := w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(600, "TRY"))); a.Reason != want {
				t.Errorf("answered %q, want %q", a.Reason, want)
			}
		}
		ends := w.Clock.Now().Add(time.Hour)
		raise("DAY", &ends)
		raise("MONTH", nil)
		buy(authorization.Approved)
		buy(authorization.Approved)
		w.Clock.Advance(time.Hour - time.Microsecond)
		sweep(0, 2)
		w.Clock.Advance(2 * time.Microsecond)
		buy(authorization.VelocityAmount)
		sweep(1, 1)
		buy(authorization.VelocityAmount)
		w.Verify()
	})
}

// A limit of a card holds for the next authorization on every node: the first one
// of its control, one that another node has set after the last was swept away and
// everything was loaded anew, and each of several that are set at once.
func TestOverrideLimit_holdsAtOnceOnEveryNode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		for _, code := range []string{"DAY", "MONTH"} {
			if said := w.NewLimit(map[string]string{"code": code, "period": "Lifetime", "max": "10.00", "of": "all"}); said != "ok" {
				t.Fatal(said)
			}
		}
		nodes := []*authorization.Engine{w.Engine, w.NewEngine()}
		first, second := w.NewCard("1000.00"), w.NewCard("1000.00")
		set := func(c *authorizationtest.Card, code string, max int64, ends *time.Time) error {
			amount := money.Must(max, "TRY")
			o := control.Override{Check: code, Limits: control.Limits{Amount: &amount}, EndsAt: ends}
			_, err := w.Controls.OverrideLimit(t.Context(), w.Caller, c.Token, o)
			return err
		}
		buy := func(c *authorizationtest.Card, want authorization.Reason) {
			t.Helper()
			for i, node := range nodes {
				a, err := node.Authorize(t.Context(), w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY")))
				if err != nil || a.Reason != want {
					t.Errorf("node %d answered %q, %v; want %q", i, a.Reason, err, want)
				}
			}
		}
		buy(first, authorization.Approved) // both nodes know that nothing is set
		ends := w.Clock.Now().Add(time.Hour)
		if err := set(first, "DAY", 50, &ends); err != nil {
			t.Fatal(err)
		}
		buy(first, authorization.VelocityAmount)
		buy(second, authorization.Approved)
		w.Clock.Advance(2 * time.Hour)
		if n, err := w.Controls.Sweep(t.Context()); n != 1 || err != nil {
			t.Fatalf("swept %d, %v", n, err)
		}
		w.Programs.Forget(w.Caller.Tenant)
		if _, err := w.Controls.CreateList(t.Context(), w.Caller, control.NamedList{Code: "L", Name: "L", Type: control.StringValues, IsActive: true}); err != nil {
			t.Fatal(err)
		}
		buy(first, authorization.Approved)
		if err := set(first, "DAY", 50, nil); err != nil {
			t.Fatal(err)
		}
		buy(first, authorization.VelocityAmount)

		var all sync.WaitGroup
		for _, c := range []*authorizationtest.Card{second, w.NewCard("1000.00"), w.NewCard("1000.00"), w.NewCard("1000.00")} {
			var requests []*authorization.Request
			for range nodes {
				requests = append(requests, w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY")))
			}
			all.Go(func() {
				if err := set(c, "MONTH", 50, nil); err != nil {
					t.Error(err)
				}
				for i, node := range nodes {
					a, err := node.Authorize(t.Context(), requests[i])
					if err != nil || a.Reason != authorization.VelocityAmount {
						t.Errorf("node %d answered %q, %v", i, a.Reason, err)
					}
				}
			})
		}
		all.Wait()
		w.Verify()
	})
}

// A limit of a card that is renewed while it is being swept away stays: what has
// ended is looked at once more when its row is free.
func TestSweep_leavesLimitsThatAreRenewedMeanwhile(t *testing.T) {
	d := dbtest.Postgres(t) // where there are row locks
	w := authorizationtest.New(t, d)
	if said := w.NewLimit(map[string]string{"code": "DAY", "period": "Lifetime", "max": "10.00", "of": "all"}); said != "ok" {
		t.Fatal(said)
	}
	max := money.Must(5000, "TRY")
	set := func(ctx context.Context, c *authorizationtest.Card, ends time.Time) {
		t.Helper()
		o := control.Override{Check: "DAY", Limits: control.Limits{Amount: &max}, EndsAt: &ends}
		if _, err := w.Controls.OverrideLimit(ctx, w.Caller, c.Token, o); err != nil {
			t.Fatal(err)
		}
	}
	renewed, ended := w.NewCard("1000.00"), w.NewCard("1000.00")
	for _, c := range []*authorizationtest.Card{renewed, ended} {
		set(t.Context(), c, w.Clock.Now().Add(time.Hour))
	}
	w.Clock.Advance(2 * time.Hour)
	swept := make(chan int, 1)
	err := d.InTx(t.Context(), func(tx db.Tx) error {
		set(db.WithTx(t.Context(), tx), renewed, w.Clock.Now().Add(time.Hour))
		go func() {
			n, err := w.Controls.Sweep(t.Context())
			if err != nil {
				t.Error(err)
			}
			swept <- n
		}()
		for waiting := 0; waiting == 0; {
			err := d.View(t.Context(), func(tx db.Tx) error {
				return tx.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
					WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := <-swept; n != 1 {
		t.Errorf("swept %d, want the one that has ended", n)
	}
	for c, want := range map[*authorizationtest.Card]int{renewed: 1, ended: 0} {
		if all, err := w.Controls.Overrides(t.Context(), w.Caller, c.Token); err != nil || len(all) != want {
			t.Errorf("%d are left, %v; want %d", len(all), err, want)
		}
	}
	if a := w.Authorize(w.Request(renewed, authorization.AuthorizationRequest, money.Must(3000, "TRY"))); a.Reason != authorization.Approved {
		t.Errorf("under the renewed limit: %q", a.Reason)
	}
}

// A limit of a card that is over before it begins is refused: it would take the
// place of the one that holds, and hold for nothing.
func TestOverrideLimit_refusesWhatIsOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		if said := w.NewLimit(map[string]string{"code": "DAY", "period": "Day", "max": "10.00", "of": "all"}); said != "ok" {
			t.Fatal(said)
		}
		c := w.NewCard("1000.00")
		max := money.Must(5000, "TRY")
		o := control.Override{Check: "DAY", Limits: control.Limits{Amount: &max}}
		if _, err := w.Controls.OverrideLimit(t.Context(), w.Caller, c.Token, o); err != nil {
			t.Fatal(err)
		}
		now := w.Clock.Now()
		o.EndsAt = &now
		_, err := w.Controls.OverrideLimit(t.Context(), w.Caller, c.Token, o)
		if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Name != "endDate" {
			t.Errorf("got %v", err)
		}
		if got, want := w.Limits(c), "DAY: 0.00 of 50.00 in 0"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}
