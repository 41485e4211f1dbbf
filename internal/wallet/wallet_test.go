package wallet_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// world is a tenant with wallets.
type world struct {
	*wallet.Service
	t      *testing.T
	db     *db.DB
	clock  *clock.Fake
	tenant access.Tenant
	caller access.Caller
	keys   int
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	w := &world{t: t, db: d, clock: clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))}
	if w.tenant, _, err = access.New(d, backend, w.clock).CreateTenant(t.Context(), access.NewTenant{Name: "Main", Sandbox: true}); err != nil {
		t.Fatal(err)
	}
	w.Service, w.caller = wallet.New(d, backend, w.clock), access.System(w.tenant)
	return w
}

func lira(minor int64) money.Amount { return money.Must(minor, "TRY") }

// key is an external id that nobody has used.
func (w *world) key() string {
	w.keys++
	return fmt.Sprintf("K-%d", w.keys)
}

// open opens an account at a level.
func (w *world) open(no string, kind wallet.Kind, level wallet.KYCLevel) wallet.Standing {
	w.t.Helper()
	s, err := w.Register(w.t.Context(), w.caller, wallet.NewAccount{
		No: no, Kind: kind, Currency: lira(0).Currency(), Person: wallet.Person{FirstName: "Deniz", LastName: "Kaya", BusinessName: "Kahve"},
	})
	w.must(err)
	if level == wallet.Contracted {
		_, err = w.Contract(w.t.Context(), w.caller, no, kind)
		w.must(err)
	}
	return s
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) show(s wallet.Standing) wallet.Standing {
	w.t.Helper()
	out, err := w.Show(w.t.Context(), w.caller, s.Wallet.Number, "")
	w.must(err)
	return out
}

// bank adds cash.
func (w *world) bank(to wallet.Standing, minor int64) error {
	_, err := w.TopUpByBank(w.t.Context(), w.caller, wallet.BankTopUp{Receipt: "R" + w.key(), WalletNo: to.Wallet.Number, Amount: lira(minor)})
	return err
}

// card adds to the payment balance.
func (w *world) card(to wallet.Standing, minor int64) error {
	_, err := w.TopUpByCard(w.t.Context(), w.caller, wallet.CardTopUp{
		ExternalID: w.key(), AccountNo: to.Account.No, WalletNo: to.Wallet.Number, Amount: lira(minor),
	})
	return err
}

func between(key string, from, to wallet.Standing, minor int64) wallet.Between {
	return wallet.Between{ExternalID: key, FromAccountNo: from.Account.No, FromNo: from.Wallet.Number, ToNo: to.Wallet.Number, Amount: lira(minor)}
}

var iban = wallet.Destination{IBAN: "TR330006100519786457841326", Holder: "Deniz Kaya", NationalID: "10000000146"}

func (w *world) withdraw(from wallet.Standing, minor int64) (wallet.ID, error) {
	m, err := w.Withdraw(w.t.Context(), w.caller, wallet.NewWithdrawal{
		ExternalID: w.key(), WalletNo: from.Wallet.Number, To: iban, Amount: lira(minor),
	})
	return m.Transaction.ID, err
}

