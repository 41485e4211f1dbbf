package payers

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// set changes the client of a merchant.
func (w *world) set(name string, in access.ClientChange) {
	w.T.Helper()
	in.Name = name
	if _, err := w.services.Access.UpdateClient(w.T.Context(), access.System(w.tenants[name]), w.Names[name+".clientId"], in); err != nil {
		w.T.Fatal(err)
	}
}

// Each row of the table is what a request over HTTP got, whatever had to happen
// for it.
func TestErrors_everyRowIsReached(t *testing.T) {
	const contact = `{"contact":{"surname":"Beispiel"}}`
	rows := map[outward]func(*world) (method, path, body string){
		{400, badFormat, 3001}: func(*world) (string, string, string) { return "POST", listPath, `{"contact":[]}` },
		{403, notAllowed, 2003}: func(w *world) (string, string, string) {
			w.set("main", access.ClientChange{Permissions: []string{access.EWalletBusiness}})
			return "GET", listPath, ""
		},
		{404, notFound, 4001}: func(*world) (string, string, string) { return "GET", listPath + "/PCU_0", "" },
		{405, notFound, 4001}: func(*world) (string, string, string) { return "PATCH", listPath, contact },
		{413, badFormat, 3001}: func(*world) (string, string, string) {
			return "POST", listPath, `{"contact":{"surname":"` + strings.Repeat("x", 2<<20) + `"}}`
		},
		{415, badFormat, 3001}: func(*world) (string, string, string) { return "POST", listPath, "text:" + contact },
		{429, notAllowed, 2003}: func(w *world) (string, string, string) {
			w.set("main", access.ClientChange{Permissions: []string{access.PayersCustomer}, Rate: access.Rate{PerSecond: 1, Burst: 1}})
			w.Send("GET", listPath, nil, "")
			return "GET", listPath, ""
		},
		{500, internal, 1001}: func(w *world) (string, string, string) {
			w.Send("POST", listPath, nil, contact)
			err := w.services.Customers.DB.InTx(w.T.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(w.T.Context(), `UPDATE payer SET document = $1`, []byte("spoilt"))
				return err
			})
			if err != nil {
				w.T.Fatal(err)
			}
			return "GET", listPath, ""
		},
		{502, backend, 1001}: func(w *world) (string, string, string) {
			w.backend.Close()
			return "POST", listPath, contact
		},
	}
	for want, arrange := range rows {
		t.Run(fmt.Sprint(want.status), func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t), 403)
			method, path, body := arrange(w)
			header := map[string]string{}
			if plain, ok := strings.CutPrefix(body, "text:"); ok {
				header["Content-Type"], body = "text/plain", plain
			}
			answer := w.Send(method, path, header, body)
			var got refusal
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err, answer.Body)
			}
			if (outward{answer.Code, got.Error, got.Code}) != want || got.Status != "error" || len(got.SupportID) != 32 || got.Details == "" ||
				got.User != fmt.Sprintf("Es ist ein Fehler aufgetreten (Code %d)", want.code) {
				t.Errorf("got %d %+v, want %v", answer.Code, got, want)
			}
		})
	}
	reached := slices.Collect(maps.Keys(rows))
	all := []outward{}
	for kind, row := range byKind {
		// No method of the core that this family calls conflicts or exhausts
		// anything, or refuses what is well-formed.
		if kind != fault.Conflict && kind != fault.Refused && kind != fault.Exhausted {
			all = append(all, row)
		}
	}
	for _, row := range append(all, slices.Collect(maps.Values(byCode))...) {
		if !slices.Contains(reached, row) {
			t.Errorf("nothing reaches %v", row)
		}
	}
}

// A call from where the client may not call is not allowed, and told to the
// chain of its tenant.
func TestErrors_addressOfTheClient(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), 401)
	w.set("main", access.ClientChange{Permissions: []string{access.PayersCustomer}, Allowed: []string{"203.0.113.7"}})
	if got := w.Send("GET", listPath, nil, ""); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), notAllowed) {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}
