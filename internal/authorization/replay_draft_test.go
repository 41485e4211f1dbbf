package authorization_test

import (
	"context"
	"fmt"
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
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

func refusal(code, cel string) control.AuthorizationCheck {
	c := control.NewAuthorizationCheck(code)
	c.Name, c.Action, c.Rule = code, control.Decline, rule.Source(fmt.Sprintf("%q", cel))
	return c
}

func draftedRefusal(c control.AuthorizationCheck) control.Drafted {
	return control.AuthorizationChecks.Drafted("authorizationControls[0]", c, []control.Link{everywhere()})
}

func draftedFee(f fee.OnTransaction) control.Drafted {
	return fee.TransactionFees.Drafted("transactionFees[0]", f, []control.Link{everywhere()})
}

func fixedFee(code string, minor int64) fee.OnTransaction {
	f := fee.NewOnTransaction(code)
	amount := money.Must(minor, "TRY")
	f.Name, f.Currency, f.Calculation, f.Fixed = code, amount.Currency(), fee.Fixed, &amount
	return f
}

// judgeAgainst plays a history in a world without something and in one with it,
// and replays the first with it as a draft: each message ends alike.
func judgeAgainst(t *testing.T, acts []act, create func(*authorizationtest.World) error, drafted control.Drafted) {
	t.Helper()
	var worlds [2]*authorizationtest.World
	var answers [2][]*authorization.Answer
	var begin time.Time
	for i := range worlds {
		w := authorizationtest.New(t, dbtest.SQLite(t))
		worlds[i] = w
		cards := []*authorizationtest.Card{w.NewCard("100.00"), w.NewCard("50.00")}
		if i == 1 {
			if err := create(w); err != nil {
				t.Fatal(err)
			}
		}
		begin = w.Clock.Now()
		answers[i] = play(w, cards, acts, answers[0])
	}
	totals, all := replayAll(t, worlds[0], begin, draftOf(drafted))
	at := map[authorization.TransactionID]authorization.Difference{}
	for _, d := range all {
		at[d.Transaction] = d
	}
	for i, was := range answers[0] {
		want := answers[1][i]
		if want == nil {
			continue
		}
		is := was.Reason
		if d, differs := at[was.Transaction]; differs {
			is = d.Is.Reason
		}
		if is != want.Reason {
			t.Fatalf("message %d: recorded %q, replayed %q, and in force %q\n%+v\n%+v\n%s", i, was.Reason, is, want.Reason, acts, totals, describe(all))
		}
	}
	if len(totals.Partial) > 0 {
		t.Errorf("partial: %q", totals.Partial)
	}
}

// What a drafted rule asks of the time before is what it would have asked had it
// been in force: declines of its own change it.
func TestReplay_derivesWhatRulesAskOfTheTimeBefore(t *testing.T) {
	playsHistories(t)
	rules := map[string]string{
		"count":     "counter.card.count.`24h` >= 2",
		"amount":    "counter.card.amount.`7d` > decimal('60')",
		"declines":  "counter.card.declineCount24h == 1",
		"last":      "last.minutesSince < 600",
		"customer":  "counter.customer.count.`24h` >= 3",
		"merchants": "counter.card.distinctMerchants24h >= 1 && transaction.billingAmount > decimal('30')",
	}
	for name, cel := range rules {
		for seed := range 6 {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				check := refusal("DRAFT", cel)
				judgeAgainst(t, rapid.Custom(drawActs).Example(seed), func(w *authorizationtest.World) error {
					_, _, err := control.AuthorizationChecks.Create(t.Context(), w.Controls, w.Caller, check, []control.Link{everywhere()})
					return err
				}, draftedRefusal(check))
			})
		}
	}
}

// A rule that is in force and not in the draft sees what the draft has changed.
func TestReplay_rulesInForceSeeWhatTheDraftChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		if _, _, err := control.AuthorizationChecks.Create(t.Context(), w.Controls, w.Caller, refusal("OFTEN", "counter.card.count.`24h` >= 2"), []control.Link{everywhere()}); err != nil {
			t.Fatal(err)
		}
		c := w.NewCard("1000.00")
		w.Clock.Advance(time.Second)
		begin := w.Clock.Now()
		for _, minor := range []int64{9000, 1000, 1000, 1000} { // the last two are declined
			ask(w, pay(w, c, minor))
		}
		limit := dayLimit("DRAFT", 5000, 9)
		limit.Period, limit.Limits.Count = control.PerTransaction, nil
		_, all := replayAll(t, w, begin, draftOf(draftedLimit(limit)))
		if len(all) != 2 || all[0].Effect != authorization.ApprovedToDeclined || all[1].Effect != authorization.DeclinedToApproved || all[1].Was.Subject != "OFTEN" {
			t.Errorf("%s", describe(all))
		}
	})
}

// A drafted control without statistics, that declines, asks for a PIN, or watches.
func TestReplay_draftsOfAuthorizationControls(t *testing.T) {
	for seed := range 8 {
		check := refusal("DRAFT", "transaction.billingAmount > decimal('20')")
		check.Action = control.Actions()[seed%len(control.Actions())]
		if check.Action == control.Alert {
			check.AlertChannels = []control.AlertChannel{control.AlertByWebhook}
		}
		t.Run(fmt.Sprintf("%s/%d", check.Action, seed), func(t *testing.T) {
			judgeAgainst(t, rapid.Custom(drawActs).Example(seed), func(w *authorizationtest.World) error {
				_, _, err := control.AuthorizationChecks.Create(t.Context(), w.Controls, w.Caller, check, []control.Link{everywhere()})
				return err
			}, draftedRefusal(check))
		})
	}
}

