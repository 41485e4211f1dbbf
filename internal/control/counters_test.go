package control

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
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
					c, err := OpenCounters(t.Context(), tx, keys, nil, []string{txn})
					if err != nil {
						return err
					}
					if used, _ := c.Used(day, false, time.Time{}); used+amount > limit {
						return nil
					}
					c.Use(day, txn, amount, 1, now)
					c.Use(week, txn, amount, 1, now)
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
		return tx.QueryRow(t.Context(), `SELECT c.amount, c.count, SUM(u.amount), SUM(u.count)
			FROM velocity_counter c JOIN velocity_usage u ON u.counter_id = c.id WHERE c.id = $1 GROUP BY c.id, c.amount, c.count`, k.String()).
			Scan(&amount, &count, &sum, &rows)
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
		change := func(transactions []string, f func(c *Counters)) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				c, err := OpenCounters(t.Context(), tx, []CounterKey{k}, nil, transactions)
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
		change(nil, func(c *Counters) { c.Use(k, "a", 300, 1, now); c.Use(k, "b", 50, 1, now) })
		change([]string{"a"}, func(c *Counters) {
			if keys := c.Usages("a"); len(keys) != 1 || keys[0] != k {
				t.Errorf("a has something of %v", keys)
			}
			c.Return(k, "a", 100, 0) // in part
		})
		change([]string{"a"}, func(c *Counters) {
			if amount, count := c.Used(k, false, now); amount != 250 || count != 2 {
				t.Errorf("used %d in %d", amount, count)
			}
			c.Return(k, "a", 1000, 5) // never more than there is
			if amount, count := c.Used(k, false, now); amount != 50 || count != 1 {
				t.Errorf("then %d in %d", amount, count)
			}
		})
		if amount, count, sum, rows := stored(t, d, k); amount != 50 || count != 1 || sum != 50 || rows != 1 {
			t.Errorf("%d in %d; its rows have %d in %d", amount, count, sum, rows)
		}
	})
}

// A rolling window is what lies within it now, to the microsecond; what is taken
// back leaves it while its row is inside.
func TestCounters_aSpanIsTheSumOfItsRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		k := CounterKey{Tenant: tenant, Counter: "check/SPAN/0", Subject: "card"}
		start := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		in := func(from time.Time, transactions []string, f func(c *Counters)) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				c, err := OpenCounters(t.Context(), tx, []CounterKey{k}, []SpanOf{{k, from}}, transactions)
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
			in(start, nil, func(c *Counters) { c.Use(k, fmt.Sprint("txn_", i), 10, 1, start.Add(time.Duration(i)*time.Hour)) })
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
			c.Return(k, "txn_2", 10, 1)
			c.Use(k, "txn_9", 5, 1, start.Add(4*time.Hour))
			if a, n := c.Used(k, true, start); a != 35 || n != 4 {
				t.Errorf("after both: %d in %d", a, n)
			}
		})
		want(start.Add(time.Hour), 25, 3)
	})
}
