package authorization_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// roundsOnPostgres bounds what takes far longer there.
const roundsOnPostgres = 20

// Of what is told, nothing is guessed: the request with that change, sent to a
// card with the same past, is approved; over one minor unit more, or a moment
// earlier, it is not.
func TestCounterfactual_isApprovedWhenItIsSent(t *testing.T) {
	playsHistories(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		w.LimitContactless(money.Must(10000, "TRY"))
		told := map[authorization.Change]int{}
		n := 0
		rapid.Check(t, func(t *rapid.T) {
			if n++; n > roundsOnPostgres && d.Engine() == db.Postgres {
				return
			}
			w.Clock.Set(authorizationtest.Start.Add(time.Duration(rapid.IntRange(0, 7*24*60).Draw(t, "begins")) * time.Minute))
			triple, asksTime := newTriplets(t, w, n)
			for range rapid.IntRange(0, 4).Draw(t, "past") {
				w.Clock.Advance(time.Duration(rapid.IntRange(1, 180).Draw(t, "pause")) * time.Minute)
				p := drawPurchase(t)
				for _, c := range triple {
					p.send(w, c)
				}
			}
			w.Clock.Advance(time.Duration(rapid.IntRange(1, 180).Draw(t, "pause")) * time.Minute)
			p := drawPurchase(t)
			now := w.Clock.Now()
			a := p.send(w, triple[0])
			if a.Reason == authorization.Approved {
				return
			}
			x, err := w.Queries.Explain(w.T.Context(), w.Caller, a.Transaction)
			if err != nil || !x.Recomputed {
				t.Fatalf("%v, recomputed %v", err, x.Recomputed)
			}
			if x.Counterfactual == nil {
				return
			}
			told[x.Counterfactual.Change]++
			would, wouldNot, before := p, p, time.Duration(0)
			switch c := x.Counterfactual; c.Change {
			case authorization.AnotherAmount:
				would.minor, wouldNot.minor = c.Amount.Minor(), c.Amount.Minor()+1
				if c.Amount.Minor() > p.minor {
					wouldNot.minor = c.Amount.Minor() - 1
				}
			case authorization.AnotherTime:
				before = time.Microsecond
				w.Clock.Advance(c.At.Sub(now) - before)
			case authorization.WithPIN:
				would.pin = true
			case authorization.With3DSecure:
				would.secure = true
			}
			// What would have been counted under a limit whose rule did not choose the request as
			// it was asked is no candidate (docs/declines.md).
			isEarliest := x.Counterfactual.Change != authorization.AnotherTime || !asksTime
			if b := wouldNot.send(w, triple[2]); b.Reason == authorization.Approved && isEarliest {
				t.Fatalf("%v, but so is %v", x.Counterfactual, wouldNot)
			}
			w.Clock.Advance(before)
			if b := would.send(w, triple[1]); b.Reason != authorization.Approved {
				t.Fatalf("%s (%+v): %v; as sent: %s", a.Reason, p, x.Counterfactual, b.Reason)
			}
		})
		t.Logf("told: %v", told)
	})
}

