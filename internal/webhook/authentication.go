package webhook

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// AuthenticationType is how we show a receiver who we are, besides the
// signature.
type AuthenticationType string

// The types of authentication.
const (
	NoAuthentication        AuthenticationType = "None"
	Basic                   AuthenticationType = "Basic"
	Bearer                  AuthenticationType = "Bearer"
	APIKey                  AuthenticationType = "ApiKey"
	OAuth2ClientCredentials AuthenticationType = "OAuth2ClientCredentials"
	MTLS                    AuthenticationType = "Mtls"
)

// Authentication is what a receiver wants to see.
type Authentication struct {
	Type        AuthenticationType
	UserName    string       // Basic
	Password    secret.Value // Basic
	Token       secret.Value // Bearer
	HeaderName  string       // ApiKey
	HeaderValue secret.Value // ApiKey
	// OAuth2ClientCredentials: where a token is fetched, and with what. Scope may
	// be empty.
	TokenURL, ClientID string
	ClientSecret       secret.Value
	Scope              string
	// Mtls: PEM, the certificate with its chain. CertificateExpiresAt is of what
	// is shown.
	Certificate, PrivateKey secret.Value
	CertificateExpiresAt    time.Time
}

// authenticate puts a into c.
func (c *confidential) authenticate(a Authentication, reach outbound.Reach, f *faults) {
	kept := confidential{Secret: c.Secret, Previous: c.Previous, PreviousUntil: c.PreviousUntil, Headers: c.Headers}
	*c = kept // nothing of another type stays
	c.Type = a.Type
	const field = "authentication."
	switch a.Type {
	case NoAuthentication, "":
		c.Type = NoAuthentication
	case Basic:
		c.UserName, c.Password = a.UserName, a.Password.Reveal()
		f.is(field+"userName", a.UserName != "" && !strings.Contains(a.UserName, ":"), "required", "is required, without a colon")
		f.is(field+"password", !a.Password.IsZero(), "required", "is required")
	case Bearer:
		c.Token = a.Token.Reveal()
		f.is(field+"token", headerValue(string(c.Token)), "required", "is required, of printable ASCII")
	case APIKey:
		c.HeaderName, c.HeaderValue = a.HeaderName, a.HeaderValue.Reveal()
		f.is(field+"headerName", headerName(a.HeaderName), "malformed", "must be the name of a header that is not ours")
		f.is(field+"headerValue", headerValue(string(c.HeaderValue)), "required", "is required, of printable ASCII")
	case OAuth2ClientCredentials:
		c.TokenURL, c.ClientID, c.ClientSecret, c.Scope = a.TokenURL, a.ClientID, a.ClientSecret.Reveal(), a.Scope
		if wrong := outbound.CheckURL(a.TokenURL, reach); wrong != "" {
			f.is(field+"tokenUrl", false, "not_allowed", wrong)
		}
		f.is(field+"clientId", headerValue(a.ClientID), "required", "is required, of printable ASCII")
		f.is(field+"clientSecret", !a.ClientSecret.IsZero(), "required", "is required")
		f.is(field+"scope", a.Scope == "" || headerValue(a.Scope), "malformed", "must be of printable ASCII")
	case MTLS:
		c.Certificate, c.PrivateKey = a.Certificate.Reveal(), a.PrivateKey.Reveal()
		_, err := tls.X509KeyPair(c.Certificate, c.PrivateKey)
		f.is(field+"clientCertificate", err == nil, "malformed", "must be a certificate in PEM that fits the private key in clientKey")
	default:
		f.is(field+"type", false, "unknown", "must be one of the listed values")
	}
}

// authenticates reports whether c shows a receiver who we are.
func (c confidential) authenticates() bool { return c.Type != "" && c.Type != NoAuthentication }

// shown is what may be seen of c, without secrets.
func (c confidential) shown() (Authentication, []string) {
	a := Authentication{
		Type: c.Type, UserName: c.UserName, HeaderName: c.HeaderName, TokenURL: c.TokenURL, ClientID: c.ClientID, Scope: c.Scope,
	}
	if a.Type == "" {
		a.Type = NoAuthentication
	}
	if pair, err := tls.X509KeyPair(c.Certificate, c.PrivateKey); err == nil && pair.Leaf != nil {
		a.CertificateExpiresAt = pair.Leaf.NotAfter
	}
	names := make([]string, 0, len(c.Headers))
	for name := range c.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	return a, names
}

// headers sets what the receiver asked for; token is the one that was fetched,
// where one is.
func (c confidential) headers(h http.Header, token string) {
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
	case OAuth2ClientCredentials:
		h.Set("Authorization", "Bearer "+token)
	}
}
