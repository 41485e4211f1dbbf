package control

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// A node whose clock is far behind finds what was counted in its window, though for
// the others that has ended long ago, and counts on: whoever writes in between.
func TestOpenCounters_farBehindLosesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		calendar := Calendar{Zone: time.UTC}
		behind := time.Date(2026, 3, 30, 9, 0, 0, 0, time.UTC)
		ahead := behind.Add(72 * time.Hour)
		day := VelocityCheck{Head: Head{Code: "DAY"}, Period: PerDay, Level: CountCard, Currency: money.MustCurrency("TRY")}
		month := VelocityCheck{Head: Head{Code: "MONTH"}, Period: PerMonth, Level: CountCard, Currency: day.Currency}
		pay := func(transaction string, now time.Time, wantDay, wantMonth int64) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				var keys []CounterKey
				var uses []Use
				for _, check := range []VelocityCheck{day, month} {
					k, w := check.key(tenant, Subject{CardToken: "card"}, calendar, now)
					u := useOf(k, transaction, 70, now)
					u.Ends = w.End
					keys, uses = append(keys, k), append(uses, u)
				}
				c, err := OpenCounters(t.Context(), tx, keys, nil, nil, func(access.TenantID) time.Time { return now })
				if err != nil {
					return err
				}
				for i, want := range []int64{wantDay, wantMonth} {
					if used, count := c.Used(keys[i], false, time.Time{}); used != want || count != want/70 {
						t.Errorf("%s: %s of %d in %d, want %d", transaction, keys[i].Counter, used, count, want)
					}
					shown, err := readUsed(t.Context(), tx, false, keys[i], Window{})
					if err != nil || shown.amount != want {
						t.Errorf("%s: %s shows %d, %v; want %d", transaction, keys[i].Counter, shown.amount, err, want)
					}
					c.Add(uses[i])
				}
				return c.Write(t.Context(), tx)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		pay("txn_1", behind, 0, 0)
		pay("txn_2", ahead, 0, 0) // the windows of the other are over
		pay("txn_3", behind, 70, 70)
		pay("txn_4", behind, 140, 140)
		pay("txn_5", ahead, 70, 70)
		pay("txn_6", behind, 210, 210)
		err := d.View(t.Context(), func(tx db.Tx) error {
			all, err := VerifyUsage(t.Context(), tx, clock.RealAt(ahead))
			for _, v := range all {
				if v.Broken > 0 {
					t.Errorf("%s: %v", v.Name, v.Examples)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
