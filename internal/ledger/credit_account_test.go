package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// lender is a bank with one credit account.
type lender struct {
	*books
	account ledger.Account
	entries int
}

func on(month time.Month, d int) clock.Date { return clock.Date{Year: 2031, Month: month, Day: d} }

func newLender(t *testing.T, d *db.DB, limit int64) *lender {
	t.Helper()
	l := &lender{books: newBooks(t, d)}
	l.clock.Set(time.Date(2031, time.March, 1, 9, 0, 0, 0, time.UTC))
	l.in(func(tx db.Tx) (err error) {
		if _, err := ledger.PutTerms(t.Context(), tx, l.caller.Tenant, "STANDARD", line.DefaultTerms(), on(time.March, 1), clock.RealNow(l.clock)); err != nil {
			return err
		}
		l.account, err = ledger.OpenCreditAccount(t.Context(), tx, l.caller.Tenant, ledger.NewCreditAccount{
			Number: "KK1", Owner: "owner", Currency: money.MustCurrency("TRY"), Limit: try(limit), Terms: "STANDARD", From: on(time.March, 1),
		}, clock.RealNow(l.clock), 0)
		return err
	})
	return l
}

// move posts to the account, on a day.
func (l *lender) move(day clock.Date, side ledger.Side, minor int64, p ledger.Purpose) {
	l.t.Helper()
	l.entries++
	l.in(func(tx db.Tx) error {
		b, err := ledger.OpenBook(l.t.Context(), tx, []ledger.AccountID{l.account.ID}, nil)
		if err != nil {
			return err
		}
		account, _ := b.Account(l.account.ID)
		other := ledger.Control(l.caller.Tenant, "L.NET.ISS.Troy", try(1).Currency())
		debit, credit := account, other
		if side == ledger.Credit {
			debit, credit = other, account
		}
		at := day.In(time.UTC).Add(12 * time.Hour)
		e := ledger.Entry{
			ID: id.New[ledger.Entry](at), Tenant: l.caller.Tenant, Event: "A11", Key: fmt.Sprint("entry", l.entries),
			BusinessOn: day, At: at, Postings: ledger.Move(debit, credit, try(minor)), Purpose: p,
		}
		if err := b.Post(e); err != nil {
			return err
		}
		return b.Write(l.t.Context(), tx)
	})
}

// roll ends the days before a day.
func (l *lender) roll(to clock.Date) {
	l.t.Helper()
	l.in(func(tx db.Tx) error {
		b, err := ledger.OpenBook(l.t.Context(), tx, []ledger.AccountID{l.account.ID}, nil)
		if err != nil {
			return err
		}
		if err := b.RollCredit(l.account.ID, to, to.In(time.UTC)); err != nil {
			return err
		}
		return b.Write(l.t.Context(), tx)
	})
}

func (l *lender) now() ledger.Account {
	l.t.Helper()
	return l.books.account(l.account)
}

func (l *lender) cuts() (all []ledger.Cut) {
	l.t.Helper()
	l.in(func(tx db.Tx) (err error) {
		all, err = ledger.Cuts(l.t.Context(), tx, l.account.ID)
		return err
	})
	return all
}

