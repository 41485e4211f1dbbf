package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

const (
	// askLife is how long a cardholder may take to answer a client's request.
	askLife = 10 * time.Minute
	// consentCodeLife is how long the code of an answer is good, once.
	consentCodeLife = time.Minute
	// OpenBankingRefreshLife is how long a refresh token of the family is good, once.
	OpenBankingRefreshLife = 30 * 24 * time.Hour
	// stateMax is how long the state of a client's request may be.
	stateMax = 1024
)

// ConsentAsk is how a client sends a cardholder to us to be asked for a consent
// (RFC 6749 §4.1.1, RFC 7636 §4.3).
type ConsentAsk struct {
	ClientID, RedirectURI string
	ResponseType, Scope   string
	State                 string // comes back as it is
	Challenge, Method     string // of PKCE
	Resource              string // sandbox or production; may be missing
	Session               secret.Value
}

// AskedConsent is what became of a [ConsentAsk]: a request that waits for the answer
// of the cardholder, or a refusal that the client is told at Redirect.
type AskedConsent struct {
	Request  string
	Session  secret.Value // of the browser; zero: the one it has
	State    SessionState
	Redirect string
}

// AskConsent takes a client's request for a cardholder's consent, and begins a
// session where the browser has none.
//
// Who asks must be proven before a browser is sent anywhere: an unknown client, or an
// address that the client has not named before, is Invalid, redirect_unproven. All
// else that is wrong the client is told at its address.
func (s *Service) AskConsent(ctx context.Context, ask ConsentAsk) (out AskedConsent, err error) {
	now := s.Clock.Now()
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		out = AskedConsent{}
		c, err := provenClient(ctx, tx, ask.ClientID, ask.RedirectURI)
		if err != nil {
			return err
		}
		if refusal, why := ask.refusal(c.Environment); refusal != "" {
			out.Redirect = ask.answer(url.Values{"error": {refusal}, "error_description": {why}})
			return nil
		}
		at, found, err := readSession(ctx, tx, ask.Session, now)
		if err != nil {
			return fmt.Errorf("read session: %w", err)
		}
		if !found || at.Tenant != c.Tenant {
			at, out.Session = session{ID: random(16), Tenant: c.Tenant, ExpiresAt: now.Add(sessionLife)}, newToken("")
			if err := insertSession(ctx, tx, at, out.Session, now); err != nil {
				return fmt.Errorf("insert session: %w", err)
			}
		}
		out.Request, out.State = random(16), at.state()
		if err := touchSession(ctx, tx, at, now); err != nil {
			return fmt.Errorf("touch session: %w", err)
		}
		return insertConsentRequest(ctx, tx, consentRequest{
			ID: out.Request, Session: at.ID, Client: c.ID, RedirectURI: ask.RedirectURI, Scope: ScopeCreditCard, State: ask.State, Challenge: ask.Challenge,
		}, now.Add(askLife))
	})
	return out, err
}

// provenClient returns the client that asks, which has named the address before.
func provenClient(ctx context.Context, tx db.Tx, clientID, redirect string) (clientOfTenant, error) {
	c, found, err := readClient(ctx, tx, clientID)
	if err != nil {
		return c, fmt.Errorf("read client: %w", err)
	}
	if !found || c.Family != OpenBanking || !c.IsActive || !c.TenantIsActive {
		return c, errRedirectUnproven
	}
	named, err := redirectsOf(ctx, tx, clientID)
	if err != nil {
		return c, fmt.Errorf("read redirects: %w", err)
	}
	if !slices.Contains(named, redirect) {
		return c, errRedirectUnproven
	}
	return c, nil
}

// challengeSyntax is that of a SHA-256 in base64url.
var challengeSyntax = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// refusal is why a request will not do, in the words of OAuth 2.0, or empty.
func (k ConsentAsk) refusal(e Environment) (code, why string) {
	switch {
	case k.ResponseType == "":
		return "invalid_request", "response_type is missing"
	case k.ResponseType != "code":
		return "unsupported_response_type", "response_type must be code"
	case len(k.State) > stateMax:
		return "invalid_request", "state is too long"
	case k.Resource != "" && !strings.EqualFold(k.Resource, string(e)):
		return "invalid_target", "resource is not that of the client"
	case k.Challenge == "" && k.Method != "":
		return "invalid_request", "code_challenge is missing"
	case k.Challenge != "" && k.Method != "S256":
		return "invalid_request", "code_challenge_method must be S256"
	case k.Challenge != "" && !challengeSyntax.MatchString(k.Challenge):
		return "invalid_request", "code_challenge is malformed"
	case k.Scope != ScopeCreditCard:
		return "invalid_scope", "scope must be creditcard"
	}
	return "", ""
}

// answer is the address to which the browser goes back.
func (k ConsentAsk) answer(with url.Values) string {
	if k.State != "" && len(k.State) <= stateMax {
		with.Set("state", k.State)
	}
	return withQuery(k.RedirectURI, with)
}

// consentRequest is a request that waits for its answer.
type consentRequest struct {
	ID, Session, Client       string
	RedirectURI, Scope, State string
	Challenge                 string
}

// PendingConsent is what a cardholder is asked, as the page shows it.
type PendingConsent struct {
	Caller      Caller // the cardholder, who may look at own cards
	ClientName  string
	TenantName  string
	RedirectURI string
}

