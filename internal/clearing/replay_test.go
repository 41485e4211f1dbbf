package clearing_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// unknown is a presentment of a card that nothing was authorized for.
func (w *world) unknown(c *authorizationtest.Card, minor int64) clearing.Presentment {
	amount := money.Must(minor, "TRY")
	p := w.present(payment{request: w.Request(c, authorization.AuthorizationRequest, amount)}, amount)
	p.AuthorizationCode, p.RRN, p.STAN, p.TerminalID, p.MerchantName = "", "", "", "", "SOMEWHERE"
	return p
}

// replay decides everything since a moment again.
func (w *world) replay(from time.Time, draft *control.Draft) (authorization.ReplayTotals, []authorization.Difference) {
	w.T.Helper()
	var all []authorization.Difference
	totals, err := authorization.NewReplays(w.DB, w.Programs, w.Controls, w.Issuing).Replay(w.T.Context(), w.Caller,
		authorization.ReplayOrder{From: from, To: w.Clock.Now().Add(time.Second), Draft: draft},
		authorization.ReplayListener{Differs: func(d authorization.Difference) error { all = append(all, d); return nil }})
	if err != nil {
		w.T.Fatal(err)
	}
	if len(totals.Partial) > 0 {
		w.T.Errorf("partial: %q", totals.Partial)
	}
	return totals, all
}

var globally = []control.Link{{Type: control.LinkGlobal, Priority: control.LinkPriority, IsActive: true}}

// dayLimit is a drafted limit of all that is spent in a day.
func dayLimit(minor int64, count int) control.VelocityCheck {
	v := control.NewVelocityCheck("DAY")
	most := money.Must(minor, "TRY")
	v.Name, v.Period, v.Currency, v.Limits = "Day", control.PerDay, most.Currency(), control.Limits{Amount: &most, Count: &count}
	return v
}

func draftOfLimits(all ...control.VelocityCheck) *control.Draft {
	d := &control.Draft{}
	for i, v := range all {
		d.Objects = append(d.Objects, control.VelocityChecks.Drafted(fmt.Sprintf("velocityControls[%d]", i), v, globally))
	}
	return d
}

// What was presented without an authorization counts under a drafted limit as it
// would have under one in force, until it is refunded or taken back; so does what was
// presented before the period.
func TestReplay_countsWhatNothingWasAuthorizedFor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		card, other := w.NewCard("1000.00"), w.NewCard("1000.00")
		w.Clock.Advance(time.Second)
		begin := w.Clock.Now()
		pay := func(c *authorizationtest.Card) {
			w.Clock.Advance(time.Minute)
			w.pay(c, money.Must(3000, "TRY"))
		}
		forced := w.unknown(card, 6000)
		pay(card)
		w.mustImport(w.deliver(forced))
		after := w.Clock.Now().Add(time.Second)
		pay(card) // 60.00 + 2 × 30.00 > 100.00
		pay(other)
		back := forced
		back.Reversal = true
		w.mustImport(w.deliver(back))
		pay(card)
		limit := dayLimit(10_000, 9)
		for from, want := range map[time.Time]int{begin: 1, after: 1} {
			totals, all := w.replay(from, draftOfLimits(limit))
			if len(all) != want || all[0].Is.Detail != "DAY: 90.00 + 30.00 > 100.00" || totals.Effects[authorization.ApprovedToDeclined] != 1 {
				t.Errorf("from %s: %+v\n%+v", from, totals, all)
			}
		}
		*limit.Limits.Count, *limit.Limits.Amount = 2, money.Must(900_000, "TRY")
		if _, all := w.replay(begin, draftOfLimits(limit)); len(all) != 1 || all[0].Is.Reason != authorization.VelocityCount {
			t.Errorf("counted: %+v", all)
		}
		limit.Criteria.MCCs = []string{"9999"}
		if _, all := w.replay(begin, draftOfLimits(limit)); len(all) > 0 {
			t.Errorf("of another category: %+v", all)
		}
	})
}

// What was presented without an authorization uses up what is free of a drafted fee,
// and costs it.
func TestReplay_chargesWhatNothingWasAuthorizedFor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		card := w.NewCard("100.00")
		w.Clock.Advance(time.Second)
		begin := w.Clock.Now()
		w.mustImport(w.deliver(w.unknown(card, 1000), w.unknown(card, 1000)))
		w.Clock.Advance(time.Minute)
		w.pay(card, money.Must(7700, "TRY"))
		w.Clock.Advance(time.Minute)
		w.pay(card, money.Must(100, "TRY"))
		f := fee.NewOnTransaction("DRAFT")
		amount := money.Must(100, "TRY")
		f.Name, f.Currency, f.Calculation, f.Fixed = "Draft", amount.Currency(), fee.Fixed, &amount
		f.FreeCount, f.FreePeriod = 1, control.PerMonth
		draft := &control.Draft{Objects: []control.Drafted{fee.TransactionFees.Drafted("transactionFees[0]", f, globally)}}
		totals, all := w.replay(begin, draft)
		// 80.00, less 1.00 for the second presentment, pay 77.00 and 1.00; not 1.00 and 1.00 more.
		if len(all) != 2 || all[0].Effect != authorization.FeeChanged || all[0].Is.Fees != amount || all[1].Is.Reason != authorization.InsufficientFunds {
			t.Errorf("%+v\n%+v", totals, all)
		}
	})
}

