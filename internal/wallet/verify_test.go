package wallet_test

import (
	"math/rand/v2"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// Each forgery breaks the invariant that is there to find it.
func TestVerify_findsForgeries(t *testing.T) {
	const (
		balances = "the balances of a wallet are what its transactions make of them"
		months   = "the totals of a wallet's month are what its transactions moved"
		counted  = "what a wallet moved is in the totals of a month"
		refunds  = "a payment from a wallet has back what its refunds gave"
		nobody   = "what top-ups wait for an owner is what the ledger has for nobody"
		codes    = "a code of a wallet is approved where its transaction exists, and moved what it asked for"
		keys     = "a movement of a wallet has its key, and a key its movement"
	)
	forgeries := []struct{ name, breaks, sql string }{
		{"cash out of nothing", balances, `UPDATE account SET posted = posted + 1 WHERE id = (SELECT cash FROM wallet WHERE number = $1)`},
		{"card money made cash", balances, `UPDATE account SET posted = posted + CASE id WHEN (SELECT cash FROM wallet WHERE number = $1) THEN 1 ELSE -1 END
			WHERE id IN (SELECT cash FROM wallet WHERE number = $1 UNION SELECT payment FROM wallet WHERE number = $1)`},
		{"a held payment set free", balances, `UPDATE wallet_transaction SET settle_on = NULL WHERE kind = 'Payment' AND from_wallet_id = (SELECT id FROM wallet WHERE number = $1)`},
		{"a withdrawal that is said to be done", balances, `UPDATE wallet_transaction SET status = 'Completed' WHERE kind = 'Withdrawal' AND from_wallet_id = (SELECT id FROM wallet WHERE number = $1)`},
		{"a total lowered", months, `UPDATE wallet_month SET payments = payments - 1 WHERE wallet_id = (SELECT id FROM wallet WHERE number = $1)`},
		{"a movement left out of its month", months, `UPDATE wallet_transaction SET month = '' WHERE kind = 'CardTopup' AND to_wallet_id = (SELECT id FROM wallet WHERE number = $1)`},
		{"a month deleted", counted, `DELETE FROM wallet_month WHERE wallet_id = (SELECT id FROM wallet WHERE number = $1)`},
		{"a refund forgotten", refunds, `UPDATE wallet_transaction SET refunded = 0, refunded_payment = 0 WHERE kind = 'Payment' AND from_wallet_id = (SELECT id FROM wallet WHERE number = $1)`},
		{"a code that is said to wait", codes, `UPDATE wallet_qr SET approved_at = NULL WHERE external_id = 'Q1' AND $1 <> ''`},
		{"a code that is said to be approved", codes, `UPDATE wallet_qr SET approved_at = 1 WHERE external_id = 'Q2' AND $1 <> ''`},
		{"a code that asked for more", codes, `UPDATE wallet_qr SET amount = amount + 1 WHERE external_id = 'Q1' AND $1 <> ''`},
		{"a code deleted", keys, `DELETE FROM wallet_qr WHERE external_id = 'Q2' AND $1 <> ''`},
		{"a key deleted", keys, `DELETE FROM wallet_key WHERE transaction_id IN (SELECT id FROM wallet_transaction WHERE to_wallet_id = (SELECT id FROM wallet WHERE number = $1))`},
		{"a top-up of nobody lowered", nobody, `UPDATE wallet_unmatched SET amount = amount - 1 WHERE $1 <> ''`},
		{"a top-up of nobody deleted", nobody, `DELETE FROM wallet_unmatched WHERE receipt = 'N1' AND $1 <> ''`},
		{"a top-up of nobody made", nobody, `INSERT INTO wallet_unmatched (tenant_id, receipt, amount, currency, description, created_at)
			SELECT tenant_id, 'N9', 100, 'USD', '', 0 FROM wallet WHERE number = $1`},
		{"a top-up of nobody that is said to have an owner", nobody, `INSERT INTO wallet_key (tenant_id, kind, value, transaction_id)
			SELECT tenant_id, 'Assigned', 'N1', 1 FROM wallet WHERE number = $1`},
		{"a transaction deleted", keys, `DELETE FROM wallet_transaction WHERE kind = 'CardTopup' AND to_wallet_id = (SELECT id FROM wallet WHERE number = $1)`},
	}
	for _, forged := range forgeries {
		t.Run(forged.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				a, shop := w.open("A", wallet.Personal, wallet.Contracted), w.open("B", wallet.Business, wallet.Contracted)
				w.must(w.card(a, 5000))
				w.must(w.bank(a, 5000))
				m, err := w.Pay(t.Context(), w.caller, between("P", a, shop, 7000))
				w.must(err)
				_, err = w.GiveBack(t.Context(), w.caller, wallet.NewRefund{ExternalID: "R", Original: m.Transaction.ID, Amount: lira(100)})
				w.must(err)
				_, err = w.withdraw(a, 500)
				w.must(err)
				_, err = w.ApproveQR(t.Context(), w.caller, w.approval(w.asks("Q1", shop, 10), a))
				w.must(err)
				w.asks("Q2", shop, 10)
				_, err = w.TopUpByBank(t.Context(), w.caller, wallet.BankTopUp{Receipt: "N1", WalletNo: "1234567", Amount: lira(100)})
				wantFault(t, err, wallet.ErrWalletNotFound)
				w.holds()
				w.must(d.InTx(t.Context(), func(tx db.Tx) error {
					n, err := db.Affected(tx.Exec(t.Context(), forged.sql, a.Wallet.Number))
					if n == 0 {
						t.Error("nothing was forged")
					}
					return err
				}))
				all, err := w.Verify(t.Context())
				w.must(err)
				for _, v := range all {
					if v.Name == forged.breaks && v.Broken == 0 {
						t.Errorf("%q holds still", v.Name)
					}
				}
			})
		})
	}
}

// What came for nobody, and for whom it was found later, adds up, too.
func TestVerify_holdsForTopUpsOfNobody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, newWorld(t, d), rand.New(rand.NewPCG(1, 2)))
		for _, receipt := range []string{"N1", "N2"} {
			_, err := s.TopUpByBank(t.Context(), s.caller, wallet.BankTopUp{Receipt: receipt, WalletNo: "1234567", Amount: lira(100)})
			wantFault(t, err, wallet.ErrWalletNotFound)
		}
		for range 2 {
			_, err := s.AssignTopUp(t.Context(), s.caller, "N1", s.wallets[0].Wallet.Number)
			if all, _ := s.UnmatchedTopUps(t.Context(), s.caller); len(all) != 1 || all[0].Receipt != "N2" {
				t.Errorf("%v wait for an owner (%v)", all, err)
			}
		}
		if got := s.show(s.wallets[0]).Balances.Cash.Minor(); got != 100 {
			t.Errorf("the wallet has %d", got)
		}
		s.holds()
	})
}
