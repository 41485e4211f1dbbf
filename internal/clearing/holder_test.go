package clearing_test

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// handed is a world with a noname card that goes from one customer, who has a
// wallet, to a second one.
type handed struct {
	*world
	wallet, card  *authorizationtest.Card
	first, second string
}

func newHanded(t *testing.T, d *db.DB, change ...func(*issuing.NewNoname)) *handed {
	t.Helper()
	w := &handed{world: newWorld(t, d)}
	w.Issuing.Holds = w.Queries
	w.wallet = w.NewCard("1000.00")
	found, err := w.Issuing.Card(t.Context(), w.Caller, w.wallet.Token)
	w.must(err)
	w.first = found.Customer.No
	other, err := w.Customers.Create(t.Context(), w.Caller, customer.Customer{
		Type: customer.Individual, KYCLevel: customer.KYCVerified,
		Profile:         customer.Profile{Name: "Can", Surname: "Demir", BirthDate: clock.Date{Year: 1991, Month: 4, Day: 12}, Nationality: country.Must("DE")},
		Identifications: []customer.Identification{{Type: customer.Passport, Number: "U1234567", IssuingCountry: country.Must("DE")}},
		Communications:  []customer.Communication{{Type: customer.MobilePhone, Value: "+905321112233"}},
	})
	w.must(err)
	w.second = other.No
	in := issuing.NewNoname{ProductCode: "P1", FormFactor: program.Virtual, Count: 1, InitialStatus: issuing.Pending}
	for _, f := range change {
		f(&in)
	}
	batch, err := w.Issuing.IssueNoname(t.Context(), w.Caller, in)
	w.must(err)
	made := batch.Cards[0]
	w.card = &authorizationtest.Card{Token: made.Card.Token, AccountNo: made.IssuanceNo, Account: made.Account}
	w.card.Clear, err = w.Issuing.RevealCard(t.Context(), w.Caller, w.card.Token, 0)
	w.must(err)
	return w
}

func (w *handed) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

func (w *handed) link(customerNo, accountNo string) {
	w.T.Helper()
	_, err := w.Issuing.LinkNoname(w.T.Context(), w.Caller, issuing.NonameLink{
		CardToken: w.card.Token, CustomerNo: customerNo, Check: issuing.CheckNone, AccountNo: accountNo, Activate: true,
	})
	w.must(err)
}

func (w *handed) unlink() {
	w.T.Helper()
	_, err := w.Issuing.UnlinkNoname(w.T.Context(), w.Caller, issuing.NonameUnlink{CardToken: w.card.Token, Reason: "returned"})
	w.must(err)
}

func (w *handed) buy(minor int64) payment {
	w.T.Helper()
	r := w.Request(w.card, authorization.AuthorizationRequest, money.Must(minor, "TRY"))
	a := w.Authorize(r)
	if a.Reason != authorization.Approved {
		w.T.Fatalf("got %s", a.Reason)
	}
	return payment{r, a}
}

// posted is what is on the first customer's account, and on the one from which
// the card spends now.
func (w *handed) posted() (first, now money.Amount) {
	w.T.Helper()
	found, err := w.Issuing.Card(w.T.Context(), w.Caller, w.card.Token)
	w.must(err)
	return w.Balance(w.wallet).Posted, w.Balance(&authorizationtest.Card{AccountNo: found.Issuance.AccountNo, Account: found.Issuance.Account}).Posted
}

// What a former holder of a card bought is presented, refunded and taken back on
// the account from which it was bought, whoever has the card by then.
func TestImport_leavesPurchasesWithWhoMadeThem(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newHanded(t, d)
		w.link(w.first, w.wallet.AccountNo)
		bought, late := w.buy(10000), w.buy(2000)
		sale := w.present(bought, money.Must(10000, "TRY"))
		w.mustImport(w.deliver(sale))
		w.Clock.Advance(10 * 24 * 3600e9)
		if _, err := w.Engine.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.unlink()
		w.link(w.second, "")
		expect := func(step string, first int64) {
			t.Helper()
			was, now := w.posted()
			if was != money.Must(first, "TRY") || !now.IsZero() {
				t.Errorf("%s: the first customer has %v, want %d; the second one has %v", step, was, first, now)
			}
		}
		expect("handed over", 90000)

		presented := w.present(late, money.Must(2000, "TRY"))
		w.mustImport(w.deliver(presented))
		expect("late presentment", 88000)

		back := w.present(bought, money.Must(3000, "TRY"))
		back.Kind = clearing.Refund
		w.mustImport(w.deliver(back))
		expect("refund", 91000)

		named := w.present(bought, money.Must(1000, "TRY"))
		named.Kind, named.OriginalARN = clearing.Refund, sale.ARN
		w.mustImport(w.deliver(named))
		expect("refund by reference", 92000)

		undone := presented
		undone.Reversal = true
		w.mustImport(w.deliver(undone))
		expect("reversal of the presentment", 94000)
		w.verify()
	})
}

