package openbanking

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// set changes the family's client.
func (w *world) set(in access.ClientChange) {
	w.T.Helper()
	in.Name = "client"
	_, err := w.bank.Access.UpdateClient(w.T.Context(), w.bank.Caller, w.Names["client"], in)
	w.must(err)
}

// Each row of the table is what a request over HTTP got: of the conversations, or of
// what they do not come to.
func TestErrors_everyRowIsReached(t *testing.T) {
	type call struct {
		method, path, body string
		header             map[string]string
	}
	list := func(header map[string]string) call { return call{"POST", "/creditCardList", "{}", header} }
	virtual := call{"POST", "/createVirtualCard", `{"MainCardID":20090,"VirtualCardLimit":1}`, nil}
	may := []string{access.OpenBankingCreditCard}
	rows := map[outward]func(*world) call{
		{http.StatusUnauthorized, badToken}: func(*world) call { return list(map[string]string{"Authorization": "Bearer x"}) },
		{http.StatusUnauthorized, deadToken}: func(w *world) call {
			w.bank.Clock.Advance(time.Hour + time.Second)
			return list(nil)
		},
		{http.StatusForbidden, deadToken}: func(w *world) call {
			w.set(access.ClientChange{Permissions: []string{access.EWalletBusiness}})
			return list(nil)
		},
		{http.StatusForbidden, badAddress}: func(w *world) call {
			w.set(access.ClientChange{Permissions: may, Allowed: []string{"203.0.113.7"}})
			return list(nil)
		},
		{http.StatusTooManyRequests, planExhausted}: func(w *world) call {
			w.set(access.ClientChange{Permissions: may, Rate: access.Rate{PerSecond: 1, Burst: 1}})
			w.Send("POST", "/creditCardList", nil, "{}")
			return list(nil)
		},
		{http.StatusNotFound, notNow}:             func(*world) call { return call{"POST", "/creditCardNothing", "{}", nil} }, // at an address of its own
		{http.StatusMethodNotAllowed, unreadable}: func(*world) call { return call{"PATCH", "/creditCardList", "{}", nil} },
		{http.StatusRequestEntityTooLarge, unreadable}: func(*world) call {
			return call{"POST", "/creditCardList", `{"x":"` + strings.Repeat("x", 2<<20) + `"}`, nil}
		},
		{http.StatusUnsupportedMediaType, unreadable}: func(*world) call { return list(map[string]string{"Content-Type": "text/plain"}) },
		{http.StatusBadRequest, notNow}: func(w *world) call {
			w.services.Credit.VirtualCardsMax = 1
			w.Send(virtual.method, virtual.path, nil, virtual.body)
			return virtual
		},
		{http.StatusInternalServerError, systemError}: func(w *world) call {
			w.must(w.bank.DB.InTx(w.T.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(w.T.Context(), "UPDATE credit_line SET state = 'spoilt'")
				return err
			}))
			return list(nil)
		},
		{http.StatusInternalServerError, notNow}: func(w *world) call {
			w.must(w.bank.HSM.Close())
			return virtual
		},
	}
	for want, arrange := range rows {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			c := arrange(w)
			answer := w.Send(c.method, c.path, c.header, c.body)
			var got envelope
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if (outward{answer.Code, got.Header.StatusCode}) != want || got.Header.StatusDescription == "" || got.Header.ObjectID == "" || got.Data != nil {
				t.Errorf("got %d %s", answer.Code, answer.Body)
			}
		})
	}
	told := toldRefusals(t)
	for _, row := range append(slices.Collect(maps.Values(byKind)), slices.Collect(maps.Values(byCode))...) {
		// No method of the core that this family calls exhausts anything.
		if _, here := rows[row]; !here && !told[row] && row != byKind[fault.Exhausted] {
			t.Errorf("nothing reaches %v", row)
		}
	}
}

var answered = regexp.MustCompile(`(?m)^----\n([0-9]{3})\n\{\n  "Header": \{\n    "StatusCode": "([A-Z0-9]+)"`)

// toldRefusals are the rows that the conversations come to.
func toldRefusals(t *testing.T) map[outward]bool {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[outward]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range answered.FindAllStringSubmatch(string(text), -1) {
			status, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			out[outward{status, m[2]}] = true
		}
	}
	return out
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
