package test

import (
	"net/http"
	"strings"
	"testing"
)

// Scenario 14 of contract/platform.md §20: another tenant's card token is as
// unknown as one that does not exist, whatever is asked of it, and nothing
// becomes of the card.
func TestAcceptance14_foreignToken(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		ours, theirs := newTenant(t, flags), newTenant(t, flags)
		bank := ours.openBank(t, s)
		theirs.openBank(t, s)
		card := issue(t, bank, 1)[0]
		owner, stranger := ours.signIn(t, s), theirs.signIn(t, s)
		one := "/api/v1/issuing/card/" + card.Token
		before := owner.send(t, http.MethodGet, one+"/details", "", nil)
		if before.Status != http.StatusOK {
			t.Fatalf("the owner: %d %s", before.Status, before.Body)
		}
		nobodys := strings.NewReplacer(card.Token[6:12], "zzzzzz").Replace(card.Token)
		for _, try := range []struct {
			method, path string
			body         any
		}{
			{http.MethodGet, "", nil},
			{http.MethodGet, "/details", nil},
			{http.MethodGet, "/policy", nil},
			{http.MethodPut, "/status", map[string]any{"status": "Cancelled", "reason": "CustomerRequest"}},
			{http.MethodPut, "/digital-slip-type", map[string]any{"digitalSlipType": "DigitalAlways"}},
			{http.MethodPut, "/phone-number", map[string]any{"phoneNumber": "+905339876543"}},
			{http.MethodPut, "/policy", map[string]any{"policies": []map[string]any{{"policyType": "DomesticCash", "isAllowed": false}}}},
			{http.MethodPost, "/pin/set", map[string]any{"encryptedPin": "7392"}},
		} {
			foreign := stranger.send(t, try.method, one+try.path, "", try.body)
			unknown := stranger.send(t, try.method, "/api/v1/issuing/card/"+nobodys+try.path, "", try.body)
			if foreign.Status != http.StatusNotFound || foreign.Status != unknown.Status || foreign.code(t) != unknown.code(t) {
				t.Errorf("%s %s: another tenant's is %d %s, an unknown one %d %s", try.method, try.path, foreign.Status, foreign.Body, unknown.Status, unknown.Body)
			}
		}
		if after := owner.send(t, http.MethodGet, one+"/details", "", nil); string(after.Body) != string(before.Body) {
			t.Errorf("the card has changed:\n%s\n%s", before.Body, after.Body)
		}
	})
}
