package test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// A bank writes a rule, is told what is wrong with it, and tries it on a payment
// that was made at a shop, through the built binary.
func TestRule_isTriedOnAPaymentThatWasMade(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		call := func(method, path string, in, out any) {
			t.Helper()
			if _, err := bank.Call(t.Context(), method, "/api/v1/issuing/rule-engine"+path, in, out); err != nil {
				t.Fatal(err)
			}
		}
		card := issue(t, bank, 1)[0]
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		r, err := term.Use(card.Card, sim.Payment{Amount: lira(60_000), Entry: sim.Ecommerce, CVV2: card.Card.CVV2})
		if err != nil {
			t.Fatal(err)
		}
		r.Message.Set(iso8583.PrivateElements, append(r.Message.Bytes(iso8583.PrivateElements), "96051APAY940205"...))
		answer, _, err := link.Ask(t.Context(), r.Message)
		if err != nil || answer.Text(iso8583.ResponseCode) != "00" {
			t.Fatalf("the payment was not approved: %v", err)
		}
		var page struct {
			Items []struct {
				ID         string `json:"transactionId"`
				MCC        string `json:"mcc"`
				MerchantID string `json:"merchantId"`
			} `json:"items"`
		}
		if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing-transaction/card-transaction?CardToken="+card.Token, nil, &page); err != nil || len(page.Items) != 1 {
			t.Fatalf("%d payments: %v", len(page.Items), err)
		}
		payment := page.Items[0]

		call(http.MethodPost, "/list", map[string]any{"code": "OUR_SHOPS", "name": "Our shops", "values": []string{payment.MerchantID}}, nil)
		var judged struct {
			IsValid bool
			Errors  []struct{ Path, Code string }
		}
		call(http.MethodPost, "/validate", map[string]any{"context": "Authorization", "rule": `merchant.id.in_list("THEIR_SHOPS")`}, &judged)
		if judged.IsValid || len(judged.Errors) != 1 || judged.Errors[0].Path != "@1:21" || judged.Errors[0].Code != "unknown_list" {
			t.Errorf("a rule about no list: %+v", judged)
		}
		try := func(rule any) (result bool, unknown []string) {
			t.Helper()
			var out struct {
				Result        bool
				UnknownFields []string
			}
			call(http.MethodPost, "/evaluate", map[string]any{"context": "Authorization", "rule": rule, "transactionId": payment.ID}, &out)
			return out.Result, out.UnknownFields
		}
		tree := map[string]any{"condition": "and", "rules": []any{
			map[string]any{"field": "transaction.amount", "operator": "between", "value": []float64{600, 600}},
			map[string]any{"field": "merchant.id", "operator": "in_list", "value": "OUR_SHOPS"},
			map[string]any{"field": "transaction.mcc", "operator": "equal", "value": payment.MCC},
		}}
		for _, rule := range []any{
			tree,
			`transaction.amount == decimal("600") && merchant.id.in_list("OUR_SHOPS") && transaction.isEcommerce`,
			`transaction.isTokenised && transaction.walletType == "APAY" && security.is3dsAuthenticated && security.cvv2Result == "M"`,
			`product.cardType == "Prepaid" && card.status == "Active" && card.ageInDays == 0`,
		} {
			if result, unknown := try(rule); !result || len(unknown) > 0 {
				t.Errorf("%v: %t, not knowing %v", rule, result, unknown)
			}
		}
		if result, unknown := try(`transaction.cashbackAmount > decimal("5")`); !result || !slices.Equal(unknown, []string{"transaction.cashbackAmount"}) {
			t.Errorf("a refusal for cash that nobody gave: %t, not knowing %v", result, unknown)
		}
	})
}
