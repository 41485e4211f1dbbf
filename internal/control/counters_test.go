package control

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// newTenant makes a tenant to count for.
func newTenant(t *testing.T, d *db.DB) access.TenantID {
	t.Helper()
	backend, err := soft.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	tenant, _, err := access.New(d, backend, testClock).CreateTenant(t.Context(), access.NewTenant{Name: "Bank", Sandbox: true})
	if err != nil {
		t.Fatal(err)
	}
	return tenant.ID
}

// useOf is a use of an amount, once, by a transaction that is its own life cycle.
func useOf(k CounterKey, transaction string, amount int64, at time.Time) Use {
	return Use{Key: k, Transaction: transaction, Cycle: transaction, Amount: amount, Of: amount, Count: 1, At: at, Adjusts: true}
}

// spanUseOf is useOf in a rolling window.
func spanUseOf(k CounterKey, transaction string, amount int64, at time.Time) Use {
	u := useOf(k, transaction, amount, at)
	u.IsSpan = true
	return u
}

// However many use a limit at once, it is kept exactly, and a counter is the sum
// of what its transactions have.
func TestCounters_keepALimitExactly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		day := CounterKey{Tenant: tenant, Counter: "check/DAY/0", Subject: "card", Start: 1}
		week := CounterKey{Tenant: tenant, Counter: "check/WEEK/0", Subject: "customer", Start: 1}
		now := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		const tries, limit, amount = 40, 1000, 70
		var wg sync.WaitGroup
		for i := range tries {
			wg.Go(func() {
				txn := fmt.Sprint("txn_", i)
				keys := []CounterKey{day, week}
				if i%2 == 0 {
					keys = []CounterKey{week, day}
				}
				err := d.InTx(t.Context(), func(tx db.Tx) error {
					c, err := OpenCounters(t.Context(), tx, keys, nil, []string{txn}, always(now))
					if err != nil {
						return err
					}
					if used, _ := c.Used(day, false, time.Time{}); used+amount > limit {
						return nil
					}
					c.Add(useOf(day, txn, amount, now))
					c.Add(useOf(week, txn, amount, now))
					return c.Write(t.Context(), tx)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, k := range []CounterKey{day, week} {
			amountUsed, count, sum, rows := stored(t, d, k)
			if amountUsed != limit/amount*amount || count != limit/amount || sum != amountUsed || rows != count {
				t.Errorf("%s: %d in %d; its rows have %d in %d", k.Counter, amountUsed, count, sum, rows)
			}
		}
	})
}

// stored is a counter as it lies in the database, and the sum of its rows.
func stored(t *testing.T, d *db.DB, k CounterKey) (amount, count, sum, rows int64) {
	t.Helper()
	err := d.View(t.Context(), func(tx db.Tx) error {
		text, _, err := db.One(t.Context(), tx, scanText, `SELECT counters FROM velocity_counter WHERE id = $1`, k.of().String())
		if err != nil {
			return err
		}
		err = parseCounters(k.of(), text, func(r *counterRow) {
			if r.key == k {
				amount, count = r.used.amount, r.used.count
			}
		})
		if err != nil {
			return err
		}
		return usedByUsage(k, Window{Start: time.UnixMicro(0)}).each(t.Context(), tx, 0, 1000, func(_ string, _ time.Time, u used) error {
			sum, rows = sum+u.amount, rows+u.count
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return amount, count, sum, rows
}

func TestCounters_whatIsReturnedIsFreeAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		k := CounterKey{Tenant: tenant, Counter: "check/DAY/0", Subject: "card", Start: 1}
		now := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		at := now
		change := func(cycles []string, f func(c *Counters)) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				c, err := OpenCounters(t.Context(), tx, []CounterKey{k}, nil, cycles, always(at))
				if err != nil {
					return err
				}
				f(c)
				return c.Write(t.Context(), tx)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		want := func(amount, count int64) {
			t.Helper()
			if a, n, sum, rows := stored(t, d, k); a != amount || n != count || sum != amount || rows != count {
				t.Errorf("%d in %d, want %d in %d; its rows have %d in %d", a, n, amount, count, sum, rows)
			}
		}
		of := func(spent, kept int64) Standing { return Standing{Spent: spent, Kept: kept} }
		change(nil, func(c *Counters) {
			a := useOf(k, "a", 600, now) // of 300, in another currency
			a.Of, a.Lowers, a.Ends = 300, true, now.Add(time.Hour)
			c.Add(a)
			more := useOf(k, "a2", 90, now) // an increment of 100 at another rate
			more.Cycle, more.Of, more.Count, more.Lowers, more.Ends = "a", 100, 0, true, a.Ends
			c.Add(more)
			b := useOf(k, "b", 50, now)
			b.Adjusts = false
			c.Add(b)
		})
		want(740, 2)
		change([]string{"a"}, func(c *Counters) { c.FollowReversal("a", "a2", 100, of(400, 400), of(350, 350)) })
		want(695, 2) // half of the increment
		change([]string{"a"}, func(c *Counters) { c.FollowReversal("a", "a2", 50, of(350, 350), of(300, 300)) })
		want(650, 2)
		change([]string{"a", "b"}, func(c *Counters) {
			c.FollowCleared("a", of(300, 300), of(330, 330)) // a tip
			c.FollowCleared("b", of(50, 50), of(40, 40))     // what does not adjust
		})
		want(710, 2)
		change([]string{"a", "b"}, func(c *Counters) {
			c.Follow("a", of(330, 330), of(330, 0)) // refunded
			c.Follow("b", of(50, 50), of(50, 0))
		})
		want(50, 2) // the purchase was made all the same
		change([]string{"a"}, func(c *Counters) { c.Follow("a", of(330, 0), of(330, 330)) })
		want(710, 2)
		change([]string{"a"}, func(c *Counters) { c.Follow("a", of(330, 330), of(0, 0)) })
		want(50, 1)
		change([]string{"a"}, func(c *Counters) { c.Follow("a", of(0, 0), of(200, 200)) }) // presented late
		want(450, 2)
		at = now.Add(time.Hour)
		change([]string{"a"}, func(c *Counters) { c.Follow("a", of(200, 200), of(0, 0)) }) // its window has ended
		want(450, 2)
		change([]string{"b"}, func(c *Counters) { c.Follow("b", of(40, 40), of(0, 0)) })
		want(400, 1) // of what nothing stands for nothing is left
	})
}

// What is presented beyond what an increment was for belongs to the window of the
// first authorization: that of an increment that came later never has more than it
// was for.
func TestCounters_aLaterWindowHasNoMoreThanItsIncrements(t *testing.T) {
	first := CounterKey{Counter: "check/MONTH/0", Subject: "card", Start: 1}
	next := first
	next.Start = 2
	now := time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	c := NewCounters()
	root := useOf(first, "a", 300, now.AddDate(0, 0, -5))
	root.Ends = now.AddDate(0, 0, -1)
	c.Add(root)
	for i, amount := range []int64{100, 50} {
		more := useOf(next, fmt.Sprint("a", i), amount, now)
		more.Cycle, more.Count = "a", 0
		c.Add(more)
	}
	delete(c.usage, usageKey{"a", first}) // its window has ended
	want := func(amount int64) {
		t.Helper()
		if got, count := c.Used(next, false, time.Time{}); got != amount || count != 0 {
			t.Errorf("%d in %d, want %d", got, count, amount)
		}
	}
	of := func(spent, fees int64) Standing { return Standing{spent, spent, fees, fees} }
	want(150)
	c.Follow("a", of(450, 0), Standing{}) // its hold expired
	want(0)
	c.Follow("a", Standing{}, of(120, 0)) // presented in part
	want(120)
	c.Follow("a", of(120, 0), of(460, 0)) // the rest, with a tip
	want(150)
	c.Follow("a", of(460, 0), of(420, 0))
	want(110)
}

// Customers may use more in a lifetime than an amount can be: their limits are shown
// all the same, as used up.
func TestReadUsage_ofMoreThanAnAmountCanBe(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := NewVelocityCheck("EVER")
		c.Period, c.Currency = PerLifetime, money.MustCurrency("TRY")
		k := CounterKey{Tenant: newTenant(t, d), Counter: c.counter(), Subject: "customer"}
		now := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			all, err := OpenCounters(t.Context(), tx, []CounterKey{k}, nil, nil, always(now))
			if err != nil {
				return err
			}
			for i := range 2 {
				all.Add(useOf(k, fmt.Sprint("txn_", i), money.MaxMinor, now))
			}
			if err := all.Write(t.Context(), tx); err != nil {
				return err
			}
			u, err := readUsage(t.Context(), tx, c, k, Window{})
			if err == nil && (u.Amount.Minor() != money.MaxMinor || u.Count != 2) {
				t.Errorf("%s in %d", u.Amount, u.Count)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// What a payment costs besides follows it, at the rate of its day; also where a part
// of it lies in a window that has ended.
func TestCounters_feesFollowWhatTheyAreOn(t *testing.T) {
	now := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
	k := CounterKey{Counter: "check/DAY/0", Subject: "card", Start: 1}
	c := NewCounters()
	use := func(transaction string, of, amount, fees int64) {
		c.Add(Use{Key: k, Transaction: transaction, Cycle: "a", Of: of, Amount: amount, Fees: fees, Count: 1, At: now, Adjusts: true,
			CountsFees: true, Par: FeePar / 2})
	}
	want := func(amount int64) {
		t.Helper()
		if got, _ := c.Used(k, false, time.Time{}); got != amount {
			t.Errorf("%d are used, want %d", got, amount)
		}
	}
	of := func(spent, fees int64) Standing { return Standing{spent, spent, fees, fees} }
	use("a", 300, 150, 31) // half of it, half up
	want(150 + 16)
	use("a2", 100, 50, -10) // an increment that comes to a lower tier
	want(150 + 16 + 50 - 5)
	c.FollowReversal("a", "a2", 100, of(400, 21), of(300, 31))
	want(150 + 21 - 5)
	c.FollowReversal("a", "elsewhere", 40, of(300, 31), of(240, 25)) // two thirds of which are not counted here
	want(140 + 20 - 5)
	c.Follow("a", of(280, 29), of(0, 0))
	want(-5 + 5)
}

// A rolling window is what lies within it now, to the microsecond; what is taken
// back leaves it while its row is inside.
func TestCounters_aSpanIsTheSumOfItsRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		k := CounterKey{Tenant: tenant, Counter: "check/SPAN/0", Subject: "card"}
		start := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		in := func(from time.Time, cycles []string, f func(c *Counters)) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				c, err := OpenCounters(t.Context(), tx, []CounterKey{k}, []SpanOf{{k, from}}, cycles, always(start))
				if err != nil {
					return err
				}
				f(c)
				return c.Write(t.Context(), tx)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range 4 {
			in(start, nil, func(c *Counters) {
				c.Add(spanUseOf(k, fmt.Sprint("txn_", i), 10, start.Add(time.Duration(i)*time.Hour)))
			})
		}
		want := func(from time.Time, amount, count int64) {
			t.Helper()
			in(from, nil, func(c *Counters) {
				if a, n := c.Used(k, true, from); a != amount || n != count {
					t.Errorf("since %s: %d in %d, want %d in %d", from, a, n, amount, count)
				}
			})
		}
		want(start, 40, 4)
		want(start.Add(time.Microsecond), 30, 3)
		want(start.Add(3*time.Hour+time.Microsecond), 0, 0)
		in(start, []string{"txn_2"}, func(c *Counters) {
			c.Follow("txn_2", Standing{Spent: 10, Kept: 10}, Standing{})
			c.Add(spanUseOf(k, "txn_9", 5, start.Add(4*time.Hour)))
			if a, n := c.Used(k, true, start); a != 35 || n != 4 {
				t.Errorf("after both: %d in %d", a, n)
			}
		})
		want(start.Add(time.Hour), 25, 3)
	})
}

// A window that ended a day ago is no longer in its subject's row; what made it up
// stays. One that just ended is still there, for who decided within it.
func TestCounters_whatEndedFallsOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		start := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
		day := func(i int) CounterKey {
			return CounterKey{Tenant: tenant, Counter: "check/DAY/0", Subject: "card", Start: start.AddDate(0, 0, i).UnixMicro()}
		}
		for i := range 3 {
			at := start.AddDate(0, 0, i).Add(9 * time.Hour)
			u := useOf(day(i), fmt.Sprint("txn_", i), 10, at)
			u.Ends = start.AddDate(0, 0, i+1)
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				c, err := OpenCounters(t.Context(), tx, []CounterKey{u.Key}, nil, []string{u.Cycle}, always(at))
				if err != nil {
					return err
				}
				c.Add(u)
				return c.Write(t.Context(), tx)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range []int64{0, 10, 10} {
			if amount, _, sum, _ := stored(t, d, day(i)); amount != want || sum != 10 {
				t.Errorf("day %d: %d of %d, want %d", i, amount, sum, want)
			}
		}
		err := d.View(t.Context(), func(tx db.Tx) error {
			all, err := VerifyUsage(t.Context(), tx, clock.RealAt(start.AddDate(0, 0, 3)))
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

// always is one time for every tenant.
func always(now time.Time) func(access.TenantID) time.Time {
	return func(access.TenantID) time.Time { return now }
}
