package ewallet

import (
	"net/http"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
)

// admit finds out who calls and whether it may.
func (a *API) admit(r *http.Request) (access.Caller, error) {
	x := api.ExchangeOf(r.Context())
	from := access.Origin{IP: x.IP, CorrelationID: x.CorrelationID}
	c, err := a.access.Authenticate(r.Context(), access.EWallet, api.Bearer(r), from)
	if err != nil {
		return access.Caller{}, err
	}
	x.Client, x.Tenant = c.Client, c.Tenant.String()
	if err := a.clients.Admit(c.Client, api.Limit{PerSecond: float64(c.Rate.PerSecond), Burst: c.Rate.Burst}); err != nil {
		return access.Caller{}, err
	}
	c.CorrelationID, c.Language, c.IP = x.CorrelationID, x.Language, x.IP
	if !c.May(access.EWalletBusiness) {
		return access.Caller{}, a.access.Deny(r.Context(), c, "Permission", access.EWalletBusiness, errNotGranted)
	}
	return c, nil
}
