package test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// A change of a control on one node holds for the very next authorization on the
// other: a definition with its link, a change of it, a value of a list, and the end
// of the link.
func TestTwoNodes_aChangeHoldsForTheNextAuthorization(t *testing.T) {
	dir := t.TempDir()
	flags := []string{"--data", dir, "--db", dbtest.PostgresDSN(t)}
	one := serve(t, dir, flags...)
	bank := openBank(t, one, flags)
	card := issue(t, bank, 1)[0]
	two := serve(t, dir, flags...)
	till := shop(t)
	link := connect(t, two, till, 10*time.Second)
	buy := func(want, why string) {
		t.Helper()
		if code := pay(t, link, till, card.Card, sim.Payment{Amount: lira(1_000), Entry: sim.Chip, PIN: card.Card.PIN}); code != want {
			t.Fatalf("%s: the other node answered %s, want %s", why, code, want)
		}
	}
	// It gathers under what it has kept, again and again.
	buy("00", "before there is a control")
	buy("00", "before there is a control")
	check := func(method, path, name string, most float64, more map[string]any) {
		t.Helper()
		body := map[string]any{"name": name, "currencyCode": "TRY", "period": "Transaction", "maxAmount": most}
		for member, value := range more {
			body[member] = value
		}
		issuingCall(t, bank, method, "/velocity-control"+path, body, nil)
	}
	for round := range 5 {
		code := "ROUND" + string(rune('A'+round))
		check(http.MethodPost, "", code, 5, map[string]any{"code": code})
		buy("00", "a control without a link")
		var made struct{ ID string }
		issuingCall(t, bank, http.MethodPost, "/velocity-control/link", map[string]any{"velocityCheckCode": code, "linkType": "Global"}, &made)
		buy("61", "linked")
		check(http.MethodPut, "/"+code, code, 50, nil)
		buy("00", "changed")
		check(http.MethodPut, "/"+code, code, 5, nil)
		buy("61", "changed back")
		issuingCall(t, bank, http.MethodDelete, "/velocity-control/link/"+made.ID, nil, nil)
		buy("00", "unlinked")
	}
	issuingCall(t, bank, http.MethodPost, "/rule-engine/list", map[string]any{"code": "SHOPS", "name": "Shops", "values": []string{"NOBODY"}}, nil)
	check(http.MethodPost, "", "SHOP", 5, map[string]any{
		"code": "SHOP", "rule": "merchant.id.in_list('SHOPS')", "links": []map[string]any{{"linkType": "Card", "linkCode": card.Token}},
	})
	buy("00", "in no list")
	issuingCall(t, bank, http.MethodPut, "/rule-engine/list/SHOPS", map[string]any{"name": "Shops", "values": []string{"NOBODY", till.Merchant}}, nil)
	buy("61", "in the list")
	issuingCall(t, bank, http.MethodPut, "/rule-engine/list/SHOPS", map[string]any{"name": "Shops", "values": []string{"NOBODY"}}, nil)
	buy("00", "out of the list")
	run(t, append([]string{"verify"}, flags...)...)
}