// A drafted fee takes from the balance what it costs, and gives it back.
func TestReplay_draftsOfFees(t *testing.T) {
	for seed := range 8 {
		f := fixedFee("DRAFT", 700)
		f.RefundOnReversal = seed%2 == 0
		if seed%3 == 0 {
			f.FreeCount, f.FreePeriod = 2, control.PerDay
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			judgeAgainst(t, rapid.Custom(drawActs).Example(seed+20), func(w *authorizationtest.World) error {
				_, _, err := fee.TransactionFees.Create(t.Context(), w.Controls, w.Caller, f, []control.Link{everywhere()})
				return err
			}, draftedFee(f))
		})
	}
}

// What would have been free of a drafted fee before the period is not free again
// in it, unless it was taken back; where that lies too far back, the result says
// that it is partial.
func TestReplay_countsWhatWasFreeBeforeThePeriod(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		c := w.NewCard("1000.00")
		for range 2 {
			ask(w, pay(w, c, 1000))
		}
		undone, _ := ask(w, pay(w, c, 1000))
		ask(w, w.Reversal(c, undone, authorization.ReversalRequest, nil))
		w.Clock.Advance(5 * 24 * time.Hour) // the same month
		begin := w.Clock.Now()
		for range 3 {
			ask(w, pay(w, c, 1000))
		}
		f := fixedFee("DRAFT", 100)
		f.FreeCount, f.FreePeriod = 3, control.PerMonth
		totals, all := replayAll(t, w, begin, draftOf(draftedFee(f)))
		if len(all) != 2 || all[0].Effect != authorization.FeeChanged || all[0].Is.Fees != money.Must(100, "TRY") || totals.WarmedUp != 4 || len(totals.Partial) > 0 {
			t.Errorf("%+v\n%+v", totals, all)
		}
		if s := totals.Sums[0]; s.Fees != money.Must(0, "TRY") || s.FeesAgain != money.Must(200, "TRY") {
			t.Errorf("%+v", s)
		}
		f.FreePeriod = control.PerYear
		w.Clock.Advance(60 * 24 * time.Hour) // another year
		ask(w, pay(w, c, 1000))
		w.Clock.Advance(100 * 24 * time.Hour)
		begin = w.Clock.Now()
		ask(w, pay(w, c, 1000))
		if totals, _ := replayAll(t, w, begin, draftOf(draftedFee(f))); len(totals.Partial) != 1 {
			t.Errorf("what was free 100 days before is not known: %q", totals.Partial)
		}
	})
}

// What a client approved, or we in its place, is an input; what it was not asked
// cannot be told; and what is approved in its place counts for the rest of the day.
func TestReplay_whereTheClientOwnsTheBalance(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		w := authorizationtest.NewWith(t, d, authorization.Config{Client: client})
		w.OwnBalances(program.BalanceExternal, authorizationtest.UpTo(3000, 5000))
		limit := dayLimit("ONCE", 20_000, 9)
		limit.Period, limit.Limits.Count = control.PerTransaction, nil
		if _, _, err := control.VelocityChecks.Create(t.Context(), w.Controls, w.Caller, limit, []control.Link{everywhere()}); err != nil {
			t.Fatal(err)
		}
		c := w.NewCard("0.00")
		begin := w.Clock.Now()
		ask(w, pay(w, c, 2900)) // the client approves
		client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
			return authorizationtest.Silence()
		})
		first, a := ask(w, pay(w, c, 3000)) // approved in its place
		_, b := ask(w, pay(w, c, 2500))     // too much for the day
		_, e := ask(w, pay(w, c, 30_000))   // above ONCE: the client is not asked
		if a.Reason != authorization.Approved || b.Reason != authorization.ClientTimeout || e.Reason != authorization.VelocityAmount {
			t.Fatalf("%q, %q, %q", a.Reason, b.Reason, e.Reason)
		}
		ask(w, w.Reversal(c, first, authorization.ReversalRequest, nil))
		if totals, all := replayAll(t, w, begin, nil); len(all) > 0 || totals.Same != 5 {
			t.Errorf("as recorded: %+v\n%s", totals, describe(all))
		}
		above := *limit.Limits.Amount
		above = money.Must(2800, above.Currency().Code())
		limit.Limits.Amount = &above
		totals, all := replayAll(t, w, begin, draftOf(draftedLimit(limit)))
		if totals.Effects[authorization.ApprovedToDeclined] != 2 || totals.Effects[authorization.DeclinedToApproved] != 1 || totals.Skipped != 1 ||
			totals.Effects[authorization.Undetermined] != 0 {
			t.Errorf("a lower limit: %+v\n%s", totals, describe(all))
		}
		above = money.Must(90_000, "TRY")
		totals, all = replayAll(t, w, begin, draftOf(draftedLimit(limit)))
		if totals.Effects[authorization.Undetermined] != 1 || totals.Same != 4 {
			t.Errorf("a higher limit: %+v\n%s", totals, describe(all))
		}
	})
}
