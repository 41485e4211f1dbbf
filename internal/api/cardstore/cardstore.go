package cardstore

import (
	"context"
	_ "embed"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// Services are the domains this family speaks for.
type Services struct {
	Access *access.Service
	Store  *vault.Store
	Clock  clock.Clock
	// KeysStatus answers wrong keys: 200 as everything else, or 401, which the
	// original's client throws.
	KeysStatus int
}

// API is the family. It is safe for concurrent use.
type API struct {
	Services
	limit *api.Limiter
}

// New returns the family.
func New(s Services) *API { return &API{s, api.NewLimiter(s.Clock)} }

// Document describes the family (OpenAPI).
//
//go:embed openapi.yaml
var Document []byte

// Family is what the router serves.
func (a *API) Family() api.Family {
	return api.Family{Mount: a.mount, Refuse: a.refuse, Owns: owns}
}

func owns(path string) bool {
	return strings.HasPrefix(path, "/paywall/") || strings.HasPrefix(path, "/api/paywall/")
}

// operation answers a request; what it returns is the Body.
type operation func(ctx context.Context, c access.Caller, r *request) (any, error)

// keys are the headers that prove a caller, and what it must be.
type keys struct{ key, client, permission string }

var (
	private = keys{"apikeyprivate", "apiclientprivate", access.CardStoreServer}
	public  = keys{"apikeypublic", "apiclientpublic", access.CardStoreBrowser}
	token   = keys{} // a temporary token stands for its client
)

type route struct {
	method, path string
	keys
	run operation
}

func (a *API) routes() []route {
	e, i := vault.ECommerce, vault.Insurance
	return []route{
		{http.MethodPost, "/paywall/card", private, a.save},
		{http.MethodGet, "/paywall/card", private, a.list(e)},
		{http.MethodPut, "/paywall/card", private, a.update(e)},
		{http.MethodDelete, "/paywall/card", private, a.remove(e)},
		{http.MethodPost, "/paywall/card/tokenization", private, a.tokenize},
		{http.MethodPost, "/paywall/card/insurance", private, a.saveInsurance},
		{http.MethodGet, "/paywall/card/insurance", private, a.list(i)},
		{http.MethodPut, "/paywall/card/insurance", private, a.update(i)},
		{http.MethodDelete, "/paywall/card/insurance", private, a.remove(i)},
		{http.MethodPost, "/paywall/blacklist/card", private, a.blacklist},
		{http.MethodDelete, "/paywall/blacklist/card", private, a.whitelist},
		{http.MethodGet, "/paywall/blacklist/card/inquiry", private, a.blacklisted},
		{http.MethodGet, "/api/paywall/bin/inquiry", public, a.bin},
		{http.MethodPost, "/api/paywall/temptoken", public, a.newToken},
		{http.MethodPost, "/api/paywall/tempcard", token, a.newCard},
	}
}

func (a *API) mount(r chi.Router) {
	for _, x := range a.routes() {
		r.Method(x.method, x.path, a.serve(x))
	}
	r.Get("/openapi/cardstore.yaml", func(w http.ResponseWriter, r *http.Request) {
		api.ExchangeOf(r.Context()).Route = "/openapi/cardstore.yaml"
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(Document) // the client may be gone
	})
}

func (a *API) serve(x route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		exchange := api.ExchangeOf(r.Context())
		exchange.Route = x.path
		body, err := a.answer(w, r, x)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		write(w, http.StatusOK, envelopeOf(r, outcome{}, "", body))
	}
}

func (a *API) answer(w http.ResponseWriter, r *http.Request, x route) (any, error) {
	c, err := a.caller(r, x.keys)
	if err != nil {
		return nil, err
	}
	if err := a.limit.Admit(c.Client, api.Limit{PerSecond: float64(c.Rate.PerSecond), Burst: c.Rate.Burst}); err != nil {
		return nil, err
	}
	in := &request{Request: r}
	if r.Method != http.MethodGet {
		if in.body, err = api.ReadBody(w, r, "application/json", 0); err != nil {
			return nil, err
		}
		if _, err := api.Parse(in.body); err != nil {
			return nil, err
		}
	}
	return x.run(r.Context(), c, in)
}

// caller proves who calls.
func (a *API) caller(r *http.Request, k keys) (c access.Caller, err error) {
	x := api.ExchangeOf(r.Context())
	from := access.Origin{IP: x.IP, CorrelationID: x.CorrelationID}
	if k == token {
		client, err := a.Store.ClientOfToken(r.Context(), secret.FromString(r.Header.Get("token")))
		if err != nil {
			return c, err
		}
		c, err = a.Access.OnBehalf(r.Context(), access.CardStore, client, from)
		if err != nil {
			return c, err
		}
		k.permission = access.CardStoreBrowser
	} else {
		key, client := r.Header.Get(k.key), r.Header.Get(k.client)
		if key == "" || client == "" {
			return c, errKeysMissing
		}
		if !api.Printable(client) || len(client) > 128 || len(key) > 256 {
			return c, errKeysWrong
		}
		c, err = a.Access.AuthenticateKey(r.Context(), access.StaticKey{
			Family: access.CardStore, ClientID: client, Key: secret.FromString(key), From: from,
		})
		if err != nil {
			return c, err
		}
	}
	x.Client, x.Tenant = c.Client, c.Tenant.UUID()
	if !c.May(k.permission) {
		return c, a.Access.Deny(r.Context(), c, "Permission", k.permission, errKeysWrong)
	}
	return c, nil
}

var (
	errKeysMissing = fault.New(fault.Unauthenticated, codeKeysMissing, "the key headers are missing")
	errKeysWrong   = fault.New(fault.Unauthenticated, access.CodeUnauthenticated, "the keys are not those of this operation")
)

// refuse answers what went wrong. Only what no operation said has a status of
// its own.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	x := api.ExchangeOf(r.Context())
	o := outcomeOf(err, strings.HasPrefix(r.URL.Path, "/api/"))
	x.Fault = o.code
	if f, ok := fault.As(err); ok {
		x.Fault = f.Code
	}
	if o.internal {
		x.Err = err
	}
	if o.isOfKeys() {
		o.status = a.KeysStatus
	}
	write(w, o.status, envelopeOf(r, o, o.message(languageOf(r)), nil))
}
