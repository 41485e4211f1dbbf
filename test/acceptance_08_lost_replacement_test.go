package test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/clearingfile"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TestAcceptance_lostCardIsReplaced: the old number is refused for purchases
// and still takes refunds, the new one waits for its activation and spends from
// the same account (contract/platform.md §20, scenario 8; what velocity carries
// over is proven with the limits).
func TestAcceptance_lostCardIsReplaced(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		hook := listen(t, bank, "card.*")
		card := issue(t, bank, 1)[0]
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		old := card.Card
		subscription := sim.Payment{Amount: lira(20_000), Entry: sim.Ecommerce, CVV2: old.CVV2}
		if got := pay(t, link, term, old, subscription); got != "00" {
			t.Fatalf("a subscription: answered %s", got)
		}

		var answer struct {
			PreviousStatus string `json:"previousStatus"`
			IssuanceResult *struct {
				IsIssued          bool   `json:"isIssued"`
				NewCardToken      string `json:"newCardToken"`
				NewCardSequenceNo int    `json:"newCardSequenceNo"`
				PersoStatus       string `json:"persoStatus"`
			} `json:"issuanceResult"`
		}
		if _, err := bank.Call(t.Context(), http.MethodPut, "/api/v1/issuing/card/"+card.Token+"/status", map[string]any{
			"status": "Lost", "reason": "LostReported", "issueReplacement": true,
			"replacement": map[string]any{"deliveryMethod": "Branch", "branchCode": "0001"},
		}, &answer); err != nil {
			t.Fatal(err)
		}
		made := answer.IssuanceResult
		if made == nil || !made.IsIssued || made.NewCardToken == card.Token || made.PersoStatus != "Requested" || answer.PreviousStatus != "Active" {
			t.Fatalf("the answer: %+v, %+v", answer, made)
		}
		hook.wait(t, "card.replaced", made.NewCardToken)
		hook.wait(t, "card.status-changed", card.Token)
		fresh, err := bank.ReadCard(t.Context(), made.NewCardToken, made.NewCardSequenceNo)
		if err != nil {
			t.Fatal(err)
		}
		if fresh.PAN == old.PAN {
			t.Error("the replacement has the lost number")
		}
		if got := pay(t, link, term, old, sim.Payment{Amount: lira(100), Entry: sim.Chip}); got != "41" {
			t.Errorf("the lost card: answered %s, want 41", got)
		}
		if got := pay(t, link, term, fresh, sim.Payment{Amount: lira(100), Entry: sim.Chip}); got != "62" {
			t.Errorf("the new card before its activation: answered %s, want 62", got)
		}
		balance := func(want string) {
			t.Helper()
			var got struct{ Posted, Held json.Number }
			if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/account/"+card.Account, nil, &got); err != nil {
				t.Fatal(err)
			}
			if text := got.Posted.String() + " " + got.Held.String(); text != want {
				t.Errorf("got posted and held %s, want %s", text, want)
			}
		}
		balance("10000.00 200.00")

		// The shop gives a month back: online, and in its file of the night.
		refund := sim.Payment{Kind: sim.Refund, Amount: lira(5_000), Entry: sim.Ecommerce}
		online := refund
		online.MTI = iso8583.FinancialRequest
		if got := pay(t, link, term, old, online); got != "00" {
			t.Errorf("a refund to the lost card: answered %s", got)
		}
		balance("10050.00 200.00")
		refund.Amount = lira(4_000)
		r, err := term.Use(old, refund)
		if err != nil {
			t.Fatal(err)
		}
		slip, err := term.Present(r, nil, lira(4_000))
		if err != nil {
			t.Fatal(err)
		}
		now := term.Acquirer.Clock.Now()
		var file bytes.Buffer
		header := clearingfile.Header{Network: "generic", FileID: "NIGHT.1", CreatedAt: now, BusinessDate: clock.DateOf(now, time.UTC)}
		if err := term.Acquirer.Clear(&file, header, []clearingfile.Presentment{slip}); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "clearing.jsonl")
		if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, append([]string{"clearing", "import", path}, flags...)...)
		balance("10090.00 200.00")

		// The new card comes into use with a PIN of its own, on the same account.
		if _, err := bank.SetPIN(t.Context(), made.NewCardToken, "8351"); err != nil {
			t.Fatal(err)
		}
		if got := pay(t, link, term, fresh, sim.Payment{Amount: lira(100), Entry: sim.Chip}); got != "00" {
			t.Errorf("the new card: answered %s", got)
		}
		balance("10090.00 201.00")
		if got := pay(t, link, term, old, sim.Payment{Amount: lira(100), Entry: sim.Chip}); got != "41" {
			t.Errorf("the lost card after that: answered %s, want 41", got)
		}
		run(t, append([]string{"verify"}, flags...)...)
		run(t, append([]string{"audit", "verify"}, flags...)...)
	})
}