// What a card did while it was nobody's goes over to the account of its holder,
// with its fees: late presentments, refunds, and fees that waited for money.
func TestImport_chargesFeesWhereTheMoneyMoves(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newHanded(t, d, func(in *issuing.NewNoname) { in.InitialStatus = issuing.Active })
		w.SetTax(fee.BSMV, "10")
		w.SetAttributes(func(a *program.Attributes) { a.AllowFeeShortfall = true })
		w.must(w.Fee(map[string]string{"code": "POS", "rate": "10", "taxes": "Bsmv", "refund": "yes", "of": "Purchase"}))
		load := func(reference string, minor int64) {
			t.Helper()
			_, err := w.Ledger.Adjust(t.Context(), w.Caller, ledger.Adjustment{
				AccountNo: w.card.AccountNo, Side: ledger.Credit, Amount: money.Must(minor, "TRY"), Description: "load", Reference: reference,
			})
			w.must(err)
		}
		pay := func(minor int64) payment {
			t.Helper()
			r := w.Request(w.card, authorization.FinancialRequest, money.Must(minor, "TRY"))
			a := w.Authorize(r)
			if a.Reason != authorization.Approved {
				t.Fatalf("got %s", a.Reason)
			}
			return payment{r, a}
		}
		own := func() money.Amount {
			t.Helper()
			return w.Balance(w.card).Posted
		}
		load("1", 2220)
		late := w.buy(2000)
		w.Clock.Advance(10 * 24 * 3600e9)
		_, err := w.Engine.Expire(t.Context())
		w.must(err)
		paid := pay(1000) // and 1.00 and its tax
		load("2", 2100-1110)
		pay(2100) // its fee waits
		if own() != money.Must(0, "TRY") {
			t.Fatalf("the card's own account has %v", own())
		}

		w.link(w.first, w.wallet.AccountNo)
		expect := func(step string, first int64) {
			t.Helper()
			was, _ := w.posted()
			if was != money.Must(first, "TRY") || !own().IsZero() {
				t.Errorf("%s: the holder has %v, want %d; the account before has %v", step, was, first, own())
			}
		}
		expect("linked", 100000)
		presented := w.present(late, money.Must(2000, "TRY"))
		w.mustImport(w.deliver(presented))
		expect("late presentment", 100000-2000-220)
		back := w.present(paid, money.Must(1000, "TRY"))
		back.Kind = clearing.Refund
		w.mustImport(w.deliver(back))
		expect("refund, which brings the money for what waits", 100000-2000-220+1000+110-231)
		undone := presented
		undone.Reversal = true
		w.mustImport(w.deliver(undone))
		expect("reversal of the presentment", 100000+1000+110-231)
		w.verify()
	})
}

