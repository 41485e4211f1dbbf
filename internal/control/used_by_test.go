package control

import (
	"fmt"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Of however many payments that a limit of a lifetime is used by, no more are read
// than are shown. What was given back is none of them, nor what another counter has.
func TestReadUsedBy_readsThePageThatIsShown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tenant := newTenant(t, d)
		at := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
		check := VelocityCheck{Head: Head{Code: "EVER"}, Period: PerLifetime, Level: CountIssuance, Currency: money.MustCurrency("TRY")}
		span := VelocityCheck{Head: Head{Code: "SPAN"}, Period: PerSpan, Span: Span{366, Days}, Level: CountIssuance, Currency: check.Currency}
		subject := Subject{CardToken: "card"}
		ever, window := check.key(tenant, subject, Calendar{Zone: time.UTC}, at)
		rolling, spanWindow := span.key(tenant, subject, Calendar{Zone: time.UTC}, at)
		other := ever
		other.Counter = "check/EVER_/0/Lifetime/Issuance/TRY"
		const many = 3000
		name := func(i int) string { return fmt.Sprintf("txn_%04d", i) }
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			c, err := OpenCounters(t.Context(), tx, []CounterKey{ever, other, rolling}, nil, nil, always(at))
			if err != nil {
				return err
			}
			for i := range many {
				moment := at.Add(time.Duration(i-many) * time.Second)
				c.Add(useOf(ever, name(i), 100+int64(i), moment))
				c.Add(spanUseOf(rolling, name(i), 100+int64(i), moment))
				c.Add(useOf(other, name(i)+"_other", 5, moment))
			}
			c.Follow(name(many-2), Standing{Spent: 100 + many - 2, Kept: 100 + many - 2}, Standing{})
			return c.Write(t.Context(), tx)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.InTx(t.Context(), func(tx db.Tx) error { // what is not shown cannot be read
			_, err := tx.Exec(t.Context(), `UPDATE velocity_usage SET uses = uses || 'x' WHERE transaction_id < $1 OR transaction_id > $2`, name(10), name(12))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []struct {
			check  VelocityCheck
			key    CounterKey
			window Window
		}{{check, ever, window}, {span, rolling, spanWindow}} {
			err = d.View(t.Context(), func(tx db.Tx) error {
				page, total, err := readUsedBy(t.Context(), tx, of.check, of.key, of.window, many-1-13, 3)
				if err != nil {
					return err
				}
				if total != many-1 || len(page) != 3 {
					t.Fatalf("%s: %d of %d", of.check.Code, len(page), total)
				}
				for i, u := range page {
					if n := 12 - i; u.Transaction != name(n) || u.Amount != money.Must(100+int64(n), "TRY") || u.Count != 1 {
						t.Errorf("%s: %+v, want that of %s", of.check.Code, u, name(n))
					}
				}
				page, total, err = readUsedBy(t.Context(), tx, of.check, of.key, of.window, many, 3)
				if len(page) != 0 || total != many-1 {
					t.Errorf("%s: behind the end %d of %d", of.check.Code, len(page), total)
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", of.check.Code, err)
			}
		}
	})
}
