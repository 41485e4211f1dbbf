package test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// TestTries_countPerNumber: two plastics of one number share their PIN tries,
// whether they are used at a terminal or through the API.
func TestTries_countPerNumber(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		path := "/api/v1/issuing/card/" + card.Token
		if _, err := bank.Call(t.Context(), http.MethodPost, path+"/renew", map[string]any{
			"renewalReason": "Expiry", "deliveryMethod": "Branch", "branchCode": "0001",
		}, nil); err != nil {
			t.Fatal(err)
		}
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		right := sim.Payment{Amount: lira(5_000), Entry: sim.Chip, PIN: card.Card.PIN}
		wrong := right
		wrong.PIN = secret.FromString("1357")
		verify := func(pin string) (isValid bool, left int) {
			t.Helper()
			var tried struct {
				IsValid bool `json:"isValid"`
				Left    int  `json:"remainingTries"`
			}
			if _, err := bank.Call(t.Context(), http.MethodPost, path+"/pin/verify", map[string]any{"encryptedPin": pin}, &tried); err != nil {
				t.Fatal(err)
			}
			return tried.IsValid, tried.Left
		}

		// The old plastic still works until the new one is first used.
		if got := pay(t, link, term, card.Card, right); got != "00" {
			t.Fatalf("the old plastic with the right PIN: answered %s, want 00", got)
		}
		if got := pay(t, link, term, card.Card, wrong); got != "55" {
			t.Errorf("first wrong PIN, old plastic at a terminal: answered %s, want 55", got)
		}
		if ok, left := verify("1357"); ok || left != 1 {
			t.Errorf("second wrong PIN, new plastic through the API: %t with %d left, want 1", ok, left)
		}
		if got := pay(t, link, term, card.Card, wrong); got != "75" {
			t.Errorf("third wrong PIN, old plastic at a terminal: answered %s, want 75", got)
		}
		_, err := bank.Call(t.Context(), http.MethodPost, path+"/pin/verify", map[string]any{"encryptedPin": "7392"}, nil)
		if refused, ok := errors.AsType[*sim.APIError](err); !ok || refused.Status != http.StatusLocked {
			t.Errorf("the API after that: %v, want 423", err)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}
