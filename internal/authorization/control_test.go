package authorization

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/control"
)

// someControls draws controls that select a request at a moment.
func someControls(t *rapid.T, now time.Time) []ControlFacts {
	return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) ControlFacts {
		c := ControlFacts{
			Code: fmt.Sprintf("C%d", rapid.IntRange(0, 99).Draw(t, "code")), Version: 1,
			Link:         string(rapid.SampledFrom(control.LinkTypes()).Draw(t, "link")) + "/X",
			LinkPriority: rapid.IntRange(0, 2).Draw(t, "link priority"), Priority: rapid.IntRange(0, 2).Draw(t, "priority"),
			Action: rapid.SampledFrom(control.Actions()).Draw(t, "action"), IsMonitored: rapid.Bool().Draw(t, "monitored"),
			ResponseCode: rapid.SampledFrom([]string{"", "05"}).Draw(t, "response code"),
		}
		c.IsMandatory = rapid.Bool().Draw(t, "mandatory") && slices.Contains([]control.Action{control.Decline, control.RequirePIN, control.Require3DS}, c.Action)
		if rapid.Bool().Draw(t, "scheduled") {
			c.From = now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "from")) * time.Hour)
			c.Until = c.From.Add(time.Hour)
		}
		return c
	}), 0, 8, func(c ControlFacts) string { return c.Code }).Draw(t, "controls")
}

// askControls is what controls make of a request.
func askControls(req *Request, f Facts, all []ControlFacts) (Decision, Check) {
	f.Controls = all
	var d Decision
	return d, checkControls(&d, req, &f, State{}, codeRow{})
}

func TestCheckControls_theFirstThatRefusesDecides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
		req := &Request{Flow: AuthorizationRequest}
		if rapid.Bool().Draw(t, "secure") {
			req.ECI = eciAuthenticated
		}
		f := Facts{Now: now, PIN: rapid.SampledFrom([]Result{NotPresent, Match}).Draw(t, "pin")}
		all := someControls(t, now)
		_, got := askControls(req, f, all)

		shuffled := slices.Clone(all)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if _, again := askControls(req, f, shuffled); (Trace{again}).String() != (Trace{got}).String() {
			t.Fatalf("in another order: %v, not %v", again, got)
		}

		// By the definition: of those that hold and are enforced, mandatory ones
		// first, the first that refuses decides, unless one that approves comes before.
		var want Check
		for _, c := range slices.SortedFunc(slices.Values(all), compareControls) {
			if c.IsMonitored || !c.holdsAt(now) {
				continue
			}
			if k := c.demand(req, &f); k.Outcome == Fail {
				want = k.of(c.Code)
				break
			}
			if c.Action == control.Approve {
				break
			}
		}
		if got.Reason != want.Reason || got.Subject != want.Subject {
			t.Fatalf("%s by %q, want %s by %q", got.Reason, got.Subject, want.Reason, want.Subject)
		}

		for _, c := range all {
			if !c.IsMandatory || c.IsMonitored || !c.holdsAt(now) || c.demand(req, &f).Outcome != Fail {
				continue
			}
			if got.Outcome != Fail {
				t.Fatalf("the mandatory control %s was passed over", c.Code)
			}
		}
		told := slices.DeleteFunc(slices.Clone(all), func(c ControlFacts) bool { return c.IsMonitored || c.Action == control.Alert })
		if _, without := askControls(req, f, told); without.Reason != got.Reason || without.Subject != got.Subject {
			t.Fatalf("what only watches decided: %v, without it %v", got, without)
		}
	})
}

// What has happened elsewhere is looked at and not refused: no response code, no
// alert of a refusal.
func TestCheckControls_nothingIsRefusedToAdvices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
		all := someControls(t, now)
		for i := range all {
			all[i].AlertChannels = string(control.AlertByWebhook)
		}
		d, _ := askControls(&Request{Flow: FinancialAdvice}, Facts{Now: now}, all)
		if d.ResponseCode != "" {
			t.Errorf("response code %s", d.ResponseCode)
		}
		for _, c := range d.Alerts {
			if c.Action != control.Alert {
				t.Errorf("%s alerts of what was not refused", c.Code)
			}
		}
	})
}

func TestCompareControls_isAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := someControls(t, time.Time{})
		for _, a := range all {
			for _, b := range all {
				if compareControls(a, b) != -compareControls(b, a) || (compareControls(a, b) == 0) != (a.Code == b.Code) {
					t.Fatalf("%v and %v", a, b)
				}
				for _, c := range all {
					if compareControls(a, b) <= 0 && compareControls(b, c) <= 0 && compareControls(a, c) > 0 {
						t.Fatalf("%v, %v, %v", a, b, c)
					}
				}
			}
		}
	})
}
