package authorization_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// anonymous are noname cards that buy before they have a customer, under limits of
// customers. Their tenant's client has the balances and approves everything.
func anonymous(t *testing.T, d *db.DB, n int) (*nonames, []*authorizationtest.Card) {
	t.Helper()
	return anonymousWith(t, d, authorization.Config{}, n)
}

func anonymousWith(t *testing.T, d *db.DB, cfg authorization.Config, n int) (*nonames, []*authorizationtest.Card) {
	t.Helper()
	client := &authorizationtest.Client{}
	client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
		return authorizationtest.Yes()
	})
	cfg.Client = client
	w := newNonames(t, d, cfg)
	w.OwnBalances(program.BalanceExternal, program.StandInPolicy{Action: program.StandInDecline})
	for _, args := range []map[string]string{
		{"code": "CARD", "period": "Day", "max": "1000.00", "of": "all"},
		{"code": "CUSTOMER", "period": "Day", "max": "100.00", "of": "all", "level": "Customer"},
		{"code": "PRODUCT", "period": "Rolling", "span": "5", "max": "100.00", "of": "all", "level": "CustomerProduct"},
	} {
		if said := w.NewLimit(args); said != "ok" {
			t.Fatal(said)
		}
	}
	return w, w.order(t, n, func(in *issuing.NewNoname) { in.InitialStatus = issuing.Active })
}

// What a card used before it had a customer counts for the customer from then on,
// and is given back there.
func TestLinked_carriesUsageOverToTheCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, cards := anonymous(t, d, 1)
		c := cards[0]
		buy := func(c *authorizationtest.Card, minor int64) (*authorization.Request, authorization.Reason) {
			t.Helper()
			r := w.Request(c, authorization.AuthorizationRequest, money.Must(minor, "TRY"))
			return r, w.Authorize(r).Reason
		}
		want := func(c *authorizationtest.Card, limits string) {
			t.Helper()
			if got := w.Limits(c); got != limits {
				t.Errorf("%s, want\n%s", got, limits)
			}
		}
		first, reason := buy(c, 6000)
		if reason != authorization.Approved {
			t.Fatal(reason)
		}
		if _, reason := buy(w.wallet, 3000); reason != authorization.Approved {
			t.Fatal(reason)
		}
		max := money.Must(5000, "TRY")
		o := control.Override{Check: "CARD", Limits: control.Limits{Amount: &max}}
		if _, err := w.Controls.OverrideLimit(t.Context(), w.Caller, c.Token, o); err != nil {
			t.Fatal(err)
		}
		want(c, "CARD: 60.00 of 50.00 in 1; CUSTOMER: 60.00 of 100.00 in 1; PRODUCT: 60.00 of 100.00 in 1")
		if err := w.link(t.Context(), c, w.first, ""); err != nil {
			t.Fatal(err)
		}
		want(c, "CARD: 60.00 of 50.00 in 1; CUSTOMER: 90.00 of 100.00 in 2; PRODUCT: 90.00 of 100.00 in 2")
		if _, reason := buy(w.wallet, 1001); reason != authorization.VelocityAmount {
			t.Errorf("above what the customer has used with both cards: %q", reason)
		}
		w.Authorize(w.Reversal(c, first, authorization.ReversalRequest, nil))
		want(c, "CARD: 0.00 of 50.00 in 0; CUSTOMER: 30.00 of 100.00 in 1; PRODUCT: 30.00 of 100.00 in 1")
		w.Verify()
		// Its customer's limits stay with that, also its own go.
		if err := w.unlink(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		want(c, "CARD: 0.00 of 1000.00 in 0; CUSTOMER: 0.00 of 100.00 in 0; PRODUCT: 0.00 of 100.00 in 0")
		want(w.wallet, "CARD: 30.00 of 1000.00 in 1; CUSTOMER: 30.00 of 100.00 in 1; PRODUCT: 30.00 of 100.00 in 1")
		w.Verify()
	})
}

