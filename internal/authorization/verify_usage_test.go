package authorization_test

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Who changes what was used of a limit behind our backs is found out.
func TestVerify_findsAForgedCounter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		for _, args := range []map[string]string{
			{"code": "DAY", "period": "Day", "max": "100.00", "of": "all"},
			{"code": "SPAN1", "period": "Rolling", "span": "24", "max": "100.00", "of": "all"},
			{"code": "SPAN2", "period": "Rolling", "span": "48", "max": "100.00", "of": "all"},
		} {
			if said := w.NewLimit(args); said != "ok" {
				t.Fatal(said)
			}
		}
		if said := w.NewLimit(map[string]string{"code": "EVER", "period": "Lifetime", "max": "100.00", "of": "all", "fees": "count"}); said != "ok" {
			t.Fatal(said)
		}
		if err := w.Fee(map[string]string{"code": "POS", "fixed": "0.07"}); err != nil {
			t.Fatal(err)
		}
		c := w.NewCard("100.00")
		w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(1000, "TRY")))
		broken := func() map[string]int64 {
			all, err := w.Queries.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			found := map[string]int64{}
			for _, v := range all {
				if v.Broken > 0 {
					found[v.Name] = v.Broken
				}
			}
			return found
		}
		if found := broken(); len(found) > 0 {
			t.Fatalf("nobody forged anything: %v", found)
		}
		for _, forgery := range []struct{ name, change, back string }{
			{"a velocity counter is the sum of what transactions have of it",
				"UPDATE velocity_counter SET counters = REPLACE(counters, ' 1000 1', ' 999 1')",
				"UPDATE velocity_counter SET counters = REPLACE(counters, ' 999 1', ' 1000 1')"},
			{"a velocity counter is the sum of what transactions have of it",
				"UPDATE velocity_counter SET counters = REPLACE(counters, ' 1000 1', ' 1000 0')",
				"UPDATE velocity_counter SET counters = REPLACE(counters, ' 1000 0', ' 1000 1')"},
			{"a velocity counter is the sum of what transactions have of it",
				"INSERT INTO velocity_usage SELECT 'nobody', at, transaction_id, cycle_id, uses FROM velocity_usage",
				"DELETE FROM velocity_usage WHERE subject_id = 'nobody'"},
			{"nothing is counted of what nothing stands of",
				"UPDATE velocity_usage SET uses = REPLACE(uses, ' 1000 1 1000 1 ', ' 900 1 1000 1 ')",
				"UPDATE velocity_usage SET uses = REPLACE(uses, ' 900 1 1000 1 ', ' 1000 1 1000 1 ')"},
			{"what lies in a rolling window belongs to a transaction",
				"UPDATE velocity_span SET counter = REPLACE(counter, 'SPAN1', 'SPAN_')",
				"UPDATE velocity_span SET counter = REPLACE(counter, 'SPAN_', 'SPAN1')"},
			{"a velocity counter is the sum of what transactions have of it",
				"UPDATE velocity_span SET count = count + 1 WHERE counter LIKE '%SPAN1%'",
				"UPDATE velocity_span SET count = count - 1 WHERE counter LIKE '%SPAN1%'"},
			{"what lies in a rolling window belongs to a transaction",
				"UPDATE velocity_span SET amount = CASE WHEN counter LIKE '%SPAN1%' THEN 900 ELSE 1100 END",
				"UPDATE velocity_span SET amount = 1000"},
			{"what has fallen out of a velocity counter had ended",
				"UPDATE velocity_counter SET since = since + 172800000000", // two days
				"UPDATE velocity_counter SET since = since - 172800000000"},
			{"what a limit counts comes from its transaction",
				"UPDATE velocity_usage SET transaction_id = REPLACE(transaction_id, 'txn_0', 'txn_1')",
				"UPDATE velocity_usage SET transaction_id = REPLACE(transaction_id, 'txn_1', 'txn_0')"},
			{"what a limit counts comes from its transaction",
				"UPDATE velocity_usage SET cycle_id = REPLACE(cycle_id, 'txn_0', 'txn_1')",
				"UPDATE velocity_usage SET cycle_id = REPLACE(cycle_id, 'txn_1', 'txn_0')"},
			{"what a limit counts comes from its transaction",
				"UPDATE velocity_usage SET at = at - 1",
				"UPDATE velocity_usage SET at = at + 1"},
			{"what a limit counts comes from its transaction", // whose counters were forged with it
				"UPDATE velocity_usage SET uses = REPLACE(uses, ' 1000 1 1000 1 1000 1000 ', ' 10 1 10 1 10 10 ')",
				"UPDATE velocity_usage SET uses = REPLACE(uses, ' 10 1 10 1 10 10 ', ' 1000 1 1000 1 1000 1000 ')"},
			{"what a limit counts comes from its transaction", // as if another currency had been converted
				"UPDATE velocity_usage SET uses = REPLACE(uses, ' 1000 1 1000 1 1000 1000 ', ' 10 1 10 1 1000 1000 ')",
				"UPDATE velocity_usage SET uses = REPLACE(uses, ' 10 1 10 1 1000 1000 ', ' 1000 1 1000 1 1000 1000 ')"},
			{"what a limit counts of fees is what stands of them",
				"UPDATE velocity_usage SET uses = REPLACE(uses, ' 9 7 0', ' 9 8 0')",
				"UPDATE velocity_usage SET uses = REPLACE(uses, ' 9 8 0', ' 9 7 0')"},
		} {
			do := func(text string) {
				t.Helper()
				err := d.InTx(t.Context(), func(tx db.Tx) error {
					_, err := tx.Exec(t.Context(), text)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			do(forgery.change)
			if broken()[forgery.name] == 0 {
				t.Errorf("%s: not found out", forgery.change)
			}
			do(forgery.back)
		}
		w.Verify()
	})
}
