package test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
)

// controlled is what the transaction list shows of why a payment was answered so.
type controlled struct {
	ResponseCode    string   `json:"responseCode"`
	DeclineReason   string   `json:"declineReason"`
	MatchedControls []string `json:"matchedControls"`
	DeclineDetail   struct {
		Stage       string `json:"stage"`
		ControlCode string `json:"controlCode"`
		ReasonText  string `json:"reasonText"`
	} `json:"declineDetail"`
}

// lastOf is the last payment of a card.
func lastOf(t *testing.T, bank *sim.Bank, token string) controlled {
	t.Helper()
	var page struct{ Items []controlled }
	path := "/api/v1/issuing-transaction/card-transaction?MaxResultCount=1&CardToken=" + token
	if _, err := bank.Call(t.Context(), http.MethodGet, path, nil, &page); err != nil || len(page.Items) != 1 {
		t.Fatalf("%d payments, %v", len(page.Items), err)
	}
	return page.Items[0]
}

// TestAcceptance_gambling: gambling is closed for a product, open again for one
// customer, and closed for everybody by a mandatory control, each change from the
// next payment on (contract/platform.md §20, scenario 6).
func TestAcceptance_gambling(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		hook := listen(t, bank, "authorization-control.*", "transaction.declined")
		call := func(method, path string, in, out any) {
			t.Helper()
			if _, err := bank.Call(t.Context(), method, "/api/v1/issuing"+path, in, out); err != nil {
				t.Fatal(err)
			}
		}
		var customers []string
		var cards []sim.Issued
		for i, tckn := range []string{"10000000146", "19191919190"} {
			var customer struct{ CustomerNo string }
			call(http.MethodPost, "/customer", map[string]any{
				"customerType": "Individual", "name": "Ada", "surname": "Deniz", "birthDate": "1985-05-17", "nationality": "TR",
				"identifications":         []map[string]any{{"identificationType": "Tckn", "identificationNo": tckn}},
				"communications":          []map[string]any{{"communicationType": "MobilePhone", "value": "+90532123456" + string(rune('1'+i))}},
				"notificationPreferences": map[string]any{"sms": true},
			}, &customer)
			card, err := bank.Issue(t.Context(), customer.CustomerNo, "7392")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := bank.Load(t.Context(), card.Account, "1000.00", "load-"+customer.CustomerNo); err != nil {
				t.Fatal(err)
			}
			// The product's own switch would decline before any control is asked.
			call(http.MethodPut, "/card/"+card.Token+"/policy", map[string]any{
				"policies": []map[string]any{{"policyType": "QuasiCashAndGambling", "isAllowed": true}},
			}, nil)
			customers, cards = append(customers, customer.CustomerNo), append(cards, card)
		}
		term := shop(t)
		term.MCC = "7995"
		link := connect(t, s, term, 10*time.Second)
		play := func(i int, want, why string) controlled {
			t.Helper()
			if got := pay(t, link, term, cards[i].Card, sim.Payment{Amount: lira(1_000), Entry: sim.Chip, PIN: cards[i].Card.PIN}); got != want {
				t.Fatalf("%s: card %d answered %s, want %s", why, i, got, want)
			}
			return lastOf(t, bank, cards[i].Token)
		}
		play(0, "00", "before there are controls")

		const path = "/authorization-control"
		call(http.MethodPost, path, map[string]any{
			"code": "NO_GAMBLING", "name": "No gambling", "action": "Decline", "criteria": map[string]any{"mccGroups": []string{"GAMBLING"}},
			"reasonText": "closed for this product", "alertChannels": []string{"Webhook", "Sms"},
			"links": []map[string]any{{"linkType": "Product", "linkCode": "CLASSIC"}},
		}, nil)
		for i := range cards {
			d := play(i, "57", "closed for the product")
			if d.DeclineReason != "AuthorizationControl" || !slices.Equal(d.MatchedControls, []string{"NO_GAMBLING"}) || d.DeclineDetail.Stage != "AuthorizationControl" ||
				d.DeclineDetail.ControlCode != "NO_GAMBLING" || d.DeclineDetail.ReasonText != "closed for this product" {
				t.Errorf("the decline says %+v", d)
			}
		}
		var alert struct {
			Control struct{ Code, LinkType, LinkCode string }
		}
		if err := json.Unmarshal(hook.wait(t, "authorization-control.alert", cards[0].Token).Data, &alert); err != nil {
			t.Fatal(err)
		}
		if alert.Control.Code != "NO_GAMBLING" || alert.Control.LinkType != "Product" || alert.Control.LinkCode != "CLASSIC" {
			t.Errorf("the alert is about %+v", alert.Control)
		}
		waitForSMS(t, bank, cards[0].Token, "10.00 TRY")

		// The customer's exception is more specific than the product's ban.
		call(http.MethodPost, path, map[string]any{
			"code": "PLAYER", "name": "May gamble", "action": "Approve", "criteria": map[string]any{"mccGroups": []string{"GAMBLING"}},
		}, nil)
		var exception struct{ ID string }
		call(http.MethodPost, path+"/link", map[string]any{"authorizationCheckCode": "PLAYER", "linkType": "Customer", "linkCode": customers[0]}, &exception)
		if d := play(0, "00", "open for the customer"); !slices.Equal(d.MatchedControls, []string{"PLAYER"}) {
			t.Errorf("matched %v", d.MatchedControls)
		}
		play(1, "57", "open for another customer")

		// What only watches changes nothing; what is mandatory cannot be overridden.
		law := map[string]any{
			"code": "LAW", "name": "By law", "action": "Decline", "isMandatory": true, "evaluationMode": "Monitor", "responseCode": "59",
			"rule":  `transaction.mccGroup.contains_any(["GAMBLING"])`,
			"links": []map[string]any{{"linkType": "Global"}},
		}
		call(http.MethodPost, path, law, nil)
		if d := play(0, "00", "only monitored"); !slices.Equal(d.MatchedControls, []string{"LAW", "PLAYER"}) {
			t.Errorf("matched %v", d.MatchedControls)
		}
		law["evaluationMode"] = "Enforce"
		call(http.MethodPut, path+"/LAW", law, nil)
		if d := play(0, "59", "by law"); !slices.Equal(d.MatchedControls, []string{"LAW"}) || d.DeclineDetail.ControlCode != "LAW" {
			t.Errorf("by law: %+v", d)
		}
		law["isActive"] = false
		call(http.MethodPut, path+"/LAW", law, nil)
		play(0, "00", "the law is gone")
		call(http.MethodDelete, path+"/link/"+exception.ID, nil, nil)
		play(0, "57", "the exception is gone")

		term.MCC = "5411"
		play(0, "00", "no gambling")
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// waitForSMS waits until a sandbox's inbox has a message about a card that says
// something.
func waitForSMS(t *testing.T, bank *sim.Bank, token, text string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 400 {
		var page struct {
			Items []struct{ EventType, Text string }
		}
		if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/sandbox/inbox?CardToken="+token, nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Items {
			if m.EventType == "authorization-control.alert" && strings.Contains(m.Text, text) {
				return
			}
		}
		<-tick.C
	}
	t.Fatalf("no SMS about %s says %q", token, text)
}
