package access

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Consent says that a customer lets a client of the family of credit cards do what
// its scope says.
type Consent struct {
	ID         string // its number, which the client shows
	Tenant     TenantID
	Client     string
	ClientName string // filled in where consents are listed
	CustomerNo string
	Scope      string
	ByCustomer bool // given at our page, and shown there
	CreatedAt  time.Time
}

// Scopes and lives of tokens of the family of credit cards, and its grant by consent.
const (
	ScopeCreditCard      = "creditcard"
	ScopePublic          = "public"
	GrantConsent         = "b2b_credentials"
	GrantCode            = "authorization_code"
	OpenBankingTokenLife = time.Hour
)

// GrantConsent notes that a customer lets a client of the caller's tenant look after
// credit cards. That there is such a customer, the caller sees to.
func (s *Service) GrantConsent(ctx context.Context, c Caller, clientID, customerNo string) (Consent, error) {
	now := s.Clock.Now()
	out := Consent{ID: strings.ToLower(random(16)), Tenant: c.Tenant, Client: clientID, CustomerNo: customerNo, Scope: ScopeCreditCard, CreatedAt: now}
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		of, found, err := readClient(ctx, tx, clientID)
		if err != nil {
			return fmt.Errorf("read client: %w", err)
		}
		if !found || of.Tenant != c.Tenant || of.Family != OpenBanking {
			return errClientNotFound
		}
		if err := insertConsent(ctx, tx, out); err != nil {
			return fmt.Errorf("insert consent: %w", err)
		}
		return audit.Append(ctx, tx, out.act(c, clock.RealAt(now), "ConsentGrant"))
	})
	return out, err
}

// RevokeConsent ends a consent, and with it every token that was issued under it.
func (s *Service) RevokeConsent(ctx context.Context, c Caller, consent string) error {
	now := s.Clock.Now()
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		found, err := revokeConsent(ctx, tx, c.Tenant, "", consent, now)
		if err != nil {
			return fmt.Errorf("revoke consent: %w", err)
		}
		if !found {
			return errConsentNotFound
		}
		return audit.Append(ctx, tx, Consent{ID: consent}.act(c, clock.RealAt(now), "ConsentRevoke"))
	})
}

// act is the record of what became of a consent.
func (k Consent) act(c Caller, now clock.Real, action string) audit.Act {
	a := c.Act(now, audit.AccessStream, action)
	a.EntityType, a.EntityKey = "Consent", k.ID
	if k.Client != "" {
		a.Changes = audit.Changes(nil, struct{ Client, CustomerNo, Scope string }{k.Client, k.CustomerNo, k.Scope})
	}
	return a
}

// ConsentsOf returns what a customer of the caller's tenant has consented to and not
// revoked, the newest first.
func (s *Service) ConsentsOf(ctx context.Context, c Caller, customerNo string) (all []Consent, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all, err = consentsOf(ctx, tx, c.Tenant, customerNo)
		return err
	})
	return all, err
}

// OwnConsents returns those of the signed-in cardholder of a session.
func (s *Service) OwnConsents(ctx context.Context, key secret.Value) (all []Consent, tenantName string, err error) {
	now := s.Clock.Now()
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		at, t, err := s.signedIn(ctx, tx, key, now)
		if err != nil {
			return err
		}
		tenantName = t.Name
		all, err = consentsOf(ctx, tx, at.Tenant, at.CustomerNo)
		return err
	})
	return all, tenantName, err
}

// WithdrawConsent is [Service.RevokeConsent] for the signed-in cardholder of a session.
func (s *Service) WithdrawConsent(ctx context.Context, key secret.Value, consent string, from Origin) error {
	now := s.Clock.Now()
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		at, t, err := s.signedIn(ctx, tx, key, now)
		if err != nil {
			return err
		}
		found, err := revokeConsent(ctx, tx, at.Tenant, at.CustomerNo, consent, now)
		if err != nil {
			return fmt.Errorf("revoke consent: %w", err)
		}
		if !found {
			return errConsentNotFound
		}
		return audit.Append(ctx, tx, Consent{ID: consent}.act(cardholder(t, at.CustomerNo, from), clock.RealAt(now), "ConsentRevoke"))
	})
}

