package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Hook is an address that wants to hear of events.
type Hook struct {
	ID                  id.ID[Hook]
	Tenant              access.TenantID
	Name                string
	URL                 string
	EventTypes          []string // names, "card.*" or "*"
	Timeout             time.Duration
	RetriesMax          int
	IsActive            bool
	IsDisabled          bool // by us, after too many failures
	LastSuccessAt       time.Time
	LastErrorAt         time.Time
	ConsecutiveFailures int
	FailingSince        time.Time
	ConcurrencyStamp    string
	CreatedAt           time.Time
	CreatedBy           string
	UpdatedAt           time.Time
	UpdatedBy           string

	sealed []byte
}

// IDPrefix is the prefix of webhook identifiers.
func (Hook) IDPrefix() string { return "hook" }

// Health is how a hook does.
type Health string

// The healths of a hook.
const (
	Healthy  Health = "Healthy"
	Failing  Health = "Failing"
	Disabled Health = "Disabled"
)

// Health is how h does.
func (h Hook) Health() Health {
	switch {
	case h.IsDisabled:
		return Disabled
	case h.ConsecutiveFailures > 0:
		return Failing
	}
	return Healthy
}

// Wants reports whether h hears of an event of this name.
func (h Hook) Wants(event string) bool {
	return slices.ContainsFunc(h.EventTypes, func(t string) bool { return matches(t, event) })
}

func matches(pattern, event string) bool {
	prefix, all := strings.CutSuffix(pattern, "*")
	return pattern == event || all && strings.HasPrefix(event, prefix)
}

// Ping is the event that a test sends.
const Ping = "webhook.ping"

// Events lists the events a hook may hear of (contract/platform.md §14.4). Not
// all of them happen yet.
func Events() []string {
	return []string{
		"customer.created", "customer.updated", "customer.segment-changed", "customer.status-changed",
		"card.created", "card.bulk-created", "card.linked", "card.unlinked", "card.status-changed", "card.renewed",
		"card.renewal-skipped", "card.replaced", "card.policy-changed", "card.velocity-changed", "card.phone-changed",
		"card.pin-changed", "card.pin-blocked", "card.pin-unblocked", "card.pin-sent", "card.cvv2-blocked", "card.cvv2-reset",
		"card.perso-status-changed", "card.shipment-status-changed", "card.expiring", "card.token-status-changed",
		"transaction.authorized", "transaction.declined", "transaction.reversed", "transaction.voided", "transaction.hold-expired",
		"transaction.cleared", "transaction.clearing-exception", "transaction.refunded", "transaction.chargeback",
		"transaction.representment", "transaction.digital-slip", "velocity.threshold", "fee.charged", "fee.reversed", "fee.failed",
		"fee.upcoming", "bin-range.threshold", "settlement.report-ready", "product.updated", Ping,
	}
}

// AuthenticationType is how we show a receiver who we are, besides the
// signature.
type AuthenticationType string

// The types of authentication.
const (
	NoAuthentication AuthenticationType = "None"
	Basic            AuthenticationType = "Basic"
	Bearer           AuthenticationType = "Bearer"
	APIKey           AuthenticationType = "ApiKey"
)

// Authentication is what a receiver wants to see.
type Authentication struct {
	Type        AuthenticationType
	UserName    string       // Basic
	Password    secret.Value // Basic
	Token       secret.Value // Bearer
	HeaderName  string       // ApiKey
	HeaderValue secret.Value // ApiKey
}

// NewHook is what a caller asks for.
type NewHook struct {
	Name          string
	URL           string
	EventTypes    []string
	SigningSecret secret.Value // zero: made up, or as it is
	// Authentication and Headers cannot be read back; nil leaves them as they
	// are.
	Authentication   *Authentication
	Headers          map[string]string
	Timeout          time.Duration // zero: 10 s
	RetriesMax       *int          // nil: 10
	IsActive         *bool         // nil: true
	ConcurrencyStamp string        // of an update: the present one, or empty
}

// confidential is what is sealed of a hook. Its member names are the stored
// form: they are not changed, only added to.
type confidential struct {
	Secret        []byte
	Previous      []byte // signs, too, until PreviousUntil
	PreviousUntil time.Time
	Type          AuthenticationType
	UserName      string
	Password      []byte
	Token         []byte
	HeaderName    string
	HeaderValue   []byte
	Headers       map[string]string
}

// secrets are those that sign at now, the newest first.
func (c confidential) secrets(now time.Time) [][]byte {
	if len(c.Previous) > 0 && now.Before(c.PreviousUntil) {
		return [][]byte{c.Secret, c.Previous}
	}
	return [][]byte{c.Secret}
}

const (
	timeoutMin, timeoutMax = 500 * time.Millisecond, 10 * time.Second
	retriesStandard        = 10
	retriesMax             = 15
	headersMax             = 20
	hooksMax               = 20
	purposeSecret          = "webhook_secret"
)

