package test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
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
