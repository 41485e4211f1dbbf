package test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
)

// renewedCard is what the API answers about a renewal.
type renewedCard struct {
	CardToken  string `json:"cardToken"`
	CardStatus string `json:"cardStatus"`
	NewCard    *struct {
		CardToken         string `json:"cardToken"`
		CardSequenceNo    int    `json:"cardSequenceNo"`
		Status            string `json:"status"`
		PreviousCardToken string `json:"previousCardToken"`
	} `json:"newCard"`
}

// TestAcceptance_expiryRenewal: a renewal for expiry keeps the token, and the
// old plastic works until the new one is activated; then its expiry is declined
// (contract/platform.md §20, scenario 9).
func TestAcceptance_expiryRenewal(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		hook := listen(t, bank, "card.*")
		card := issue(t, bank, 1)[0]
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		old := card.Card
		chip := sim.Payment{Amount: lira(1_000), Entry: sim.Chip, PIN: old.PIN}
		want := func(what string, c *sim.Card, p sim.Payment, code string) {
			t.Helper()
			if got := pay(t, link, term, c, p); got != code {
				t.Errorf("%s: answered %s, want %s", what, got, code)
			}
		}
		want("the only plastic", old, chip, "00")

		path := "/api/v1/issuing/card/" + card.Token
		var answer renewedCard
		if _, err := bank.Call(t.Context(), http.MethodPost, path+"/renew", map[string]any{
			"renewalReason": "Expiry", "deliveryMethod": "Branch", "branchCode": "0001",
		}, &answer); err != nil {
			t.Fatal(err)
		}
		n := answer.NewCard
		if n == nil || n.CardToken != card.Token || n.PreviousCardToken != card.Token || n.CardSequenceNo != 2 || n.Status != "Pending" || answer.CardStatus != "Active" {
			t.Fatalf("the renewal answers %+v, %+v", answer, n)
		}
		hook.wait(t, "card.renewed", card.Token)
		fresh, err := bank.ReadCard(t.Context(), card.Token, 2)
		if err != nil {
			t.Fatal(err)
		}
		fresh.PIN = old.PIN
		if fresh.PAN != old.PAN || fresh.Expiry == old.Expiry || fresh.PSN != "02" {
			t.Errorf("the new plastic: expiry %s after %s, PSN %s", fresh.Expiry, old.Expiry, fresh.PSN)
		}

		want("the old plastic beside the new one", old, chip, "00")
		want("the old plastic in a web shop", old, sim.Payment{Amount: lira(1_000), Entry: sim.Ecommerce, CVV2: old.CVV2}, "00")
		want("the new plastic before its activation", fresh, chip, "62")

		var status struct {
			PreviousStatus string `json:"previousStatus"`
		}
		if _, err := bank.Call(t.Context(), http.MethodPut, path+"/status", map[string]any{
			"status": "Active", "reason": "FirstActivation", "cardSequenceNo": 2,
		}, &status); err != nil || status.PreviousStatus != "Pending" {
			t.Fatalf("activate: %+v, %v", status, err)
		}
		want("the new plastic with the PIN as it was", fresh, chip, "00")
		want("the old plastic after that", old, chip, "54")
		want("the old expiry in a web shop", old, sim.Payment{Amount: lira(1_000), Entry: sim.Ecommerce, CVV2: old.CVV2}, "54")
		want("the new expiry in a web shop", fresh, sim.Payment{Amount: lira(1_000), Entry: sim.Ecommerce, CVV2: fresh.CVV2}, "00")

		var found struct {
			Card struct {
				CardSequenceNo int    `json:"cardSequenceNo"`
				CardStatus     string `json:"cardStatus"`
			} `json:"card"`
			Cards []struct {
				CardSequenceNo int    `json:"cardSequenceNo"`
				CardStatus     string `json:"cardStatus"`
			} `json:"cards"`
			Statistics struct {
				TotalPurchaseCount int `json:"totalPurchaseCount"`
				DeclineCount       int `json:"declineCount"`
			} `json:"statistics"`
		}
		if _, err := bank.Call(t.Context(), http.MethodGet, path+"/details", nil, &found); err != nil {
			t.Fatal(err)
		}
		if found.Card.CardSequenceNo != 2 || len(found.Cards) != 2 || found.Cards[1].CardStatus != "Renewed" ||
			found.Statistics.TotalPurchaseCount != 5 || found.Statistics.DeclineCount != 3 {
			t.Errorf("the details: %+v", found)
		}
		run(t, append([]string{"verify"}, flags...)...)
		run(t, append([]string{"audit", "verify"}, flags...)...)
	})
}
