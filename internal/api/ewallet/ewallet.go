package ewallet

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// API is the family. It is safe for concurrent use.
type API struct {
	access  *access.Service
	wallets *wallet.Service
	clients *api.Limiter
	actions map[string]action // by path in lower case
}

// New returns the family.
func New(a *access.Service, w *wallet.Service, c clock.Clock) *API {
	f := &API{access: a, wallets: w, clients: api.NewLimiter(c), actions: map[string]action{}}
	for _, x := range f.routes() {
		f.actions[strings.ToLower(x.path)] = x
	}
	return f
}

// Family is how the router takes it.
func (a *API) Family() api.Family {
	return api.Family{Mount: a.mount, Refuse: a.refuse, Owns: owns}
}

// prefix is where the paths begin, in any letter case.
const prefix = "/v1/"

func owns(path string) bool {
	return len(path) >= len(prefix) && strings.EqualFold(path[:len(prefix)], prefix)
}

func (a *API) mount(r chi.Router) {
	r.HandleFunc("/v1/{group}/{action}", a.serve)
	r.HandleFunc("/V1/{group}/{action}", a.serve)
}

// action is one operation: a path, and what reads, asks and answers.
type action struct {
	method, path string
	run          func(ctx context.Context, c access.Caller, in *fields) (answer, error)
}

// routes is the surface of the family.
func (a *API) routes() []action {
	return []action{
		{http.MethodPost, "/v1/Account/RegisterPersonalAccount", a.registerPersonal},
		{http.MethodPost, "/v1/Account/RegisterBusinessAccount", a.registerBusiness},
		{http.MethodPost, "/v1/Wallet/Info", a.showWallet},
		{http.MethodPost, "/v1/Transaction/TopupCreditCard", a.topUpByCard},
	}
}

// serve answers a request of the family.
func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	x := api.ExchangeOf(r.Context())
	act, ok := a.actions[strings.ToLower(r.URL.Path)]
	if !ok {
		a.refuse(w, r, fault.New(fault.NotFound, api.CodeNoRoute, "there is nothing at this path"))
		return
	}
	x.Route = act.path
	if r.Method != act.method {
		w.Header().Set("Allow", act.method)
		a.refuse(w, r, fault.New(fault.NotFound, api.CodeMethodNotAllowed, "this path does not know that method"))
		return
	}
	if l := r.Header.Get("locale"); strings.HasPrefix(strings.ToLower(l), "en") || strings.HasPrefix(strings.ToLower(l), "tr") {
		x.Language = strings.ToLower(l[:2])
	}
	out, err := a.carry(w, r, act)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	writeDone(w, x.Language, out)
}

// carry finds out who asks and for what, and does it.
func (a *API) carry(w http.ResponseWriter, r *http.Request, act action) (answer, error) {
	c, err := a.admit(r)
	if err != nil {
		return answer{}, err
	}
	in := &fields{}
	if act.method == http.MethodPost {
		body, err := api.ReadBody(w, r, "application/json", 0)
		if err != nil {
			return answer{}, err
		}
		if in, err = parseFields(body); err != nil {
			return answer{}, err
		}
	}
	return act.run(r.Context(), c, in)
}
