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
	Family       Family // of the endpoint that is asked; empty: platform, which serves ewallet too
	Type         string // empty: client_credentials
	ClientID     string
	ClientSecret secret.Value
	Scope        string       // separated by spaces; empty: ScopeAPI
	UserName     string       // for GrantPassword
	Password     secret.Value // for GrantPassword
	RefreshToken secret.Value // for GrantRefreshToken
	Consent      string       // for GrantConsent
	Code         secret.Value // for GrantCode, and the two below
	RedirectURI  string
	Verifier     secret.Value // of PKCE
	From         Origin
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
// Unauthenticated, invalid_client. That a client is locked (client_locked), or
// may not call from this address (Forbidden, ip_not_allowed), learns only who
// shows its right secret. A user who cannot sign in (the password grant) is
// Unauthenticated, invalid_grant, whatever the reason. A scope beyond the
// permissions of the client, and of the user where there is one, is
// invalid_scope.
func (s *Service) Token(ctx context.Context, g Grant) (Tokens, error) {
	switch g.Type {
	case GrantRefreshToken:
		return s.Refresh(ctx, g)
	case GrantPassword:
		return s.signIn(ctx, g)
	}
	return s.issue(ctx, g, func(_ db.Tx, t *tokenAttempt, _ time.Time) (grantOfRefresh, error) {
		if t.client.Family == EWallet {
			return grantOfWallet(g)
		}
		switch g.Type {
		case "", GrantClientCredentials:
		default:
			return grantOfRefresh{}, fault.New(fault.Invalid, CodeUnsupportedGrant, "the grant type is not supported").
				OnField("grantType", "unknown", "must be client_credentials or password")
		}
		scope, err := scopeFor(t.client.Permissions, t.client.Environment, g.Scope)
		return grantOfRefresh{Family: random(16), Scope: scope}, err
	})
}

// Refresh issues new tokens against a refresh token, which works once. One
// that comes back after it was used revokes every token of its family, access
// tokens included: either its owner or a thief has the other copy. Every
// refusal but that of the client itself is invalid_grant.
func (s *Service) Refresh(ctx context.Context, g Grant) (Tokens, error) {
	return s.issue(ctx, g, func(tx db.Tx, t *tokenAttempt, now time.Time) (grantOfRefresh, error) {
		hash := hashOf(g.RefreshToken.Reveal())
		used, found, err := useRefreshToken(ctx, tx, hash, t.client.ID, now)
		if err != nil {
			return used, err
		}
		if found && used.User == "" {
			return used, nil
		}
		if found {
			if err := s.holdUser(ctx, tx, t, used.User); err != nil {
				return grantOfRefresh{}, err
			}
			if !t.user.IsActive {
				return grantOfRefresh{}, errInvalidGrant
			}
			return used, nil
		}
		if err := revokeFamilyOf(ctx, tx, hash, t.client.ID, now); err != nil {
			return grantOfRefresh{}, err
		}
		return grantOfRefresh{}, errInvalidGrant
	})
}

// grantOfRefresh is what a refresh token hands on to the next of its family.
type grantOfRefresh struct{ Family, Scope, User string }

// tokenAttempt is a request for tokens as far as it is understood.
type tokenAttempt struct {
	client      clientOfTenant // without an ID: unknown
	user        userRow        // without a name: none, or unknown
	permissions Permissions    // of the user's roles
	from        Origin
	stranger    bool // anybody could have sent it, so that it is only counted
	locks       bool // it is the failure that locks the client, or the user
}