// What a card did while it was nobody's is taken back on the account of its holder,
// with its fee: nobody reaches the account that it was on.
func TestTakeBack_goesWhereTheMoneyBelongsNow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newHanded(t, d, func(in *issuing.NewNoname) { in.InitialStatus = issuing.Active })
		w.SetTax(fee.BSMV, "10")
		w.must(w.Fee(map[string]string{"code": "POS", "rate": "10", "taxes": "Bsmv", "of": "Purchase"}))
		_, err := w.Ledger.Adjust(t.Context(), w.Caller, ledger.Adjustment{
			AccountNo: w.card.AccountNo, Side: ledger.Credit, Amount: money.Must(5*1110, "TRY"), Description: "load", Reference: "1",
		})
		w.must(err)
		pay := func() payment {
			t.Helper()
			r := w.Request(w.card, authorization.FinancialRequest, money.Must(1000, "TRY"))
			a := w.Authorize(r)
			if a.Reason != authorization.Approved {
				t.Fatalf("got %s", a.Reason)
			}
			return payment{r, a}
		}
		bought := w.buy(1000)
		presented := w.present(bought, money.Must(1000, "TRY"))
		w.mustImport(w.deliver(presented))
		whole, part, filed := pay(), pay(), pay()
		confirmed := w.present(filed, money.Must(1000, "TRY"))
		w.mustImport(w.deliver(confirmed))
		back := w.present(pay(), money.Must(1000, "TRY"))
		back.Kind = clearing.Refund
		if got := w.Balance(w.card).Posted; !got.IsZero() {
			t.Fatalf("the card's own account has %v", got)
		}
		w.link(w.first, w.wallet.AccountNo)

		expect := func(step string, first int64) {
			t.Helper()
			was, _ := w.posted()
			if own := w.Balance(w.card).Posted; was != money.Must(100000+first, "TRY") || !own.IsZero() {
				t.Errorf("%s: the holder has %v, want %d; the account before has %v", step, was, 100000+first, own)
			}
		}
		undone := presented
		undone.Reversal = true
		w.mustImport(w.deliver(undone))
		expect("presentment taken back", 1110)
		undone = confirmed
		undone.Reversal = true
		w.mustImport(w.deliver(undone))
		expect("what confirmed taken back", 2*1110)
		w.Authorize(w.Reversal(w.card, whole.request, authorization.ReversalRequest, nil))
		expect("reversed", 3*1110)
		remains := money.Must(400, "TRY")
		w.Authorize(w.Reversal(w.card, part.request, authorization.ReversalRequest, &remains))
		expect("reversed in part", 3*1110+666)
		w.mustImport(w.deliver(back))
		expect("refunded", 3*1110+666+1000)
		undone = back
		undone.Reversal = true
		w.mustImport(w.deliver(undone))
		expect("refund taken back", 3*1110+666)
		w.verify()
	})
}

// What a former holder paid is given back to them, whoever has the card by then.
func TestReverse_givesBackToWhoPaid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newHanded(t, d)
		w.must(w.Fee(map[string]string{"code": "POS", "rate": "10", "of": "Purchase"}))
		w.link(w.first, w.wallet.AccountNo)
		pay := func() *authorization.Request {
			t.Helper()
			r := w.Request(w.card, authorization.FinancialRequest, money.Must(1000, "TRY"))
			if a := w.Authorize(r); a.Reason != authorization.Approved {
				t.Fatalf("got %s", a.Reason)
			}
			return r
		}
		whole, part := pay(), pay()
		w.unlink()
		w.link(w.second, "")
		remains := money.Must(400, "TRY")
		for i, step := range []struct {
			of      *authorization.Request
			remains *money.Amount
			first   int64
		}{{whole, nil, 100000 - 1100}, {part, &remains, 100000 - 440}} {
			w.Authorize(w.Reversal(w.card, step.of, authorization.ReversalRequest, step.remains))
			if first, now := w.posted(); first != money.Must(step.first, "TRY") || !now.IsZero() {
				t.Errorf("step %d: the first customer has %v, want %d; the second one has %v", i+1, first, step.first, now)
			}
		}
		w.verify()
	})
}

// A card may get its holder while a file is being read.
func TestImport_postsToTheAccountAtThatMoment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newHanded(t, d)
		forced := w.present(payment{request: w.Request(w.card, authorization.AuthorizationRequest, money.Must(500, "TRY"))}, money.Must(500, "TRY"))
		src := &meanwhile{file: w.deliver(forced), do: func() { w.link(w.first, w.wallet.AccountNo) }}
		_, err := w.clearing.Import(t.Context(), src, clearing.Options{})
		w.must(err)
		if first, _ := w.posted(); first != money.Must(99500, "TRY") {
			t.Errorf("the customer's account has %v", first)
		}
		w.verify()
	})
}

// meanwhile is a file beside which something happens when it was read once.
type meanwhile struct {
	*file
	do func()
}

// Read implements clearing.Source.
func (m *meanwhile) Read(each func(*clearing.Presentment) error) (clearing.File, error) {
	f, err := m.file.Read(each)
	if m.do != nil {
		m.do()
		m.do = nil
	}
	return f, err
}
