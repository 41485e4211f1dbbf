package openbanking

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// world is the family over a bank in which cards are used.
type world struct {
	*apitest.Conversation
	bank     *authorizationtest.World
	services Services
	cards    map[string]*authorizationtest.Card
	account  string
	paid     int
}

func try(decimal string) money.Amount {
	a, err := money.Parse(decimal, money.MustCurrency("TRY"))
	if err != nil {
		panic(err)
	}
	return a
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	bank := authorizationtest.New(t, d)
	w := &world{bank: bank, cards: map[string]*authorizationtest.Card{}}
	w.services = Services{Access: bank.Access, Clock: bank.Clock, Credit: &credit.Service{
		DB: d, Clock: bank.Clock, Customers: bank.Customers, Programs: bank.Programs, Cards: bank.Issuing,
	}}
	handler := api.NewRouter(api.Options{Log: slog.New(slog.DiscardHandler), Clock: bank.Clock}, New(w.services).Family())
	w.Conversation = &apitest.Conversation{
		T: t, Names: map[string]string{}, Headers: []string{"Allow"},
		Volatile: map[string]bool{"ObjectID": true, "access_token": true, "CardNumber": true, "MainCardNumber": true, "VirtualCardNumber": true},
	}
	w.Send = func(method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		if token := w.Names["token"]; token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		for name, value := range header {
			r.Header.Set(name, value)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		return answer
	}
	w.Commands = map[string]func([]string){
		"day": func(args []string) { w.goTo(args[0], 9) }, "night": w.night, "buy": w.buy, "pay": w.pay, "child": w.child, "token": w.token, "status": w.status,
	}
	w.define()
	return w
}

func (w *world) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// define makes a product of credit cards, and a customer's account with a main card.
func (w *world) define() {
	ctx, b := w.T.Context(), w.bank
	bin, err := b.Programs.BIN(ctx, b.Caller, authorizationtest.BIN)
	w.must(err)
	bin.BIN, bin.CardType, bin.CardLevel = "979207", program.Credit, program.LevelClassic
	_, err = b.Programs.CreateBIN(ctx, b.Caller, bin)
	w.must(err)
	_, err = b.Programs.CreateRange(ctx, b.Caller, program.BINRange{
		Code: "K1", Name: "Range", BIN: bin.BIN, Start: bin.BIN + "000000000", End: bin.BIN + "999999999",
		Generation: program.RandomPAN, AlertThresholdPercent: 85, Status: program.RecordActive,
	})
	w.must(err)
	p, err := b.Programs.Product(ctx, b.Caller, "P1")
	w.must(err)
	p.Code, p.Name, p.CardType, p.BINRangeCode, p.MaxChildCards = "K1", "World Gold", program.Credit, "K1", 2
	_, err = b.Programs.CreateProduct(ctx, b.Caller, p)
	w.must(err)
	w.must(w.services.Credit.SetTerms(ctx, b.Caller, "K1", line.DefaultTerms().Text()))
	w.goTo("2031-03-01", 9)
	a, err := w.services.Credit.Open(ctx, b.Caller, credit.NewAccount{
		CustomerNo: b.Customer(), ProductCode: "K1", Limit: "25000", BranchCode: "0972", BranchName: "MERKEZ",
	})
	w.must(err)
	w.account = a.Number
	w.cards["main"] = b.NewCardAs(issuing.NewCard{ProductCode: "K1", FormFactor: program.Virtual, AccountNo: a.Number}, "0.00")
	w.token([]string{b.Customer()})
}

// goTo makes it an hour of a day, in UTC. The client gets another token then.
func (w *world) goTo(day string, hour int) {
	d, err := clock.ParseDate(day)
	w.must(err)
	w.bank.Clock.Set(d.In(time.UTC).Add(time.Duration(hour) * time.Hour))
	if w.Names["consent"] != "" {
		w.signIn()
	}
}

// night is: night DAY; the work of the night before it.
func (w *world) night(args []string) {
	w.goTo(args[0], 0)
	tenant, err := w.bank.Access.TenantByID(w.T.Context(), w.bank.Caller.Tenant)
	w.must(err)
	_, err = w.services.Credit.RollDue(w.T.Context(), tenant)
	w.must(err)
}

// buy is: buy CARD AMOUNT COUNTRY.
func (w *world) buy(args []string) {
	card := w.cards[args[0]]
	r := w.bank.Request(card, authorization.FinancialRequest, try(args[1]))
	r.AcquirerCountry, r.MerchantCountry = args[2], args[2]
	w.bank.Chip(card, r)
	w.bank.WithPIN(card, r, card.PIN)
	if a := w.bank.Authorize(r); a.Reason != authorization.Approved {
		w.T.Errorf("buy %v: %s", args, a.Reason)
	}
}

// pay is: pay AMOUNT.
func (w *world) pay(args []string) {
	w.paid++
	_, err := w.bank.Ledger.Adjust(w.T.Context(), w.bank.Caller, ledger.Adjustment{
		AccountNo: w.account, Side: ledger.Credit, Amount: try(args[0]), Description: "ODEME", Reference: fmt.Sprint(w.paid),
	})
	w.must(err)
}

// child is: child LIMIT; a supplementary card with a limit of its own.
func (w *world) child(args []string) {
	main, err := w.bank.Issuing.Card(w.T.Context(), w.bank.Caller, w.cards["main"].Token)
	w.must(err)
	w.cards["child"] = w.bank.NewCardAs(issuing.NewCard{ProductCode: "K1", FormFactor: program.Virtual, ParentIssuanceNo: main.Issuance.No, EmbossLine1: "EGE ORNEK"}, "0.00")
	w.must(w.services.Credit.SetShare(w.T.Context(), w.bank.Caller, w.cards["child"].Token, credit.Share{Limit: args[0]}))
}

// status is: status CARD STATUS REASON.
func (w *world) status(args []string) {
	_, err := w.bank.Issuing.ChangeStatus(w.T.Context(), w.bank.Caller, w.cards[args[0]].Token, issuing.NewStatus{
		Status: issuing.CardStatus(args[1]), Reason: issuing.StatusReason(args[2]),
	})
	w.must(err)
}

// token is: token CUSTOMER; what follows is asked for that customer.
func (w *world) token(args []string) {
	creds := w.bank.Families.OpenBanking
	given, err := w.bank.Access.GrantConsent(w.T.Context(), w.bank.Caller, creds.ClientID, args[0])
	w.must(err)
	w.Names["consent"], w.Names["client"], w.Names["secret"] = given.ID, creds.ClientID, string(creds.ClientSecret.Reveal())
	w.signIn()
}

// signIn gets a token for the customer of the consent.
func (w *world) signIn() {
	w.Names["token"] = w.grant(url.Values{"grant_type": {"b2b_credentials"}, "consentId": {w.Names["consent"]}, "scope": {"creditcard"}})
}

// grant asks for a token as the family's client.
func (w *world) grant(form url.Values) string {
	form.Set("client_id", w.Names["client"])
	form.Set("client_secret", w.Names["secret"])
	answer := w.Send("POST", tokenPath, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form.Encode())
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != 200 {
		w.T.Fatalf("no token: %s", answer.Body)
	}
	return got.Token
}

func TestConversations(t *testing.T) {
	dbtest.EachFresh(t, func(t *testing.T, fresh func(testing.TB) *db.DB) {
		apitest.RunFiles(t, "testdata/*.txt", func(t *testing.T) *apitest.Conversation { return newWorld(t, fresh(t)).Conversation })
	})
}

// The request of the manual goes in, and every member of its answer comes out, of its
// kind; others are named by its table.
func TestDetails_haveTheMembersOfTheSample(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.buy([]string{"main", "40.95", "TR"})
		w.night([]string{"2031-03-15"})
		got := map[string]bool{}
		for _, l := range apitest.Shape(t, w.Send("POST", "/creditCardDetails", nil, apitest.Sample(t, "details.request")).Body.String()) {
			got[l] = true
		}
		for _, l := range apitest.Shape(t, apitest.Sample(t, "details.answer")) {
			if !got[l] {
				t.Errorf("lacks %s", l)
			}
			delete(got, l)
		}
		for _, named := range []string{"Balance", "RemainingDebt"} { // above zero
			delete(got, ".Data.CreditCardInfo."+named+" number")
		}
		delete(got, ".Data.CreditCardInfo.CardBranch string")
		for l := range got {
			t.Errorf("has %s, and should not", l)
		}
	})
}