// The worked example of contract credit.md through the ledger: what the days bring
// is posted, by a job or by what is posted after them.
func TestCredit_isTheWorkedExample(t *testing.T) {
	for _, nightly := range []bool{true, false} {
		t.Run(fmt.Sprint("nightly=", nightly), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				l := newLender(t, d, 25_000_00)
				night := func(day clock.Date) {
					if nightly {
						l.roll(day)
					}
				}
				l.move(on(time.March, 3), ledger.Debit, 6_000_00, ledger.Purpose{})
				l.move(on(time.March, 4), ledger.Debit, 400_00, ledger.Purpose{Region: line.Abroad})
				night(on(time.March, 15))
				l.move(on(time.March, 20), ledger.Credit, 1_000_00, ledger.Purpose{})
				night(on(time.March, 25))
				l.move(on(time.April, 1), ledger.Credit, 500_00, ledger.Purpose{})
				if got := l.now(); got.Posted != try(4_900_00) || got.Available() != try(20_100_00) {
					t.Errorf("on 1 April %s are owed and %s available", got.Posted, got.Available())
				}
				l.move(on(time.April, 5), ledger.Debit, 1_500_00, ledger.Purpose{})
				night(on(time.April, 15))
				l.move(on(time.April, 24), ledger.Credit, 6_643_53, ledger.Purpose{})
				if got := l.now(); got.Posted.Sign() != 0 {
					t.Errorf("on 24 April %s are owed", got.Posted)
				}
				l.roll(on(time.May, 15))
				if got := l.now(); got.Posted != try(62_51+4_36) {
					t.Errorf("on 15 May %s are owed", got.Posted)
				}
				var said []string
				for _, c := range l.cuts() {
					said = append(said, fmt.Sprintf("%s: %d %d, %d to %d", c.On, c.Debt(), c.Minimum(), c.First, c.Last))
				}
				want := "2031-05-14: 6687 1337, 13 to 22|2031-04-14: 664353 132871, 3 to 12|2031-03-14: 640000 128000, 1 to 2"
				if got := strings.Join(said, "|"); got != want {
					t.Errorf("terms ended with\n%s, want\n%s", got, want)
				}
				l.verify()
				l.trial(map[string]int64{"A.LOAN.INTEREST.D": 62_51, "A.LOAN.INTEREST.A": 4_36, "A.LOAN.RETAIL.D": 0, "I.INTEREST": -(174_11 + 13_22 + 48_09 + 3_36)})
			})
		})
	}
}

// trial compares rows of the trial balance, debits less credits.
func (l *lender) trial(want map[string]int64) {
	l.t.Helper()
	rows, err := l.ledger.TrialBalance(l.t.Context(), l.caller.Tenant)
	if err != nil {
		l.t.Fatal(err)
	}
	got := map[string]int64{}
	for _, r := range rows {
		got[r.Code] += r.Debit.Minor() - r.Credit.Minor()
	}
	for code, minor := range want {
		if got[code] != minor {
			l.t.Errorf("%s stands at %d, want %d", code, got[code], minor)
		}
	}
}

func TestCredit_holdsTakeWhatRemains(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLender(t, d, 1_000_00)
		place := func(minor int64, cash bool) (err error) {
			err = l.db.InTx(t.Context(), func(tx db.Tx) error {
				b, err := ledger.OpenBook(t.Context(), tx, []ledger.AccountID{l.account.ID}, nil)
				if err != nil {
					return err
				}
				h := ledger.NewHold(id.New[ledger.Hold](l.clock.Now()), l.caller.Tenant, l.account.ID, try(minor), start.AddDate(9, 0, 0))
				h.IsCash = cash
				if err := b.PlaceHold(h); err != nil {
					return err
				}
				return b.Write(t.Context(), tx)
			})
			return err
		}
		if err := place(150_00, true); err != nil {
			t.Error(err)
		}
		if err := place(50_01, true); !errors.Is(err, ledger.ErrInsufficientFunds) { // a fifth of the limit is for cash
			t.Errorf("cash beyond its share: %v", err)
		}
		if err := place(850_01, false); !errors.Is(err, ledger.ErrInsufficientFunds) {
			t.Errorf("one kuruş beyond the limit: %v", err)
		}
		if err := place(850_00, false); err != nil {
			t.Error(err)
		}
		l.verify()
	})
}

func TestCredit_aPaymentIsAnAdjustment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLender(t, d, 1_000_00)
		l.move(on(time.March, 3), ledger.Debit, 100_00, ledger.Purpose{})
		for range 2 { // it happens once
			if _, err := l.adjust(l.account, ledger.Credit, 150_00, "pay"); err != nil {
				t.Fatal(err)
			}
		}
		if got := l.now(); got.Posted != try(-50_00) || got.Available() != try(1_050_00) {
			t.Errorf("%s owed, %s available", got.Posted, got.Available())
		}
		l.trial(map[string]int64{"A.BANK.COLLECT": 150_00, "L.CUST.CREDIT": -50_00, "A.LOAN.RETAIL.D": 0})
		l.verify()
	})
}

// Whatever is posted in whatever order of days, the ledger holds together.
func TestCredit_anyStory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLender(t, d, 5_000_00)
		r := rand.New(rand.NewPCG(7, 7))
		day := on(time.March, 1)
		for range 80 {
			day = day.AddDays(r.IntN(9))
			p := ledger.Purpose{Region: line.Region(r.IntN(2)), Kind: []line.Kind{line.Retail, line.Cash, line.Fee}[r.IntN(3)]}
			side := ledger.Debit
			if r.IntN(5) < 2 {
				side, p.GivesBack, p.Booked = ledger.Credit, r.IntN(2) == 0, day.AddDays(-r.IntN(30))
			}
			l.move(day, side, 1+r.Int64N(400_00), p)
		}
		l.verify()
	})
}

