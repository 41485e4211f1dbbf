package test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TestAcceptance_atmFee: cash costs 3 % and 3 lira, with BSMV on it: told with the
// answer, held with the cash, charged with its presentment or with the message that
// pays it out, and given back whole by a reversal (contract/platform.md §20,
// scenario 7).
func TestAcceptance_atmFee(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		define(t, bank, "/api/v1/system/tenant/issuing-attribute", map[string]any{
			"balanceMode": "Internal", "taxRates": []map[string]any{{"taxType": "Bsmv", "rate": 15, "effectiveFrom": "2020-01-01"}},
		})
		define(t, bank, "/api/v1/issuing/fee-management/transaction", map[string]any{
			"code": "ATM", "name": "Cash fee", "currencyCode": "TRY", "additionalAmountType": "CashAdvanceFee",
			"calculationType": "FixedPlusRate", "rate": 3, "fixedAmount": 3, "taxes": []map[string]any{{"taxType": "Bsmv"}},
			"criteria": map[string]any{"transactionCodes": []string{"CashWithdrawal", "CashAdvance"}},
			"links":    []map[string]any{{"linkType": "Product", "linkCode": "CLASSIC"}},
		})
		card := issue(t, bank, 1)[0]
		balance := func(what, want string) {
			t.Helper()
			var got struct{ Posted, Held json.Number }
			issuingCall(t, bank, http.MethodGet, "/account/"+card.Account, nil, &got)
			if text := got.Posted.String() + " " + got.Held.String(); text != want {
				t.Errorf("%s: posted and held %s, want %s", what, text, want)
			}
		}
		// What 1,000.00 costs besides: 30.00 + 3.00, and 15 % of that.
		costs := func(what string, all []additional) {
			t.Helper()
			if len(all) != 1 || all[0].Type != "CashAdvanceFee" || all[0].Code != "ATM" || !all[0].IsDebit || all[0].Amount != 33 || all[0].TotalAmount != 37.95 ||
				len(all[0].Taxes) != 1 || all[0].Taxes[0].TaxType != "Bsmv" || all[0].Taxes[0].Rate != 15 || all[0].Taxes[0].Amount != 4.95 {
				t.Errorf("%s: %+v", what, all)
			}
		}
		type simulatedFee struct {
			TransactionID, ResponseCode string
			TotalAmount                 float64
			AdditionalAmounts           []additional
		}
		sandbox := func(act string, body map[string]any) (out simulatedFee) {
			t.Helper()
			if _, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/sandbox/transaction/"+act, body, &out); err != nil {
				t.Fatalf("%s: %v", act, err)
			}
			return out
		}

		cash := sandbox("process", map[string]any{
			"cardToken": card.Token, "transactionCode": "CashWithdrawal", "terminalType": "Atm", "amount": 1000, "currencyCode": "TRY",
			"mcc": "6011", "pin": string(card.Card.PIN.Reveal()),
		})
		if cash.ResponseCode != "00" || cash.TotalAmount != 1037.95 {
			t.Fatalf("the cash: %+v", cash)
		}
		costs("with the answer", cash.AdditionalAmounts)
		balance("held", "10000.00 1037.95")
		presented := sandbox("clear", map[string]any{"transactionId": cash.TransactionID})
		costs("with the presentment", presented.AdditionalAmounts)
		balance("presented", "8962.05 0.00")
		var listed struct {
			Items []struct{ AdditionalAmounts []additional }
		}
		if _, err := bank.Call(t.Context(), http.MethodGet,
			"/api/v1/issuing-transaction/card-transaction?TransactionId="+cash.TransactionID, nil, &listed); err != nil || len(listed.Items) != 1 {
			t.Fatalf("%d listed, %v", len(listed.Items), err)
		}
		costs("in the list", listed.Items[0].AdditionalAmounts)

		atm := machine(t)
		link := connect(t, s, atm, 10*time.Second)
		played, err := bank.ReadCard(t.Context(), card.Token, 1)
		if err != nil {
			t.Fatal(err)
		}
		played.PIN, card.Card = card.Card.PIN, played
		reverse := func(r *sim.Request) {
			t.Helper()
			undo, err := atm.Acquirer.Reverse(r.Message, nil)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // a reversal that is repeated gives back once
				answer, _, err := link.Ask(t.Context(), undo)
				if err != nil || answer.Text(iso8583.ResponseCode) != "00" {
					t.Fatalf("the reversal: %v %v", answer, err)
				}
				undo = sim.Repeat(undo)
			}
		}
		held, err := atm.Use(card.Card, sim.Payment{Kind: sim.Cash, Amount: lira(100_000), Entry: sim.Chip, PIN: card.Card.PIN})
		if err != nil {
			t.Fatal(err)
		}
		if answer, _, err := link.Ask(t.Context(), held.Message); err != nil || answer.Text(iso8583.ResponseCode) != "00" {
			t.Fatalf("the authorization: %v %v", answer, err)
		}
		balance("held again", "8962.05 1037.95")
		reverse(held)
		balance("set free", "8962.05 0.00")

		paid, code := withdraw(t, link, atm, card, lira(100_000))
		if code != "00" {
			t.Fatalf("paid out: %s", code)
		}
		balance("paid out at once", "7924.10 0.00")
		reverse(paid)
		balance("given back", "8962.05 0.00")

		// What covers the cash and not what it costs is not enough.
		if _, code := withdraw(t, link, atm, card, lira(880_000)); code != "51" {
			t.Errorf("without the fee's cover: %s", code)
		}
		till := shop(t)
		till.Acquirer = atm.Acquirer // which numbers what it sends
		if code := pay(t, link, till, card.Card, sim.Payment{Amount: lira(100_000), Entry: sim.Chip, PIN: card.Card.PIN}); code != "00" {
			t.Errorf("a purchase: %s", code)
		}
		balance("a purchase costs nothing besides", "8962.05 1000.00")
		run(t, append([]string{"verify"}, flags...)...)
	})
}
