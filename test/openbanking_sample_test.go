package test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// TestOpenBanking_sample: a sandbox gets a customer whose credit card has a statement,
// all seven operations answer about it, and asking again changes nothing.
func TestOpenBanking_sample(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		l := &lender{t: t, base: "http://" + s.api, run: func(words ...string) []byte { t.Helper(); return run(t, slices.Concat(words, flags)...) }}
		var made struct {
			tenant
			OpenBanking struct{ ClientID, ClientSecret string }
		}
		output := l.run("tenant", "create", "--name", "Test Bank", "--sandbox", "--json")
		l.must(json.Unmarshal(output, &made))
		l.must(json.Unmarshal(output, &made.tenant))
		first := string(l.run("tenant", "sample", made.ID))
		find := func(pattern string) string {
			t.Helper()
			m := regexp.MustCompile(pattern).FindStringSubmatch(first)
			if m == nil {
				t.Fatalf("no %s in\n%s", pattern, first)
			}
			return m[1]
		}
		l.customer, l.password = find(`customer ([0-9]+) signs in`), find(`password (\S+)`)
		consent := find(`consentId ([0-9a-f]+) for client ` + made.OpenBanking.ClientID)
		main, child := find(`CardID ([0-9]+), main`), find(`CardID ([0-9]+), additional`)
		if main != "20090" || child != "20091" {
			t.Errorf("cards %s and %s", main, child)
		}
		account := l.run("credit", "show", "--tenant", made.ID, "SAMPLE-CREDIT", "--json")
		again := string(l.run("tenant", "sample", made.ID))
		if strings.Contains(again, "password "+l.password) || strings.Count(again, "consentId ") != 1 || !strings.Contains(again, consent) || !strings.Contains(again, "CardID 20090, main") {
			t.Errorf("asked again:\n%s", again)
		}
		if now := l.run("credit", "show", "--tenant", made.ID, "SAMPLE-CREDIT", "--json"); string(now) != string(account) {
			t.Errorf("asked again, the account changed from\n%s\nto\n%s", account, now)
		}

		l.run("client", "set-redirects", made.OpenBanking.ClientID, backTo)
		l.config = oauth2.Config{
			ClientID: made.OpenBanking.ClientID, ClientSecret: made.OpenBanking.ClientSecret, RedirectURL: backTo, Scopes: []string{"creditcard"},
			Endpoint: oauth2.Endpoint{AuthURL: l.base + "/auth/oauth/v2/authorize", TokenURL: l.base + "/auth/oauth/v2/token"},
		}
		token, err := l.config.Exchange(t.Context(), l.browser().allow(l.config.AuthCodeURL("abc")))
		l.must(err)
		l.readSample(l.config.Client(t.Context(), token))
		l.consentedToken(consent)
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// TestOpenBanking_sampleThatBrokeOff: a sample that is killed on its way is taken up by
// the next call, and is the same in the end.
func TestOpenBanking_sampleThatBrokeOff(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		serve(t, dir, flags...)
		made := newTenant(t, flags)
		words := append([]string{"tenant", "sample", made.ID}, flags...)
		for wait := 20 * time.Millisecond; wait < 400*time.Millisecond; wait += 20 * time.Millisecond {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			_ = exec.CommandContext(ctx, binary, words...).Run() // killed, or at its end
			cancel()
		}
		var output []byte
		for range 60 { // whoever was killed while it moved the time keeps others from it for a while
			var err error
			if output, err = exec.Command(binary, words...).CombinedOutput(); err == nil {
				break
			}
			if !strings.Contains(string(output), "move time") {
				t.Fatalf("%s", output)
			}
			time.Sleep(time.Second)
		}
		if !strings.Contains(string(output), "CardID 20090, main") || !strings.Contains(string(output), "CardID 20091, additional") {
			t.Fatalf("%s", output)
		}
		var account struct {
			Debt, Held    string
			LastStatement struct{ TotalDebt string }
		}
		if err := json.Unmarshal(run(t, append([]string{"credit", "show", "--tenant", made.ID, "SAMPLE-CREDIT", "--json"}, flags...)...), &account); err != nil {
			t.Fatal(err)
		}
		if account.Debt != "5160.00" || account.Held != "0.00" || account.LastStatement.TotalDebt != "6920.00" {
			t.Errorf("6,920.00 billed, less 2,000.00, and 180.00 and 60.00 since: %+v", account)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// readSample calls every operation about the sample.
func (l *lender) readSample(client *http.Client) {
	l.t.Helper()
	call := func(operation, body string, names ...string) map[string]any {
		l.t.Helper()
		answer, err := client.Post(l.base+"/"+operation, "application/json", strings.NewReader(body))
		l.must(err)
		defer answer.Body.Close()
		var out struct {
			Header struct{ StatusCode string }
			Data   map[string]any
		}
		l.must(json.NewDecoder(answer.Body).Decode(&out))
		if answer.StatusCode != 200 || out.Header.StatusCode != "APIGW000000" {
			l.t.Fatalf("%s: %d %+v", operation, answer.StatusCode, out)
		}
		for _, name := range names {
			if empty, ok := out.Data[name].([]any); out.Data[name] == nil || ok && len(empty) == 0 {
				l.t.Errorf("%s answers no %s: %+v", operation, name, out.Data)
			}
		}
		return out.Data
	}
	if cards := call("creditCardList", `{}`, "CreditCards")["CreditCards"].([]any); len(cards) != 2 {
		l.t.Errorf("cards %v", cards)
	}
	call("creditCardDetails", `{"CardID":20090}`, "CreditCardInfo")
	call("creditCardDetails", `{"CardID":20091}`, "CreditCardInfo")
	call("creditCardBalance", `{"CardID":20090}`, "CreditCardBalance")
	list := call("creditCardStatementList", `{"CardID":20090}`, "CreditCardStatements")["CreditCardStatements"].([]any)
	one := list[0].(map[string]any)
	if one["TotalDebt"] != 6920.0 {
		l.t.Errorf("1,250.00 + 5,250.00 + 420.00 ended the term, not %v", one)
	}
	day, _, _ := strings.Cut(one["StatementDate"].(string), "T")
	for kind, places := range map[string][]string{"YI": {"Corner Grocer", "Harbour Kitchen"}, "YD": {"Hotel am Ufer"}} {
		statement := toJSON(l, call("creditCardStatement", toJSON(l, map[string]any{
			"CardID": 20090, "StatementCode": strings.ReplaceAll(day, "-", ""), "StatementType": kind,
		}), "CreditCardStatementInfo"))
		for _, place := range places {
			if !strings.Contains(statement, place) {
				l.t.Errorf("statement %s says nothing of %s: %s", kind, place, statement)
			}
		}
	}
	running := toJSON(l, call("creditCardCurrentTermTransactions", `{"CardID":20090}`, "CreditCardTransactions"))
	if !strings.Contains(running, "Galata Books") {
		l.t.Errorf("the term: %s", running)
	}
	call("creditCardCurrentTermTransactions", `{"CardID":20091}`, "CreditCardTransactions")
	call("createVirtualCard", `{"MainCardID":20090,"VirtualCardLimit":750}`, "VirtualCardInfo")
}

// consentedToken gets a token for the consent that the sample notes.
func (l *lender) consentedToken(consent string) {
	l.t.Helper()
	answer, err := http.PostForm(l.config.Endpoint.TokenURL, url.Values{
		"grant_type": {"b2b_credentials"}, "consentId": {consent}, "scope": {"creditcard"}, "resource": {"sandbox"},
		"client_id": {l.config.ClientID}, "client_secret": {l.config.ClientSecret},
	})
	l.must(err)
	answer.Body.Close()
	if answer.StatusCode != 200 {
		l.t.Errorf("a token for consent %s: %d", consent, answer.StatusCode)
	}
}

func toJSON(l *lender, v any) string {
	l.t.Helper()
	text, err := json.Marshal(v)
	l.must(err)
	return string(text)
}