func TestVerify_findsAForgedCredit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for what, forgery := range map[string]string{
			"a state":   `UPDATE credit_line SET state = replace(state, ' 10000 ', ' 9000 ')`,
			"a minimum": `UPDATE credit_cut SET domestic = replace(domestic, '10000 2000', '10000 1')`,
			"a part":    `UPDATE posting SET part = 'CASH.D' WHERE part = 'RETAIL.D'`,
			"a purpose": `UPDATE posting SET purpose = 'RETAIL.A' WHERE purpose IS NOT NULL`,
		} {
			l := newLender(t, d, 5_000_00)
			l.move(on(time.March, 2), ledger.Debit, 100_00, ledger.Purpose{})
			l.roll(on(time.March, 16))
			l.in(func(tx db.Tx) error {
				n, err := db.Affected(tx.Exec(t.Context(), forgery))
				if err == nil && n == 0 {
					t.Errorf("%s: nothing was forged", what)
				}
				return err
			})
			all, err := l.ledger.Verify(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			broken := int64(0)
			for _, v := range all {
				broken += v.Broken
			}
			if broken == 0 {
				t.Errorf("%s: not found", what)
			}
			l.in(func(tx db.Tx) error {
				for _, table := range []string{"credit_cut", "credit_line"} {
					if _, err := tx.Exec(t.Context(), "DELETE FROM "+table); err != nil {
						return err
					}
				}
				_, err := tx.Exec(t.Context(), "UPDATE posting SET part = NULL, purpose = NULL")
				return err
			})
		}
	})
}

// What holders may take of a line: of several, each to its own limit, with
// purchases, holds and what comes back, and anew with each term.
func TestCredit_aShareIsNoMoreThanItsLimit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLender(t, d, 1_000_00)
		l.move(on(time.March, 2), ledger.Debit, 40_00, ledger.Purpose{Holder: "child"}) // before there is a share
		early := ledger.NewHold(id.New[ledger.Hold](l.clock.Now()), l.caller.Tenant, l.account.ID, try(10_00), start.AddDate(9, 0, 0))
		early.Holder = "child"
		l.book(func(_ db.Tx, b *ledger.Book) error { return b.PlaceHold(early) })
		next := int64(70_00)
		l.book(func(tx db.Tx, b *ledger.Book) error {
			return b.SetShare(t.Context(), tx, l.account.ID, "child", 100_00, &next)
		})
		left := func(what string, want int64) {
			t.Helper()
			l.book(func(_ db.Tx, b *ledger.Book) error {
				if a, _ := b.Account(l.account.ID); a.AvailableTo("child") != try(want) {
					t.Errorf("%s: %s are left, want %s", what, a.AvailableTo("child"), try(want))
				}
				return nil
			})
		}
		left("beside a hold from before", 50_00)
		l.book(func(_ db.Tx, b *ledger.Book) error { b.ReleaseHold(early.ID); return nil })
		left("with a share", 60_00)
		var held ledger.HoldID
		l.book(func(_ db.Tx, b *ledger.Book) error {
			for _, h := range []struct {
				holder string
				minor  int64
				fits   bool
			}{{"child", 60_01, false}, {"child", 50_00, true}, {"parent", 900_00, true}} {
				hold := ledger.NewHold(id.New[ledger.Hold](l.clock.Now()), l.caller.Tenant, l.account.ID, try(h.minor), start.AddDate(9, 0, 0))
				hold.Holder = h.holder
				if err := b.PlaceHold(hold); (err == nil) != h.fits {
					t.Errorf("%s holds %d: %v", h.holder, h.minor, err)
				}
				if h.holder == "child" {
					held = hold.ID
				}
			}
			return nil
		})
		left("beside a hold", 10_00)
		l.book(func(_ db.Tx, b *ledger.Book) error { return b.HoldFees(held, try(3_00)) })
		left("beside its fees", 7_00)
		l.book(func(_ db.Tx, b *ledger.Book) error { b.ReleaseHold(held); return nil })
		left("when it is released", 60_00)
		l.move(on(time.March, 3), ledger.Credit, 15_00, ledger.Purpose{Holder: "child", GivesBack: true, Booked: on(time.March, 2)})
		l.move(on(time.March, 3), ledger.Credit, 5_00, ledger.Purpose{Holder: "child"}) // a payment is the line's
		l.move(on(time.March, 3), ledger.Debit, 5_00, ledger.Purpose{Kind: line.Fee, Holder: "child"})
		left("after a refund", 75_00)
		l.verify()
		l.move(on(time.March, 20), ledger.Debit, 1_00, ledger.Purpose{Holder: "child"})
		left("in the next term", 69_00)
		l.verify()
		l.book(func(tx db.Tx, b *ledger.Book) error { return b.DropShare(t.Context(), tx, l.account.ID, "child") })
		left("without a share", 74_00)
		l.verify()
	})
}