// newTriplets are three cards with the same balance and the same controls, and
// whether a rule of those asks for the time.
func newTriplets(t *rapid.T, w *authorizationtest.World, n int) (cards []*authorizationtest.Card, asksTime bool) {
	drawRule := func(t *rapid.T, more ...string) rule.Source {
		drawn := drawRule(t, more...)
		asksTime = asksTime || strings.Contains(string(drawn), "time.")
		return drawn
	}
	balance := rapid.SampledFrom([]string{"0.00", "60.00", "249.99", "9000.00", "9000.00"}).Draw(t, "balance")
	var links []control.Link
	for range 3 {
		c := w.NewCard(balance)
		cards = append(cards, c)
		links = append(links, control.Link{Type: control.LinkCard, Code: c.Token, Priority: control.LinkPriority, IsActive: true})
	}
	try := money.MustCurrency("TRY")
	amount := func(label string) *money.Amount {
		a := money.Must(rapid.Int64Range(1, 20000).Draw(t, label), "TRY")
		return &a
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "limits") {
		c := control.NewVelocityCheck(fmt.Sprintf("V%d_%d", n, i))
		c.Name, c.Currency = c.Code, try
		c.Period = rapid.SampledFrom([]control.Period{control.PerTransaction, control.PerHour, control.PerDay, control.PerMonth, control.PerSpan}).Draw(t, "period")
		c.Limits.Amount = amount("max")
		switch c.Period {
		case control.PerTransaction:
			if rapid.Bool().Draw(t, "minimum") {
				c.MinAmount, c.Limits.Amount = amount("min"), nil
			}
		case control.PerSpan:
			c.Span = control.Span{Length: rapid.IntRange(1, 30).Draw(t, "span"), Unit: control.Hours}
			fallthrough
		default:
			if count := rapid.IntRange(0, 3).Draw(t, "count"); count > 0 {
				c.Limits.Count = &count
			}
		}
		c.Rule = drawRule(t)
		if _, _, err := control.VelocityChecks.Create(w.T.Context(), w.Controls, w.Caller, c, links); err != nil {
			t.Fatal(err)
		}
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "controls") {
		c := control.NewAuthorizationCheck(fmt.Sprintf("A%d_%d", n, i))
		c.Name = c.Code
		c.Action = rapid.SampledFrom([]control.Action{control.Decline, control.RequirePIN, control.Require3DS, control.Approve, control.Alert}).Draw(t, "action")
		if c.Rule = drawRule(t, `"!security.pinVerified && transaction.amount >= decimal('30')"`, `"time.localTime < time('18:30:00')"`); c.Rule.IsNone() || rapid.IntRange(0, 3).Draw(t, "from amount") == 0 {
			c.Criteria.MinAmount = fmt.Sprintf("%d.%02d", rapid.IntRange(0, 150).Draw(t, "whole"), rapid.IntRange(0, 99).Draw(t, "hundredths"))
		}
		if rapid.IntRange(0, 3).Draw(t, "scheduled") == 0 {
			from, to := control.TimeOfDay(rapid.IntRange(0, 86399).Draw(t, "from")), control.TimeOfDay(rapid.IntRange(0, 86399).Draw(t, "to"))
			if from != to {
				c.Schedule.From, c.Schedule.To = &from, &to
			}
		}
		if _, _, err := control.AuthorizationChecks.Create(w.T.Context(), w.Controls, w.Caller, c, links); err != nil {
			t.Fatal(err)
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "fees") {
		f := fee.NewOnTransaction(fmt.Sprintf("F%d_%d", n, i))
		f.Name, f.Currency, f.Fixed, f.Calculation = f.Code, try, amount("fixed"), fee.Fixed
		switch rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			rate := money.Rate(25_000) // 2.5 percent
			f.Rate, f.Min, f.Fixed, f.Calculation = &rate, f.Fixed, nil, fee.ByRate
		case 1:
			f.FreePeriod, f.FreeAmount = control.PerDay, amount("free")
		}
		f.Rule = drawRule(t)
		if _, _, err := fee.TransactionFees.Create(w.T.Context(), w.Controls, w.Caller, f, links); err != nil {
			t.Fatal(err)
		}
	}
	return cards, asksTime
}

func drawRule(t *rapid.T, more ...string) rule.Source {
	return rule.Source(rapid.SampledFrom(append(more,
		"", "", `"transaction.billingAmount > decimal('50.00')"`, `"transaction.amount <= decimal('80.5')"`, `"transaction.isEcommerce"`, `"transaction.isContactless"`,
		`"time.localHour >= 12"`, `"time.dayOfWeek in [6, 7]"`)).Draw(t, "rule"))
}

// purchase is what a card is used for.
type purchase struct {
	minor       int64
	entry       string // chip, tap, net
	pin, secure bool
}

func drawPurchase(t *rapid.T) purchase {
	p := purchase{minor: rapid.Int64Range(1, 30000).Draw(t, "amount"), entry: rapid.SampledFrom([]string{"chip", "tap", "net"}).Draw(t, "entry")}
	p.pin = p.entry != "net" && rapid.Bool().Draw(t, "pin")
	p.secure = p.entry == "net" && rapid.Bool().Draw(t, "secure")
	return p
}

func (p purchase) send(w *authorizationtest.World, c *authorizationtest.Card) authorization.Answer {
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(p.minor, "TRY"))
	switch p.entry {
	case "chip", "tap":
		if w.Chip(c, r); p.entry == "tap" {
			r.EntryMode = "071"
		}
	case "net":
		r.EntryMode, r.ConditionCode = "812", "59"
	}
	if p.pin {
		w.WithPIN(c, r, c.PIN)
	}
	if p.secure {
		r.ECI, r.HasCAVV = "05", true
	}
	return w.Authorize(r)
}

// completeEvents completes the events that wait, as it is done when they are given
// on.
func completeEvents(t *testing.T, w *authorizationtest.World) map[id.ID[outbox.Event]][]byte {
	t.Helper()
	var waiting []outbox.WaitingEvent
	if err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
		waiting, err = outbox.WaitingEvents(t.Context(), tx, w.Caller.Tenant.String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	completed, err := authorization.NewCounterfactuals(w.DB, w.Programs, w.Controls).CompleteEvents(t.Context(), waiting)
	if err != nil {
		t.Fatal(err)
	}
	return completed
}

// An event about a decline tells what refused it, with what it compared, and what
// would have approved it; and that of its alone.
func TestCompleteEvents_tellOfDeclines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		w.Listen("transaction.*")
		c := w.NewCard("100.00")
		w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(8000, "TRY")))
		refused := w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY")))
		completed := completeEvents(t, w)
		if len(completed) != 1 {
			t.Fatalf("%d events tell more", len(completed))
		}
		for _, payload := range completed {
			e, err := authorization.ParseTransactionEvent(payload)
			if err != nil || e.Transaction.ID != refused.Transaction || e.Decline == nil {
				t.Fatalf("%+v, %v", e, err)
			}
			if on := e.Decline.On; on.Name != "Balance" || on.Input("requested") != "50.00 TRY" || on.Input("available") != "20.00 TRY" {
				t.Errorf("refused by %+v", on)
			}
			want := authorization.Counterfactual{Change: authorization.AnotherAmount, Amount: money.Must(2000, "TRY"), Billing: money.Must(2000, "TRY")}
			if c := e.Decline.Counterfactual; c == nil || *c != want {
				t.Errorf("got %v, want %v", c, want)
			}
		}
	})
}

