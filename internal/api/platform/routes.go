package platform

import (
	"net/http"

	"github.com/sarraf-platform/sarraf/internal/access"
)

const (
	get    = http.MethodGet
	post   = http.MethodPost
	put    = http.MethodPut
	remove = http.MethodDelete
)

// routes is the whole surface. /connect/token and /.well-known/jwks.json, which
// do not speak this family's JSON, are in auth.go; the document is in document.go.
func (a *API) routes() {
	// Auth (contract/platform.md §2)
	register(a, route{post, "/api/v1/auth/token", "Issue a token", public, plain}, a.issueToken)
	register(a, route{post, "/api/v1/auth/refresh-token", "Refresh a token", public, plain}, a.refreshToken)

	// Key exchange (§1.8)
	const exchange = "/api/v1/issuing/integration/key-exchange"
	register(a, route{post, exchange, "Exchange a key", anyCaller, noStore}, a.exchangeKey)
	register(a, route{get, exchange, "List exchanged keys", anyCaller, plain}, a.listExchangedKeys)
	register(a, route{remove, exchange + "/{keyId}", "Drop an exchanged key", anyCaller, plain}, a.dropExchangedKey)

	// System parameters (§17)
	register(a, route{get, "/api/v1/system/tenant", "Show the tenant", access.SystemTenant, plain}, a.showTenant)
	register(a, route{put, "/api/v1/system/tenant", "Update the tenant", access.SystemTenant, plain}, a.updateTenant)
}