// issue authenticates the client, lets decide say what to grant, and makes the
// tokens. What was counted or revoked stays even when the answer is a refusal:
// a refusal is therefore carried out of the transaction as a value.
func (s *Service) issue(ctx context.Context, g Grant, decide func(db.Tx, *tokenAttempt, time.Time) (grantOfRefresh, error)) (Tokens, error) {
	signer, err := s.signerOf(ctx)
	if err != nil {
		return Tokens{}, err
	}
	now := s.Clock.Now()
	var out Tokens
	var refused *fault.Error
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		out, refused = Tokens{}, nil
		t, err := s.authenticateClient(ctx, tx, g, now)
		var granted grantOfRefresh
		if err == nil {
			granted, err = decide(tx, &t, now)
		}
		if f, ok := fault.As(err); ok {
			refused = f
			return recordToken(ctx, tx, t, refused, now)
		} else if err != nil {
			return err
		}
		out.Scope, out.ExpiresIn = granted.Scope, TokenLife
		claims := s.claims(t, granted.Scope, now)
		refreshes := t.client.Family == Platform && (granted.User != "" || t.client.ClientRefresh)
		if refreshes {
			claims["fam"] = granted.Family
		}
		token, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			return fmt.Errorf("sign access token: %w", err)
		}
		out.Access = secret.FromString(token)
		if refreshes {
			out.Refresh, out.RefreshExpires = newToken("srt_"), RefreshLife
			if err := insertRefreshToken(ctx, tx, hashOf(out.Refresh.Reveal()), granted, t.client.ID, now); err != nil {
				return err
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

// authenticateClient checks the client's secret, counting the attempt first,
// and from then on holds the client's row. It takes the same steps whatever the
// outcome, so that time tells nothing; only attempts from where the client may
// not call are not counted, lest they lock it.
func (s *Service) authenticateClient(ctx context.Context, tx db.Tx, g Grant, now time.Time) (tokenAttempt, error) {
	t := tokenAttempt{from: g.From}
	c, found, err := readClient(ctx, tx, g.ClientID)
	if err != nil {
		return t, fmt.Errorf("read client: %w", err)
	}
	allowed := found && c.allows(g.From.IP)
	counted := ""
	if allowed {
		counted = c.ID
	}
	attempts, err := countAttempt(ctx, tx, counted, now)
	if err != nil {
		return t, fmt.Errorf("count attempt: %w", err)
	}
	if t.client, found, err = readClient(ctx, tx, g.ClientID); err != nil { // as it stands now that it is held
		return t, fmt.Errorf("read client: %w", err)
	}
	c = t.client
	right := c.proves(g.ClientSecret, now)
	active := found && c.IsActive && c.TenantIsActive && c.gets(g)
	switch {
	case !right || !active:
		t.stranger = !allowed || attempts > failuresMax
		t.locks = allowed && attempts == failuresMax
		return t, errInvalidClient
	case !allowed:
		return t, errIPNotAllowed
	case attempts > failuresMax:
		t.stranger = true
		return t, errClientLocked
	}
	return t, forgetFailures(ctx, tx, c.ID)
}

// gets reports whether a client gets tokens in this way at all. The form of the
// platform family serves those of the wallet family too.
func (c clientOfTenant) gets(g Grant) bool {
	switch {
	case g.Family != "":
		return c.Family == g.Family
	case c.Family == EWallet:
		return g.Type == GrantClientCredentials
	}
	return c.Family == Platform
}

// proves reports whether shown is a secret of the client, in constant time. A
// client that is not there has none.
func (c clientOfTenant) proves(shown secret.Value, now time.Time) bool {
	given := []byte(hashOf(shown.Reveal()))
	old := c.OldSecretHash
	if !now.Before(c.OldSecretUntil) {
		old = ""
	}
	fresh := subtle.ConstantTimeCompare(given, []byte(or(c.SecretHash, hashOf(nil))))
	before := subtle.ConstantTimeCompare(given, []byte(or(old, hashOf(nil))))
	return fresh|before == 1 && !shown.IsZero() && c.ID != ""
}

// ScopeWallet is the scope of the tokens of the wallet family.
const ScopeWallet = "sts_business_api"

// grantOfWallet is what a client of the wallet family gets, which knows one scope.
func grantOfWallet(g Grant) (grantOfRefresh, error) {
	if asked := strings.Fields(g.Scope); len(asked) > 1 || len(asked) == 1 && asked[0] != ScopeWallet {
		return grantOfRefresh{}, fault.New(fault.Invalid, CodeInvalidScope, "the client does not hold every permission of the scope").
			OnField("scope", "not_held", "must be sts_business_api")
	}
	return grantOfRefresh{Scope: ScopeWallet}, nil
}

// scopeFor returns what somebody with these permissions gets for the scope it
// asked for.
func scopeFor(p Permissions, e Environment, asked string) (string, error) {
	names := strings.Fields(asked)
	if len(names) == 0 {
		return ScopeAPI, nil
	}
	caller := Caller{Permissions: p, Sandbox: e == Sandbox}
	for _, n := range names {
		if n != ScopeAPI && !caller.May(n) {
			return "", fault.New(fault.Invalid, CodeInvalidScope, "the client does not hold every permission of the scope").
				OnField("scope", "not_held", "must name permissions of the client, or api")
		}
	}
	return strings.Join(names, " "), nil
}

// claims are what an access token says. "gen" and "ugen" are the generations of
// client and user under which it was issued; "fam", which the caller adds, is
// the family of the refresh token that came with it.
func (s *Service) claims(t tokenAttempt, scope string, now time.Time) map[string]any {
	c := t.client
	all := map[string]any{
		"iss": s.Issuer, "aud": s.Issuer, "sub": c.ID, "client_id": c.ID, "tenantid": c.Tenant.UUID(),
		"gen": c.Generation, "scope": scope, "role": "client", "jti": id.New[accessToken](now).String(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(TokenLife).Unix(),
	}
	if t.user.Name != "" {
		all["sub"], all["role"], all["ugen"] = t.user.ID.String(), t.user.Roles, t.user.Generation
	}
	return all
}

// accessToken gives the ids of tokens their type.
type accessToken struct{}

// IDPrefix is "tok".
func (accessToken) IDPrefix() string { return "tok" }
