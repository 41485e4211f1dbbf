package test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestOpenBanking_overTheWire: a client of the running binary gets a token for a
// customer who has consented, with its parameters in the query as real clients send
// them, and reads what the customer's card owes.
func TestOpenBanking_overTheWire(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		var made struct {
			tenant
			OpenBanking struct{ ClientID, ClientSecret string }
		}
		output := run(t, append([]string{"tenant", "create", "--name", "Test Bank", "--sandbox", "--json"}, flags...)...)
		if err := json.Unmarshal(output, &made); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(output, &made.tenant); err != nil {
			t.Fatal(err)
		}
		bank := made.openBank(t, s)
		lending, err := bank.OpenCredit(t.Context(), "GOLD")
		if err != nil {
			t.Fatal(err)
		}
		customer, err := bank.OpenCustomer(t.Context(), "Ada", "Deniz", "+905321234567")
		if err != nil {
			t.Fatal(err)
		}
		credit := func(words ...string) []byte {
			t.Helper()
			return run(t, slices.Concat([]string{"credit"}, words[:1], []string{"--tenant", made.ID}, words[1:], flags)...)
		}
		credit("terms", "GOLD", "--default")
		var account struct{ AccountNo string }
		if err := json.Unmarshal(credit("open", "--customer", customer, "--product", "GOLD", "--limit", "5000", "--json"), &account); err != nil {
			t.Fatal(err)
		}
		if _, err := lending.On(account.AccountNo).Issue(t.Context(), customer, "7392"); err != nil {
			t.Fatal(err)
		}
		var consent struct{ ConsentID string }
		if err := json.Unmarshal(credit("consent", "--client", made.OpenBanking.ClientID, "--customer", customer, "--json"), &consent); err != nil {
			t.Fatal(err)
		}
		post := func(path, token, body string, out any) int {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.api+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
				t.Fatal(err)
			}
			return answer.StatusCode
		}
		query := url.Values{
			"grant_type": {"b2b_credentials"}, "consentId": {consent.ConsentID}, "scope": {"creditcard"}, "resource": {"sandbox"},
			"client_id": {made.OpenBanking.ClientID}, "client_secret": {made.OpenBanking.ClientSecret},
		}
		var token struct {
			Access string `json:"access_token"`
		}
		if status := post("/auth/oauth/v2/token?"+query.Encode(), "", "", &token); status != 200 {
			t.Fatalf("the token endpoint answered %d", status)
		}
		var details struct {
			Header struct{ StatusCode string }
			Data   struct {
				CreditCardInfo struct{ TotalLimit, RemainingLimit json.Number }
			}
		}
		post("/creditCardDetails", token.Access, `{"CardID":20090}`, &details)
		if info := details.Data.CreditCardInfo; details.Header.StatusCode != "APIGW000000" || info.TotalLimit != "5000" || info.RemainingLimit != "5000" {
			t.Errorf("got %+v", details)
		}
		credit("consent", "--revoke", consent.ConsentID)
		if status := post("/creditCardDetails", token.Access, `{"CardID":20090}`, &details); status != 401 || details.Header.StatusCode != "ACBG000002" {
			t.Errorf("after the consent was revoked: %d %s", status, details.Header.StatusCode)
		}
	})
}
