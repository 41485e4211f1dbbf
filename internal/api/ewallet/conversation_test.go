package ewallet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/locale"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// world is the family with its domain behind it, and one tenant's client.
type world struct {
	t       *testing.T
	db      *db.DB
	backend *soft.Backend
	tenants *access.Service
	clock   *clock.Fake
	wallets *wallet.Service
	caller  access.Caller
	tenant  access.Tenant
	handler http.Handler
	token   string
	signIn  func()
	*apitest.Conversation
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	w := &world{t: t, db: d, backend: backend, clock: clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))}
	tenants := access.New(d, backend, w.clock)
	// The code is chosen, for several worlds may begin at once in one database.
	code := fmt.Sprintf("main-%08x", rand.Uint32())
	tenant, credentials, err := tenants.CreateTenant(t.Context(), access.NewTenant{Name: "Main", Code: code, Sandbox: true})
	if err != nil {
		t.Fatal(err)
	}
	own := credentials.Families.EWallet
	w.signIn = func() {
		tokens, err := tenants.Token(t.Context(), access.Grant{
			Type: access.GrantClientCredentials, ClientID: own.ClientID, ClientSecret: own.ClientSecret, Scope: access.ScopeWallet,
		})
		w.must(err)
		w.token = string(tokens.Access.Reveal())
	}
	w.signIn()
	w.tenants, w.tenant, w.caller = tenants, tenant, access.System(tenant)
	w.wallets = wallet.New(d, backend, w.clock)
	w.handler = api.NewRouter(api.Options{Log: slog.New(slog.DiscardHandler), Clock: w.clock}, New(tenants, w.wallets, w.clock).Family())
	w.Conversation = &apitest.Conversation{
		T: t, Send: w.send, Names: map[string]string{}, Headers: []string{"WWW-Authenticate", "Allow"},
		Volatile: map[string]bool{
			"id": true, "transaction_id": true, "wallet_number": true, "number": true, "traceId": true, "user_number": true,
			"tenant_id": true, "account_id": true, "wallet_id": true, "tx_correlation_id": true, "request_id": true,
			"receiver_wallet_number": true, "tx_ref_correlation_id": true, "to_wallet_id": true, "from_wallet_number": true, "to_wallet_number": true,
			"qr_code": true,
		},
		Hide: func(answer string) string { return bareNumber.ReplaceAllString(answer, `"payload": "…"`) },
		Commands: map[string]func([]string){
			"pos":     func(a []string) { w.must(w.wallets.DefinePOS(t.Context(), w.caller, a[0], a[1])) },
			"advance": func(a []string) { w.advance(a[0]) },
			"assign": func(a []string) {
				_, err := w.wallets.AssignTopUp(t.Context(), w.caller, a[0], a[1])
				w.must(err)
			},
			"settle": func([]string) { w.settle() },
			"bank":   func(a []string) { w.bank(a[0], wallet.Status(a[1])) },
			"nobody": func([]string) { w.token = "" },
		},
	}
	return w
}

// bareNumber is the answer that is nothing but the number of a wallet.
var bareNumber = regexp.MustCompile(`"payload": "[0-9]+"`)

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) advance(by string) {
	d, err := time.ParseDuration(by)
	w.must(err)
	w.clock.Advance(d)
	w.signIn()
}

func (w *world) settle() {
	_, err := w.wallets.Settle(w.t.Context(), w.tenant)
	w.must(err)
}

// bank says what became of a withdrawal.
func (w *world) bank(transaction string, status wallet.Status) {
	id, _ := wallet.ParseID(transaction)
	_, err := w.wallets.AdvanceWithdrawal(w.t.Context(), w.caller, id, status)
	w.must(err)
}

func (w *world) send(method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr = "203.0.113.7:5000"
	if w.token != "" {
		r.Header.Set("Authorization", "Bearer "+w.token)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return out
}

// The conversations in testdata are whole stories over HTTP. Their words:
//
//	pos CODE ACCOUNT   a POS type debits an account of the ledger
//	advance 15m        the clock moves, and the client signs in again
//	settle             the job runs that settles payments
//	assign D-4 NUMBER  money for nobody is given to a wallet
//	bank ID Sent       a withdrawal goes on: Sent, Completed or Failed
//	nobody             who speaks has no token
func TestConversations(t *testing.T) {
	dbtest.EachFresh(t, func(t *testing.T, fresh func(testing.TB) *db.DB) {
		apitest.RunFiles(t, "testdata/*.txt", func(t *testing.T) *apitest.Conversation { return newWorld(t, fresh(t)).Conversation })
	})
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTopupCreditCard_answersInTheShapeOfTheSample(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 2 { // what is there stays
			_, err := w.wallets.MakeSample(t.Context(), w.caller)
			w.must(err)
		}
		got := w.send("POST", "/v1/Transaction/TopupCreditCard", nil, apitest.Sample(t, "topup.request")).Body.String()
		apitest.SameShape(t, got, apitest.Sample(t, "topup.answer"))
		if !strings.Contains(got, `"transaction_amount":100.00,`) || !strings.Contains(got, `"message":"İşlem başarılı"`) {
			t.Error(got)
		}
	})
}

// open opens a personal account and returns its wallet's number.
func (w *world) open(accountNo string) string {
	w.t.Helper()
	answer := w.send("POST", "/v1/account/registerpersonalaccount", nil, `{"currency_code":"TRY","user_first_name":"Deniz","user_last_name":"Kaya",
		"user_phone_country_code":"90","user_phone_number":"5550000147","user_email":"deniz@example.org","account_number":"`+accountNo+`"}`)
	body := answer.Body.String()
	if answer.Code != 200 {
		w.t.Fatal(answer.Code, body)
	}
	return decoded(w.t, body).(map[string]any)["payload"].(map[string]any)["wallet_number"].(string)
}

func TestTopupCreditCard_fiftyAtOnceMoveMoneyOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		number := w.open("ORN1")
		var done sync.WaitGroup
		codes := make([]string, 50)
		for i := range codes {
			done.Go(func() {
				body := w.send("POST", "/v1/Transaction/TopupCreditCard", nil, `{"ext_transaction_id":"ONE","amount":1000,"currency_code":"TRY",
					"account_number":"ORN1","wallet_number":"`+number+`"}`).Body.String()
				codes[i], _ = decoded(t, body).(map[string]any)["code"].(string)
			})
		}
		done.Wait()
		counted := map[string]int{}
		for _, c := range codes {
			counted[c]++
		}
		if counted["100"] != 1 || counted["301"] != 49 {
			t.Errorf("got %v", counted)
		}
		s, err := w.wallets.Show(t.Context(), w.caller, number, "")
		if err != nil || s.Balances.Total().Minor() != 100_000 || s.Month.Incoming != 100_000 {
			t.Errorf("got %v, %v", s.Balances.Total(), err)
		}
	})
}

func TestRefusals_coverEveryCode(t *testing.T) {
	for _, code := range wallet.Codes {
		if refusals[code] == "" {
			t.Errorf("%s has no code", code)
		}
		for _, language := range []string{"tr", "en"} {
			if _, ok := locale.Text(language, "ewallet."+string(code), nil); !ok {
				t.Errorf("%s has no message of %s", language, code)
			}
		}
	}
	if len(refusals) != len(wallet.Codes) {
		t.Errorf("%d rows for %d codes", len(refusals), len(wallet.Codes))
	}
	for _, kind := range fault.Kinds() {
		if http.StatusText(kinds[kind]) == "" {
			t.Errorf("kind %v has no status", kind)
		}
	}
}