// Whatever happens to payments and presentments, decided again it is what was
// recorded: also where a draft that says what is in force has all of it counted and
// charged anew.
func TestReplay_derivesWhatWasPresented(t *testing.T) {
	for _, x := range []struct {
		open         func(testing.TB) *db.DB
		lives, steps int
	}{{dbtest.SQLite, 12, 40}, {dbtest.Postgres, 2, 30}} {
		for seed := range x.lives {
			w := newWorld(t, x.open(t))
			limits := []map[string]string{
				{"code": "DAY", "period": "Day", "max": "400.00", "count": "4", "of": "all"},
				{"code": "FEES", "period": "Month", "max": "1500.00", "of": "all", "fees": "count"},
				{"code": "LOWERS", "period": "Month", "max": "1200.00", "of": "all", "refunds": "lower"},
				{"code": "STAYS", "period": "Week", "max": "900.00", "of": "all", "clearing": "ignore"},
			}
			for _, args := range limits {
				if said := w.NewLimit(args); said != "ok" {
					t.Fatal(said)
				}
			}
			for _, args := range []map[string]string{
				{"code": "KEPT", "rate": "0.7", "min": "0.50", "reversal": "keep"}, {"code": "BACK", "rate": "1", "refund": "yes"},
				{"code": "FREE", "fixed": "0.20", "free": "3"},
			} {
				if err := w.Fee(args); err != nil {
					t.Fatal(err)
				}
			}
			w.Clock.Advance(time.Second)
			begin := w.Clock.Now()
			l := &life{world: w, r: rand.New(rand.NewPCG(uint64(seed), 11)), card: w.NewCard("100000.00")}
			var did []string
			for range x.steps {
				w.Clock.Advance(time.Duration(1+l.r.IntN(45)) * time.Minute)
				did = append(did, l.stepInDay())
			}
			anew := &control.Draft{}
			checks, err := control.VelocityChecks.All(t.Context(), w.Controls, w.Caller, "")
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range checks {
				anew.Objects = append(anew.Objects, control.VelocityChecks.Drafted(fmt.Sprintf("velocityControls[%d]", i), v, globally))
			}
			fees, err := fee.TransactionFees.All(t.Context(), w.Controls, w.Caller, "")
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range fees {
				anew.Objects = append(anew.Objects, fee.TransactionFees.Drafted(fmt.Sprintf("transactionFees[%d]", i), f, globally))
			}
			for name, draft := range map[string]*control.Draft{"as recorded": nil, "anew": anew, "the fees anew": {Objects: anew.Objects[len(checks):]}} {
				totals, all := w.replay(begin, draft)
				if len(all) > 0 || totals.Same != totals.Decided || totals.Skipped > 0 {
					slices.SortFunc(all, func(a, b authorization.Difference) int { return a.At.Compare(b.At) })
					t.Fatalf("seed %d, %s: %d of %d are the same after %q, the first that is not: %+v", seed, name, totals.Same, totals.Decided, did, all[:min(1, len(all))])
				}
			}
		}
	}
}

// stepInDay does something with a payment or a presentment that is whole, and tells
// what.
func (l *life) stepInDay() string {
	record := func() *clearing.Presentment {
		if len(l.records) == 0 {
			return nil
		}
		return &l.records[l.r.IntN(len(l.records))]
	}
	var c clearing.Presentment
	did := ""
	switch k, of := l.r.IntN(10), record(); {
	case k < 3 || len(l.payments) == 0:
		l.pay(authorization.AuthorizationRequest, func(*authorization.Request) {})
		return "a payment"
	case k == 3:
		p := l.payments[l.r.IntN(len(l.payments))]
		l.Authorize(l.Reversal(l.card, p.request, authorization.ReversalRequest, nil))
		return "a reversal"
	case k == 4 && of != nil:
		c, did = l.present(l.payments[0], money.Must(1+of.Transaction.Minor()/int64(1+l.r.IntN(2)), "TRY")), "a refund"
		c.Kind, c.OriginalARN = clearing.Refund, of.ARN
	case k == 5 && of != nil && !of.Reversal:
		c, did = *of, "one taken back"
		c.Reversal = true
	case k < 8:
		c, did = l.unknown(l.card, l.amount().Minor()/2+1), "a forced presentment"
	default:
		p := l.payments[l.r.IntN(len(l.payments))]
		c, did = l.present(p, p.request.Amount), "a presentment"
	}
	if !c.Reversal {
		l.records = append(l.records, c)
	}
	l.mustImport(l.deliver(c))
	return did
}
