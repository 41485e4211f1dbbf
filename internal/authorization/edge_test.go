package authorization_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

func defineSecond(t *testing.T, w *authorizationtest.World, change func(p *program.Product)) {
	t.Helper()
	p := program.NewProduct("P2")
	p.Code, p.Name, p.BINRangeCode, p.CardType, p.Currency = "P2", "Second", "R1", program.Prepaid, money.MustCurrency("TRY")
	p.FormFactors, p.ValidityMonths, p.ServiceCode = []program.FormFactor{program.Virtual}, 60, "201"
	p.MaxCardsPerCustomer, p.MinKYCLevel = 0, customer.KYCNone
	change(&p)
	if _, err := w.Programs.CreateProduct(t.Context(), w.Caller, p); err != nil {
		t.Fatal(err)
	}
}

func issueSecond(t *testing.T, w *authorizationtest.World, first *authorizationtest.Card, pin string) *authorizationtest.Card {
	t.Helper()
	known, err := w.Issuing.Card(t.Context(), w.Caller, first.Token)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := w.Issuing.IssueCard(t.Context(), w.Caller, issuing.NewCard{CustomerNo: known.Customer.No, ProductCode: "P2", FormFactor: program.Virtual})
	if err != nil {
		t.Fatal(err)
	}
	c := &authorizationtest.Card{Token: issued.Card.Token, AccountNo: issued.Issuance.AccountNo, Account: issued.Issuance.Account, PIN: pin}
	if _, err = w.Issuing.SetPIN(t.Context(), w.Caller, c.Token, issuing.PINInput{Clear: secret.FromString(pin)}, false, "Api"); err != nil {
		t.Fatal(err)
	}
	if c.Clear, err = w.Issuing.RevealCard(t.Context(), w.Caller, c.Token, 0); err != nil {
		t.Fatal(err)
	}
	if _, err = w.Ledger.Adjust(t.Context(), w.Caller, ledger.Adjustment{AccountNo: c.AccountNo, Side: ledger.Credit,
		Amount: money.Must(10000, "TRY"), Description: "load", Reference: "load2"}); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAuthorize_cvv2OnAStripeIsNoCVV(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("100.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
	// Everything a phishing page has: number, expiry, CVV2.
	real := string(c.Clear.Track2.Reveal())
	sep := strings.IndexAny(real, "=D")
	disc := []byte(real[sep+1+7:])
	t.Logf("discretionary has %d digits", len(disc))
	for _, at := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10} {
		if at+3 > len(disc) {
			break
		}
		forged := append([]byte(nil), disc...)
		copy(forged[at:], c.Clear.CVV2.Reveal())
		track, err := pan.ParseTrack2(c.Clear.Number.Reveal() + "=" + c.Clear.Card.Expires.YYMM() + "000" + string(forged))
		if err != nil {
			t.Fatal(err)
		}
		q := *r
		q.STAN, q.Card.Track2, q.EntryMode = string(rune('A'+at))+"00000", track, "902"
		if a := w.Authorize(&q); a.Reason == authorization.Approved {
			t.Errorf("a stripe made from number, expiry and CVV2 was approved (offset %d)", at)
		}
	}
}

func TestAuthorize_aNewProductIsKnownOnEveryNode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		first := w.NewCard("100.00")
		other := w.NewEngine()
		r := w.Request(first, authorization.AuthorizationRequest, money.Must(100, "TRY"))
		if _, err := other.Authorize(t.Context(), r); err != nil { // the other node knows the configuration now
			t.Fatal(err)
		}
		defineSecond(t, w, func(*program.Product) {})
		c := issueSecond(t, w, first, "4712")
		for range 3 {
			a, err := other.Authorize(t.Context(), w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY")))
			if err != nil || a.Reason != authorization.Approved {
				t.Errorf("got %q, %v on the other node", a.Reason, err)
			}
		}
	})
}

func TestAuthorize_partialApprovalOfNothingIsADecline(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("0.10")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "EUR"))
	b := money.Must(500000, "TRY")
	r.Billing, r.MayApprovePartially = &b, true
	a := w.Authorize(r)
	if a.Reason == authorization.Approved {
		t.Errorf("approved for %s, held %s", a.Approved, w.Balance(c).Held)
	}
}