// PendingConsent returns what the signed-in cardholder of a session is asked.
func (s *Service) PendingConsent(ctx context.Context, key secret.Value, request string, from Origin) (out PendingConsent, err error) {
	now := s.Clock.Now()
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		at, t, err := s.signedIn(ctx, tx, key, now)
		if err != nil {
			return err
		}
		asked, found, err := readConsentRequest(ctx, tx, at.ID, request, now)
		if err != nil {
			return fmt.Errorf("read request: %w", err)
		}
		if !found {
			return errRequestEnded
		}
		c, err := provenClient(ctx, tx, asked.Client, asked.RedirectURI)
		if err != nil {
			return err
		}
		out = PendingConsent{Caller: cardholder(t, at.CustomerNo, from), ClientName: c.Name, TenantName: t.Name, RedirectURI: asked.RedirectURI}
		return nil
	})
	return out, err
}

// AnswerConsent takes the answer of the signed-in cardholder to a request, once, and
// returns where the browser goes: with a code, or with access_denied.
func (s *Service) AnswerConsent(ctx context.Context, key secret.Value, request string, allowed bool, from Origin) (redirect string, err error) {
	now := s.Clock.Now()
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		at, t, err := s.signedIn(ctx, tx, key, now)
		if err != nil {
			return err
		}
		asked, found, err := takeConsentRequest(ctx, tx, at.ID, request, now)
		if err != nil {
			return fmt.Errorf("take request: %w", err)
		}
		if !found {
			return errRequestEnded
		}
		if _, err := provenClient(ctx, tx, asked.Client, asked.RedirectURI); err != nil {
			return err
		}
		ask := ConsentAsk{RedirectURI: asked.RedirectURI, State: asked.State}
		who := cardholder(t, at.CustomerNo, from)
		given := Consent{ID: random(16), Tenant: t.ID, Client: asked.Client, CustomerNo: at.CustomerNo, Scope: asked.Scope, ByCustomer: true, CreatedAt: now}
		if !allowed {
			redirect = ask.answer(url.Values{"error": {"access_denied"}, "error_description": {"the customer has refused"}})
			given.ID = ""
			return audit.Append(ctx, tx, given.act(who, clock.RealAt(now), "ConsentRefuse"))
		}
		if given, err = giveConsent(ctx, tx, given); err != nil {
			return err
		}
		code := newToken("")
		err = insertConsentCode(ctx, tx, code, consentCode{
			Chain: random(16), Client: asked.Client, RedirectURI: asked.RedirectURI, Challenge: asked.Challenge, Consent: given.ID,
		}, now.Add(consentCodeLife))
		if err != nil {
			return fmt.Errorf("insert code: %w", err)
		}
		redirect = ask.answer(url.Values{"code": {string(code.Reveal())}})
		return audit.Append(ctx, tx, given.act(who, clock.RealAt(now), "ConsentGrant"))
	})
	return redirect, err
}

// giveConsent adds a consent of a customer, or takes the one that the customer gave
// the client before.
func giveConsent(ctx context.Context, tx db.Tx, k Consent) (Consent, error) {
	before, found, err := holdGivenConsent(ctx, tx, k)
	if err != nil {
		return k, fmt.Errorf("read consent: %w", err)
	}
	if found {
		return before, nil
	}
	if err := insertConsent(ctx, tx, k); err != nil {
		return k, fmt.Errorf("insert consent: %w", err)
	}
	return k, nil
}

// consentCode is what a code is good for.
type consentCode struct {
	Chain, Client, RedirectURI, Challenge, Consent string
}

// verifierSyntax is that of RFC 7636 §4.1.
var verifierSyntax = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// redeemCode uses a code up and returns what it is good for. A code of another client
// stays as it is; one that comes with another address, or without the secret of its
// challenge, is used up all the same; and one that was used before ends the tokens
// that it gave.
func redeemCode(ctx context.Context, tx db.Tx, g Grant, c clientOfTenant, now time.Time) (opaqueGrant, error) {
	code, found, err := useConsentCode(ctx, tx, g.Code, c.ID, now)
	if err != nil {
		return opaqueGrant{}, fmt.Errorf("use code: %w", err)
	}
	if !found {
		if err := revokeChainOfCode(ctx, tx, g.Code, c.ID, now); err != nil {
			return opaqueGrant{}, fmt.Errorf("revoke tokens: %w", err)
		}
		return opaqueGrant{}, errInvalidGrant
	}
	if g.RedirectURI != code.RedirectURI || !code.provenBy(g.Verifier) {
		return opaqueGrant{}, errInvalidGrant
	}
	given, found, err := holdConsent(ctx, tx, c.ID, code.Consent)
	if err != nil {
		return opaqueGrant{}, fmt.Errorf("read consent: %w", err)
	}
	if !found {
		return opaqueGrant{}, errInvalidGrant
	}
	return opaqueGrant{Chain: code.Chain, Scope: given.Scope, Customer: given.CustomerNo, Consent: given.ID, Refresh: true}, nil
}

// provenBy reports whether verifier is the secret of the code's challenge. A code
// without one takes none: who shows one began otherwise.
func (k consentCode) provenBy(verifier secret.Value) bool {
	if k.Challenge == "" {
		return verifier.IsZero()
	}
	if !verifierSyntax.Match(verifier.Reveal()) {
		return false
	}
	sum := sha256.Sum256(verifier.Reveal())
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(k.Challenge)) == 1
}
