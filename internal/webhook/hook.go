package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Hook is an address of a tenant that wants to hear of events, or is asked.
type Hook struct {
	ID                  id.ID[Hook]
	Tenant              access.TenantID
	Type                Type
	Name                string
	URL                 string
	EventTypes          []string // names, "card.*" or "*"; of an Event hook
	Filter              Filter
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
	// Shown is what may be seen of the authentication, and HeaderNames of the
	// headers that are added. Only what this service returns to callers has them.
	Shown       Authentication
	HeaderNames []string

	sealed []byte
}

// IDPrefix is the prefix of webhook identifiers.
func (Hook) IDPrefix() string { return "hook" }

// Type is what a hook is for (contract/platform.md §14.2).
type Type string

// The types. Event is told; Authorization, BalanceInquiry and FeeDebit are asked
// and waited for; Sms and Email are given the messages that the tenant sends
// itself.
const (
	TypeEvent          Type = "Event"
	TypeAuthorization  Type = "Authorization"
	TypeBalanceInquiry Type = "BalanceInquiry"
	TypeFeeDebit       Type = "FeeDebit"
	TypeSMS            Type = "Sms"
	TypeEmail          Type = "Email"
)

// Types lists every type, in the order of the contract.
func Types() []Type {
	return []Type{TypeEvent, TypeAuthorization, TypeBalanceInquiry, TypeFeeDebit, TypeSMS, TypeEmail}
}

// IsAsked reports whether somebody waits for the answers of hooks of this type.
func (t Type) IsAsked() bool {
	return t == TypeAuthorization || t == TypeBalanceInquiry || t == TypeFeeDebit
}

// sends reports whether hooks of this type send messages to customers.
func (t Type) sends() bool { return t == TypeSMS || t == TypeEmail }

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

// wantsOnly reports whether h wants to hear of nothing but events of the kind of
// this one: those whose names begin alike.
func (h Hook) wantsOnly(event string) bool {
	kind, _, _ := strings.Cut(event, ".")
	return !slices.ContainsFunc(h.EventTypes, func(pattern string) bool { return !strings.HasPrefix(pattern, kind+".") })
}

func matches(pattern, event string) bool {
	return outbox.Matches(pattern, event)
}

// Ping is the event that a test sends.
const Ping = "webhook.ping"

// Events lists the events a hook may hear of (contract/platform.md §14.4). Not
// all of them happen yet: docs/events.md says which.
func Events() []string {
	return []string{
		"customer.created", "customer.updated", "customer.segment-changed", "customer.status-changed",
		"card.created", "card.bulk-created", "card.linked", "card.unlinked", "card.status-changed", "card.schedule-dropped", "card.renewed",
		"card.renewal-skipped", "card.replaced", "card.policy-changed", "card.velocity-changed", "card.phone-changed",
		"card.pin-changed", "card.pin-blocked", "card.pin-unblocked", "card.pin-sent", "card.cvv2-blocked", "card.cvv2-reset",
		"card.perso-status-changed", "card.shipment-status-changed", "card.expiring", "card.token-status-changed",
		"transaction.authorized", "transaction.declined", "transaction.reversed", "transaction.voided", "transaction.hold-expired",
		"transaction.cleared", "transaction.clearing-exception", "transaction.refunded", "transaction.chargeback",
		"transaction.representment", "transaction.digital-slip", "authorization-control.alert", "velocity.threshold", "fee.charged", "fee.reversed", "fee.failed",
		"fee.upcoming", "credit-account.opened", "credit-account.limit-changed", "credit-account.statement-ready",
		"credit-account.delinquency-changed", "wallet.topup-completed", "wallet.topup-refused",
		"wallet.withdrawal-changed", "bin-range.threshold", "settlement.report-ready", "product.updated", Ping,
	}
}

// NewHook is what a caller asks for.
type NewHook struct {
	Type          Type // empty: Event
	Name          string
	URL           string
	EventTypes    []string
	Filter        Filter
	SigningSecret secret.Value // zero: made up, or as it is
	// The secrets of Authentication and the values of Headers cannot be read
	// back; nil leaves them as they are, while URL leads to the same origin: with
	// another one they must be given again, or removed.
	Authentication   *Authentication
	Headers          map[string]string
	Timeout          time.Duration // zero: 10 s, of a type that is asked 2 s
	RetriesMax       *int          // nil: 10, of a type that is asked 0
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
	TokenURL      string
	ClientID      string
	ClientSecret  []byte
	Scope         string
	Certificate   []byte // PEM
	PrivateKey    []byte // PEM
}

// secrets are those that sign at now, the newest first.
func (c confidential) secrets(now time.Time) [][]byte {
	if len(c.Previous) > 0 && now.Before(c.PreviousUntil) {
		return [][]byte{c.Secret, c.Previous}
	}
	return [][]byte{c.Secret}
}

const (
	timeoutMin, timeoutMax           = 500 * time.Millisecond, 10 * time.Second
	timeoutAsked, timeoutAskedAtMost = 2 * time.Second, 5 * time.Second
	retriesStandard                  = 10
	retriesMax                       = 15
	headersMax                       = 20
	hooksMax                         = 20
	purposeSecret                    = "webhook_secret"
)

