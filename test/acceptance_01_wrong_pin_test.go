package test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// pay uses a card once and returns DE39.
func pay(t *testing.T, link *sim.Link, term *sim.Terminal, card *sim.Card, p sim.Payment) string {
	t.Helper()
	r, err := term.Use(card, p)
	if err != nil {
		t.Fatal(err)
	}
	answer, _, err := link.Ask(t.Context(), r.Message)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CheckIssuer(answer); err != nil {
		t.Error(err)
	}
	return answer.Text(iso8583.ResponseCode)
}

// TestAcceptance_wrongPINs: three wrong PINs block the PIN and nothing else;
// who asks for it gets it free again (contract/platform.md §20, scenario 1).
func TestAcceptance_wrongPINs(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		hook := listen(t, bank, "card.*")
		sender := sendSMS(t, bank)
		card := issue(t, bank, 1)[0]
		hook.wait(t, "card.pin-changed", card.Token) // it was given one
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		right := sim.Payment{Amount: lira(5_000), Entry: sim.Chip, PIN: card.Card.PIN}
		wrong := right
		wrong.PIN = secret.FromString("1357")

		for i, want := range []string{"55", "55", "75", "75"} {
			if got := pay(t, link, term, card.Card, wrong); got != want {
				t.Errorf("wrong PIN %d: answered %s, want %s", i+1, got, want)
			}
		}
		if got := pay(t, link, term, card.Card, right); got != "75" {
			t.Errorf("the right PIN of a blocked one: answered %s, want 75", got)
		}
		if got := pay(t, link, term, card.Card, sim.Payment{Amount: lira(2_000), Entry: sim.Contactless}); got != "00" {
			t.Errorf("a tap below the limit: answered %s, want 00", got)
		}
		blocked := hook.wait(t, "card.pin-blocked", card.Token)
		var told struct {
			PINStatus  string `json:"pinStatus"`
			CardStatus string `json:"cardStatus"`
		}
		if err := json.Unmarshal(blocked.Data, &told); err != nil || told.PINStatus != "Blocked" || told.CardStatus != "Active" {
			t.Errorf("the event tells %s", blocked.Data)
		}

		var echo struct {
			PINStatus string `json:"pinStatus"`
			Left      int    `json:"remainingPinTries"`
		}
		if _, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/issuing/card/"+card.Token+"/pin/unblock",
			map[string]any{"reason": "CustomerRequest"}, &echo); err != nil {
			t.Fatal(err)
		}
		if echo.PINStatus != "Active" || echo.Left != 3 {
			t.Errorf("unblocked: %+v", echo)
		}
		if got := pay(t, link, term, card.Card, right); got != "00" {
			t.Errorf("the right PIN after that: answered %s, want 00", got)
		}
		hook.wait(t, "card.pin-unblocked", card.Token)
		if n := hook.count("card.pin-blocked", card.Token); n != 1 {
			t.Errorf("card.pin-blocked came %d times", n)
		}
		awaitInbox(t, bank, card.Token, "card.pin-blocked")
		sender.wait(t, "sms.request", card.Token)
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// awaitInbox waits until the customer of a card was told of an event.
func awaitInbox(t *testing.T, bank *sim.Bank, token, name string) string {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 600 {
		var page struct {
			Items []struct {
				EventType string `json:"eventType"`
				Text      string `json:"text"`
			} `json:"items"`
		}
		if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/sandbox/inbox?MaxResultCount=100&CardToken="+token, nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Items {
			if i.EventType == name && strings.TrimSpace(i.Text) != "" {
				return i.Text
			}
		}
		<-tick.C
	}
	t.Fatalf("nobody was told of %s", name)
	return ""
}
