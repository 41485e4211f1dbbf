package ewallet

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

// set changes the family's client.
func (w *world) set(in access.ClientChange) {
	w.t.Helper()
	in.Name = "client"
	clients, err := w.tenants.Clients(w.t.Context(), w.caller)
	w.must(err)
	i := slices.IndexFunc(clients, func(c access.Client) bool { return c.Family == access.EWallet })
	_, err = w.tenants.UpdateClient(w.t.Context(), w.caller, clients[i].ID, in)
	w.must(err)
}

// What is answered by HTTP alone: each status is what a request got.
func TestErrors_everyStatusIsReached(t *testing.T) {
	const info = "/v1/Wallet/Info"
	type call struct {
		method, path, body string
		header             map[string]string
	}
	may := []string{access.EWalletBusiness}
	show := func(w *world) call {
		return call{"POST", info, `{"account_number":"ORN1","wallet_number":"` + w.open("ORN1") + `"}`, nil}
	}
	rows := map[int]func(*world) call{
		http.StatusBadRequest:   func(*world) call { return call{"POST", info, `{"account_number":1}`, nil} },
		http.StatusUnauthorized: func(w *world) call { w.token = "x"; return call{"POST", info, `{}`, nil} },
		http.StatusForbidden: func(w *world) call {
			w.set(access.ClientChange{Permissions: []string{access.PayersCustomer}})
			w.signIn()
			return call{"POST", info, `{}`, nil}
		},
		http.StatusNotFound:              func(*world) call { return call{"POST", "/v1/Wallet/Nothing", `{}`, nil} },
		http.StatusMethodNotAllowed:      func(*world) call { return call{"PATCH", info, `{}`, nil} },
		http.StatusRequestEntityTooLarge: func(*world) call { return call{"POST", info, `{"x":"` + strings.Repeat("x", 2<<20) + `"}`, nil} },
		http.StatusUnsupportedMediaType:  func(*world) call { return call{"POST", info, `{}`, map[string]string{"Content-Type": "text/plain"}} },
		http.StatusTooManyRequests: func(w *world) call {
			w.set(access.ClientChange{Permissions: may, Rate: access.Rate{PerSecond: 1, Burst: 1}})
			w.send("POST", info, nil, "{}")
			return call{"POST", info, `{}`, nil}
		},
		http.StatusInternalServerError: func(w *world) call {
			c := show(w)
			w.must(w.db.InTx(w.t.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(w.t.Context(), `UPDATE wallet_account SET person = $1`, []byte("spoilt"))
				return err
			}))
			return c
		},
		http.StatusServiceUnavailable: func(w *world) call {
			c := show(w)
			w.must(w.backend.Close())
			return c
		},
	}
	for want, arrange := range rows {
		t.Run(strconv.Itoa(want), func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			c := arrange(w)
			answer := w.send(c.method, c.path, c.header, c.body)
			if answer.Code != want {
				t.Fatalf("got %d %s", answer.Code, answer.Body)
			}
			body := answer.Body.String()
			switch {
			case want >= 500:
				if got := decoded(t, body).(map[string]any); got["status"] != 2.0 || got["code"] != systemError || got["message"] == "" || got["payload"] != nil {
					t.Errorf("got %s", body)
				}
			case want != http.StatusBadRequest && body != "":
				t.Errorf("got %s", body)
			}
			if want == http.StatusUnauthorized && answer.Header().Get("WWW-Authenticate") != "Bearer" || want == http.StatusTooManyRequests && answer.Header().Get("Retry-After") == "" {
				t.Errorf("got %v", answer.Header())
			}
		})
	}
	for kind, status := range kinds {
		// No method of the core that this family calls conflicts or exhausts anything,
		// or refuses what has no code.
		if rows[status] == nil && kind != fault.Conflict && kind != fault.Refused && kind != fault.Exhausted {
			t.Errorf("nothing reaches %d", status)
		}
	}
}

// Each refusal of the business is what a conversation comes to.
func TestRefusals_areAllTold(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		told.Write(text)
	}
	for _, code := range slices.Sorted(maps.Keys(refusals)) {
		message, _ := locale.Text("tr", "ewallet."+string(code), nil)
		before, _, _ := strings.Cut(message, "{")
		if !strings.Contains(told.String(), "\"code\": \""+refusals[code]+"\",\n  \"message\": \""+before) {
			t.Errorf("no conversation comes to %s", code)
		}
	}
}
