package test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// additional is an additional amount as clients see it.
type additional struct {
	Type, Code  string
	Amount      float64
	IsDebit     bool
	TotalAmount float64
	Taxes       []struct {
		TaxType string
		Rate    float64
		Amount  float64
	}
}

// posted is what the account of a card has.
func posted(t *testing.T, bank *sim.Bank, card sim.Issued) string {
	t.Helper()
	var account struct{ Posted json.Number }
	if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/account/"+card.Account, nil, &account); err != nil {
		t.Fatal(err)
	}
	return account.Posted.String()
}

// define makes something of the bank's configuration.
func define(t *testing.T, bank *sim.Bank, path string, body map[string]any) {
	t.Helper()
	if _, err := bank.Call(t.Context(), http.MethodPost, path, body, nil); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// TestCardFees_twoYears: what it costs that a card is made, lost and had for
// years, with the tax of the day; the second year is waived for what was spent
// (contract/platform.md §13.4 and §13.5).
func TestCardFees_twoYears(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		define(t, bank, "/api/v1/system/tenant/issuing-attribute", map[string]any{
			"balanceMode": "Internal", "taxRates": []map[string]any{{"taxType": "Bsmv", "rate": 15, "effectiveFrom": "2020-01-01"}},
		})
		const fees = "/api/v1/issuing/fee-management"
		bsmv := []map[string]any{{"taxType": "Bsmv", "rate": 99}}
		global := []map[string]any{{"linkType": "Global"}}
		define(t, bank, fees+"/card-issuance", map[string]any{
			"code": "FIRST", "name": "Card", "currencyCode": "TRY", "events": []string{"FirstIssuance"}, "amount": 50, "taxes": bsmv, "links": global,
		})
		define(t, bank, fees+"/card-issuance", map[string]any{
			"code": "LOST", "name": "Lost card", "currencyCode": "TRY", "events": []string{"ReplacementLost"}, "amount": 100, "taxes": bsmv, "links": global,
		})
		define(t, bank, fees+"/card-annual", map[string]any{
			"code": "YEAR", "name": "Card year", "currencyCode": "TRY", "amount": 480, "taxes": bsmv, "waiverMinAnnualSpend": 1000,
			"links": []map[string]any{{"linkType": "Product", "linkCode": "CLASSIC"}},
		})
		hook := listen(t, bank, "fee.*")
		cards := issue(t, bank, 2)
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		has := func(what string, card sim.Issued, want string) {
			t.Helper()
			if got := posted(t, bank, card); got != want {
				t.Errorf("%s: the account has %s, want %s", what, got, want)
			}
		}
		use := func(minor int64) {
			t.Helper()
			if got := pay(t, link, term, cards[0].Card, sim.Payment{
				MTI: iso8583.FinancialRequest, Amount: lira(minor), Entry: sim.Chip, PIN: cards[0].Card.PIN,
			}); got != "00" {
				t.Fatalf("answered %s", got)
			}
		}

		at := advance(t, bank, map[string]any{"days": 1})
		has("made", cards[0], "9942.50")
		hook.wait(t, "fee.charged", cards[0].Token)

		var moved struct {
			IssuanceResult struct{ Fees []additional }
		}
		if _, err := bank.Call(t.Context(), http.MethodPut, "/api/v1/issuing/card/"+cards[1].Token+"/status", map[string]any{
			"status": "Lost", "reason": "LostReported", "issueReplacement": true,
			"replacement": map[string]any{"deliveryMethod": "Branch", "branchCode": "0001"},
		}, &moved); err != nil {
			t.Fatal(err)
		}
		if f := moved.IssuanceResult.Fees; len(f) != 1 || f[0].Type != "CardIssuanceFee" || f[0].Code != "LOST" || f[0].Amount != 100 || f[0].TotalAmount != 115 ||
			len(f[0].Taxes) != 1 || f[0].Taxes[0].Rate != 15 || f[0].Taxes[0].Amount != 15 {
			t.Errorf("the replacement costs %+v", f)
		}
		use(10000)
		at = advance(t, bank, map[string]any{"days": 2})
		has("replaced", cards[1], "9827.50")
		has("the first year", cards[0], "9290.50")
		var listed struct {
			Items []struct {
				FlowCode, TransactionCode, Status string
				TotalAmount                       float64
				AdditionalAmounts                 []additional
			}
		}
		if _, err := bank.Call(t.Context(), http.MethodGet,
			"/api/v1/issuing-transaction/card-transaction?FlowCodes=InternalFee&CardToken="+cards[0].Token, nil, &listed); err != nil {
			t.Fatal(err)
		}
		if len(listed.Items) != 2 || listed.Items[0].TransactionCode != "Fee" || listed.Items[0].Status != "Cleared" || listed.Items[0].TotalAmount != 552 ||
			len(listed.Items[0].AdditionalAmounts) != 1 || listed.Items[0].AdditionalAmounts[0].Type != "CardAnnualFee" {
			t.Errorf("listed %+v", listed.Items)
		}

		day := func(days int) map[string]any {
			d, err := time.Parse("2006-01-02", at.Date)
			if err != nil {
				t.Fatal(err)
			}
			return map[string]any{"to": d.AddDate(0, 0, days).Format("2006-01-02")}
		}
		at = advance(t, bank, day(200))
		use(100000)
		at = advance(t, bank, day(145))
		hook.wait(t, "fee.upcoming", cards[0].Token)
		at = advance(t, bank, day(40))
		has("the second year", cards[0], "8290.50")
		advance(t, bank, day(366))
		has("the third year", cards[0], "7738.50")
		run(t, append([]string{"verify"}, flags...)...)
	})
}
