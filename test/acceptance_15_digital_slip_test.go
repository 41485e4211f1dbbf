package test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// slipOf is tag 99 of field 48 of an answer: what to do about the slip.
func slipOf(t *testing.T, answer *iso8583.Message) string {
	t.Helper()
	tags := iso8583.ReadTags(answer.Bytes(iso8583.PrivateElements))
	for tags.Next() {
		if tags.Tag() == iso8583.TagDigitalSlip {
			return string(tags.Value())
		}
	}
	if err := tags.Err(); err != nil {
		t.Fatal(err)
	}
	return ""
}

// Scenario 15 of contract/platform.md §20: a cardholder wants no paper for
// small amounts. A tap of 900 TRY leaves the slip to the issuer, who tells of
// it; 3,000 TRY with the PIN print one.
func TestAcceptance15_digitalSlip(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		hooks := listen(t, bank, "transaction.*")
		card := issue(t, bank, 1)[0]
		var choice struct {
			Type string `json:"digitalSlipType"`
		}
		_, err := bank.Call(t.Context(), http.MethodPut, "/api/v1/issuing/card/"+card.Token+"/digital-slip-type",
			map[string]any{"digitalSlipType": "DigitalBelowContactlessLimit", "channel": "Mobile"}, &choice)
		if err != nil {
			t.Fatal(err)
		}
		if choice.Type != "DigitalBelowContactlessLimit" {
			t.Fatalf("the choice is %q", choice.Type)
		}
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		pay := func(p sim.Payment) (*iso8583.Message, string) {
			t.Helper()
			r, err := term.Use(card.Card, p)
			if err != nil {
				t.Fatal(err)
			}
			answer, _, err := link.Ask(t.Context(), r.Message)
			if err != nil {
				t.Fatal(err)
			}
			if code := answer.Text(iso8583.ResponseCode); code != "00" {
				t.Fatalf("%v: answered %s", p.Amount, code)
			}
			return answer, r.Message.Text(iso8583.RRN)
		}
		tapped, tapRRN := pay(sim.Payment{Amount: lira(90_000), Entry: sim.Contactless})
		inserted, insertRRN := pay(sim.Payment{Amount: lira(300_000), Entry: sim.Chip, PIN: card.Card.PIN})
		notice, reference, _ := strings.Cut(slipOf(t, tapped), "1")
		if notice != "" || len(reference) != 20 {
			t.Errorf("the tap is answered with the slip %q", slipOf(t, tapped))
		}
		if got := slipOf(t, inserted); got != "0" {
			t.Errorf("the purchase with the PIN is answered with the slip %q, want paper", got)
		}

		told := hooks.wait(t, "transaction.digital-slip", card.Token)
		var data struct {
			Reference string         `json:"slipReference"`
			Slip      map[string]any `json:"digitalSlip"`
		}
		if err := json.Unmarshal(told.Data, &data); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{
			"merchantName": "Shop", "terminalId": "TERM0001", "rrn": tapRRN, "transactionAmount": 900.0, "transactionCurrency": "TRY",
			"authorizationCode": tapped.TrimmedText(iso8583.AuthorizationCode), "tvr": "0000008000", "posEntryMode": "ContactlessChip",
		} {
			if data.Slip[name] != want {
				t.Errorf("the slip's %s is %v, want %v", name, data.Slip[name], want)
			}
		}
		if data.Reference != reference {
			t.Errorf("the event has the reference %s, the answer %s", data.Reference, reference)
		}
		masked, _ := data.Slip["maskedCardNo"].(string)
		if !strings.Contains(masked, "****") || strings.Contains(string(told.Data), card.Card.PAN.Reveal()) {
			t.Errorf("the card number is %q", masked)
		}

		// What the API shows of both.
		for rrn, suppressed := range map[string]bool{tapRRN: true, insertRRN: false} {
			var page struct {
				Items []struct {
					IsPaperSuppressed bool           `json:"isPaperSuppressed"`
					SlipReference     *string        `json:"slipReference"`
					DigitalSlip       map[string]any `json:"digitalSlip"`
				} `json:"items"`
			}
			get := "/api/v1/issuing-transaction/card-transaction?CardToken=" + card.Token + "&Rrn=" + rrn
			if _, err := bank.Call(t.Context(), http.MethodGet, get, nil, &page); err != nil {
				t.Fatal(err)
			}
			if len(page.Items) != 1 || page.Items[0].IsPaperSuppressed != suppressed || (page.Items[0].SlipReference != nil) != suppressed ||
				(page.Items[0].DigitalSlip != nil) != suppressed {
				t.Errorf("%s: got %+v, want the paper suppressed: %t", rrn, page.Items, suppressed)
			}
		}
		if n := hooks.count("transaction.digital-slip", card.Token); n != 1 {
			t.Errorf("%d slips are told of, want one", n)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}
