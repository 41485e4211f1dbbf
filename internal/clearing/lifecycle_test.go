package clearing_test

import (
	"slices"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func TestImport_aCompletionAfterAPartKnowsWhatWasCleared(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c := w.NewCard("1000.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "TRY"))
	p := payment{r, w.Authorize(r)}
	part := w.present(p, money.Must(4000, "TRY"))
	part.Count, part.Final = 2, false
	w.mustImport(w.deliver(part))
	done := w.Request(c, authorization.FinancialAdvice, money.Must(10000, "TRY"))
	done.RRN = r.RRN
	w.Authorize(done)
	if got := w.Balance(c); got.Held != money.Must(6000, "TRY") {
		t.Errorf("posted %s, held %s; 40 of the 100 completed are posted, 60 must be held", got.Posted, got.Held)
	}
}

func TestImport_aReversedRestOfAPartIsOver(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c := w.NewCard("1000.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "TRY"))
	p := payment{r, w.Authorize(r)}
	part := w.present(p, money.Must(4000, "TRY"))
	part.Count, part.Final = 2, false
	w.mustImport(w.deliver(part))
	remains := money.Must(4000, "TRY")
	w.Authorize(w.Reversal(c, r, authorization.ReversalRequest, &remains))
	w.Clock.Advance(60 * 24 * 3600e9)
	w.Engine.Expire(t.Context())
	if x := w.transaction(p.answer.Transaction); x.Status != authorization.StatusCleared {
		t.Errorf("got %s with %s held, for ever", x.Status, w.Balance(c).Held)
	}
}

func TestImport_aReversedCompletionEndsTheLifeCycle(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c := w.NewCard("1000.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "TRY"))
	a := w.Authorize(r)
	done := w.Request(c, authorization.FinancialAdvice, money.Must(8000, "TRY"))
	done.RRN = r.RRN
	w.Authorize(done)
	w.Authorize(w.Reversal(c, done, authorization.ReversalAdvice, nil))
	w.Clock.Advance(60 * 24 * 3600e9)
	w.Engine.Expire(t.Context())
	if x := w.transaction(a.Transaction); x.Status.HoldsMoney() {
		t.Errorf("got %s with nothing held, for ever", x.Status)
	}
}

func TestImport_aSingleCompletionEndsItsIncrements(t *testing.T) {
	w := newWorldWith(t, dbtest.SQLite(t), authorization.Config{ClearingModels: map[string]authorization.ClearingModel{"generic": authorization.Single}})
	c := w.NewCard("1000.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "TRY"))
	w.Authorize(r)
	i := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
	i.RRN, i.IsIncrement = r.RRN, true
	ia := w.Authorize(i)
	done := w.Request(c, authorization.FinancialAdvice, money.Must(15000, "TRY"))
	done.RRN = r.RRN
	da := w.Authorize(done)
	w.Clock.Advance(60 * 24 * 3600e9)
	w.Engine.Expire(t.Context())
	if x := w.transaction(ia.Transaction); x.Status.HoldsMoney() {
		t.Errorf("increment: got %s with %s held, for ever", x.Status, w.Balance(c).Held)
	}
	// The sale is reversed and presented all the same.
	w.Authorize(w.Reversal(c, done, authorization.ReversalAdvice, nil))
	f := w.mustImport(w.deliver(w.present(payment{done, da}, money.Must(15000, "TRY"))))
	t.Logf("%v %v %+v", f.ByStatus, f.ByCause, w.Balance(c))
	w.verify()
}

// A stand-in advice for a request that we answered too late.
func TestImport_anAdviceForTheSamePurchaseHoldsOnce(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c := w.NewCard("1000.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "TRY"))
	w.Authorize(r)
	adv := w.Request(c, authorization.AuthorizationAdvice, money.Must(10000, "TRY"))
	adv.RRN, adv.Details.AuthorizationCode, adv.Details.ResponseCode = r.RRN, "STANDI", "00"
	w.Authorize(adv)
	if got := w.Balance(c).Held; got != money.Must(10000, "TRY") {
		t.Errorf("held %s for one purchase of 100.00", got)
	}
}

// An increment's late reversal after the completion.
func TestImport_aLateReversalOfAnIncrementLeavesTheCompletion(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c := w.NewCard("1000.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "TRY"))
	w.Authorize(r)
	i := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
	i.RRN, i.IsIncrement = r.RRN, true
	w.Authorize(i)
	done := w.Request(c, authorization.FinancialAdvice, money.Must(10000, "TRY"))
	done.RRN = r.RRN
	w.Authorize(done)
	w.Authorize(w.Reversal(c, i, authorization.ReversalAdvice, nil))
	if got := w.Balance(c).Held; got != money.Must(10000, "TRY") {
		t.Errorf("held %s, want the completion's 100.00", got)
	}
}

// With an increment, more can be cleared than the first message asked for.
func TestImport_aPartAboveTheFirstMessageLetsTheRestEnd(t *testing.T) {
	for name, end := range map[string]func(w *world, c *authorizationtest.Card, first, increment *authorization.Request) *authorization.Request{
		"increment reversed": func(w *world, c *authorizationtest.Card, _, i *authorization.Request) *authorization.Request {
			return w.Reversal(c, i, authorization.ReversalAdvice, nil)
		},
		"completed with nothing": func(w *world, c *authorizationtest.Card, r, _ *authorization.Request) *authorization.Request {
			done := w.Request(c, authorization.FinancialAdvice, money.Must(0, "TRY"))
			done.RRN = r.RRN
			return done
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			c := w.NewCard("1000.00")
			r := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
			p := payment{r, w.Authorize(r)}
			i := w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
			i.RRN, i.IsIncrement = r.RRN, true
			w.Authorize(i)
			part := w.present(p, money.Must(6000, "TRY"))
			part.Count, part.Final = 2, false
			w.mustImport(w.deliver(part))
			w.Authorize(end(w, c, r, i))
			if got := w.Balance(c); !got.Held.IsZero() || got.Posted != money.Must(94000, "TRY") {
				t.Errorf("posted %s, held %s; want 940.00 and nothing", got.Posted, got.Held)
			}
			w.verify()
		})
	}
}

func TestImport_aPartOfAnOnlineItemTakenBackGivesNotAllBack(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c := w.NewCard("1000.00")
	r := w.Request(c, authorization.FinancialRequest, money.Must(10000, "TRY"))
	p := payment{r, w.Authorize(r)}
	one, two := w.present(p, money.Must(5000, "TRY")), w.present(p, money.Must(5000, "TRY"))
	one.Count, one.Final = 2, false
	two.Count, two.Sequence, two.ARN = 2, 2, one.ARN
	w.mustImport(w.deliver(one, two))
	back := one
	back.Reversal = true
	f := w.mustImport(w.deliver(back))
	if got := w.Balance(c).Posted; got != money.Must(90000, "TRY") || f.ByCause[clearing.ReversalAlone] != 1 {
		t.Errorf("posted %s, %v; want 900.00 and an exception", got, f.ByCause)
	}
	w.verify()
}

// slow is a file that stops at its end, in the middle of its transaction.
type slow struct {
	*file
	reads int
	atEnd chan struct{}
	goOn  chan struct{}
}

// Read implements clearing.Source.
func (s *slow) Read(each func(*clearing.Presentment) error) (clearing.File, error) {
	f, err := s.file.Read(each)
	if s.reads++; s.reads == 2 {
		close(s.atEnd)
		<-s.goOn
	}
	return f, err
}

// The first record of a day makes the network's account of that day: everybody
// else who posts to it would wait for the end of the file.
func TestImport_holdsUpNoOtherCardOfTheSameNetworkAndDay(t *testing.T) {
	w := newWorld(t, dbtest.Postgres(t))
	filed, other := w.NewCard("9000.00"), w.NewCard("100.00")
	var records []clearing.Presentment
	for range 501 { // more than are written together
		r := w.Request(filed, authorization.AuthorizationRequest, money.Must(100, "TRY"))
		records = append(records, w.present(payment{request: r}, money.Must(100, "TRY")))
	}
	f := &slow{file: w.deliver(records...), atEnd: make(chan struct{}), goOn: make(chan struct{})}
	f.Network = "generic"
	done := make(chan error, 1)
	go func() {
		_, err := w.clearing.Import(t.Context(), f, clearing.Options{})
		done <- err
	}()
	<-f.atEnd
	a, err := w.Engine.Authorize(t.Context(), w.Request(other, authorization.FinancialRequest, money.Must(100, "TRY")))
	if err != nil || a.Reason != authorization.Approved {
		t.Errorf("got %q, %v while a file of the network is imported", a.Reason, err)
	}
	close(f.goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.verify()
}

// A clearing record has no place for how the payment was made: what is presented
// for an authorization is of its manner.
func TestImport_aPresentmentIsOfItsAuthorizationsManner(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c := w.NewCard("1000.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "TRY"))
	r.Manner = authorization.Manner{
		StoredCard: authorization.RecurringPayment, IsTokenised: true, Wallet: "PAY", InstalmentCount: 1, ECI: "05", HasCAVV: true,
	}
	p := payment{r, w.Authorize(r)}
	w.mustImport(w.deliver(w.present(p, money.Must(10000, "TRY"))))
	yes := true
	page, total, err := w.Queries.Transactions(t.Context(), w.Caller, authorization.TransactionFilter{
		RRN: r.RRN, Flows: []authorization.Flow{authorization.Clearing}, IsRecurring: &yes, IsTokenised: &yes, Is3DSAuthenticated: &yes, Take: 10,
	})
	if err != nil || total != 1 || page[0].Message.Manner != r.Manner {
		t.Errorf("%d presentments, %v: %+v", total, err, page)
	}
}

// A purchase that the customer cancelled and the merchant presents all the same
// is paid and looked at, as one that was reversed is.
func TestImport_aVoidedPurchaseIsForced(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c := w.NewCard("1000.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10000, "TRY"))
	p := payment{r, w.Authorize(r)}
	v := w.Reversal(c, r, authorization.ReversalRequest, nil)
	v.Details.ResponseCode = "17"
	w.Authorize(v)
	sum := w.mustImport(w.deliver(w.present(p, money.Must(10000, "TRY"))))
	if x := w.transaction(p.answer.Transaction); x.Status != authorization.StatusVoided || x.Reversed != money.Must(10000, "TRY") {
		t.Errorf("the purchase is %s, %s of it reversed", x.Status, x.Reversed)
	}
	if got := w.fates(sum.ID); len(got) != 1 || !slices.Equal(got[0].causes, []string{string(clearing.ReversedAndCleared)}) {
		t.Errorf("got %v", got)
	}
	if got := w.Balance(c); got.Posted != money.Must(90000, "TRY") || !got.Held.IsZero() {
		t.Errorf("posted %s, held %s", got.Posted, got.Held)
	}
	w.verify()
}
