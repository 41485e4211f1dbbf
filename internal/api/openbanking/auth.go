package openbanking

import (
	"net/http"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// handler carries a request out for its caller, whose customer the token names, and
// returns what is answered.
type handler func(c access.Caller, r *http.Request, in request) (any, error)

var (
	errNoPermission = fault.New(fault.Forbidden, access.CodeForbidden, "the client may not do this")
	errNoCustomer   = fault.New(fault.Unauthenticated, access.CodeUnauthenticated, "the token is nobody's")
)

// guarded admits the caller, reads the request, runs the route and writes its answer:
// in this order, so that nothing is told of cards before the token is good.
func (a *API) guarded(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := api.ExchangeOf(r.Context())
		x.Route = rt.path
		c, err := a.admit(r, x)
		var in request
		if err == nil {
			in, err = readRequest(w, r)
		}
		var answer any
		if err == nil {
			answer, err = rt.run(c, r, in)
		}
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, envelope{Header: a.header(success, "Completed"), Data: map[string]any{rt.member: answer}})
	}
}

// admit finds out who calls, and for which customer.
func (a *API) admit(r *http.Request, x *api.Exchange) (access.Caller, error) {
	c, err := a.Access.AuthenticateOpaque(r.Context(), access.OpenBanking, api.Bearer(r), originOf(x))
	if err != nil {
		return c, err
	}
	x.Client, x.Tenant = c.Client, c.Tenant.String()
	if err := a.clients.Admit(c.Client, api.Limit{PerSecond: float64(c.Rate.PerSecond), Burst: c.Rate.Burst}); err != nil {
		return c, err
	}
	if !c.May(access.OpenBankingCreditCard) {
		return c, a.Access.Deny(r.Context(), c, "Permission", access.OpenBankingCreditCard, errNoPermission)
	}
	if c.Customer == "" {
		return c, errNoCustomer
	}
	return c, nil
}

func originOf(x *api.Exchange) access.Origin {
	return access.Origin{IP: x.IP, CorrelationID: x.CorrelationID}
}
