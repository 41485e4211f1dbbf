package platform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/notification"
	"github.com/sarraf-platform/sarraf/internal/personalization"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/vault"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// Services are the domains this family speaks for.
type Services struct {
	Access          *access.Service
	Audit           *audit.Service
	Vault           *vault.Service
	Customers       *customer.Service
	Programs        *program.Service
	Controls        *control.Service
	Fees            *fee.Service
	Issuing         *issuing.Service
	Personalization *personalization.Service
	Ledger          *ledger.Service
	Transactions    *authorization.Queries
	Replays         *authorization.ReplayJobs
	Webhooks        *webhook.Service
	Notices         *notification.Service
	Tester          Tester
	Calendar        Calendar
	Clock           clock.Clock
	TokenLimit      api.Limit // of one network address that asks for tokens
}

// API is the platform family. It is safe for concurrent use.
type API struct {
	Services
	version string
	huma    huma.API
	routed  map[string]bool // operation ids that were registered

	clients, addresses *api.Limiter
}

// New returns the family; version is shown in its document.
func New(s Services, version string) *API {
	return &API{
		Services: s, version: version, routed: map[string]bool{},
		clients: api.NewLimiter(s.Clock), addresses: api.NewLimiter(s.Clock),
	}
}

// Family is how the router takes it. Mounting fails, by panicking, when a route
// declares no permission: the program must not start with such a route.
func (a *API) Family() api.Family {
	return api.Family{Mount: a.mount, Refuse: a.refuse}
}

func (a *API) mount(r chi.Router) {
	a.huma = humachi.New(r, a.config())
	a.routes()
	a.mountOAuth(r)
	a.mountDocument(r)
}

// schemaPrefix is where references to schemas point.
const schemaPrefix = "#/components/schemas/"

func (a *API) config() huma.Config {
	c := huma.Config{OpenAPI: &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Sarraf platform API", Version: a.version,
			Description: "Issue cards, set them up and see their money. Amounts are JSON numbers in major units. Every request " +
				"may carry X-Correlation-Id, Accept-Language (tr, en), X-Channel and X-User-Reference.",
			License: &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: "/", Description: "The server that this document comes from."}},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
			},
		},
	}}
	// JSON only: the body was parsed and checked before it comes here.
	format := huma.Format{Marshal: marshal, Unmarshal: unmarshal}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format}
	c.DefaultFormat = "application/json"
	c.AllowAdditionalPropertiesByDefault = true
	c.FieldsOptionalByDefault = true
	c.Transformers = []huma.Transformer{noteViolation}
	return c
}

// unmarshal reads a body that was parsed and checked before, so what can still be
// wrong is a number that its type cannot hold, or a value that its type
// refuses. The error never quotes the body.
func unmarshal(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("holds a value out of range in '%s'", t.Field)
	}
	return err
}

// marshal writes v as JSON, with <, > and & as they are.
func marshal(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