func wantFault(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// holds fails the test where an invariant is broken.
func (w *world) holds() {
	w.t.Helper()
	all, err := w.Verify(w.t.Context())
	w.must(err)
	books, err := ledger.New(w.db, w.clock).Verify(w.t.Context())
	w.must(err)
	for _, v := range append(all, books...) {
		if v.Broken > 0 {
			w.t.Errorf("%s: %d of %d broken: %v", v.Name, v.Broken, v.Checked, v.Examples)
		}
	}
}

func TestTransfers_acrossEachOtherLoseNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a, b := w.open("A", wallet.Personal, wallet.Contracted), w.open("B", wallet.Personal, wallet.Contracted)
		w.must(w.bank(a, 1000))
		w.must(w.bank(b, 1000))
		var done sync.WaitGroup
		for i := range 20 {
			from, to := a, b
			if i%2 == 1 {
				from, to = b, a
			}
			done.Go(func() {
				_, err := w.TransferCash(t.Context(), w.caller, wallet.Parties{From: wallet.Personal, To: wallet.Personal}, between(fmt.Sprint("T", i), from, to, 300))
				if err != nil && !errors.Is(err, wallet.ErrBalance) {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if sum := w.show(a).Balances.Cash.Minor() + w.show(b).Balances.Cash.Minor(); sum != 2000 {
			t.Errorf("%d are left of 2000", sum)
		}
		w.holds()
	})
}

// Of fifty equal requests one moves money, whatever they ask for; and fifty
// different ones never spend more than there is.
func TestMove_fiftyAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		from, shop := w.open("A", wallet.Personal, wallet.Contracted), w.open("B", wallet.Business, wallet.Contracted)
		w.must(w.bank(from, 10_000))
		atOnce := func(ask func(i int) error, refused error) (done int) {
			t.Helper()
			var mu sync.Mutex
			var running sync.WaitGroup
			for i := range 50 {
				running.Go(func() {
					err := ask(i)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						done++
					} else if !errors.Is(err, refused) {
						t.Error(err)
					}
				})
			}
			running.Wait()
			return done
		}
		paid := wallet.Moved{}
		once := map[string]func(int) error{
			"payment": func(int) error {
				m, err := w.Pay(t.Context(), w.caller, between("PAY", from, shop, 100))
				if err == nil {
					paid = m
				}
				return err
			},
			"bank": func(int) error {
				_, err := w.TopUpByBank(t.Context(), w.caller, wallet.BankTopUp{Receipt: "ONE", WalletNo: from.Wallet.Number, Amount: lira(100)})
				if errors.Is(err, wallet.ErrReceiptUsed) {
					return wallet.ErrKeyUsed
				}
				return err
			},
			"withdrawal": func(int) error {
				_, err := w.Withdraw(t.Context(), w.caller, wallet.NewWithdrawal{ExternalID: "W", WalletNo: from.Wallet.Number, To: iban, Amount: lira(100)})
				return err
			},
		}
		for name, ask := range once {
			if n := atOnce(ask, wallet.ErrKeyUsed); n != 1 {
				t.Errorf("%s: %d of fifty equal requests moved money", name, n)
			}
		}
		if n := atOnce(func(i int) error {
			_, err := w.GiveBack(t.Context(), w.caller, wallet.NewRefund{ExternalID: fmt.Sprint("R", i), Original: paid.Transaction.ID, Amount: lira(30)})
			return err
		}, wallet.ErrAmount); n != 3 {
			t.Errorf("%d refunds of 30 on a payment of 100", n)
		}
		// 10,000 − 100 + 100 − 100 + 90 = 9,990
		if n := atOnce(func(i int) error {
			_, err := w.Pay(t.Context(), w.caller, between(fmt.Sprint("P", i), from, shop, 300))
			return err
		}, wallet.ErrBalance); n != 33 {
			t.Errorf("%d payments of 300 from 9,990", n)
		}
		w.holds()
	})
}

// Settling on several nodes at once releases each payment once, whatever is
// refunded meanwhile.
func TestSettle_racesWithRefunds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		from, shop := w.open("A", wallet.Personal, wallet.Contracted), w.open("B", wallet.Business, wallet.Contracted)
		w.must(w.card(from, 10_000))
		var payments []wallet.ID
		for range 10 {
			m, err := w.Pay(t.Context(), w.caller, between(w.key(), from, shop, 1000))
			w.must(err)
			payments = append(payments, m.Transaction.ID)
		}
		w.clock.Advance(24 * time.Hour)
		var running sync.WaitGroup
		for range 3 {
			running.Go(func() {
				if _, err := w.Settle(t.Context(), w.tenant); err != nil {
					t.Error(err)
				}
			})
		}
		for i, p := range payments {
			running.Go(func() {
				if _, err := w.GiveBack(t.Context(), w.caller, wallet.NewRefund{ExternalID: fmt.Sprint("R", i), Original: p, Amount: lira(400)}); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		b := w.show(shop).Balances
		if b.Cash.Minor() != 6000 || b.CashHeld.Minor() != 0 || w.show(from).Balances.Payment.Minor() != 4000 {
			t.Errorf("the business has %v and %v held", b.Cash, b.CashHeld)
		}
		w.holds()
	})
}

// model is what a wallet must be, by the formulae of the contract.
type model struct {
	payment, cash, held                       int64
	incoming, payments, transfers, withdrawal int64
}

// Any sequence of movements, over the end of a month, leaves every wallet as the
// formulae say; what was refused changed nothing.
func TestWallets_anySequenceFollowsTheFormulae(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		newStory(t, newWorld(t, d), rand.New(rand.NewPCG(seed, 0))).tell(120)
	})
}
