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

	// Cards (§7, §8)
	const card = "/api/v1/issuing/card"
	const oneCard = card + "/{cardToken}"
	register(a, route{post, card, "Create a card", access.IssuingCardCreate, once}, a.createCard)
	register(a, route{get, card, "List cards", access.IssuingCard, plain}, a.listCards)
	register(a, route{get, oneCard, "Show a card", access.IssuingCard, plain}, a.showCard)
	register(a, route{get, oneCard + "/details", "Show the details of a card", access.IssuingCard, plain}, a.showCardDetails)
	register(a, route{put, oneCard + "/status", "Change the status of a card", access.IssuingCardStatus, plain}, a.changeCardStatus)
	register(a, route{post, oneCard + "/cvv2/get-with-expire-date", "Show a CVV2", access.IssuingCardSensitive, noStore}, a.showCVV2)
	register(a, route{post, oneCard + "/cvv2/verify", "Verify a CVV2", access.IssuingCard, noStore}, a.verifyCVV2)
	register(a, route{post, oneCard + "/cvv2/reset-counters", "Reset the CVV2 tries", access.IssuingCardStatus, noStore}, a.resetCVV2)
	register(a, route{post, oneCard + "/pin/verify", "Verify a PIN", access.IssuingPINVerify, noStore}, a.verifyPIN)
	register(a, route{post, oneCard + "/pin/set", "Set a PIN", access.IssuingPINSet, noStore}, a.setPIN)
	register(a, route{post, oneCard + "/pin/change", "Change a PIN", access.IssuingPINChange, noStore}, a.changePIN)

	// Sandbox (§15)
	register(a, route{post, "/api/v1/sandbox/card-info", "Show a test card in clear", access.SandboxCard, plain}, a.showClearCard)
}
