package control

import (
	"fmt"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// However many subjects there are, and however much one of them has: all of it is
// swept, a part at a time.
func TestSweepUsage_goesThroughAllSubjectsInParts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		at := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		use := func(subject, transaction string) Use {
			u := useOf(CounterKey{Tenant: tenant, Counter: "check/DAY/0/Day/Issuance/TRY", Subject: subject, Start: 1}, transaction, 70, at)
			u.Ends = at.Add(12 * time.Hour)
			return u
		}
		var uses []Use
		for i := range 2*sweepRows + 100 {
			uses = append(uses, use("much", fmt.Sprint("txn_", i)))
		}
		for i := range sweepSubjects + 30 {
			uses = append(uses, use(fmt.Sprint("one", i), fmt.Sprint("txn_one_", i)))
		}
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			var keys []CounterKey
			for _, u := range uses {
				keys = append(keys, u.Key)
			}
			c, err := OpenCounters(t.Context(), tx, keys, nil, nil, always(at))
			if err != nil {
				return err
			}
			for _, u := range uses {
				c.Add(u)
			}
			return c.Write(t.Context(), tx)
		})
		if err != nil {
			t.Fatal(err)
		}
		s := &Service{DB: d}
		if n, err := s.SweepUsageIn(t.Context(), access.Pass{Now: at.Add(usageKept)}); n != 0 || err != nil {
			t.Errorf("swept %d before it was old, %v", n, err)
		}
		if n, err := s.SweepUsageIn(t.Context(), access.Pass{Now: at.Add(usageKept + time.Second)}); n != len(uses) || err != nil {
			t.Errorf("swept %d of %d, %v", n, len(uses), err)
		}
		err = d.View(t.Context(), func(tx db.Tx) error {
			all, err := VerifyUsage(t.Context(), tx, clock.RealAt(at.Add(usageKept)))
			for _, v := range all {
				if v.Broken > 0 {
					t.Errorf("%s: %v", v.Name, v.Examples)
				}
			}
			var left int
			if err := tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM velocity_usage`).Scan(&left); left > 0 || err != nil {
				t.Errorf("%d rows are left, %v", left, err)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// What one subject has is read once, a bounded part at a time, however much it is:
// a sweep that read all of it for every part it deletes would take hours for a
// million rows.
func TestSweepUsage_readsEachRowOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		at := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		rows := 0
		for _, tenant := range []access.TenantID{newTenant(t, d), newTenant(t, d)} {
			for subject, n := range map[string]int{"a": 5*sweepRows + 7, "b": sweepRows, "c": 1, "d": 2*sweepRows + 1, "e": 3} {
				day := CounterKey{Tenant: tenant, Counter: "check/DAY/0/Day/Issuance/TRY", Subject: subject, Start: 1}
				life := CounterKey{Tenant: tenant, Counter: "check/GONE/0/Lifetime/Issuance/TRY", Subject: subject}
				err := d.InTx(t.Context(), func(tx db.Tx) error {
					c, err := OpenCounters(t.Context(), tx, []CounterKey{day, life}, nil, nil, always(at))
					if err != nil {
						return err
					}
					for i := range n {
						u := useOf(day, fmt.Sprint("txn_", tenant, subject, i), 70, at.Add(time.Duration(i/3)))
						u.Ends = at.Add(12 * time.Hour)
						c.Add(u)
						if subject != "d" { // the lifetimes of the others are no longer counted
							c.Add(useOf(life, u.Transaction, 70, u.At))
						}
					}
					return c.Write(t.Context(), tx)
				})
				if err != nil {
					t.Fatal(err)
				}
				rows += n
			}
		}
		w := usageSweep{pass: access.Pass{Now: at.Add(usageKept + time.Hour)}}
		read := 0
		for more := true; more; {
			var found swept
			err := d.View(t.Context(), func(tx db.Tx) (err error) {
				found, err = w.find(t.Context(), tx)
				return err
			})
			if err != nil || found.read > sweepRows {
				t.Fatalf("read %d rows at once, %v", found.read, err)
			}
			read += found.read
			if _, more, err = w.step(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		if read != rows {
			t.Errorf("read %d rows, there were %d", read, rows)
		}
		err := d.View(t.Context(), func(tx db.Tx) error {
			var left, lifetimes int
			if err := tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM velocity_usage`).Scan(&left); err != nil {
				return err
			}
			if err := tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM velocity_counter WHERE counters LIKE '%Lifetime%'`).Scan(&lifetimes); err != nil {
				return err
			}
			if left > 0 || lifetimes > 0 {
				t.Errorf("%d rows and %d lifetimes are left", left, lifetimes)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
