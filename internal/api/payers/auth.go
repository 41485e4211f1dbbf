package payers

import (
	"net/http"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// handler carries a request out for its caller and returns what is answered.
type handler func(c access.Caller, w http.ResponseWriter, r *http.Request) (any, error)

var errNoPermission = fault.New(fault.Forbidden, access.CodeForbidden, "the client may not do this")

// guarded admits the caller, runs the route and writes its answer.
func (a *API) guarded(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := api.ExchangeOf(r.Context())
		x.Route = rt.path
		c, err := a.admit(r, x)
		var answer any
		if err == nil {
			answer, err = rt.run(c, w, r)
		}
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, answer)
	}
}

// admit finds out who calls.
func (a *API) admit(r *http.Request, x *api.Exchange) (access.Caller, error) {
	c, err := a.Access.AuthenticateOpaque(r.Context(), access.Payers, api.Bearer(r), originOf(x))
	if err != nil {
		return c, err
	}
	x.Client, x.Tenant = c.Client, c.Tenant.String()
	if err := a.clients.Admit(c.Client, api.Limit{PerSecond: float64(c.Rate.PerSecond), Burst: c.Rate.Burst}); err != nil {
		return c, err
	}
	if !c.May(access.PayersCustomer) {
		return c, a.Access.Deny(r.Context(), c, "Permission", access.PayersCustomer, errNoPermission)
	}
	return c, nil
}

func originOf(x *api.Exchange) access.Origin {
	return access.Origin{IP: x.IP, CorrelationID: x.CorrelationID}
}
