package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Opaque tokens say nothing by themselves: what they are good for stands in the
// database, by their hash. They are for families whose clients expect so.

// What the tokens of the payers family live for, and their scope.
const (
	PayersTokenLife   = 20 * time.Minute
	PayersRefreshLife = 180 * 24 * time.Hour
	ScopePayers       = "https://scope.secucard.com/e/api"
)

// scopeOffline asks for a refresh token.
const scopeOffline = "offline_access"

// opaqueLives are what the tokens of a family live for.
type opaqueLives struct{ access, refresh time.Duration }

// opaqueGrant is what the tokens of a chain are good for.
type opaqueGrant struct {
	Chain, Scope string
	Customer     string // who signed in; empty: the client speaks for itself
	Consent      string
	Refresh      bool // with a refresh token
}

// PayersToken issues opaque tokens of the payers family against a client's
// credentials, or against a refresh token, which works once. A client gets a
// refresh token where its scope asks for offline_access and its tenant allows it.
//
// The client is refused as by [Service.Token]; any other way of asking is
// Invalid, unsupported_grant_type, once the client has proved who it is. A
// refresh token that is not good is invalid_grant; one that comes again ends
// all tokens of its chain.
func (s *Service) PayersToken(ctx context.Context, g Grant) (Tokens, error) {
	g.Family = Payers
	lives := opaqueLives{PayersTokenLife, PayersRefreshLife}
	return s.issueOpaque(ctx, g, lives, func(tx db.Tx, t *tokenAttempt, now time.Time) (opaqueGrant, error) {
		switch g.Type {
		case GrantClientCredentials:
			offline := slices.Contains(strings.Fields(g.Scope), scopeOffline) && t.client.ClientRefresh
			return opaqueGrant{Chain: random(16), Scope: ScopePayers, Refresh: offline}, nil
		case GrantRefreshToken:
			return refreshOpaque(ctx, tx, g.RefreshToken, t.client, now)
		}
		return opaqueGrant{}, fault.New(fault.Invalid, CodeUnsupportedGrant, "the grant type is not supported").
			OnField("grant_type", "unknown", "must be client_credentials or refresh_token")
	})
}

// issueOpaque is issue for opaque tokens.
func (s *Service) issueOpaque(ctx context.Context, g Grant, lives opaqueLives,
	decide func(db.Tx, *tokenAttempt, time.Time) (opaqueGrant, error),
) (Tokens, error) {
	now := s.Clock.Now()
	var out Tokens
	var refused *fault.Error
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		out, refused = Tokens{}, nil
		t, err := s.authenticateClient(ctx, tx, g, now)
		var granted opaqueGrant
		if err == nil {
			granted, err = decide(tx, &t, now)
		}
		if f, ok := fault.As(err); ok {
			refused = f
			return recordToken(ctx, tx, t, refused, now)
		} else if err != nil {
			return err
		}
		out = Tokens{Access: newOpaque(), ExpiresIn: lives.access, Scope: granted.Scope}
		if err := insertOpaque(ctx, tx, out.Access, opaqueAccess, granted, t.client, now, lives.access); err != nil {
			return fmt.Errorf("insert access token: %w", err)
		}
		if granted.Refresh {
			out.Refresh, out.RefreshExpires = newOpaque(), lives.refresh
			if err := insertOpaque(ctx, tx, out.Refresh, opaqueRefresh, granted, t.client, now, lives.refresh); err != nil {
				return fmt.Errorf("insert refresh token: %w", err)
			}
		}
		return recordToken(ctx, tx, t, nil, now)
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("issue token: %w", err)
	}
	if refused != nil {
		return Tokens{}, refused
	}
	return out, nil
}

// refreshOpaque uses a refresh token up and returns what it was good for.
func refreshOpaque(ctx context.Context, tx db.Tx, token secret.Value, c clientOfTenant, now time.Time) (opaqueGrant, error) {
	granted, found, err := useOpaque(ctx, tx, token, c, now)
	if err != nil {
		return granted, fmt.Errorf("use refresh token: %w", err)
	}
	if granted.Refresh = found; found {
		return granted, nil
	}
	if err := revokeChainOf(ctx, tx, token, c.ID, now); err != nil {
		return granted, fmt.Errorf("revoke tokens: %w", err)
	}
	return granted, errInvalidGrant
}

// newOpaque returns 130 random bits as 26 lower-case letters and digits.
func newOpaque() secret.Value { return secret.FromString(strings.ToLower(rand.Text())) }

// AuthenticateOpaque is [Service.Authenticate] for the families whose tokens are
// opaque. A token that was good is refused in another way than one that nobody
// issued: [CodeTokenEnded].
func (s *Service) AuthenticateOpaque(ctx context.Context, family Family, bearer secret.Value, from Origin) (Caller, error) {
	now := s.Clock.Now()
	var t opaqueToken
	var c clientOfTenant
	var good bool
	err := s.DB.View(ctx, func(tx db.Tx) error {
		var found bool
		var err error
		if t, found, err = readOpaque(ctx, tx, bearer, now); err != nil || !found {
			return err
		}
		c, good, err = readClient(ctx, tx, t.client)
		return err
	})
	if err != nil {
		return Caller{}, fmt.Errorf("read token: %w", err)
	}
	if !good || t.family != family || c.Family != family {
		return Caller{}, errUnauthenticated
	}
	if !t.live || t.generation != c.Generation || !c.IsActive || !c.TenantIsActive {
		return Caller{}, errTokenEnded
	}
	caller := c.caller(s.Rate, from)
	caller.Customer = t.customer
	if !c.allows(from.IP) {
		return Caller{}, s.Deny(ctx, caller, "Address", from.IP, errAddressDenied)
	}
	return caller, nil
}

// caller is the client as one that calls, with all of its permissions.
func (c clientOfTenant) caller(standard Rate, from Origin) Caller {
	return Caller{
		Tenant: c.Tenant, Sandbox: c.Environment == Sandbox, Ahead: c.Ahead, Client: c.ID, Name: c.Name,
		Permissions: c.Permissions, Rate: c.Rate.or(c.TenantRate).or(standard),
		Channel: ChannelAPI, Language: c.Language, IP: from.IP, CorrelationID: from.CorrelationID,
	}
}
