package access

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// The grants of contract/platform.md §2.
const (
	GrantClientCredentials = "client_credentials"
	GrantPassword          = "password"
	GrantRefreshToken      = "refresh_token"
)

// tokenType is the "typ" of access tokens (RFC 9068).
const tokenType = "at+jwt"

// Grant is a request for tokens.
type Grant struct {
	Type         string // empty: client_credentials
	ClientID     string
	ClientSecret secret.Value
	Scope        string       // separated by spaces; empty: ScopeAPI
	RefreshToken secret.Value // for GrantRefreshToken
}

// Tokens is what a grant gives. RefreshToken is zero when the client gets none.
type Tokens struct {
	Access         secret.Value
	ExpiresIn      time.Duration
	Refresh        secret.Value
	RefreshExpires time.Duration
	Scope          string
}

// Token issues an access token against a client's credentials, and a refresh
// token where the client may have one.
//
// A wrong secret, an unknown or disabled client are one refusal:
// Unauthenticated, invalid_client. That a client is locked (client_locked)
// learns only who shows its right secret. The password grant is invalid_grant, since
// there are no users yet; a scope beyond the client's permissions is
// invalid_scope.
func (s *Service) Token(ctx context.Context, g Grant) (Tokens, error) {
	if g.Type == GrantRefreshToken {
		return s.Refresh(ctx, g)
	}
	return s.issue(ctx, g, func(_ db.Tx, c clientOfTenant, _ time.Time) (grantOfRefresh, error) {
		switch g.Type {
		case "", GrantClientCredentials:
		case GrantPassword:
			return grantOfRefresh{}, errInvalidGrant
		default:
			return grantOfRefresh{}, fault.New(fault.Invalid, CodeUnsupportedGrant, "the grant type is not supported").
				OnField("grantType", "unknown", "must be client_credentials or password")
		}
		scope, err := scopeFor(c, g.Scope)
		return grantOfRefresh{Family: random(16), Scope: scope}, err
	})
}

// Refresh issues new tokens against a refresh token, which works once. One
// that comes back after it was used revokes every token of its family: either
// its owner or a thief has the other copy. Every refusal but that of the
// client itself is invalid_grant.
func (s *Service) Refresh(ctx context.Context, g Grant) (Tokens, error) {
	return s.issue(ctx, g, func(tx db.Tx, c clientOfTenant, now time.Time) (grantOfRefresh, error) {
		hash := hashOf(g.RefreshToken.Reveal())
		used, found, err := useRefreshToken(ctx, tx, hash, c.ID, now)
		if err != nil || found {
			return used, err
		}
		if err := revokeFamilyOf(ctx, tx, hash, c.ID, now); err != nil {
			return grantOfRefresh{}, err
		}
		return grantOfRefresh{}, errInvalidGrant
	})
}

// grantOfRefresh is what a refresh token hands on to the next of its family.
type grantOfRefresh struct{ Family, Scope string }

// issue authenticates the client, lets decide say what to grant, and makes the
// tokens. What was counted or revoked stays even when the answer is a refusal:
// a refusal is therefore carried out of the transaction as a value.
func (s *Service) issue(ctx context.Context, g Grant, decide func(db.Tx, clientOfTenant, time.Time) (grantOfRefresh, error)) (Tokens, error) {
	signer, err := s.signerOf(ctx)
	if err != nil {
		return Tokens{}, err
	}
	now := s.Clock.Now()
	var out Tokens
	var refused *fault.Error
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		out, refused = Tokens{}, nil
		c, err := s.authenticateClient(ctx, tx, g, now)
		var granted grantOfRefresh
		if err == nil {
			granted, err = decide(tx, c, now)
		}
		if f, ok := fault.As(err); ok {
			refused = f
			return recordToken(ctx, tx, c, refused, now)
		} else if err != nil {
			return err
		}
		out.Scope, out.ExpiresIn = granted.Scope, TokenLife
		token, err := jwt.Signed(signer).Claims(s.claims(c, granted.Scope, now)).Serialize()
		if err != nil {
			return fmt.Errorf("sign access token: %w", err)
		}
		out.Access = secret.FromString(token)
		if c.IssuesRefresh {
			out.Refresh, out.RefreshExpires = newToken("srt_"), RefreshLife
			if err := insertRefreshToken(ctx, tx, hashOf(out.Refresh.Reveal()), granted, c.ID, now); err != nil {
				return err
			}
		}
		return recordToken(ctx, tx, c, nil, now)
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("issue token: %w", err)
	}
	if refused != nil {
		return Tokens{}, refused
	}
	return out, nil
}

// authenticateClient checks the client's secret, counting the attempt first.
// It takes the same steps whatever the outcome, so that time tells nothing. A
// client that is refused comes with the refusal.
func (s *Service) authenticateClient(ctx context.Context, tx db.Tx, g Grant, now time.Time) (clientOfTenant, error) {
	attempts, err := countAttempt(ctx, tx, g.ClientID, now)
	if err != nil {
		return clientOfTenant{}, fmt.Errorf("count attempt: %w", err)
	}
	c, found, err := readClient(ctx, tx, g.ClientID)
	if err != nil {
		return clientOfTenant{}, fmt.Errorf("read client: %w", err)
	}
	want := c.SecretHash
	if !found {
		want = hashOf(nil)
	}
	right := subtle.ConstantTimeCompare([]byte(hashOf(g.ClientSecret.Reveal())), []byte(want)) == 1
	switch {
	case !found || !right || !c.IsActive || !c.TenantIsActive || g.ClientSecret.IsZero():
		return c, errInvalidClient
	case attempts > failuresMax:
		return c, errClientLocked
	}
	return c, forgetFailures(ctx, tx, c.ID)
}

// scopeFor returns what the client gets for the scope it asked for.
func scopeFor(c clientOfTenant, asked string) (string, error) {
	names := strings.Fields(asked)
	if len(names) == 0 {
		return ScopeAPI, nil
	}
	caller := Caller{Permissions: c.Permissions, Sandbox: c.Environment == Sandbox}
	for _, n := range names {
		if n != ScopeAPI && !caller.May(n) {
			return "", fault.New(fault.Invalid, CodeInvalidScope, "the client does not hold every permission of the scope").
				OnField("scope", "not_held", "must name permissions of the client, or api")
		}
	}
	return strings.Join(names, " "), nil
}

func (s *Service) claims(c clientOfTenant, scope string, now time.Time) map[string]any {
	return map[string]any{
		"iss": s.Issuer, "aud": s.Issuer, "sub": c.ID, "client_id": c.ID, "tenantid": c.Tenant.UUID(),
		"scope": scope, "role": "client", "jti": id.New[accessToken](now).String(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(TokenLife).Unix(),
	}
}

// accessToken gives the ids of tokens their type.
type accessToken struct{}

// IDPrefix is "tok".
func (accessToken) IDPrefix() string { return "tok" }