// OpenBankingToken issues opaque tokens of the family of credit cards against a
// client's credentials: for a customer who has consented at our page
// (authorization_code, then refresh_token) or to the bank (b2b_credentials, with the
// number of the consent), or for what is public (client_credentials).
//
// The client is refused as by [Service.Token]; a code, a refresh token or a consent
// that is not the client's, or was used or revoked, is invalid_grant. A code or a
// refresh token that comes again ends all tokens of its chain.
func (s *Service) OpenBankingToken(ctx context.Context, g Grant) (Tokens, error) {
	g.Family = OpenBanking
	lives := opaqueLives{OpenBankingTokenLife, OpenBankingRefreshLife}
	return s.issueOpaque(ctx, g, lives, func(tx db.Tx, t *tokenAttempt, now time.Time) (opaqueGrant, error) {
		switch g.Type {
		case GrantClientCredentials:
			return opaqueGrant{Chain: random(16), Scope: ScopePublic}, nil
		case GrantCode:
			return redeemCode(ctx, tx, g, t.client, now)
		case GrantRefreshToken:
			return refreshConsented(ctx, tx, g, t.client, now)
		case GrantConsent:
			return grantOfConsent(ctx, tx, g, t.client)
		}
		return opaqueGrant{}, fault.New(fault.Invalid, CodeUnsupportedGrant, "the grant type is not supported").
			OnField("grant_type", "unknown", "must be authorization_code, refresh_token, b2b_credentials or client_credentials")
	})
}

var errScopeNotConsented = fault.New(fault.Invalid, CodeInvalidScope, "the customer has not consented to this scope")

func grantOfConsent(ctx context.Context, tx db.Tx, g Grant, c clientOfTenant) (opaqueGrant, error) {
	given, found, err := holdConsent(ctx, tx, c.ID, g.Consent)
	if err != nil {
		return opaqueGrant{}, fmt.Errorf("read consent: %w", err)
	}
	if !found {
		return opaqueGrant{}, errInvalidGrant
	}
	if g.Scope != "" && g.Scope != given.Scope {
		return opaqueGrant{}, errScopeNotConsented
	}
	return opaqueGrant{Chain: random(16), Scope: given.Scope, Customer: given.CustomerNo, Consent: given.ID}, nil
}

// refreshConsented uses a refresh token up, as long as the consent holds. The consent
// is held before its token, as its revocation does: else the two would wait for each
// other. With the consent every token has ended, so that none is left to look at.
func refreshConsented(ctx context.Context, tx db.Tx, g Grant, c clientOfTenant, now time.Time) (opaqueGrant, error) {
	if g.Scope != "" && g.Scope != ScopeCreditCard {
		return opaqueGrant{}, errScopeNotConsented
	}
	consent, err := consentOfRefresh(ctx, tx, g.RefreshToken, c.ID)
	if err != nil {
		return opaqueGrant{}, fmt.Errorf("read refresh token: %w", err)
	}
	_, found, err := holdConsent(ctx, tx, c.ID, consent)
	if err != nil {
		return opaqueGrant{}, fmt.Errorf("hold consent: %w", err)
	}
	if !found {
		return opaqueGrant{}, errInvalidGrant
	}
	return refreshOpaque(ctx, tx, g.RefreshToken, c, now)
}

// RevokeOpenBankingToken ends a token of the client that proves itself by g: a
// refresh token with all tokens of its chain, an access token alone (RFC 7009). A
// token that nobody has, or another client, is none to end, and no error.
func (s *Service) RevokeOpenBankingToken(ctx context.Context, g Grant, token secret.Value) error {
	g.Family = OpenBanking
	now := s.Clock.Now()
	var refused *fault.Error
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		refused = nil
		t, err := s.authenticateClient(ctx, tx, g, now)
		if f, ok := fault.As(err); ok {
			refused = f
			return recordToken(ctx, tx, t, refused, now)
		} else if err != nil {
			return err
		}
		n, err := revokeOpaque(ctx, tx, token, t.client.ID, now)
		if err != nil || n == 0 {
			return err
		}
		a := t.client.caller(s.Rate, g.From).Act(clock.RealAt(now), audit.AccessStream, "TokenRevoke")
		a.EntityType, a.EntityKey = "Client", t.client.ID
		return audit.Append(ctx, tx, a)
	})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	if refused != nil {
		return refused
	}
	return nil
}
