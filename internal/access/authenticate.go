package access

import (
	"context"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Authenticate returns the caller that an access token of a family names, calling
// from somewhere. The client is read anew each time, so that a client that is
// disabled or loses a permission feels it at its next request.
//
// Whatever is wrong with the token or its client is one refusal:
// Unauthenticated. A good token from an address that its client may not call
// from is Forbidden, and written down.
func (s *Service) Authenticate(ctx context.Context, family Family, bearer secret.Value, from Origin) (Caller, error) {
	t, err := s.verify(ctx, bearer)
	if err != nil {
		return Caller{}, err
	}
	var c clientOfTenant
	var found bool
	var u userRow
	var permissions Permissions
	var revoked bool
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		if c, found, err = readClient(ctx, tx, t.client); err != nil {
			return err
		}
		if t.family != "" {
			if revoked, err = isFamilyRevoked(ctx, tx, t.family); err != nil {
				return err
			}
		}
		if t.user == "" {
			return nil
		}
		u, permissions, err = readUserWithRoles(ctx, tx, c.Tenant, t.user)
		return err
	})
	if err != nil {
		return Caller{}, fmt.Errorf("read client: %w", err)
	}
	if t.user != "" {
		if !u.IsActive || u.Generation != t.userGeneration {
			return Caller{}, errUnauthenticated
		}
		c.Permissions = c.Permissions.and(permissions)
	}
	if revoked || !found || c.Family != family || !c.IsActive || !c.TenantIsActive || t.generation != c.Generation {
		return Caller{}, errUnauthenticated
	}
	caller := c.caller(s.Rate, from)
	caller.Permissions = c.Permissions.restrictedTo(t.scope)
	caller.User, caller.UserName, caller.UserReference = u.idText(), u.Name, u.Name
	if !c.allows(from.IP) {
		return Caller{}, s.Deny(ctx, caller, "Address", from.IP, errAddressDenied)
	}
	return caller, nil
}

// tokenClaims are what a token says of itself.
type tokenClaims struct {
	client, scope, user        string // user: empty when it is the client's own
	family                     string // of its refresh token; empty when it has none
	generation, userGeneration int64
}

// verify checks signature, type and times of a token and returns whose it is.
// Only ES256 and only our own keys are looked at; the token's own ideas of
// algorithm and key (none, jku, jwk, x5u) are not.
func (s *Service) verify(ctx context.Context, bearer secret.Value) (t tokenClaims, err error) {
	token, err := jwt.ParseSigned(string(bearer.Reveal()), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(token.Headers) != 1 || token.Headers[0].ExtraHeaders[jose.HeaderType] != tokenType {
		return t, errUnauthenticated
	}
	key, found, err := s.publicKey(ctx, token.Headers[0].KeyID)
	if err != nil {
		return t, err
	}
	if !found {
		return t, errUnauthenticated
	}
	var standard jwt.Claims
	var own map[string]any
	if err := token.Claims(key, &standard, &own); err != nil {
		return t, errUnauthenticated
	}
	now := s.Clock.Now()
	expected := jwt.Expected{Issuer: s.Issuer, AnyAudience: jwt.Audience{s.Issuer}, Time: now}
	if err := standard.ValidateWithLeeway(expected, 0); err != nil || standard.Expiry == nil ||
		!now.Before(standard.Expiry.Time()) || now.Before(notBefore(standard)) {
		return t, errUnauthenticated
	}
	t.client, _ = own["client_id"].(string)
	t.scope, _ = own["scope"].(string)
	t.family, _ = own["fam"].(string)
	generation, _ := own["gen"].(float64)
	t.generation = int64(generation)
	if generation, isUser := own["ugen"].(float64); isUser {
		t.user, t.userGeneration = standard.Subject, int64(generation)
	}
	return t, nil
}

func notBefore(c jwt.Claims) time.Time {
	if c.NotBefore == nil {
		return time.Time{}
	}
	return c.NotBefore.Time()
}

// TenantOfClient returns the tenant that a client belongs to; an unknown client
// is NotFound. It is for administrators: callers know their own tenant.
func TenantOfClient(ctx context.Context, tx db.Tx, clientID string) (TenantID, error) {
	c, found, err := readClient(ctx, tx, clientID)
	switch {
	case err != nil:
		return TenantID{}, fmt.Errorf("read client: %w", err)
	case !found:
		return TenantID{}, errClientNotFound
	}
	return c.Tenant, nil
}
