package authorization_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func replays(w *authorizationtest.World) *authorization.Replays {
	return authorization.NewReplays(w.DB, w.Programs, w.Controls, w.Issuing)
}

// replayAll replays everything that was decided since a moment.
func replayAll(t testing.TB, w *authorizationtest.World, from time.Time, draft *control.Draft) (authorization.ReplayTotals, []authorization.Difference) {
	t.Helper()
	return replayUntil(t, w, from, w.Clock.Now().Add(time.Second), draft)
}

func replayUntil(t testing.TB, w *authorizationtest.World, from, to time.Time, draft *control.Draft) (authorization.ReplayTotals, []authorization.Difference) {
	t.Helper()
	var all []authorization.Difference
	totals, err := replays(w).Replay(w.T.Context(), w.Caller,
		authorization.ReplayOrder{From: from, To: to, Draft: draft},
		authorization.ReplayListener{Differs: func(d authorization.Difference) error { all = append(all, d); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return totals, all
}

// act is one step of a history that can be played in several worlds.
type act struct {
	kind    string
	card    int
	amount  money.Amount
	prior   int // which of the messages before it refers to
	partial bool
	wait    time.Duration
}

func drawActs(t *rapid.T) []act {
	var acts []act
	for range rapid.IntRange(1, 20).Draw(t, "steps") {
		acts = append(acts, act{
			kind: rapid.SampledFrom([]string{"authorize", "authorize", "authorize", "withdraw", "refund", "advise", "complete", "increment", "reverse", "expire", "load", "wait"}).Draw(t, "kind"),
			card: rapid.IntRange(0, 1).Draw(t, "card"), amount: money.Must(rapid.Int64Range(1, 6000).Draw(t, "amount"), "TRY"),
			prior: rapid.IntRange(0, 1000).Draw(t, "prior"), partial: rapid.Bool().Draw(t, "partial"),
			wait: time.Duration(rapid.IntRange(1, 36*3600).Draw(t, "wait")) * time.Second,
		})
	}
	return acts
}

// play plays a history, and returns how each message was answered; nil where none
// was sent. Nobody sends what refers to a message that was answered otherwise in
// the world before, if there was one: merchants complete what was approved.
func play(w *authorizationtest.World, cards []*authorizationtest.Card, acts []act, before []*authorization.Answer) []*authorization.Answer {
	sent, of := map[int]*authorization.Request{}, map[int]*authorizationtest.Card{}
	var messages []int
	roots := map[int]int{} // what increments and completions are about, in the end
	answers := make([]*authorization.Answer, len(acts))
	for i, a := range acts {
		w.Clock.Advance(time.Second)
		c := cards[a.card]
		var prior *authorization.Request
		if len(messages) > 0 {
			k := messages[a.prior%len(messages)]
			if prior, c = sent[k], of[k]; isAbout(a.kind) {
				if root, known := roots[k]; known && a.kind != "reverse" {
					k = root
				}
				roots[i] = k
			}
			if before != nil && isAbout(a.kind) {
				switch there, here := before[k], answers[k]; {
				case before[i] == nil:
					continue // nor was it sent there
				case here == nil, there.IsApproved() && !here.IsApproved(), there.IsApproved() != here.IsApproved() && a.kind != "reverse":
					messages = append(messages, i)
					sent[i], of[i] = prior, c
					continue
				}
			}
		}
		var r *authorization.Request
		switch a.kind {
		case "authorize":
			c = cards[a.card]
			r = w.Request(c, authorization.AuthorizationRequest, a.amount)
			r.MayApprovePartially = a.partial
		case "withdraw":
			c = cards[a.card]
			r = w.Request(c, authorization.FinancialRequest, a.amount)
		case "refund":
			c = cards[a.card]
			r = w.Request(c, authorization.FinancialRequest, a.amount)
			r.ProcessingCode = "200000"
		case "advise":
			c = cards[a.card]
			r = w.Request(c, authorization.AuthorizationAdvice, a.amount)
		case "complete", "increment":
			if prior == nil || prior.Flow.IsReversal() {
				continue
			}
			flow := authorization.FinancialAdvice
			if a.kind == "increment" {
				flow = authorization.AuthorizationRequest
			}
			r = w.Request(c, flow, a.amount)
			r.RRN, r.IsIncrement = prior.RRN, a.kind == "increment"
		case "reverse":
			if prior == nil || prior.Flow.IsReversal() {
				continue
			}
			var remains *money.Amount
			if a.partial {
				remains = &a.amount
			}
			r = w.Reversal(c, prior, authorization.ReversalRequest, remains)
		case "expire":
			w.Clock.Advance(8 * 24 * time.Hour)
			if _, err := w.Engine.Expire(w.T.Context()); err != nil {
				w.T.Fatal(err)
			}
			continue
		case "load":
			if _, err := w.Ledger.Adjust(w.T.Context(), w.Caller, ledger.Adjustment{
				AccountNo: cards[a.card].AccountNo, Side: ledger.Credit, Amount: a.amount, Description: "load", Reference: fmt.Sprintf("load-%d-%s", i, cards[a.card].Token),
			}); err != nil {
				w.T.Fatal(err)
			}
			continue
		default:
			w.Clock.Advance(a.wait)
			continue
		}
		answer, err := w.Engine.Authorize(w.T.Context(), r)
		if err != nil {
			w.T.Fatal(err)
		}
		sent[i], of[i], answers[i] = r, c, &answer
		messages = append(messages, i)
	}
	return answers
}

func isAbout(kind string) bool { return kind == "complete" || kind == "increment" || kind == "reverse" }

// playsHistories says that a test plays many histories, one message after the other.
func playsHistories(t *testing.T) {
	t.Helper()
	if isRace {
		t.Skip("nothing in it runs side by side; it is run without the race detector")
	}
}

// Whatever has happened – reversals, completions, increments, expiries, loads –
// deciding it again under what was recorded differs in nothing, also where a draft
// says what holds already.
func TestReplay_withoutADraftNothingDiffers(t *testing.T) {
	playsHistories(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		check := dayLimit("DAY", 9000, 4)
		if _, _, err := control.VelocityChecks.Create(t.Context(), w.Controls, w.Caller, check, []control.Link{everywhere()}); err != nil {
			t.Fatal(err)
		}
		begin := w.Clock.Now()
		rapid.Check(t, func(rt *rapid.T) {
			play(w, []*authorizationtest.Card{w.NewCard("100.00"), w.NewCard("50.00")}, drawActs(rt), nil)
		})
		for name, draft := range map[string]*control.Draft{
			"as recorded":        nil,
			"an empty draft":     {},
			"a draft of what is": {Objects: []control.Drafted{control.VelocityChecks.Drafted("velocityControls[0]", check, nil)}},
		} {
			decided := 0
			for from := begin; from.Before(w.Clock.Now()); from = from.AddDate(0, 0, 300) {
				totals, all := replayUntil(t, w, from, from.AddDate(0, 0, 300), draft)
				if len(all) > 0 || totals.Same != totals.Decided || totals.Skipped != 0 {
					t.Errorf("%s: %d of %d are the same, the first that is not: %+v", name, totals.Same, totals.Decided, all[:min(1, len(all))])
				}
				decided += totals.Decided
			}
			if decided < 100 {
				t.Errorf("%s: only %d were decided again", name, decided)
			}
		}
	})
}

func everywhere() control.Link {
	return control.Link{Type: control.LinkGlobal, Priority: control.LinkPriority, IsActive: true}
}

func dayLimit(code string, minor int64, count int) control.VelocityCheck {
	c := control.NewVelocityCheck(code)
	c.Name, c.Period, c.Currency = code, control.PerDay, money.MustCurrency("TRY")
	amount := money.Must(minor, "TRY")
	c.Limits = control.Limits{Amount: &amount, Count: &count}
	return c
}

// What a draft would have made of a history is what it makes of the same history
// when it is in force: another world, in which it is, decides each message as the
// replay says.
func TestReplay_decidesAsIfTheDraftHadBeenInForce(t *testing.T) {
	playsHistories(t)
	kinds := map[string]func(*control.VelocityCheck){
		"day": func(*control.VelocityCheck) {},
		"rolling": func(c *control.VelocityCheck) {
			c.Period, c.Span = control.PerSpan, control.Span{Length: 20, Unit: control.Hours}
		},
		"customer":    func(c *control.VelocityCheck) { c.Level = control.CountCustomer },
		"declines":    func(c *control.VelocityCheck) { c.IncludeDeclined = true },
		"transaction": func(c *control.VelocityCheck) { c.Period, c.Limits.Count = control.PerTransaction, nil },
		"lifetime":    func(c *control.VelocityCheck) { c.Period = control.PerLifetime },
	}
	for name, change := range kinds {
		for seed := range 8 {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				acts := rapid.Custom(drawActs).Example(seed)
				check := dayLimit("DRAFT", rapid.Int64Range(1000, 9000).Example(seed), rapid.IntRange(1, 6).Example(seed))
				change(&check)
				judgeDraft(t, check, acts)
			})
		}
	}
}

