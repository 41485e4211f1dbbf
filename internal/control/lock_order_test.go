package control

import (
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// Who finds a row missing that comes before one that he has locked lets that go:
// who makes the missing one may be waiting for it.
func TestOpenCounters_waitsForNoNameWhileItHoldsAGreaterOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		now := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		key := func(subject string) CounterKey {
			return CounterKey{Tenant: tenant, Counter: "check/DAY/0", Subject: subject, Start: 1}
		}
		open := func(tx db.Tx, subjects ...string) error {
			var keys []CounterKey
			for _, s := range subjects {
				keys = append(keys, key(s))
			}
			_, err := OpenCounters(t.Context(), tx, keys, nil, nil, always(now))
			return err
		}
		if err := d.InTx(t.Context(), func(tx db.Tx) error { return open(tx, "b") }); err != nil {
			t.Fatal(err)
		}
		var other sync.WaitGroup
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			if err := open(tx, "a"); err != nil { // makes it
				return err
			}
			other.Go(func() {
				if err := d.InTx(t.Context(), func(tx db.Tx) error { return open(tx, "b", "a") }); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(300 * time.Millisecond) // the other finds no "a"
			if err := db.LimitLockWait(t.Context(), tx, 300*time.Millisecond); err != nil {
				return err
			}
			return open(tx, "b")
		})
		if err != nil {
			t.Errorf("the rows in their order: %v", err)
		}
		other.Wait()
	})
}

// Two that make counters at the same time, some of them the same, both have all of theirs.
func TestOpenCounters_madeByAnotherMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		now := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		open := func(tx db.Tx, subjects ...string) error {
			var keys []CounterKey
			for _, s := range subjects {
				keys = append(keys, CounterKey{Tenant: tenant, Counter: "check/DAY/0", Subject: s, Start: 1})
			}
			c, err := OpenCounters(t.Context(), tx, keys, nil, nil, always(now))
			if err != nil {
				return err
			}
			for _, k := range keys {
				if c.subjects[k.of()] == nil {
					t.Errorf("%q is not open", k.Subject)
				}
			}
			return nil
		}
		var other sync.WaitGroup
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			if err := open(tx, "a", "b"); err != nil {
				return err
			}
			other.Go(func() {
				if err := d.InTx(t.Context(), func(tx db.Tx) error { return open(tx, "b", "c") }); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(300 * time.Millisecond) // the other finds no "b", and cannot make it
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		other.Wait()
	})
}
