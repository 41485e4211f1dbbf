package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

type books struct {
	t      testing.TB
	db     *db.DB
	clock  *clock.Fake
	ledger *ledger.Service
	caller access.Caller
	opened int
}

func newBooks(t testing.TB, d *db.DB) *books {
	t.Helper()
	b := &books{t: t, db: d, clock: clock.NewFake(start)}
	b.ledger = ledger.New(d, b.clock)
	module, err := soft.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	tenant, _, err := access.New(d, module, b.clock).CreateTenant(t.Context(), access.NewTenant{Name: "Test", Sandbox: true})
	if err != nil {
		t.Fatal(err)
	}
	b.caller = access.System(tenant)
	return b
}

func try(minor int64) money.Amount { return money.Must(minor, "TRY") }

func (b *books) open(balance int64) ledger.Account {
	b.t.Helper()
	b.opened++
	var a ledger.Account
	b.in(func(tx db.Tx) (err error) {
		a, err = ledger.OpenCardAccount(b.t.Context(), tx, b.caller.Tenant, fmt.Sprint("A", b.opened), "owner", money.MustCurrency("TRY"), clock.RealNow(b.clock), 0)
		return err
	})
	if balance > 0 {
		if _, err := b.adjust(a, ledger.Credit, balance, "load"); err != nil {
			b.t.Fatal(err)
		}
	}
	return a
}

func (b *books) in(f func(tx db.Tx) error) {
	b.t.Helper()
	if err := b.db.InTx(b.t.Context(), f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *books) adjust(a ledger.Account, side ledger.Side, minor int64, reference string) (ledger.Adjusted, error) {
	return b.ledger.Adjust(b.t.Context(), b.caller, ledger.Adjustment{
		AccountNo: a.Number, Side: side, Amount: try(minor), Description: "test", Reference: reference,
	})
}

func (b *books) account(a ledger.Account) ledger.Account {
	b.t.Helper()
	got, err := b.ledger.AccountByNumber(b.t.Context(), b.caller, a.Number)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func (b *books) verify() {
	b.t.Helper()
	all, err := b.ledger.Verify(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, v := range all {
		if v.Broken > 0 {
			b.t.Errorf("%s: %d broken, such as %v", v.Name, v.Broken, v.Examples)
		}
	}
}

func TestBook_concurrentHoldsNeverOverdraw(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBooks(t, d)
		a := b.open(10000)
		var placed atomic.Int64
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				err := d.InTx(t.Context(), func(tx db.Tx) error {
					book, err := ledger.OpenBook(t.Context(), tx, []ledger.AccountID{a.ID}, nil)
					if err != nil {
						return err
					}
					h := ledger.NewHold(id.New[ledger.Hold](b.clock.Now()), b.caller.Tenant, a.ID, try(300), start.AddDate(0, 0, 7))
					if err := book.PlaceHold(h); err != nil {
						return err
					}
					return book.Write(t.Context(), tx)
				})
				if err == nil {
					placed.Add(1)
				} else if !errors.Is(err, ledger.ErrInsufficientFunds) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if placed.Load() != 33 {
			t.Errorf("got %d holds of 3.00 on 100.00, want exactly 33", placed.Load())
		}
		b.verify()
	})
}

// Nobody shares an account that is not for credit, so nobody looks there for whose a hold is.
func TestBook_keepsNoHolderOnAPlainAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBooks(t, d)
		a := b.open(10000)
		h := ledger.NewHold(id.New[ledger.Hold](b.clock.Now()), b.caller.Tenant, a.ID, try(300), start.AddDate(0, 0, 7))
		h.Holder = "child"
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			book, err := ledger.OpenBook(t.Context(), tx, []ledger.AccountID{a.ID}, nil)
			if err != nil {
				return err
			}
			if err := book.PlaceHold(h); err != nil {
				return err
			}
			return book.Write(t.Context(), tx)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.View(t.Context(), func(tx db.Tx) error {
			stored, err := ledger.ReadHolds(t.Context(), tx, []ledger.HoldID{h.ID})
			if kept, found := stored[h.ID]; !found || kept.Holder != "" {
				t.Errorf("kept %q, found %t", kept.Holder, found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAdjust_oneReferenceMovesMoneyOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBooks(t, d)
		a := b.open(0)
		var moved atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				out, err := b.adjust(a, ledger.Credit, 500, "ref-1")
				if err != nil {
					t.Error(err)
				} else if !out.Repeated {
					moved.Add(1)
				}
			})
		}
		wg.Wait()
		if got := b.account(a).Posted; moved.Load() != 1 || got != try(500) {
			t.Errorf("got %d movements and %s, want one of 5.00", moved.Load(), got)
		}
		_, err := b.adjust(a, ledger.Credit, 501, "ref-1")
		if f, ok := fault.As(err); !ok || f.Code != ledger.ReferenceReused {
			t.Errorf("got %v for another amount under the same reference", err)
		}
		b.verify()
	})
}