// What would have approved a decline was told at that time. Whoever asks when the
// configuration has changed is told the same; who is the first to ask then, nothing.
func TestExplain_tellsWhatWasToldBefore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		w.Listen("transaction.*")
		c := w.NewCard("100.00")
		decline := func() authorization.TransactionID {
			return w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(50000, "TRY"))).Transaction
		}
		told := func(of authorization.TransactionID) *authorization.Counterfactual {
			x, err := w.Queries.Explain(t.Context(), w.Caller, of)
			if err != nil {
				t.Fatal(err)
			}
			return x.Counterfactual
		}
		byEvent := decline()
		completeEvents(t, w)
		asked, unasked := decline(), decline()
		want := authorization.Counterfactual{Change: authorization.AnotherAmount, Amount: money.Must(10000, "TRY"), Billing: money.Must(10000, "TRY")}
		if got := told(asked); got == nil || *got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
		if got := w.NewLimit(map[string]string{"code": "NEW", "period": "Day", "max": "90.00", "of": "all"}); got != "ok" {
			t.Fatal(got)
		}
		for _, of := range []authorization.TransactionID{byEvent, asked} {
			if got := told(of); got == nil || *got != want {
				t.Errorf("after the change: got %v, want %v", got, want)
			}
		}
		if got := told(unasked); got != nil {
			t.Errorf("what was never found is told: %v", got)
		}
	})
}

// An event that is given on after the configuration has changed tells what whoever
// asked before was told.
func TestCompleteEvents_tellWhatWasToldBefore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		w.Listen("transaction.*")
		refused := w.Authorize(w.Request(w.NewCard("100.00"), authorization.AuthorizationRequest, money.Must(50000, "TRY"))).Transaction
		asked, err := w.Queries.Explain(t.Context(), w.Caller, refused)
		if err != nil || asked.Counterfactual == nil {
			t.Fatalf("%v, %v", asked.Counterfactual, err)
		}
		if got := w.NewLimit(map[string]string{"code": "NEW", "period": "Day", "max": "90.00", "of": "all"}); got != "ok" {
			t.Fatal(got)
		}
		completed := completeEvents(t, w)
		if len(completed) != 1 {
			t.Fatalf("%d events tell more", len(completed))
		}
		for _, payload := range completed {
			e, err := authorization.ParseTransactionEvent(payload)
			if err != nil || e.Decline == nil {
				t.Fatalf("%+v, %v", e, err)
			}
			if got := e.Decline.Counterfactual; got == nil || *got != *asked.Counterfactual {
				t.Errorf("got %v, want %v", got, asked.Counterfactual)
			}
		}
	})
}

// The cash in a purchase stays: no amount below it is proposed.
func TestCompleteEvents_proposeNoLessThanTheCash(t *testing.T) {
	for _, c := range []struct{ cash, want int64 }{{1500, 2000}, {2000, 2000}, {2001, 0}, {3000, 0}} {
		w := authorizationtest.New(t, dbtest.SQLite(t))
		w.Listen("transaction.*")
		card := w.NewCard("100.00")
		w.Authorize(w.Request(card, authorization.AuthorizationRequest, money.Must(8000, "TRY")))
		req := w.Request(card, authorization.AuthorizationRequest, money.Must(5000, "TRY"))
		req.ProcessingCode = "090000"
		cash := money.Must(c.cash, "TRY")
		req.Cashback = &cash
		w.Authorize(req)
		var waiting []outbox.WaitingEvent
		if err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
			waiting, err = outbox.WaitingEvents(t.Context(), tx, w.Caller.Tenant.String())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		completed, err := authorization.NewCounterfactuals(w.DB, w.Programs, w.Controls).CompleteEvents(t.Context(), waiting)
		if err != nil || len(completed) != 1 {
			t.Fatalf("%d events tell more, %v", len(completed), err)
		}
		for _, payload := range completed {
			e, err := authorization.ParseTransactionEvent(payload)
			if err != nil || e.Decline == nil || e.Decline.On.Name != "Balance" {
				t.Fatalf("%+v, %v", e, err)
			}
			var got int64
			if e.Decline.Counterfactual != nil {
				got = e.Decline.Counterfactual.Amount.Minor()
			}
			if got != c.want {
				t.Errorf("with %v of cash %d is proposed, want %d", cash, got, c.want)
			}
		}
	}
}