// A consent that is revoked ends its tokens.
func TestConsent_endsWithItsTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ask := func() int { return w.Send("POST", "/creditCardList", nil, "{}").Code }
		if got := ask(); got != 200 {
			t.Fatalf("got %d", got)
		}
		for _, want := range []error{nil, fault.New(fault.NotFound, access.CodeConsentNotFound, "")} {
			err := w.services.Access.RevokeConsent(t.Context(), w.bank.Caller, w.Names["consent"])
			if (err == nil) != (want == nil) {
				t.Error(err)
			}
		}
		if got := ask(); got != 401 {
			t.Errorf("after it was revoked: %d", got)
		}
		w.Names["token"] = w.grant(url.Values{"grant_type": {"client_credentials"}})
		if got := ask(); got != 401 { // it is for what is public
			t.Errorf("with plain client credentials: %d", got)
		}
	})
}

// A token that was good once is told apart from one that nobody issued: the client
// gets another.
func TestToken_thatHasEnded(t *testing.T) {
	for what, end := range map[string]func(w *world){
		"its time is over": func(w *world) { w.bank.Clock.Advance(time.Hour + time.Second) },
		"its consent was revoked": func(w *world) {
			w.must(w.services.Access.RevokeConsent(t.Context(), w.bank.Caller, w.Names["consent"]))
		},
		"its client was switched off": func(w *world) {
			_, err := w.services.Access.SetClientActive(t.Context(), w.bank.Caller, w.Names["client"], false)
			w.must(err)
		},
	} {
		t.Run(what, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				end(w)
				if got := w.Send("POST", "/creditCardList", nil, "{}"); got.Code != 401 || !strings.Contains(got.Body.String(), deadToken) {
					t.Errorf("got %d %s", got.Code, got.Body)
				}
				if got := w.Send("POST", "/creditCardList", map[string]string{"Authorization": "Bearer x"}, "{}"); got.Code != 401 || !strings.Contains(got.Body.String(), badToken) {
					t.Errorf("one that nobody issued: %d %s", got.Code, got.Body)
				}
			})
		})
	}
}

