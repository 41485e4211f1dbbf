package authorization_test

import (
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// A row that names another tenant than its account does is found, now that the
// database does not compare them.
func TestVerify_findsRowsOfAnotherTenant(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		if err := w.Fee(map[string]string{"code": "POS", "fixed": "0.07"}); err != nil {
			t.Fatal(err)
		}
		c := w.NewCard("100.00")
		w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(1000, "TRY")))
		unknown := w.Request(c, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
		p := unknown.Card.PAN.Reveal()
		for n := range 10 {
			for k := range 10 {
				if q, err := pan.Parse(p[:len(p)-2] + string(rune('0'+n)) + string(rune('0'+k))); err == nil && q.Reveal() != p {
					unknown.Card.PAN = q
				}
			}
		}
		if a := w.Authorize(unknown); a.Reason != authorization.CardNotFound {
			t.Fatalf("an unknown card is %s", a.Reason)
		}
		w.Verify()
		nobody := id.New[access.Tenant](authorizationtest.Start).String()
		broken := func() map[string]int64 {
			decided, err := w.Queries.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			kept, err := w.Ledger.Verify(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			found := map[string]int64{}
			for _, v := range append(append([]ledger.Invariant(nil), decided...), kept...) {
				if v.Broken > 0 {
					found[v.Name] = v.Broken
				}
			}
			return found
		}
		for _, f := range []struct{ name, change string }{
			{"a transaction is of its account's tenant", "UPDATE card_transaction SET tenant_id = 'NOBODY' WHERE account_id IS NOT NULL"},
			{"a transaction is of its account's tenant", "UPDATE card_transaction SET tenant_id = NULL WHERE account_id IS NOT NULL"},
			{"the fees of a life cycle are of its account's tenant", "UPDATE fee_due SET tenant_id = 'NOBODY'"},
			{"a hold is in its account's currency and tenant", "UPDATE hold SET tenant_id = 'NOBODY'"},
			{"a hold is in its account's currency and tenant", "UPDATE hold SET currency = 'EUR'"},
			{"a transaction is of its decision's tenant", "UPDATE card_transaction SET tenant_id = 'NOBODY' WHERE account_id IS NULL AND tenant_id IS NOT NULL"},
		} {
			f.change = strings.ReplaceAll(f.change, "NOBODY", nobody)
			table := strings.Fields(f.change)[1]
			do := func(sql string) int64 {
				t.Helper()
				var n int64
				if err := d.InTx(t.Context(), func(tx db.Tx) (err error) {
					n, err = db.Affected(tx.Exec(t.Context(), sql))
					return err
				}); err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
				return n
			}
			do("CREATE TABLE kept AS SELECT id, tenant_id, currency FROM (SELECT " + key(table) + " AS id, tenant_id, " + currency(table) + " AS currency FROM " + table + ") t")
			if do(f.change) == 0 {
				t.Errorf("%s: nothing was forged", f.change)
			}
			found := broken()
			if found[f.name] == 0 {
				t.Errorf("%s: not found out: %v", f.change, found)
			}
			back := "tenant_id = (SELECT tenant_id FROM kept WHERE kept.id = " + table + "." + key(table) + ")"
			if table == "hold" {
				back += ", currency = (SELECT currency FROM kept WHERE kept.id = hold.id)"
			}
			do("UPDATE " + table + " SET " + back)
			do("DROP TABLE kept")
		}
		w.Verify()
	})
}

func key(table string) string {
	if table == "fee_due" {
		return "root_id"
	}
	return "id"
}

func currency(table string) string {
	if table == "hold" {
		return "currency"
	}
	return "''"
}

// A record that cannot be unpacked is one broken decision with its name, as a record
// that could not be parsed was; it does not end the checks.
func TestVerify_namesADecisionThatCannotBeUnpacked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		c := w.NewCard("100.00")
		var last authorization.Answer
		for range 3 {
			last = w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(1000, "TRY")))
		}
		w.Verify()
		for name, forged := range map[string]any{"packed nonsense": authorization.Packed("nonsense"), "nonsense": []byte("nonsense"), "nothing": []byte{}} {
			if err := d.InTx(t.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(t.Context(), "UPDATE decision SET record = $2 WHERE transaction_id = $1", last.Transaction, forged)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			all, err := w.Queries.Verify(t.Context(), nil)
			if err != nil {
				t.Errorf("%s: verify gave up: %v", name, err)
			}
			found := false
			for _, v := range all {
				found = found || v.Name == "every decision recomputes to itself" && v.Broken == 1 && v.Checked == 3
			}
			if !found {
				t.Errorf("%s: it is not told as broken", name)
			}
		}
	})
}
