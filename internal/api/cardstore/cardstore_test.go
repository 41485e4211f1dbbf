package cardstore

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// world is the family on a database of its own, with two tenants.
type world struct {
	*apitest.Conversation
	access  *access.Service
	store   *vault.Store
	backend *soft.Backend
	clock   *clock.Fake
	tenants map[string]access.Tenant
	log     bytes.Buffer
}

func newWorld(t *testing.T, d *db.DB, keysStatus int) *world {
	t.Helper()
	backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	c := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
	w := &world{access: access.New(d, backend, c), store: vault.NewStore(d, backend, c), backend: backend, clock: c, tenants: map[string]access.Tenant{}}
	handler := api.NewRouter(api.Options{Log: slog.New(slog.NewTextHandler(&w.log, nil)), Clock: c},
		New(Services{Access: w.access, Store: w.store, Clock: c, KeysStatus: keysStatus}).Family())
	w.Conversation = &apitest.Conversation{
		T: t, Names: map[string]string{},
		Volatile: map[string]bool{"UniqueCode": true, "Token": true, "CardToken": true, "TempTokenId": true, "TempCardId": true, "Id": true},
		Commands: map[string]func([]string){
			"advance": func(args []string) { w.advance(args[0]) },
			"share":   func(args []string) { w.share(args[0], args[1], args[2]) },
		},
		Send: func(method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
			for name, value := range header {
				r.Header.Set(name, value)
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, r)
			return answer
		},
	}
	for _, name := range []string{"main", "other"} {
		tenant, creds, err := w.access.CreateTenant(t.Context(), access.NewTenant{Name: strings.ToUpper(name), Sandbox: true})
		w.must(err)
		w.tenants[name] = tenant
		w.named(name, creds.Families.CardStorePrivate, creds.Families.CardStorePublic)
	}
	w.must(d.InTx(t.Context(), func(tx db.Tx) error {
		caller := access.System(w.tenants["main"])
		private, public, err := w.access.CreateKeyPairs(t.Context(), tx, caller, "Second")
		if err != nil {
			return err
		}
		w.named("second", private, public)
		return w.store.SeparateMerchant(t.Context(), tx, caller, private.ClientID, public.ClientID)
	}))
	return w
}

// named remembers the keys of a merchant.
func (w *world) named(name string, private, public access.Credentials) {
	w.Names[name+".key"], w.Names[name+".client"] = string(private.ClientSecret.Reveal()), private.ClientID
	w.Names[name+".publicKey"], w.Names[name+".publicClient"] = string(public.ClientSecret.Reveal()), public.ClientID
}

func (w *world) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

func (w *world) advance(by string) {
	d, err := time.ParseDuration(by)
	w.must(err)
	w.clock.Advance(d)
}

// share lets a merchant share the cards of a partner of a tenant.
func (w *world) share(tenant, merchant, partner string) {
	w.must(w.store.AddPartnerMerchant(w.T.Context(), access.System(w.tenants[tenant]), partner, w.Names[merchant+".client"]))
}

// private and public are the headers of a merchant's servers and browsers.
func (w *world) private(merchant string) map[string]string {
	return map[string]string{"apikeyprivate": w.Names[merchant+".key"], "apiclientprivate": w.Names[merchant+".client"]}
}

func (w *world) public(merchant string) map[string]string {
	return map[string]string{"apikeypublic": w.Names[merchant+".publicKey"], "apiclientpublic": w.Names[merchant+".publicClient"]}
}

// tell tells a conversation on both engines. Its words:
//
//	advance 24h                  the clock moves
//	share TENANT MERCHANT NAME   the merchant shares the cards of a partner
func tell(t *testing.T, file string) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 200)
		apitest.RunFile(t, file, w.Conversation)
		for _, number := range []string{"4000001200000057", "17654932298"} {
			if strings.Contains(w.log.String(), number) {
				t.Errorf("the log holds %s", number)
			}
		}
	})
}

func TestConversation_insurance(t *testing.T) { tell(t, "testdata/insurance.txt") }
func TestConversation_ecommerce(t *testing.T) { tell(t, "testdata/ecommerce.txt") }
func TestConversation_temporary(t *testing.T) { tell(t, "testdata/temporary.txt") }
func TestConversation_merchants(t *testing.T) { tell(t, "testdata/merchants.txt") }