// So does a change of every other kind: of a usage switch, a limit of one card, an
// authorization control, a fee.
func TestTwoNodes_everyKindOfControlHoldsAtOnce(t *testing.T) {
	dir := t.TempDir()
	flags := []string{"--data", dir, "--db", dbtest.PostgresDSN(t)}
	one := serve(t, dir, flags...)
	bank := openBank(t, one, flags)
	card := issue(t, bank, 1)[0]
	two := serve(t, dir, flags...)
	till := shop(t)
	link := connect(t, two, till, 10*time.Second)
	buy := func(want, why string) {
		t.Helper()
		if code := pay(t, link, till, card.Card, sim.Payment{Amount: lira(1_000), Entry: sim.Chip, PIN: card.Card.PIN}); code != want {
			t.Fatalf("%s: the other node answered %s, want %s", why, code, want)
		}
	}
	do := func(method, path string, body map[string]any) {
		t.Helper()
		issuingCall(t, bank, method, path, body, nil)
	}
	buy("00", "before there are controls")
	buy("00", "before there are controls")
	limitTo(t, bank, "ONE", "Transaction", 50)
	do(http.MethodPost, "/authorization-control", map[string]any{
		"code": "SHOP", "name": "Shop", "action": "Decline", "isActive": false, "criteria": map[string]any{"merchantIds": []string{till.Merchant}},
		"links": []map[string]any{{"linkType": "Global"}},
	})
	shopControl := func(member string, value any) {
		t.Helper()
		body := map[string]any{"name": "Shop", "action": "Decline", "criteria": map[string]any{"merchantIds": []string{till.Merchant}}}
		body[member] = value
		do(http.MethodPut, "/authorization-control/SHOP", body)
	}
	cost := func(method, path string, lira int) {
		t.Helper()
		body := map[string]any{
			"name": "Dear", "currencyCode": "TRY", "additionalAmountType": "CashAdvanceFee", "calculationType": "Fixed", "fixedAmount": lira,
			"criteria": map[string]any{"transactionCodes": []string{"Purchase"}},
		}
		if method == http.MethodPost {
			body["code"], body["links"] = "DEAR", []map[string]any{{"linkType": "Global"}}
		}
		do(method, "/fee-management/transaction"+path, body)
	}
	cost(http.MethodPost, "", 0)
	for range 3 {
		for _, allowed := range []bool{false, true} {
			do(http.MethodPut, "/card/"+card.Token+"/policy", map[string]any{
				"policies": []map[string]any{{"policyType": "DomesticPos", "isAllowed": allowed}},
			})
			buy(map[bool]string{false: "57", true: "00"}[allowed], "the switch of the card")
		}
		do(http.MethodPost, "/velocity-control/card/"+card.Token, map[string]any{"velocityCheckCode": "ONE", "maxAmount": 5})
		buy("61", "a limit of the card's own")
		do(http.MethodPost, "/velocity-control/card/"+card.Token, map[string]any{"velocityCheckCode": "ONE", "maxAmount": 20})
		buy("00", "a higher one")
		do(http.MethodPost, "/velocity-control/card/"+card.Token, map[string]any{"velocityCheckCode": "ONE", "maxAmount": 5})
		buy("61", "a lower one again")
		do(http.MethodDelete, "/velocity-control/card/"+card.Token+"/ONE", nil)
		buy("00", "none of its own")
		shopControl("isActive", true)
		buy("57", "a control in force")
		shopControl("evaluationMode", "Monitor")
		buy("00", "a control that watches")
		shopControl("responseCode", "05")
		buy("05", "a control with another answer")
		shopControl("isActive", false)
		buy("00", "a control that is out of force")
		cost(http.MethodPut, "/DEAR", 20_000)
		buy("51", "a fee that nobody can pay")
		cost(http.MethodPut, "/DEAR", 0)
		buy("00", "a fee of nothing")
	}
	run(t, append([]string{"verify"}, flags...)...)
}

// What testers do about one transaction on two nodes waits for each other, too: they
// give back no more than was paid, and present what is left once.
func TestTwoNodes_refundNoMoreThanThereIs(t *testing.T) {
	dir := t.TempDir()
	flags := []string{"--data", dir, "--db", dbtest.PostgresDSN(t)}
	one, two := serve(t, dir, flags...), serve(t, dir, flags...)
	made := newTenant(t, flags)
	bank := made.openBank(t, one)
	other, err := sim.SignIn(t.Context(), "http://"+two.api, made.ClientID, secret.FromString(made.ClientSecret))
	if err != nil {
		t.Fatal(err)
	}
	card := issue(t, bank, 1)[0]
	// atOnce asks both nodes at once, and returns how many are not refused.
	atOnce := func(act string, body map[string]any) (done int) {
		t.Helper()
		const n = 6
		errs := make(chan error, n)
		for i := range n {
			on := []*sim.Client{bank.Client, other}[i%2]
			go func() {
				_, err := on.Call(t.Context(), http.MethodPost, "/api/v1/sandbox/transaction/"+act, body, nil)
				errs <- err
			}()
		}
		for range n {
			if err := <-errs; err == nil {
				done++
			} else if _, refused := errors.AsType[*sim.APIError](err); !refused {
				t.Error(err)
			}
		}
		return done
	}
	for range 4 {
		bought, _ := simulate(t, bank, "process", purchase(card, nil))
		if done := atOnce("clear", map[string]any{"transactionId": bought.TransactionID}); done != 1 {
			t.Errorf("what is left was presented %d times", done)
		}
		for _, isOnline := range []bool{false, true} {
			back := map[string]any{"originalTransactionId": bought.TransactionID, "amount": 5, "currencyCode": "TRY", "isOnlineRefund": isOnline}
			if isOnline {
				back["transactionFlowCode"], back["amount"] = "FinancialRequest", 2.5
			}
			if done := atOnce("refund", back); done != map[bool]int{false: 2, true: 1}[isOnline] { // of 12.50
				t.Errorf("%v was given back %d times, online %v", back["amount"], done, isOnline)
			}
		}
	}
	run(t, append([]string{"verify"}, flags...)...)
}
