package openbanking

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// set changes the family's client.
func (w *world) set(in access.ClientChange) {
	w.T.Helper()
	in.Name = "client"
	_, err := w.bank.Access.UpdateClient(w.T.Context(), w.bank.Caller, w.Names["client"], in)
	w.must(err)
}

// What the conversations do not come to: each row is what a request over HTTP got.
func TestErrors_areReached(t *testing.T) {
	may := []string{access.OpenBankingCreditCard}
	for want, arrange := range map[outward]func(*world) (header map[string]string, body string){
		{http.StatusUnauthorized, badToken}: func(w *world) (map[string]string, string) {
			return map[string]string{"Authorization": "Bearer x"}, "{}"
		},
		{http.StatusForbidden, deadToken}: func(w *world) (map[string]string, string) {
			w.set(access.ClientChange{Permissions: []string{access.EWalletBusiness}})
			return nil, "{}"
		},
		{http.StatusForbidden, badAddress}: func(w *world) (map[string]string, string) {
			w.set(access.ClientChange{Permissions: may, Allowed: []string{"203.0.113.7"}})
			return nil, "{}"
		},
		{http.StatusTooManyRequests, planExhausted}: func(w *world) (map[string]string, string) {
			w.set(access.ClientChange{Permissions: may, Rate: access.Rate{PerSecond: 1, Burst: 1}})
			w.Send("POST", "/creditCardList", nil, "{}")
			return nil, "{}"
		},
		{http.StatusRequestEntityTooLarge, unreadable}: func(*world) (map[string]string, string) {
			return nil, `{"x":"` + strings.Repeat("x", 2<<20) + `"}`
		},
		{http.StatusUnsupportedMediaType, unreadable}: func(*world) (map[string]string, string) {
			return map[string]string{"Content-Type": "text/plain"}, "{}"
		},
		{http.StatusInternalServerError, systemError}: func(w *world) (map[string]string, string) {
			w.must(w.bank.DB.InTx(w.T.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(w.T.Context(), "UPDATE credit_line SET state = 'spoilt'")
				return err
			}))
			return nil, "{}"
		},
	} {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			header, body := arrange(w)
			answer := w.Send("POST", "/creditCardList", header, body)
			var got envelope
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if (outward{answer.Code, got.Header.StatusCode}) != want || got.Header.StatusDescription == "" || got.Header.ObjectID == "" || got.Data != nil {
				t.Errorf("got %d %s", answer.Code, answer.Body)
			}
		})
	}
}

// The token endpoint refuses in the words of OAuth 2.0.
func TestToken_isRefusedInOAuthsWords(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id, secret, consent := w.Names["client"], w.Names["secret"], w.Names["consent"]
	for form, want := range map[string]string{
		"": "400 invalid_request",
		"grant_type=b2b_credentials&client_id=" + id + "&client_secret=" + secret:                                         "400 invalid_request",
		"grant_type=b2b_credentials&consentId=none&client_id=" + id + "&client_secret=" + secret:                          "400 invalid_grant",
		"grant_type=b2b_credentials&scope=account&consentId=" + consent + "&client_id=" + id + "&client_secret=" + secret: "400 invalid_scope",
		"grant_type=password&client_id=" + id + "&client_secret=" + secret:                                                "400 unsupported_grant_type",
		"grant_type=client_credentials&client_id=" + id + "&client_secret=wrong":                                          "401 invalid_client",
		"grant_type=client_credentials&grant_type=client_credentials&client_id=" + id + "&client_secret=" + secret:        "400 invalid_request",
	} {
		answer := w.Send("POST", tokenPath, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form)
		var got tokenRefusal
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if said := fmt.Sprint(answer.Code, " ", got.Error); said != want {
			t.Errorf("%q: got %s, want %s", strings.ReplaceAll(form, secret, "…"), said, want)
		}
	}
	r := map[string]string{"Authorization": ""}
	if answer := w.Send("POST", tokenPath+"?grant_type=client_credentials&client_id="+id+"&client_secret="+secret, r, ""); answer.Code != 200 {
		t.Errorf("with parameters in the query: %d", answer.Code)
	}
}
