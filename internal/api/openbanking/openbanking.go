package openbanking

import (
	_ "embed"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/credit"
)

// Services are the domains this family speaks for.
type Services struct {
	Access     *access.Service
	Credit     *credit.Service
	Clock      clock.Clock
	TokenLimit api.Limit // of one network address that asks for tokens
}

// API is the family of credit cards. It is safe for concurrent use.
type API struct {
	Services
	clients, addresses *api.Limiter
}

// New returns the family.
func New(s Services) *API {
	return &API{Services: s, clients: api.NewLimiter(s.Clock), addresses: api.NewLimiter(s.Clock)}
}

// Family is how the router takes it.
func (a *API) Family() api.Family {
	return api.Family{Mount: a.mount, Refuse: a.refuse, Owns: a.owns}
}

func (a *API) owns(path string) bool {
	return strings.HasPrefix(path, "/auth/oauth/v2/") || slices.ContainsFunc(a.routes(), func(rt route) bool { return rt.path == path })
}

func (a *API) mount(r chi.Router) {
	for _, rt := range a.routes() {
		r.Post(rt.path, a.guarded(rt))
	}
	for _, p := range a.pageRoutes() {
		r.Method(p.method, p.path, a.paged(p.path, p.run))
	}
	r.Get(stylePath, style)
	r.Post(tokenPath, a.issueToken)
	r.Post(revokePath, a.revokeToken)
	r.Get("/openapi/openbanking.yaml", document)
}

// route is one operation for clients that have shown a token. Its answer is the
// member of Data.
type route struct {
	path, member string
	run          handler
}

func (a *API) routes() []route {
	return []route{
		{"/creditCardList", "CreditCards", a.list},
		{"/creditCardDetails", "CreditCardInfo", a.details},
		{"/creditCardBalance", "CreditCardBalance", a.balance},
		{"/creditCardStatementList", "CreditCardStatements", a.statements},
		{"/creditCardStatement", "CreditCardStatementInfo", a.statement},
		{"/creditCardCurrentTermTransactions", "CreditCardTransactions", a.currentTerm},
		{"/createVirtualCard", "VirtualCardInfo", a.createVirtual},
	}
}

//go:embed openapi.yaml
var openAPI []byte

func document(w http.ResponseWriter, r *http.Request) {
	api.ExchangeOf(r.Context()).Route = "/openapi/openbanking.yaml"
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI)
}
