package test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// wrongCVV2 is DE39 of a wrong CVV2, and of one whose tries are used up.
const wrongCVV2 = "82"

// TestAcceptance_wrongCVV2s: wrong CVV2s at a web shop block the CVV2; a chip
// goes on; who resets the counter can shop again (contract/platform.md §20,
// scenario 2).
func TestAcceptance_wrongCVV2s(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		hook := listen(t, bank, "card.cvv2-blocked", "card.cvv2-reset")
		card := issue(t, bank, 1)[0]
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		right := sim.Payment{Amount: lira(5_000), Entry: sim.Ecommerce, CVV2: card.Card.CVV2}
		wrong := right
		wrong.CVV2 = secret.FromString(other(string(card.Card.CVV2.Reveal())))

		for i := range 3 {
			if got := pay(t, link, term, card.Card, wrong); got != wrongCVV2 {
				t.Errorf("wrong CVV2 %d: answered %s, want %s", i+1, got, wrongCVV2)
			}
		}
		hook.wait(t, "card.cvv2-blocked", card.Token)
		if got := pay(t, link, term, card.Card, right); got == "00" {
			t.Error("the right CVV2 of a blocked one is approved")
		}
		if got := pay(t, link, term, card.Card, sim.Payment{Amount: lira(2_000), Entry: sim.Chip, PIN: card.Card.PIN}); got != "00" {
			t.Errorf("a chip needs no CVV2: answered %s, want 00", got)
		}
		if _, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/issuing/card/"+card.Token+"/cvv2/reset-counters",
			map[string]any{"cardToken": card.Token}, nil); err != nil {
			t.Fatal(err)
		}
		if got := pay(t, link, term, card.Card, right); got != "00" {
			t.Errorf("after the reset: answered %s, want 00", got)
		}
		hook.wait(t, "card.cvv2-reset", card.Token)
		if n := hook.count("card.cvv2-blocked", card.Token); n != 1 {
			t.Errorf("card.cvv2-blocked came %d times", n)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// other is a CVV2 that is not this one.
func other(cvv2 string) string {
	last := cvv2[len(cvv2)-1]
	return cvv2[:len(cvv2)-1] + string('0'+(last-'0'+1)%10)
}
