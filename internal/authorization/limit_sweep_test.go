package authorization_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
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