func TestAuthorize_DE95OfAPartialApprovalInAnotherCurrency(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("3000.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "EUR"))
	b := money.Must(500000, "TRY")
	r.Billing, r.MayApprovePartially = &b, true
	a := w.Authorize(r)
	if a.Approved != money.Must(6000, "EUR") {
		t.Fatalf("approved for %s", a.Approved)
	}
	remains := money.Must(4000, "EUR")
	w.Authorize(w.Reversal(c, r, authorization.ReversalRequest, &remains))
	if got := w.Balance(c).Held; got != money.Must(200000, "TRY") {
		t.Errorf("40 of the 60 EUR approved for 3000 TRY remain: held %s, want 2000.00", got)
	}
}

func TestAuthorize_aCryptogramWithAWrongPINCannotComeAgain(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("100.00")
	first := w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
	w.Chip(c, first)
	w.WithPIN(c, first, "9035")
	if a := w.Authorize(first); a.Reason != authorization.PINInvalid {
		t.Fatalf("got %s", a.Reason)
	}
	again := w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
	again.Chip, again.EntryMode = first.Chip, "051"
	w.WithPIN(c, again, c.PIN)
	if a := w.Authorize(again); a.Reason != authorization.ARQCInvalid {
		t.Errorf("got %q for a contact cryptogram that was sent before, want ArqcInvalid", a.Reason)
	}
}

func TestAuthorize_aCompletionOfNothingSetsTheHoldFree(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("100.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
	w.Authorize(r)
	done := w.Request(c, authorization.FinancialAdvice, money.Must(0, "TRY"))
	done.RRN = r.RRN
	w.Authorize(done)
	if got := w.Balance(c).Held; !got.IsZero() {
		t.Errorf("held %s after a completion over zero", got)
	}
}

func TestAuthorize_contactlessDisabledIsRefused(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	first := w.NewCard("1.00")
	defineSecond(t, w, func(p *program.Product) { p.ContactlessEnabled, p.ContactlessLimit = false, nil })
	c := issueSecond(t, w, first, "4712")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
	w.Chip(c, r)
	r.EntryMode = "071"
	if a := w.Authorize(r); a.Reason == authorization.Approved {
		t.Errorf("a tap of a product without contactless was approved, without a PIN and without a limit")
	}
}

func TestAuthorize_anAbsurdDE95IsAnswered(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("100.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(1, "EUR"))
	b := money.Must(5000, "TRY")
	r.Billing = &b
	w.Authorize(r)
	remains := money.Must(999999999999, "EUR")
	if _, err := w.Engine.Authorize(t.Context(), w.Reversal(c, r, authorization.ReversalAdvice, &remains)); err != nil {
		t.Errorf("the reversal can never be answered: %v", err)
	}
}

func TestAuthorize_aReversedRefundAuthorizationIsReversed(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("100.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
	r.ProcessingCode = "200000"
	a := w.Authorize(r)
	w.Authorize(w.Reversal(c, r, authorization.ReversalRequest, nil))
	x, err := w.Queries.Explain(t.Context(), w.Caller, a.Transaction)
	if err != nil || x.Transaction.Status != authorization.StatusReversed {
		t.Errorf("got %s, %v", x.Transaction.Status, err)
	}
}

func TestAuthorize_oneLockedAccountHoldsUpNobodyElse(t *testing.T) {
	for _, size := range groupSizes {
		t.Run(strconv.Itoa(size), func(t *testing.T) { lockOneAccount(t, dbtest.Postgres(t), size) })
	}
}

func lockOneAccount(t *testing.T, d *db.DB, size int) {
	t.Helper()
	w := authorizationtest.NewWith(t, d, authorization.Config{GroupMax: size, Lanes: 1})
	locked, free := w.NewCard("100.00"), w.NewCard("100.00")
	held, let := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // a clearing import that is under way
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			if _, err := ledger.OpenBook(t.Context(), tx, []ledger.AccountID{locked.Account}, nil); err != nil {
				return err
			}
			close(held)
			<-let
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	r1 := w.Request(locked, authorization.AuthorizationRequest, money.Must(100, "TRY"))
	r2 := w.Request(free, authorization.AuthorizationRequest, money.Must(100, "TRY"))
	refused := make(chan error, 1)
	wg.Go(func() {
		_, err := w.Engine.Authorize(t.Context(), r1)
		refused <- err
	})
	done := make(chan struct{})
	wg.Go(func() { w.Engine.Authorize(t.Context(), r2); close(done) })
	select {
	case <-done:
	case <-time.After(3 * time.Second):
		t.Errorf("a card whose account nobody locks waited 3 s")
	}
	if err := <-refused; fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v for the locked account, want unavailable: 91", err)
	}
	close(let)
	wg.Wait()
}

// The engine commits and its answer is lost: the same happens to networks, and
// the platform must not tell the terminal that nothing was done.
func TestAuthorize_aLostAnswerToACommitIsFoundAgain(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			var losses atomic.Int64
			d := dbtest.Open(t, dsn(t), db.Options{AfterCommit: func() error {
				if losses.Add(-1) >= 0 {
					return errors.New("connection reset")
				}
				return nil
			}})
			w := authorizationtest.New(t, d)
			c := w.NewCard("100.00")
			losses.Store(1)
			a, err := w.Engine.Authorize(t.Context(), w.Request(c, authorization.FinancialRequest, money.Must(1000, "TRY")))
			if err != nil || a.Reason != authorization.Approved {
				t.Fatalf("got %q, %v; want the decision that was committed", a.Reason, err)
			}
			if got := w.Balance(c).Posted; got != money.Must(9000, "TRY") {
				t.Errorf("got %s posted, want 90.00: once", got)
			}
			losses.Store(2)
			r := w.Request(c, authorization.FinancialRequest, money.Must(1000, "TRY"))
			if _, err := w.Engine.Authorize(t.Context(), r); !errors.Is(err, authorization.ErrOutcomeUnknown) {
				t.Fatalf("got %v, want an unknown outcome", err)
			}
			if a := w.Authorize(authorizationtest.Repeat(r)); a.Reason != authorization.Approved || !a.IsRepeat {
				t.Errorf("got %q, repeat %v; want the first answer", a.Reason, a.IsRepeat)
			}
			if got := w.Balance(c).Posted; got != money.Must(8000, "TRY") {
				t.Errorf("got %s posted, want 80.00", got)
			}
			losses.Store(0)
			w.Verify()
		})
	}
}