func TestAdjust_refusesABalanceOutOfRange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBooks(t, d)
		a := b.open(500)
		_, err := b.adjust(a, ledger.Credit, money.MaxMinor, "in")
		if f, ok := fault.As(err); !ok || f.Code != ledger.InvalidAmount || f.Kind != fault.Refused {
			t.Errorf("got %v", err)
		}
		if got := b.account(a).Posted; got != try(500) {
			t.Errorf("posted %s", got)
		}
		b.verify()
	})
}

func TestAdjust_refusesToOverdrawAndChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBooks(t, d)
		a := b.open(500)
		_, err := b.adjust(a, ledger.Debit, 501, "out")
		if f, ok := fault.As(err); !ok || f.Code != ledger.Overdraw || f.Kind != fault.Refused || f.Params["available"] != "5.00" {
			t.Errorf("got %v", err)
		}
		if _, err := b.adjust(a, ledger.Debit, 500, "out"); err != nil {
			t.Errorf("the reference of a refused adjustment is used up: %v", err)
		}
		lines, total, err := b.ledger.Statement(t.Context(), b.caller, a.Number, false, 0, 10)
		if err != nil || total != 2 || len(lines) != 2 || lines[0].Side != ledger.Debit || !lines[0].After.IsZero() || lines[1].After != try(500) {
			t.Errorf("got %d of %d lines, %+v, %v", len(lines), total, lines, err)
		}
		lines, _, err = b.ledger.Statement(t.Context(), b.caller, a.Number, true, 0, 1)
		if err != nil || len(lines) != 1 || lines[0].After != try(500) {
			t.Errorf("oldest first: got %+v, %v", lines, err)
		}
		b.verify()
	})
}

func TestAdjust_knowsOnlyTheTenantsOwnAccounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBooks(t, d)
		a := b.open(500)
		module, _ := soft.New(make([]byte, 32))
		other, _, err := access.New(d, module, b.clock).CreateTenant(t.Context(), access.NewTenant{Name: "Other", Sandbox: true})
		if err != nil {
			t.Fatal(err)
		}
		b.caller = access.System(other)
		if _, err := b.adjust(a, ledger.Credit, 1, "x"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("got %v, want not found", err)
		}
	})
}

func TestOpenCardAccount_sharesWithTheSameOwnerOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBooks(t, d)
		a := b.open(0)
		open := func(owner, currency string) (again ledger.Account, err error) {
			err = d.InTx(t.Context(), func(tx db.Tx) (err error) {
				again, err = ledger.OpenCardAccount(t.Context(), tx, b.caller.Tenant, a.Number, owner, money.MustCurrency(currency), clock.RealAt(start), 0)
				return err
			})
			return again, err
		}
		if again, err := open("owner", "TRY"); err != nil || again.ID != a.ID {
			t.Errorf("got %v, %v", again.ID, err)
		}
		for _, c := range [][2]string{{"somebody else", "TRY"}, {"owner", "EUR"}} {
			if _, err := open(c[0], c[1]); fault.KindOf(err) != fault.Conflict {
				t.Errorf("%v: got %v, want a conflict", c, err)
			}
		}
	})
}

func TestPost_panicsOnWhatDoesNotBalance(t *testing.T) {
	d := dbtest.SQLite(t)
	b := newBooks(t, d)
	a := b.open(500)
	bank := ledger.Control(b.caller.Tenant, ledger.Safeguarded, a.Currency)
	for name, postings := range map[string][]ledger.Posting{
		"one leg":               {{Account: bank, Side: ledger.Debit, Amount: try(1)}},
		"unequal legs":          {{Account: bank, Side: ledger.Debit, Amount: try(1)}, {Account: a, Side: ledger.Credit, Amount: try(2)}},
		"a leg of zero":         {{Account: bank, Side: ledger.Debit, Amount: try(0)}, {Account: a, Side: ledger.Credit, Amount: try(0)}},
		"another currency":      ledger.Move(bank, a, money.Must(1, "EUR")),
		"an account not opened": ledger.Move(bank, ledger.Account{ID: id.New[ledger.Account](start), Code: "L.CARD.X", Kind: ledger.Liability, Currency: a.Currency, KeepsBalance: true}, try(1)),
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was posted")
				}
			}()
			d.InTx(t.Context(), func(tx db.Tx) error {
				book, err := ledger.OpenBook(t.Context(), tx, []ledger.AccountID{a.ID}, nil)
				if err != nil {
					return err
				}
				return book.Post(ledger.Entry{ID: id.New[ledger.Entry](start), Tenant: b.caller.Tenant, Event: "T", Key: "t", Postings: postings})
			})
		})
	}
	b.verify()
}

