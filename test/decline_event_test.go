package test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
)

// amountTold is an amount, or a count, as events tell it.
type amountTold struct {
	Amount       json.Number
	CurrencyCode string
	Count        *int
}

// declineTold is what an event tells of why a payment was declined.
type declineTold struct {
	ResponseCode, Status, DeclineReason string
	MatchedControls                     []string
	DeclineDetail                       struct {
		Stage, ControlCode, VelocityCode, PolicyType, ReasonText string
		Limit, Used, Requested, Available                        *amountTold
		Counterfactual                                           *struct {
			Change, CurrencyCode, BillingCurrency string
			Amount, BillingAmount                 json.Number
			At                                    *time.Time
		}
	}
}

// TestDecline_tellsTheReceiver: what a terminal is refused for in two digits, the
// bank's system hears whole, signed: which limit, control or switch, the values that
// were compared, and the nearest change that would have been approved.
func TestDecline_tellsTheReceiver(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		hook := listen(t, bank, "transaction.declined")
		cards := issue(t, bank, 3)
		byCard := func(i int) map[string]any { return map[string]any{"linkType": "Card", "linkCode": cards[i].Token} }
		limitTo(t, bank, "DAY", "Day", 5_000)
		issuingCall(t, bank, http.MethodPost, "/authorization-control", map[string]any{
			"code": "PIN_100", "name": "A PIN from 100", "action": "RequirePin", "criteria": map[string]any{"minAmount": 100},
			"reasonText": "large payments need a PIN", "links": []map[string]any{byCard(1)},
		}, nil)
		issuingCall(t, bank, http.MethodPut, "/card/"+cards[2].Token+"/policy", map[string]any{
			"policies": []map[string]any{{"policyType": "DomesticPos", "isAllowed": false}},
		}, nil)
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		declined := func(i int, minor int64, want string, p sim.Payment) declineTold {
			t.Helper()
			p.Amount, p.Entry = lira(minor), sim.Chip
			if got := pay(t, link, term, cards[i].Card, p); got != want {
				t.Fatalf("card %d answered %s, want %s", i, got, want)
			}
			var told declineTold
			if err := json.Unmarshal(hook.wait(t, "transaction.declined", cards[i].Token).Data, &told); err != nil {
				t.Fatal(err)
			}
			if told.ResponseCode != want || told.Status != "Declined" {
				t.Errorf("card %d: told %+v", i, told)
			}
			return told
		}
		byPIN := func(i int) sim.Payment { return sim.Payment{PIN: cards[i].Card.PIN} }

		if code := pay(t, link, term, cards[0].Card, sim.Payment{Amount: lira(350_000), Entry: sim.Chip, PIN: cards[0].Card.PIN}); code != "00" {
			t.Fatal("the first payment:", code)
		}
		limit := declined(0, 200_000, "61", byPIN(0))
		d := limit.DeclineDetail
		if limit.DeclineReason != "VelocityAmount" || d.Stage != "Velocity" || d.VelocityCode != "DAY" || d.Limit == nil || d.Used == nil || d.Requested == nil ||
			d.Limit.Amount != "5000.00" || d.Used.Amount != "3500.00" || d.Requested.Amount != "2000.00" || d.Limit.CurrencyCode != "TRY" {
			t.Errorf("by a limit: %+v", limit)
		}
		if c := d.Counterfactual; c == nil || c.Change != "Amount" || c.Amount != "1500.00" || c.CurrencyCode != "TRY" || c.BillingAmount != "1500.00" {
			t.Errorf("what a limit would have let pass: %+v", c)
		}
		// It is true: so much is approved, and a kuruş more is not.
		if code := pay(t, link, term, cards[0].Card, sim.Payment{Amount: lira(150_001), Entry: sim.Chip, PIN: cards[0].Card.PIN}); code != "61" {
			t.Error("a kuruş more:", code)
		}
		if code := pay(t, link, term, cards[0].Card, sim.Payment{Amount: lira(150_000), Entry: sim.Chip, PIN: cards[0].Card.PIN}); code != "00" {
			t.Error("what would have been approved:", code)
		}

		ruled := declined(1, 15_000, "70", sim.Payment{})
		d = ruled.DeclineDetail
		if ruled.DeclineReason != "PinRequired" || d.Stage != "AuthorizationControl" || d.ControlCode != "PIN_100" || d.ReasonText != "large payments need a PIN" ||
			!slices.Equal(ruled.MatchedControls, []string{"PIN_100"}) || d.Counterfactual == nil || d.Counterfactual.Change != "Amount" || d.Counterfactual.Amount != "99.99" {
			t.Errorf("by a control: %+v", ruled)
		}

		off := declined(2, 1_000, "57", byPIN(2))
		if d := off.DeclineDetail; off.DeclineReason != "PolicyNotAllowed" || d.Stage != "Policy" || d.PolicyType != "DomesticPos" || d.Counterfactual != nil {
			t.Errorf("by a switch: %+v", off)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}
