package authorization_test

import (
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// countRows counts the rows of a table.
func countRows(t *testing.T, d *db.DB, table string) (n int) {
	t.Helper()
	err := d.View(t.Context(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What a limit needs of a payment stays as long as its window is open, however old
// the payment: it is listed, and given back with it. What nothing needs goes.
func TestSweepUsage_leavesWhatCanBeAskedFor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		for _, args := range []map[string]string{
			{"code": "DAY", "period": "Day", "max": "900.00", "of": "all", "alert": "10"},
			{"code": "EVER", "period": "Lifetime", "max": "900.00", "of": "all", "level": "Customer"},
			{"code": "SPAN", "period": "Rolling", "span": "5", "max": "900.00", "of": "all", "alert": "10"},
			{"code": "YEAR", "period": "Year", "max": "900.00", "of": "all"},
		} {
			if said := w.NewLimit(args); said != "ok" {
				t.Fatal(said)
			}
		}
		c := w.NewCard("1000.00")
		cash := w.Request(c, authorization.FinancialRequest, money.Must(10000, "TRY"))
		for range 3 {
			w.Authorize(w.Request(c, authorization.FinancialRequest, money.Must(5000, "TRY")))
		}
		w.Authorize(cash)
		sweep := func(want int) {
			t.Helper()
			if n, err := w.Controls.SweepUsage(t.Context()); err != nil || n != want {
				t.Errorf("swept %d, %v; want %d", n, err, want)
			}
			w.Verify()
		}
		limits := func(want string) {
			t.Helper()
			if got := w.Limits(c); got != want {
				t.Errorf("%s, want\n%s", got, want)
			}
		}
		rows := func(usage, spans int) {
			t.Helper()
			if n, m := countRows(t, d, "velocity_usage"), countRows(t, d, "velocity_span"); n != usage || m != spans {
				t.Errorf("%d rows and %d in rolling windows are left, want %d and %d", n, m, usage, spans)
			}
		}
		w.Clock.Advance(31 * 24 * time.Hour)
		sweep(0)
		rows(8, 4)
		w.Clock.Advance(2 * 24 * time.Hour)
		sweep(4) // they keep the year
		rows(8, 0)
		sweep(0)
		limits("DAY: 0.00 of 900.00 in 0; EVER: 250.00 of 900.00 in 4; SPAN: 0.00 of 900.00 in 0; YEAR: 250.00 of 900.00 in 4")
		for _, code := range []string{"EVER", "YEAR"} {
			if used, total, err := w.Controls.UsedBy(t.Context(), w.Caller, c.Token, code, 0, 10); err != nil || total != 4 || len(used) != 4 {
				t.Errorf("%s is used by %d, %v", code, total, err)
			}
		}
		w.Authorize(w.Reversal(c, cash, authorization.ReversalRequest, nil))
		limits("DAY: 0.00 of 900.00 in 0; EVER: 150.00 of 900.00 in 3; SPAN: 0.00 of 900.00 in 0; YEAR: 150.00 of 900.00 in 3")
		w.Clock.Advance(366 * 24 * time.Hour)
		sweep(4)
		rows(4, 0)
		limits("DAY: 0.00 of 900.00 in 0; EVER: 150.00 of 900.00 in 3; SPAN: 0.00 of 900.00 in 0; YEAR: 0.00 of 900.00 in 0")
		w.Authorize(w.Request(c, authorization.FinancialRequest, money.Must(700, "TRY")))
		limits("DAY: 7.00 of 900.00 in 1; EVER: 157.00 of 900.00 in 4; SPAN: 7.00 of 900.00 in 1; YEAR: 7.00 of 900.00 in 1")
		w.Verify()
	})
}

// What a lifetime counted that counts anew, or is no more, goes at once: also what
// payments of a moment ago have of it.
func TestSweepUsage_deletesWhatIsNoLongerCounted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		for _, args := range []map[string]string{
			{"code": "A", "period": "Lifetime", "max": "900.00", "of": "all", "group": "G"},
			{"code": "B", "period": "Lifetime", "max": "900.00", "of": "all"},
		} {
			if said := w.NewLimit(args); said != "ok" {
				t.Fatal(said)
			}
		}
		c := w.NewCard("1000.00")
		for range 3 {
			w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY")))
		}
		sweep := func(want int) {
			t.Helper()
			if n, err := w.Controls.SweepUsage(t.Context()); err != nil || n != want {
				t.Errorf("swept %d, %v; want %d", n, err, want)
			}
			w.Verify()
		}
		sweep(0)
		leave := func(code, group string) {
			t.Helper()
			found, err := control.VelocityChecks.Named(t.Context(), w.Controls, w.Caller, code)
			if err != nil {
				t.Fatal(err)
			}
			found.LimitGroup = group
			if _, _, err := control.VelocityChecks.Update(t.Context(), w.Controls, w.Caller, found, found.ConcurrencyStamp); err != nil {
				t.Fatal(err)
			}
		}
		leave("A", "")
		leave("A", "G") // made again: it counts anew
		w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY")))
		sweep(4) // three payments, and the counter
		sweep(0)
		if got, want := w.Limits(c), "A: 1.00 of 900.00 in 1; B: 151.00 of 900.00 in 4"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		leave("B", "H")
		sweep(5)
		if n := countRows(t, d, "velocity_usage"); n != 1 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// Who pays, or takes back, while what is old is swept away finds what it needs.
func TestSweepUsage_racesWithPayments(t *testing.T) {
	eachSize(t, func(t *testing.T, d *db.DB, cfg authorization.Config) {
		w := authorizationtest.NewWith(t, d, cfg)
		for _, args := range []map[string]string{
			{"code": "DAY", "period": "Day", "max": "9000.00", "of": "all"},
			{"code": "YEAR", "period": "Year", "max": "9000.00", "of": "all"},
			{"code": "SPAN", "period": "Rolling", "span": "5", "max": "9000.00", "of": "all"},
		} {
			if said := w.NewLimit(args); said != "ok" {
				t.Fatal(said)
			}
		}
		c := w.NewCard("10000.00")
		var old []*authorization.Request
		for range 12 {
			r := w.Request(c, authorization.FinancialRequest, money.Must(1000, "TRY"))
			w.Authorize(r)
			old = append(old, r)
		}
		w.Clock.Advance(40 * 24 * time.Hour)
		var requests []*authorization.Request
		for _, r := range old[:6] {
			requests = append(requests, w.Reversal(c, r, authorization.ReversalRequest, nil),
				w.Request(c, authorization.FinancialRequest, money.Must(100, "TRY")))
		}
		var all sync.WaitGroup
		for _, r := range requests {
			all.Go(func() {
				if _, err := w.Engine.Authorize(t.Context(), r); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				if _, err := w.Controls.SweepUsage(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		want := "DAY: 6.00 of 9000.00 in 6; SPAN: 6.00 of 9000.00 in 6; YEAR: 66.00 of 9000.00 in 12"
		if got := w.Limits(c); got != want {
			t.Errorf("%s, want\n%s", got, want)
		}
		w.Verify()
	})
}