func TestErrors_sayEveryKind(t *testing.T) {
	for _, k := range fault.Kinds() {
		if o := byKind[k]; o.status < 400 || o.code == "" {
			t.Errorf("%v has no row", k)
		}
	}
	for _, c := range credit.Codes {
		if o := outwardOf(fault.New(fault.Refused, c, "")); o.code == "" {
			t.Errorf("%s has no row", c)
		}
	}
}

func TestOpenAPI_namesEveryRoute(t *testing.T) {
	var document struct {
		Paths map[string]map[string]any `yaml:"paths"`
	}
	if err := yaml.Unmarshal(openAPI, &document); err != nil {
		t.Fatal(err)
	}
	routes := New(Services{}).routes()
	for _, rt := range routes {
		if document.Paths[rt.path]["post"] == nil {
			t.Errorf("%s is not in the document", rt.path)
		}
	}
	paths := map[string]bool{tokenPath: true, revokePath: true}
	for _, rt := range routes {
		paths[rt.path] = true
	}
	for _, p := range New(Services{}).pageRoutes() {
		if paths[p.path] = true; document.Paths[p.path][strings.ToLower(p.method)] == nil {
			t.Errorf("%s %s is not in the document", p.method, p.path)
		}
	}
	for path := range paths {
		if document.Paths[path] == nil {
			t.Errorf("%s is not in the document", path)
		}
	}
	if len(document.Paths) != len(paths) {
		t.Errorf("the document has %d paths, the family %d", len(document.Paths), len(paths))
	}
}