// Whatever is done to holds and entries, in whatever order: the books balance,
// available is posted less held, and a refused operation changes nothing.
func TestBook_anySequenceKeepsTheInvariants(t *testing.T) {
	d := dbtest.SQLite(t)
	b := newBooks(t, d)
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		a := b.open(rapid.Int64Range(0, 5000).Draw(t, "balance"))
		var holds []ledger.HoldID
		posted, held := b.account(a).Posted.Minor(), int64(0)
		fees := map[ledger.HoldID]int64{}
		for i := range rapid.IntRange(1, 12).Draw(t, "steps") {
			b.clock.Advance(time.Millisecond)
			amount := rapid.Int64Range(1, 3000).Draw(t, "amount")
			op := rapid.SampledFrom([]string{"hold", "force", "increase", "reverse", "release", "clear", "fees", "post"}).Draw(t, "op")
			err := d.InTx(ctx, func(tx db.Tx) error {
				book, err := ledger.OpenBook(ctx, tx, []ledger.AccountID{a.ID}, holds)
				if err != nil {
					return err
				}
				fresh := ledger.NewHold(id.New[ledger.Hold](b.clock.Now()), b.caller.Tenant, a.ID, try(amount), start)
				var on ledger.HoldID
				if len(holds) > 0 {
					on = holds[rapid.IntRange(0, len(holds)-1).Draw(t, "on")]
				} else if op != "hold" && op != "force" && op != "post" {
					return nil
				}
				switch op {
				case "hold":
					if err := book.PlaceHold(fresh); err != nil {
						return err
					}
					holds, held = append(holds, fresh.ID), held+amount
				case "force":
					if err := book.ForceHold(fresh); err != nil {
						return err
					}
					holds, held = append(holds, fresh.ID), held+amount
				case "increase":
					if err := book.IncreaseHold(on, try(amount)); err != nil {
						return err
					}
					held += amount
				case "reverse":
					held -= book.ReverseHold(on, try(amount)).Minor()
				case "release":
					held -= book.ReleaseHold(on).Minor()
				case "fees":
					if err := book.HoldFees(on, try(amount)); err != nil {
						return err
					}
					if h, _ := book.Hold(on); h.IsOpen() {
						held, fees[on] = held+amount-fees[on], amount
					}
				case "clear":
					held -= book.ClearHold(on, try(amount)).Minor()
					fallthrough
				case "post":
					account, _ := book.Account(a.ID)
					net := ledger.Control(b.caller.Tenant, ledger.SettlementCode("generic", clock.DateOf(start, time.UTC)), a.Currency)
					err := book.Post(ledger.Entry{ID: id.New[ledger.Entry](b.clock.Now()), Tenant: b.caller.Tenant, Event: "A5",
						Key: fmt.Sprint(a.Number, "-", i), BusinessOn: clock.DateOf(start, time.UTC), At: b.clock.Now(),
						Postings: ledger.Move(account, net, try(amount))})
					if err != nil {
						return err
					}
					posted -= amount
				}
				if h, ok := book.Hold(on); ok && !h.IsOpen() {
					held, fees[on] = held-fees[on], 0
				}
				return book.Write(ctx, tx)
			})
			if err != nil && !errors.Is(err, ledger.ErrInsufficientFunds) {
				t.Fatal(err)
			}
			got := b.account(a)
			if got.Posted.Minor() != posted || got.Held.Minor() != held || got.Available().Minor() != posted-held {
				t.Fatalf("after %s: got posted %s, held %s; want %d, %d", op, got.Posted, got.Held, posted, held)
			}
		}
	})
	b.verify()
}

// Buckets of wallets are summed by what they are, apart from card accounts.
func TestTrialBalance_sumsUpBuckets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBooks(t, d)
		b.open(50)
		for i := range 2 {
			b.in(func(tx db.Tx) error {
				bucket, err := ledger.OpenBucket(t.Context(), tx, b.caller.Tenant, fmt.Sprint("L.WALLET.CASH.", 6120934857710293844+i), try(1).Currency(), clock.RealNow(b.clock), 0)
				if err != nil {
					return err
				}
				book, err := ledger.OpenBook(t.Context(), tx, []ledger.AccountID{bucket.ID}, nil)
				if err != nil {
					return err
				}
				e := ledger.Entry{
					ID: id.New[ledger.Entry](b.clock.Now()), Tenant: b.caller.Tenant, Event: "W1", Key: fmt.Sprint("top-up", i), At: b.clock.Now(),
					BusinessOn: clock.DateOf(b.clock.Now(), time.UTC),
					Postings:   ledger.Move(ledger.Control(b.caller.Tenant, "A.ACQ.RECEIVABLE", try(1).Currency()), bucket, try(100)),
				}
				if err := book.Post(e); err != nil {
					return err
				}
				return book.Write(t.Context(), tx)
			})
		}
		rows, err := b.ledger.TrialBalance(t.Context(), b.caller.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]money.Amount{}
		for _, r := range rows {
			got[r.Code] = r.Credit
		}
		if got["L.WALLET.CASH"] != try(200) || got["L.CARD.*"] != try(50) {
			t.Errorf("the trial balance is %v", rows)
		}
		b.verify()
	})
}