// A card that finds its customer while its client is asked has the attempt counted
// for the customer, as if it had found it before.
func TestLinked_countsADeclineThatCameLater(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		w := newNonames(t, d, authorization.Config{Client: client})
		w.OwnBalances(program.BalanceExternal, program.StandInPolicy{Action: program.StandInDecline})
		if said := w.NewLimit(map[string]string{"code": "TRIES", "period": "Day", "count": "5", "of": "all", "level": "Customer", "declines": "count"}); said != "ok" {
			t.Fatal(said)
		}
		c := w.order(t, 1, func(in *issuing.NewNoname) { in.InitialStatus = issuing.Active })[0]
		client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
			if err := w.link(t.Context(), c, w.first, ""); err != nil {
				t.Error(err)
			}
			return authorizationtest.No("05")
		})
		a := w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(500, "TRY")))
		if got, want := w.Limits(c), "TRIES: 0.00 in 1 of 5"; a.ResponseCode != "05" || got != want {
			t.Errorf("answered %q, then %s, want %s", a.ResponseCode, got, want)
		}
		w.Verify()
	})
}

// A card that finds its customer while it is used loses nothing of what it used.
func TestLinked_racesWithPayments(t *testing.T) {
	eachSize(t, func(t *testing.T, d *db.DB, cfg authorization.Config) {
		w, cards := anonymousWith(t, d, cfg, 3)
		var all sync.WaitGroup
		var mu sync.Mutex
		var reasons []authorization.Reason
		for _, c := range slices.Concat(cards, cards, cards) {
			r := w.Request(c, authorization.AuthorizationRequest, money.Must(2000, "TRY"))
			all.Go(func() {
				a, err := w.Engine.Authorize(t.Context(), r)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				reasons = append(reasons, a.Reason)
			})
		}
		for _, c := range cards {
			all.Go(func() {
				if err := w.link(t.Context(), c, w.first, ""); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var approved int64
		for _, r := range reasons {
			if r == authorization.Approved {
				approved++
			}
		}
		limits, err := w.Controls.CardLimits(t.Context(), w.Caller, cards[0].Token)
		if err != nil {
			t.Fatal(err)
		}
		if got := limits[1].Used; int64(got.Count) != approved || got.Amount != money.Must(2000*approved, "TRY") {
			t.Errorf("the customer used %s in %d; %d were approved", got.Amount, got.Count, approved)
		}
		w.Verify()
	})
}

// What was told of a limit of a customer for a card that had none is not told again
// when the card finds one: neither in its window, nor in the length of a rolling one.
func TestLinked_tellsNothingTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		w := newNonames(t, d, authorization.Config{Client: client})
		w.OwnBalances(program.BalanceExternal, program.StandInPolicy{Action: program.StandInDecline})
		for _, args := range []map[string]string{
			{"code": "DAY", "period": "Day", "max": "100.00", "of": "all", "level": "Customer", "alert": "50"},
			{"code": "SPAN", "period": "Rolling", "span": "5", "max": "100.00", "of": "all", "level": "CustomerProduct", "alert": "50"},
		} {
			if said := w.NewLimit(args); said != "ok" {
				t.Fatal(said)
			}
		}
		w.Listen(authorization.EventVelocityThreshold)
		cards := w.order(t, 2, func(in *issuing.NewNoname) { in.InitialStatus = issuing.Active })
		c := cards[0]
		var meanwhile func()
		client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
			if meanwhile != nil {
				meanwhile()
			}
			return authorizationtest.Yes()
		})
		buy := func(minor int64, want string) {
			t.Helper()
			r := w.Request(c, authorization.AuthorizationRequest, money.Must(minor, "TRY"))
			if a := w.Authorize(r); a.Reason != authorization.Approved {
				t.Fatalf("answered %q", a.Reason)
			}
			if got := authorizationtest.TellEvents(w.Told()); got != want {
				t.Errorf("told\n%s\nwant\n%s", got, want)
			}
		}
		link := func() {
			t.Helper()
			if err := w.link(t.Context(), c, w.first, ""); err != nil {
				t.Fatal(err)
			}
		}
		told := func(amount, used string, count int) string {
			const form = "velocity.threshold: AuthorizationRequest %[1]s TRY Approved; %[4]s at %[2]s%%, from 50%%, in %[3]d of 0, %[2]s.00 TRY of 100.00 TRY"
			return fmt.Sprintf(form, amount, used, count, "DAY") + "\n" + fmt.Sprintf(form, amount, used, count, "SPAN")
		}
		buy(6000, told("60.00", "60", 1))
		link()
		buy(100, "nothing")
		w.Verify()

		// One that finds its customer while its client is asked is told of for that.
		w.Clock.Advance(48 * time.Hour)
		c = cards[1]
		buy(3000, "nothing")
		meanwhile = link
		buy(3000, told("30.00", "60", 2))
		w.Verify()
	})
}