// The document has each route with its method and the keys it wants, and no more.
func TestDocument_isHeldToTheRoutes(t *testing.T) {
	var document struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `yaml:"security"`
			Body     any                   `yaml:"requestBody"`
		} `yaml:"paths"`
	}
	if err := yaml.Unmarshal(Document, &document); err != nil {
		t.Fatal(err)
	}
	operations := 0
	for _, methods := range document.Paths {
		operations += len(methods)
	}
	routes := new(API).routes()
	for _, x := range routes {
		o, found := document.Paths[x.path][strings.ToLower(x.method)]
		wants := []string{x.key, x.client}
		if x.keys == token {
			wants = []string{"token"}
		}
		if !found || len(o.Security) != 1 || len(o.Security[0]) != len(wants) || (o.Body == nil) != (x.method == http.MethodGet) {
			t.Errorf("%s %s is not described as it is: %+v", x.method, x.path, o)
			continue
		}
		for _, key := range wants {
			if _, named := o.Security[0][key]; !named {
				t.Errorf("%s %s: the document does not want %s", x.method, x.path, key)
			}
		}
	}
	if operations != len(routes) {
		t.Errorf("the document has %d operations, the family %d", operations, len(routes))
	}
	if !owns("/paywall/card") || !owns("/api/paywall/x") || owns("/api/v1/issuing/card") {
		t.Error("owns the wrong paths")
	}
}

// members are the names of a struct's JSON members, those of objects in it with a
// dot.
func members(of reflect.Type) (names []string) {
	for i := range of.NumField() {
		f := of.Field(i)
		if f.Anonymous {
			names = append(names, members(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[digits]() {
			for _, inner := range members(f.Type) {
				names = append(names, name+"."+inner)
			}
		}
	}
	slices.Sort(names)
	return names
}

type described struct {
	Properties map[string]described `yaml:"properties"`
	Required   []string             `yaml:"required"`
}

func (d described) members() (names []string) {
	for name, p := range d.Properties {
		names = append(names, name)
		for _, inner := range p.members() {
			names = append(names, name+"."+inner)
		}
	}
	slices.Sort(names)
	return names
}

// The schemas of the document have the members that are read and written.
func TestDocument_isHeldToTheBodies(t *testing.T) {
	var document struct {
		Components struct {
			Schemas map[string]described `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(Document, &document); err != nil {
		t.Fatal(err)
	}
	partners := []string{"PartnerBased", "PartnerIdentity"}
	bodies := map[string]struct {
		body    any
		without []string // what the request of another operation has as well
	}{
		"Envelope": {envelope{}, nil}, "PaymentEnvelope": {paymentEnvelope{}, nil}, "Details": {details{}, nil}, "Card": {card{}, nil},
		"InsuranceCard": {insuranceCard{}, nil}, "SaveCard": {saveRequest{}, nil}, "SaveInsuranceCard": {saveInsuranceRequest{}, partners},
		"Tokenize": {tokenizeRequest{}, nil}, "HandedOver": {handedOver{}, nil}, "UpdateCard": {updateRequest{}, nil}, "DeleteCard": {updateRequest{}, []string{"Nickname", "Month", "Year"}},
		"BlacklistCard": {blacklistRequest{}, nil}, "Blacklisted": {blacklistAdded{}, nil}, "BlacklistState": {blacklistState{}, nil},
		"Bin": {binState{}, nil}, "TemporaryToken": {tokenRequest{}, nil}, "TemporaryTokenState": {tokenState{}, nil},
		"TemporaryCard": {temporaryRequest{}, nil}, "TemporaryCardState": {temporaryState{}, nil},
	}
	for name, b := range bodies {
		want := slices.DeleteFunc(members(reflect.TypeOf(b.body)), func(n string) bool { return slices.Contains(b.without, n) })
		if got := document.Components.Schemas[name].members(); !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", name, got, want)
		}
	}
	if len(document.Components.Schemas) != len(bodies) {
		t.Errorf("the document has %d schemas, want %d", len(document.Components.Schemas), len(bodies))
	}
}
