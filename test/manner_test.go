package test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// What a shop says in field 48 of how it is paid reaches the lists of the API;
// a product without instalments refuses them; and what the customer cancels is
// voided, kept as that and told.
func TestManner_ofAPaymentIsKeptAndActedOn(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		hooks := listen(t, bank, "transaction.*")
		card := issue(t, bank, 1)[0]
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		ask := func(m *iso8583.Message) string {
			t.Helper()
			answer, _, err := link.Ask(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			return answer.Text(iso8583.ResponseCode)
		}
		pay := func(tags string, want string) *iso8583.Message {
			t.Helper()
			r, err := term.Use(card.Card, sim.Payment{Amount: lira(60_000), Entry: sim.Ecommerce, CVV2: card.Card.CVV2})
			if err != nil {
				t.Fatal(err)
			}
			r.Message.Set(iso8583.PrivateElements, append(r.Message.Bytes(iso8583.PrivateElements), tags...))
			if got := ask(r.Message); got != want {
				t.Errorf("with %q: answered %s, want %s", tags, got, want)
			}
			return r.Message
		}
		plain := pay("", "00")
		series := pay("95011"+"96051APAY"+"9304AAEC"+"940205", "00")
		pay("970206", "57")
		pay("970200", "30")

		list := func(filter string) []map[string]any {
			t.Helper()
			var page struct {
				Items []map[string]any `json:"items"`
			}
			get := "/api/v1/issuing-transaction/card-transaction?CardToken=" + card.Token + filter
			if _, err := bank.Call(t.Context(), http.MethodGet, get, nil, &page); err != nil {
				t.Fatal(err)
			}
			return page.Items
		}
		for filter, want := range map[string]map[string]any{
			"&IsRecurring=true&IsTokenised=true&Is3dsAuthenticated=true&MccGroups=GROCERIES": {
				"rrn": series.Text(iso8583.RRN), "walletType": "APAY", "isRecurring": true, "isTokenised": true, "is3dsAuthenticated": true,
				"eci": "05", "cavvResult": "0", "mccGroup": "GROCERIES", "cardholderPresence": "Recurring",
			},
			"&IsInstallment=true": {"transactionCode": "InstallmentSale", "installmentCount": 6.0, "declineReason": "PolicyNotAllowed"},
			"&IsRecurring=false&IsInstallment=false&IncludeDeclined=false": {"rrn": plain.Text(iso8583.RRN), "isTokenised": false, "walletType": nil},
		} {
			items := list(filter)
			if len(items) != 1 {
				t.Errorf("%s: %d transactions", filter, len(items))
				continue
			}
			for name, value := range want {
				if items[0][name] != value {
					t.Errorf("%s: %s is %v, want %v", filter, name, items[0][name], value)
				}
			}
		}

		reversal, err := term.Acquirer.Reverse(series, nil)
		if err != nil {
			t.Fatal(err)
		}
		reversal.SetText(iso8583.ResponseCode, "17")
		if got := ask(reversal); got != "00" {
			t.Errorf("the cancellation is answered %s", got)
		}
		told := hooks.wait(t, "transaction.voided", card.Token)
		var data struct {
			Original struct {
				TransactionID string  `json:"transactionId"`
				Status        string  `json:"status"`
				Reversed      float64 `json:"reversedAmount"`
			} `json:"original"`
		}
		if err := json.Unmarshal(told.Data, &data); err != nil {
			t.Fatal(err)
		}
		voided := list("&Status=Voided")
		if len(voided) != 1 || voided[0]["transactionId"] != data.Original.TransactionID || data.Original.Status != "Voided" ||
			data.Original.Reversed != 600 || voided[0]["openHoldAmount"] != 0.0 {
			t.Errorf("told %+v, kept %v", data.Original, voided)
		}
		if n := hooks.count("transaction.reversed", card.Token); n != 0 {
			t.Errorf("%d reversals are told of", n)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}