func TestCredit_termsAreAddedTo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLender(t, d, 1_000_00)
		standard := line.DefaultTerms
		with := func(change func(*line.Terms)) line.Terms {
			x := standard()
			change(&x)
			return x
		}
		today := on(time.March, 10)
		put := func(x line.Terms) (changed bool, err error) {
			err = l.db.InTx(t.Context(), func(tx db.Tx) (err error) {
				changed, err = ledger.PutTerms(t.Context(), tx, l.caller.Tenant, "STANDARD", x, today, clock.RealNow(l.clock))
				return err
			})
			return changed, err
		}
		for what, x := range map[string]line.Terms{
			"another cut":        with(func(x *line.Terms) { x.CutDay = 15 }),
			"another minimum":    with(func(x *line.Terms) { x.Minimum++ }),
			"another rate":       with(func(x *line.Terms) { x.Rates[0].Late++ }),
			"a rate from today":  with(func(x *line.Terms) { x.Rates = append(x.Rates, line.Rates{From: today, Late: 1}) }),
			"taxes from today":   with(func(x *line.Terms) { x.Taxes = append(x.Taxes, line.Taxes{From: today}) }),
			"no taxes":           with(func(x *line.Terms) { x.Taxes = []line.Taxes{{From: today.AddDays(9)}} }),
			"a holiday too soon": with(func(x *line.Terms) { x.Holidays = []clock.Date{today.AddDays(26)} }),
		} {
			if _, err := put(x); !strings.Contains(fmt.Sprint(err), "only dated additions") {
				t.Errorf("%s: %v", what, err)
			}
		}
		more := with(func(x *line.Terms) {
			x.Rates = append(x.Rates, line.Rates{From: today.AddDays(1), Contractual: 40_000, Late: 43_000, Cash: 40_000})
			x.Holidays = []clock.Date{today.AddDays(27)}
		})
		for _, want := range []bool{true, false} {
			if changed, err := put(more); err != nil || changed != want {
				t.Errorf("additions: changed %v, %v", changed, err)
			}
		}
		if _, err := put(standard()); err == nil {
			t.Error("an addition was taken away")
		}
		l.move(on(time.March, 12), ledger.Debit, 100_00, ledger.Purpose{})
		l.roll(on(time.May, 20))
		l.verify()
	})
}

func TestRenameAccount_keepsItInItsPlaceOfTheChart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLender(t, d, 1_000_00)
		l.in(func(tx db.Tx) error {
			return ledger.RenameAccount(t.Context(), tx, l.caller.Tenant, l.account.ID, "KK9")
		})
		if got, err := l.ledger.AccountByNumber(t.Context(), l.caller, "KK9"); err != nil || got.Code != "A.LOAN.KK9" {
			t.Errorf("it is %q now: %v", got.Code, err)
		}
	})
}

// book changes the account and its holds in a book of their own.
func (l *lender) book(do func(db.Tx, *ledger.Book) error) {
	l.t.Helper()
	l.in(func(tx db.Tx) error {
		holds, err := db.Collect(l.t.Context(), tx, func(row db.Scanner) (h ledger.HoldID, err error) { return h, row.Scan(&h) }, "SELECT id FROM hold")
		if err != nil {
			return err
		}
		b, err := ledger.OpenBook(l.t.Context(), tx, []ledger.AccountID{l.account.ID}, holds)
		if err != nil {
			return err
		}
		if err := do(tx, b); err != nil {
			return err
		}
		return b.Write(l.t.Context(), tx)
	})
}