// apply puts what in asks for into h and c, or tells all that is wrong with it.
func (s *Service) apply(caller access.Caller, h *Hook, c *confidential, in NewHook) error {
	var bad *fault.Error
	is := func(field string, good bool, code, text string) {
		if good {
			return
		}
		if bad == nil {
			bad = errInvalid
		}
		bad = bad.OnField(field, code, text)
	}
	h.Name, h.URL, h.EventTypes = strings.TrimSpace(in.Name), in.URL, in.EventTypes
	is("name", h.Name != "" && len(h.Name) <= 100, "length", "must have 1 to 100 characters")
	if wrong := outbound.CheckURL(h.URL, s.reachFor(caller.Sandbox)); wrong != "" {
		is("url", false, "not_allowed", wrong)
	}
	is("eventTypes", len(in.EventTypes) > 0 && len(in.EventTypes) <= 100, "required", "must have 1 to 100 entries")
	for _, t := range in.EventTypes {
		known := slices.ContainsFunc(Events(), func(e string) bool { return matches(t, e) })
		known = known && (!strings.HasSuffix(t, "*") || t == "*" || strings.HasSuffix(t, ".*"))
		is("eventTypes", known, "unknown", "must be names of events, or like card.*, or *")
	}
	if h.Timeout = in.Timeout; h.Timeout == 0 {
		h.Timeout = timeoutMax
	}
	is("timeoutMs", h.Timeout >= timeoutMin && h.Timeout <= timeoutMax, "range", "must be between 500 and 10000")
	if h.RetriesMax = retriesStandard; in.RetriesMax != nil {
		h.RetriesMax = *in.RetriesMax
	}
	is("maxRetry", h.RetriesMax >= 0 && h.RetriesMax <= retriesMax, "range", "must be between 0 and 15")
	h.IsActive = in.IsActive == nil || *in.IsActive
	if !in.SigningSecret.IsZero() {
		b, ok := outbound.ReadSecret(in.SigningSecret)
		is("signingSecret", ok, "malformed", "must be whsec_ and the base64 of 24 to 64 bytes")
		if c.Secret = b; !ok {
			c.Secret = nil
		}
	}
	if in.Authentication != nil {
		a := *in.Authentication
		c.Type, c.UserName, c.HeaderName = a.Type, a.UserName, a.HeaderName
		c.Password, c.Token, c.HeaderValue = a.Password.Reveal(), a.Token.Reveal(), a.HeaderValue.Reveal()
		switch a.Type {
		case NoAuthentication, "":
		case Basic:
			is("authentication.userName", a.UserName != "" && !strings.Contains(a.UserName, ":"), "required", "is required, without a colon")
			is("authentication.password", !a.Password.IsZero(), "required", "is required")
		case Bearer:
			is("authentication.token", headerValue(string(c.Token)), "required", "is required, of printable ASCII")
		case APIKey:
			is("authentication.headerName", headerName(a.HeaderName), "malformed", "must be the name of a header that is not ours")
			is("authentication.headerValue", headerValue(string(c.HeaderValue)), "required", "is required, of printable ASCII")
		default:
			return NotBuilt(string(a.Type))
		}
	}
	if in.Headers != nil {
		c.Headers = in.Headers
		is("headers", len(in.Headers) <= headersMax, "too_many", "must have at most 20 entries")
		for name, value := range in.Headers {
			is("headers", headerName(name) && headerValue(value), "malformed", "must be headers of printable ASCII that are not ours")
		}
	}
	if bad != nil {
		return bad
	}
	return nil
}

// headerName reports whether a header of this name may be added to requests.
func headerName(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	ours := []string{
		"Authorization", "Connection", "Content-Length", "Content-Type", "Cookie", "Expect", "Host", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "User-Agent",
	}
	return !slices.Contains(ours, name) && !strings.HasPrefix(name, "Webhook-") && !strings.HasPrefix(name, "X-Webhook-") &&
		!strings.HasPrefix(name, "Proxy-")
}

func headerValue(value string) bool {
	for _, r := range value {
		if r < 0x20 || r > 0x7e {
			return false
		}
	}
	return value != "" && len(value) <= 4096
}

// headers sets what the receiver asked for.
func (c confidential) headers(h http.Header) {
	for name, value := range c.Headers {
		h.Set(name, value)
	}
	switch c.Type {
	case Basic:
		r := http.Request{Header: h}
		r.SetBasicAuth(c.UserName, string(c.Password))
	case Bearer:
		h.Set("Authorization", "Bearer "+string(c.Token))
	case APIKey:
		h.Set(c.HeaderName, string(c.HeaderValue))
	}
}

func place(h Hook) []byte {
	return []byte("1|" + h.Tenant.String() + "|webhook|sealed|" + h.ID.String())
}

func (s *Service) seal(ctx context.Context, h *Hook, c confidential) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode webhook: %w", err)
	}
	if h.sealed, err = s.Seal.Seal(ctx, h.Tenant.String(), purposeSecret, text, place(*h)); err != nil {
		return fmt.Errorf("seal webhook: %w", err)
	}
	return nil
}

func (s *Service) open(ctx context.Context, h Hook) (c confidential, err error) {
	text, err := s.Seal.Open(ctx, h.Tenant.String(), purposeSecret, h.sealed, place(h))
	if err != nil {
		return c, fmt.Errorf("open webhook %s: %w", h.ID, err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("open webhook %s: %w", h.ID, err)
	}
	return c, nil
}
