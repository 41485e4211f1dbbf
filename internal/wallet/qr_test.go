package wallet_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// asks makes a code by which a business asks for a payment.
func (w *world) asks(key string, shop wallet.Standing, minor int64) wallet.QR {
	w.t.Helper()
	q, err := w.MakeQR(w.t.Context(), w.caller, wallet.NewQR{
		Kind: wallet.Payment, ExternalID: key, AccountNo: shop.Account.No, ToNo: shop.Wallet.Number, Amount: lira(minor),
	})
	w.must(err)
	return q
}

func (w *world) approval(q wallet.QR, from wallet.Standing) wallet.Approval {
	return wallet.Approval{Kind: q.Kind, Code: q.Code, FromAccountNo: from.Account.No, FromNo: from.Wallet.Number}
}

func TestApproveQR_fiftyAtOnceMoveMoneyOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		shop := w.open("SHOP", wallet.Business, wallet.Contracted)
		payers := []wallet.Standing{w.open("A", wallet.Personal, wallet.Contracted), w.open("B", wallet.Personal, wallet.Contracted)}
		for _, p := range payers {
			w.must(w.bank(p, 100_000))
		}
		q := w.asks("Q", shop, 700)
		var mu sync.Mutex
		var running sync.WaitGroup
		done := 0
		for i := range 50 {
			running.Go(func() {
				_, err := w.ApproveQR(t.Context(), w.caller, w.approval(q, payers[i%2]))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					done++
				case !errors.Is(err, wallet.ErrKeyUsed):
					t.Error(err)
				}
			})
		}
		running.Wait()
		if done != 1 || w.show(shop).Balances.CashHeld.Minor() != 700 {
			t.Errorf("%d approved it, and the shop holds %v", done, w.show(shop).Balances.CashHeld)
		}
		w.holds()
	})
}

// One code is made of a key, whoever else uses it at once for whatever.
func TestMakeQR_sharesItsKeyWithMovements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		shop, a := w.open("SHOP", wallet.Business, wallet.Contracted), w.open("A", wallet.Personal, wallet.Contracted)
		w.must(w.bank(a, 1000))
		var running sync.WaitGroup
		faults := make([]error, 20)
		for i := range faults {
			running.Go(func() {
				if i%2 == 0 {
					_, faults[i] = w.MakeQR(t.Context(), w.caller, wallet.NewQR{
						Kind: wallet.Payment, ExternalID: "ONE", AccountNo: "SHOP", ToNo: shop.Wallet.Number, Amount: lira(10),
					})
				} else {
					_, faults[i] = w.Pay(t.Context(), w.caller, between("ONE", a, shop, 10))
				}
			})
		}
		running.Wait()
		took := 0
		for _, err := range faults {
			if err == nil {
				took++
			} else {
				wantFault(t, err, wallet.ErrKeyUsed)
			}
		}
		if took != 1 {
			t.Errorf("%d took the key", took)
		}
		w.holds()
	})
}

func TestApproveQR_whatCannotBe(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		shop, a := w.open("SHOP", wallet.Business, wallet.Contracted), w.open("A", wallet.Personal, wallet.Contracted)
		w.must(w.bank(a, 1000))
		approve := func(in wallet.Approval, want error) {
			t.Helper()
			_, err := w.ApproveQR(t.Context(), w.caller, in)
			wantFault(t, err, want)
		}
		q := w.asks("Q", shop, 1001)
		approve(w.approval(q, a), wallet.ErrBalance)
		approve(w.approval(q, shop), wallet.ErrWrongParty) // a business pays others
		other := w.approval(q, a)
		other.Kind = wallet.Transfer
		approve(other, wallet.ErrTransactionNotFound)
		w.must(w.card(a, 1))
		w.clock.Advance(15*time.Minute - time.Microsecond)
		approve(w.approval(q, a), nil) // to the kurus, at the last moment
		late := w.asks("LATE", shop, 1)
		w.clock.Advance(15 * time.Minute)
		approve(w.approval(late, a), wallet.ErrNotThisWay)
		if _, err := w.ReadQR(t.Context(), w.caller, wallet.Payment, q.Code); err != nil { // what was approved is told for ever
			t.Error(err)
		}
		w.holds()
	})
}

// What a business got from cards it does not make cash of by paying itself: not at
// another of its wallets, and not by a code.
func TestPay_notOneself(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		shop := w.open("SHOP", wallet.Business, wallet.Contracted)
		second, err := w.Open(t.Context(), w.caller, wallet.NewWallet{Kind: wallet.Business, AccountNo: "SHOP", Name: "Till", Currency: lira(0).Currency()})
		w.must(err)
		till := shop
		till.Wallet = second
		w.must(w.card(shop, 1000))
		_, err = w.Pay(t.Context(), w.caller, between(w.key(), shop, till, 1000))
		wantFault(t, err, wallet.ErrWrongParty)
		_, err = w.ApproveQR(t.Context(), w.caller, w.approval(w.asks(w.key(), till, 1000), shop))
		wantFault(t, err, wallet.ErrWrongParty)
		if b := w.show(shop).Balances; b.Payment.Minor() != 1000 {
			t.Errorf("the shop has %v", b)
		}
		w.holds()
	})
}
