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
)

// Consent says that a customer lets a client of the family of credit cards do what
// its scope says.
type Consent struct {
	ID         string // its number, which the client shows
	Tenant     TenantID
	Client     string
	CustomerNo string
	Scope      string
	CreatedAt  time.Time
}

// Scopes and lives of tokens of the family of credit cards, and its grant by consent.
const (
	ScopeCreditCard      = "creditcard"
	ScopePublic          = "public"
	GrantConsent         = "b2b_credentials"
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
		found, err := revokeConsent(ctx, tx, c.Tenant, consent, now)
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
	return a
}

// OpenBankingToken issues an opaque token of the family of credit cards against a
// client's credentials: for a customer who has consented (b2b_credentials, with the
// number of the consent), or for what is public (client_credentials).
//
// The client is refused as by [Service.Token]; a consent that is not the client's, or
// was revoked, is invalid_grant.
func (s *Service) OpenBankingToken(ctx context.Context, g Grant) (Tokens, error) {
	g.Family = OpenBanking
	return s.issueOpaque(ctx, g, opaqueLives{access: OpenBankingTokenLife}, func(tx db.Tx, t *tokenAttempt, _ time.Time) (opaqueGrant, error) {
		switch g.Type {
		case GrantClientCredentials:
			return opaqueGrant{Chain: random(16), Scope: ScopePublic}, nil
		case GrantConsent:
			given, found, err := readConsent(ctx, tx, t.client.ID, g.Consent)
			if err != nil {
				return opaqueGrant{}, fmt.Errorf("read consent: %w", err)
			}
			if !found {
				return opaqueGrant{}, errInvalidGrant
			}
			if g.Scope != "" && g.Scope != given.Scope {
				return opaqueGrant{}, fault.New(fault.Invalid, CodeInvalidScope, "the customer has not consented to this scope")
			}
			return opaqueGrant{Chain: random(16), Scope: given.Scope, Customer: given.CustomerNo, Consent: given.ID}, nil
		}
		return opaqueGrant{}, fault.New(fault.Invalid, CodeUnsupportedGrant, "the grant type is not supported").
			OnField("grant_type", "unknown", "must be b2b_credentials or client_credentials")
	})
}
