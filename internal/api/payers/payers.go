package payers

import (
	_ "embed"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
)

// Services are the domains this family speaks for.
type Services struct {
	Access     *access.Service
	Customers  *customer.Service
	Clock      clock.Clock
	TokenLimit api.Limit // of one network address that asks for tokens
	// TokenStatus answers a request without a valid token: 403 as the original's
	// manual says, or 401, at which its SDK signs in again.
	TokenStatus int
}

// API is the payers family. It is safe for concurrent use.
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
	return api.Family{Mount: a.mount, Refuse: a.refuse, Owns: owns}
}

const (
	tokenPath = "/oauth/token"
	basePath  = "/api/v2"
	listPath  = basePath + "/Payment/Customers"
	onePath   = listPath + "/{id}"
)

func owns(path string) bool {
	return path == tokenPath || path == basePath || strings.HasPrefix(path, basePath+"/")
}

func (a *API) mount(r chi.Router) {
	for _, rt := range a.routes() {
		r.MethodFunc(rt.method, rt.path, a.guarded(rt))
	}
	r.Post(tokenPath, a.issueToken)
	r.Get("/openapi/payers.yaml", document)
}

// route is one operation for clients that have shown a token.
type route struct {
	method, path string
	run          handler
}

func (a *API) routes() []route {
	return []route{
		{http.MethodPost, listPath, a.create},
		{http.MethodGet, listPath, a.list},
		{http.MethodGet, onePath, a.read},
		{http.MethodPut, onePath, a.replace},
		{http.MethodDelete, onePath, a.delete},
	}
}

//go:embed openapi.yaml
var openAPI []byte

func document(w http.ResponseWriter, r *http.Request) {
	api.ExchangeOf(r.Context()).Route = "/openapi/payers.yaml"
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI)
}
