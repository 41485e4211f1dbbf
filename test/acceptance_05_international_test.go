package test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// TestAcceptance_internationalSwitch: a card that is switched off abroad is refused
// there, whatever its product allows; for the time of a trip it is not
// (contract/platform.md §20, scenario 5).
func TestAcceptance_internationalSwitch(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		abroad, home := shop(t), shop(t)
		abroad.City, abroad.Country = "Berlin", country.Must("DE")
		home.Acquirer = abroad.Acquirer // which numbers what it sends
		link := connect(t, s, abroad, 10*time.Second)
		buy := func(want, why string) {
			t.Helper()
			if code := pay(t, link, abroad, card.Card, sim.Payment{Amount: lira(1_000), Entry: sim.Chip, PIN: card.Card.PIN}); code != want {
				t.Fatalf("abroad, %s: answered %s, want %s", why, code, want)
			}
			if code := pay(t, link, home, card.Card, sim.Payment{Amount: lira(1_000), Entry: sim.Chip, PIN: card.Card.PIN}); code != "00" {
				t.Fatalf("at home, %s: answered %s", why, code)
			}
		}
		policy := func(p map[string]any) {
			t.Helper()
			p["policyType"] = "InternationalPos"
			issuingCall(t, bank, http.MethodPut, "/card/"+card.Token+"/policy", map[string]any{"policies": []map[string]any{p}, "channel": "Mobile"}, nil)
		}
		declined := func(n int) {
			t.Helper()
			var page struct {
				Items []struct {
					DeclineReason string
					DeclineDetail struct{ PolicyType string }
				}
			}
			if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing-transaction/card-transaction?Status=Declined&CardToken="+card.Token, nil, &page); err != nil {
				t.Fatal(err)
			}
			if len(page.Items) != n {
				t.Fatalf("%d payments were declined, want %d", len(page.Items), n)
			}
			for _, x := range page.Items {
				if x.DeclineReason != "PolicyNotAllowed" || x.DeclineDetail.PolicyType != "InternationalPos" {
					t.Errorf("declined as %+v", x)
				}
			}
		}

		policy(map[string]any{"isAllowed": false})
		buy("57", "off")
		// The product says on, the card off.
		policy(map[string]any{"isAllowed": true})
		buy("00", "on")
		policy(map[string]any{"isAllowed": false})
		buy("57", "off again")
		declined(2)
		// A trip of two days, that lies over what holds else.
		now := clock.System{}.Now()
		policy(map[string]any{"isAllowed": true, "startDate": now.Add(-time.Minute), "endDate": now.Add(48 * time.Hour)})
		buy("00", "on the trip")
		advance(t, bank, map[string]any{"days": 3})
		abroad.Ahead, home.Ahead = clock.Ahead(72*time.Hour), clock.Ahead(72*time.Hour)
		buy("57", "back from the trip")
		declined(3)
		wantLedger(t, bank, card, "10000.00") // nothing is presented yet
		run(t, append([]string{"verify"}, flags...)...)
	})
}
