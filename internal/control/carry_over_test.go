package control

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// found is a card that finds its customer at a moment.
func found(tenant access.TenantID, at time.Time) issuing.Issuance {
	return issuing.Issuance{
		Tenant: tenant, ID: id.New[issuing.Issuance](at), Customer: id.New[customer.Customer](at), ProductCode: "P1", UpdatedAt: at,
	}
}

// usesOfCard are a customer's uses, in a window that ends, while its card i has none.
func usesOfCard(i issuing.Issuance, counter, transaction string, at, ends time.Time) Use {
	u := useOf(CounterKey{Tenant: i.Tenant, Counter: counter, Subject: i.ID.String(), Start: 1}, transaction, 70, at)
	if u.Ends = ends; ends.IsZero() {
		u.Key.Start = 0
	}
	return u
}

// keep counts uses.
func keep(t *testing.T, d *db.DB, uses ...Use) {
	t.Helper()
	for _, u := range uses {
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			c, err := OpenCounters(t.Context(), tx, []CounterKey{u.Key}, nil, nil, always(u.At))
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
}

// What a card takes along to its customer is what may still count for that: nothing
// else of all that it used is read, nor locked when there is nothing to take.
func TestLinked_readsWhatMayGoOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		now := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		old, tomorrow := now.AddDate(-2, 0, 0), now.Add(24*time.Hour)
		i := found(tenant, now)
		keep(t, d,
			usesOfCard(i, "check/EVER/0/Lifetime/Customer/TRY", "txn_1", old, time.Time{}),
			usesOfCard(i, "check/YEAR/0/Year/Customer/TRY", "txn_2", old, old.Add(time.Hour)),
			usesOfCard(i, "check/CARD/0/Lifetime/Issuance/TRY", "txn_3", now, time.Time{}),
			usesOfCard(i, "check/FAMILY/0/Day/IssuanceFamily/TRY", "txn_4", now, tomorrow),
			usesOfCard(i, "check/DAY/0/Day/CustomerProduct/TRY", "txn_5", now, tomorrow))
		exec := func(text string, args ...any) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(t.Context(), text, args...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, unread := range []string{"txn_2", "txn_3", "txn_4"} {
			exec(`UPDATE velocity_usage SET uses = uses || 'x' WHERE transaction_id = $1`, unread)
		}
		link := func(i issuing.Issuance) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx db.Tx) error { return (&Service{DB: d}).Linked(t.Context(), tx, i) })
			if err != nil {
				t.Error(err)
			}
		}
		link(i)
		for subject, counter := range map[string]string{
			i.Customer.String():         "check/EVER/0/Lifetime/Customer/TRY",
			i.Customer.String() + "/P1": "check/DAY/0/Day/CustomerProduct/TRY",
		} {
			k := usesOfCard(i, counter, "", now, tomorrow).Key
			k.Subject = subject
			if counter == "check/EVER/0/Lifetime/Customer/TRY" {
				k.Start = 0
			}
			if amount, count, sum, _ := stored(t, d, k); amount != 70 || count != 1 || sum != 70 {
				t.Errorf("%s: %d in %d, of %d", counter, amount, count, sum)
			}
		}
		other := found(tenant, now)
		keep(t, d, usesOfCard(other, "check/CARD/0/Lifetime/Issuance/TRY", "txn_6", now, time.Time{}))
		link(other)
		var rows int
		err := d.View(t.Context(), func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM velocity_counter WHERE subject LIKE $1`, other.Customer.String()+"%").Scan(&rows)
		})
		if err != nil || rows != 0 {
			t.Errorf("%d counters of a customer for whom nothing counts, %v", rows, err)
		}
	})
}

// A card that finds its customer waits for no subject while it holds one with a
// greater name: its own is greater than its customer's, which nothing counted for yet.
func TestLinked_waitsForNoNameWhileItHoldsAGreaterOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		now := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		i := found(tenant, now)
		if i.Customer.String() > i.ID.String() {
			t.Fatal("the customer's name is the greater one")
		}
		own := usesOfCard(i, "check/DAY/0/Day/Customer/TRY", "txn_1", now, now.Add(time.Hour))
		keep(t, d, own)
		theirs := own.Key
		theirs.Subject = i.Customer.String()
		open := func(ctx context.Context, tx db.Tx, k CounterKey) error {
			_, err := OpenCounters(ctx, tx, []CounterKey{k}, nil, nil, always(now))
			return err
		}
		var other sync.WaitGroup
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			if err := open(t.Context(), tx, theirs); err != nil { // makes it
				return err
			}
			other.Go(func() {
				err := d.InTx(t.Context(), func(tx db.Tx) error { return (&Service{DB: d}).Linked(t.Context(), tx, i) })
				if err != nil {
					t.Error(err)
				}
			})
			time.Sleep(300 * time.Millisecond) // the other finds no customer's
			if err := db.LimitLockWait(t.Context(), tx, 300*time.Millisecond); err != nil {
				return err
			}
			return open(t.Context(), tx, own.Key)
		})
		if err != nil {
			t.Errorf("the rows in their order: %v", err)
		}
		other.Wait()
		if amount, _, _, _ := stored(t, d, theirs); amount != 70 {
			t.Errorf("%d went over", amount)
		}
	})
}