// judgeDraft plays a history in a world without a control and in one with it, and
// replays the first with the control as a draft.
func judgeDraft(t *testing.T, check control.VelocityCheck, acts []act) {
	t.Helper()
	worlds := make([]*authorizationtest.World, 2)
	answers := make([][]*authorization.Answer, 2)
	var begin time.Time
	for i := range worlds {
		w := authorizationtest.New(t, dbtest.SQLite(t))
		worlds[i] = w
		cards := []*authorizationtest.Card{w.NewCard("100.00"), w.NewCard("50.00")}
		if i == 1 {
			if _, _, err := control.VelocityChecks.Create(t.Context(), w.Controls, w.Caller, check, []control.Link{everywhere()}); err != nil {
				t.Fatal(err)
			}
		}
		begin = w.Clock.Now()
		answers[i] = play(w, cards, acts, answers[0])
	}
	draft := &control.Draft{Objects: []control.Drafted{control.VelocityChecks.Drafted("velocityControls[0]", check, []control.Link{everywhere()})}}
	totals, all := replayAll(t, worlds[0], begin, draft)
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
}

func describe(all []authorization.Difference) string {
	slices.SortFunc(all, func(a, b authorization.Difference) int {
		return cmp.Compare(a.Transaction.String(), b.Transaction.String())
	})
	text := ""
	for _, d := range all {
		text += fmt.Sprintf("%s %s %s: %q -> %q\n", d.At, d.Flow, d.Asked, d.Was.Reason, d.Is.Reason)
	}
	return text
}