// faults collects all that is wrong with a hook that is asked for.
type faults struct{ bad *fault.Error }

func (f *faults) is(field string, good bool, code, text string) {
	if good {
		return
	}
	if f.bad == nil {
		f.bad = errInvalid
	}
	f.bad = f.bad.OnField(field, code, text)
}

func (f *faults) err() error {
	if f.bad == nil {
		return nil
	}
	return f.bad
}

// apply puts what in asks for into h and c, or tells all that is wrong with it.
func (s *Service) apply(caller access.Caller, h *Hook, c *confidential, in NewHook) error {
	var f faults
	reach := s.reachFor(caller.Sandbox)
	moves := h.URL != "" && originOf(h.URL) != originOf(in.URL)
	h.Name, h.URL, h.EventTypes, h.Filter = strings.TrimSpace(in.Name), in.URL, in.EventTypes, in.Filter
	f.is("name", h.Name != "" && len(h.Name) <= 100, "length", "must have 1 to 100 characters")
	if wrong := outbound.CheckURL(h.URL, reach); wrong != "" {
		f.is("url", false, "not_allowed", wrong)
	}
	applyType(h, in, &f)
	h.Filter.check(&f)
	h.IsActive = in.IsActive == nil || *in.IsActive
	if !in.SigningSecret.IsZero() {
		b, ok := outbound.ReadSecret(in.SigningSecret)
		f.is("signingSecret", ok, "malformed", "must be whsec_ and the base64 of 24 to 64 bytes")
		if c.Secret = b; !ok {
			c.Secret = nil
		}
	}
	if moves {
		f.is("authentication", in.Authentication != nil || !c.authenticates(), "required",
			"must be given again, or removed, when url leads to another scheme, host or port")
		f.is("headers", in.Headers != nil || len(c.Headers) == 0, "required",
			"must be given again, or removed, when url leads to another scheme, host or port")
	}
	if in.Authentication != nil {
		c.authenticate(*in.Authentication, reach, &f)
	}
	if in.Headers != nil {
		c.Headers = in.Headers
		f.is("headers", len(in.Headers) <= headersMax, "too_many", "must have at most 20 entries")
		for name, value := range in.Headers {
			f.is("headers", headerName(name) && headerValue(value), "malformed", "must be headers of printable ASCII that are not ours")
		}
	}
	return f.err()
}

// originOf is the scheme, host and port that a URL leads to. What a receiver gave
// us to show is for its origin alone: whoever may change a hook may not thereby
// have it sent to a host of its own.
func originOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	switch {
	case port == "" && scheme == "https":
		port = "443"
	case port == "" && scheme == "http":
		port = "80"
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// applyType puts in what depends on the type of the hook.
func applyType(h *Hook, in NewHook, f *faults) {
	kind := in.Type
	if kind == "" {
		kind = TypeEvent
	}
	f.is("webHookType", h.Type == "" || h.Type == kind, "immutable", "cannot be changed")
	if h.Type == "" {
		h.Type = kind
	}
	f.is("webHookType", slices.Contains(Types(), h.Type), "unknown", "must be one of the listed values")
	if h.Type == TypeEvent {
		f.is("eventTypes", len(in.EventTypes) > 0 && len(in.EventTypes) <= 100, "required", "must have 1 to 100 entries")
	} else {
		f.is("eventTypes", len(in.EventTypes) == 0, "not_allowed", "must be left out: only Event hooks choose events")
	}
	for _, t := range in.EventTypes {
		known := slices.ContainsFunc(Events(), func(e string) bool { return matches(t, e) })
		known = known && (!strings.HasSuffix(t, "*") || t == "*" || strings.HasSuffix(t, ".*"))
		f.is("eventTypes", known, "unknown", "must be names of events, or like card.*, or *")
	}
	if h.Type.sends() {
		f.is("filter.networks", len(in.Filter.Networks) == 0, "not_allowed", "must be left out: messages are chosen by product")
		f.is("filter.transactionCodes", len(in.Filter.Codes) == 0, "not_allowed", "must be left out: messages are chosen by product")
	}
	standard, most, retries, retriesBound := timeoutMax, timeoutMax, retriesStandard, retriesMax
	if h.Type.IsAsked() {
		standard, most, retries, retriesBound = timeoutAsked, timeoutAskedAtMost, 0, 0
	}
	if h.Timeout = in.Timeout; h.Timeout == 0 {
		h.Timeout = standard
	}
	f.is("timeoutMs", h.Timeout >= timeoutMin && h.Timeout <= most, "range",
		fmt.Sprintf("must be between %d and %d", timeoutMin.Milliseconds(), most.Milliseconds()))
	if h.RetriesMax = retries; in.RetriesMax != nil {
		h.RetriesMax = *in.RetriesMax
	}
	f.is("maxRetry", h.RetriesMax >= 0 && h.RetriesMax <= retriesBound, "range", fmt.Sprintf("must be between 0 and %d", retriesBound))
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
