package platform

import (
	"context"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

type grantTypes struct{}

func (grantTypes) Members() []api.Member {
	return api.Numbered(0, access.GrantClientCredentials, access.GrantPassword)
}

type tokenRequest struct {
	GrantType    api.Enum[grantTypes] `json:"grantType,omitempty"`
	ClientID     string               `json:"clientId" required:"true" maxLength:"128"`
	ClientSecret string               `json:"clientSecret" required:"true" maxLength:"256" format:"password"`
	UserName     string               `json:"userName,omitempty" maxLength:"128"`
	Password     string               `json:"password,omitempty" maxLength:"256" format:"password"`
	Scope        string               `json:"scope,omitempty" maxLength:"4096" doc:"Permissions separated by spaces; api is all of the client's."`
}

type refreshTokenRequest struct {
	RefreshToken string `json:"refreshToken" required:"true" maxLength:"256" format:"password"`
	ClientID     string `json:"clientId" required:"true" maxLength:"128"`
	ClientSecret string `json:"clientSecret" required:"true" maxLength:"256" format:"password"`
}

type tokenResponse struct {
	AccessToken      string  `json:"accessToken"`
	TokenType        string  `json:"tokenType"`
	ExpiresIn        int     `json:"expiresIn" doc:"Seconds."`
	RefreshToken     *string `json:"refreshToken"`
	RefreshExpiresIn *int    `json:"refreshExpiresIn" doc:"Seconds."`
	Scope            string  `json:"scope"`
}

func (a *API) issueToken(ctx context.Context, _ access.Caller, in *struct{ Body tokenRequest }) (tokenResponse, error) {
	var d decoding
	if in.Body.GrantType == access.GrantPassword {
		d.required("userName", in.Body.UserName)
		d.required("password", in.Body.Password)
	}
	if err := d.err(); err != nil {
		return tokenResponse{}, err
	}
	tokens, err := a.Access.Token(ctx, access.Grant{
		Type: string(in.Body.GrantType), ClientID: in.Body.ClientID,
		ClientSecret: secret.FromString(in.Body.ClientSecret), UserName: in.Body.UserName,
		Password: secret.FromString(in.Body.Password), Scope: in.Body.Scope, From: originOf(api.ExchangeOf(ctx)),
	})
	return encodeTokens(tokens), err
}

func (a *API) refreshToken(ctx context.Context, _ access.Caller, in *struct{ Body refreshTokenRequest }) (tokenResponse, error) {
	tokens, err := a.Access.Refresh(ctx, access.Grant{
		ClientID: in.Body.ClientID, ClientSecret: secret.FromString(in.Body.ClientSecret),
		RefreshToken: secret.FromString(in.Body.RefreshToken), From: originOf(api.ExchangeOf(ctx)),
	})
	return encodeTokens(tokens), err
}

func encodeTokens(t access.Tokens) tokenResponse {
	out := tokenResponse{
		AccessToken: string(t.Access.Reveal()), TokenType: "Bearer",
		ExpiresIn: int(t.ExpiresIn.Seconds()), Scope: t.Scope,
	}
	if !t.Refresh.IsZero() {
		refresh, seconds := string(t.Refresh.Reveal()), int(t.RefreshExpires.Seconds())
		out.RefreshToken, out.RefreshExpiresIn = &refresh, &seconds
	}
	return out
}

// MountToken adds the token endpoint and the keys of its tokens, for a family that
// shares them with this one and has a listener of its own.
func (a *API) MountToken(r chi.Router) {
	r.Post("/connect/token", a.connectToken)
	r.Get("/.well-known/jwks.json", a.jwks)
}

// mountOAuth adds what speaks RFC 6749 and RFC 7517 instead of this family's
// JSON.
func (a *API) mountOAuth(r chi.Router) {
	a.MountToken(r)
	document := a.huma.OpenAPI()
	answer := func(description string, of any) *huma.Response {
		schema := document.Components.Schemas.Schema(reflect.TypeOf(of), true, "")
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	}
	document.AddOperation(&huma.Operation{
		OperationID: "connectToken", Method: post, Path: "/connect/token", Tags: []string{"auth"}, Security: openToAll,
		Summary:     "Issue or refresh a token (RFC 6749)",
		Description: "The client's credentials come in the form or as HTTP Basic, not both.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/x-www-form-urlencoded": {Schema: grantForm()},
		}},
		Responses: map[string]*huma.Response{
			"200": answer("Tokens", oauthTokens{}), "400": answer("Refused", oauthRefusal{}),
			"401": answer("Unknown client", oauthRefusal{}), "429": answer("Too many requests", oauthRefusal{}), "500": answer("Error", oauthRefusal{}),
		},
	})
	document.AddOperation(&huma.Operation{
		OperationID: "jwks", Method: get, Path: "/.well-known/jwks.json", Tags: []string{"auth"}, Security: openToAll,
		Summary:   "Show the keys of access tokens",
		Responses: map[string]*huma.Response{"200": {Description: "A JSON Web Key Set"}, "4XX": a.errorResponse()},
	})
}

// grantForm describes what readGrant reads.
func grantForm() *huma.Schema {
	text := func(longest int, doc string) *huma.Schema {
		s := &huma.Schema{Type: huma.TypeString, Description: doc}
		if longest > 0 {
			s.MaxLength = &longest
		}
		return s
	}
	grant := text(0, "password is for users, with username and password.")
	grant.Enum = []any{access.GrantClientCredentials, access.GrantRefreshToken, access.GrantPassword}
	return &huma.Schema{
		Type: huma.TypeObject, Required: []string{"grant_type"},
		Properties: map[string]*huma.Schema{
			"grant_type": grant, "client_id": text(clientIDMax, "Unless it comes as HTTP Basic."),
			"client_secret": text(0, "Unless it comes as HTTP Basic."),
			"username":      text(clientIDMax, "For password."), "password": text(0, "For password."),
			"refresh_token": text(0, "For refresh_token; it works once."),
			"scope":         text(scopeMax, "Permissions separated by spaces; api is all of the client's."),
		},
	}
}

// oauthTokens is the answer of RFC 6749, 5.1.
type oauthTokens struct {
	AccessToken  string `json:"access_token" required:"true"`
	TokenType    string `json:"token_type" required:"true"`
	ExpiresIn    int    `json:"expires_in" required:"true" doc:"Seconds."`
	RefreshToken string `json:"refresh_token,omitempty"`
	// RefreshExpiresIn is not of RFC 6749; who does not know it passes over it.
	RefreshExpiresIn int    `json:"refresh_expires_in,omitempty" doc:"Seconds."`
	Scope            string `json:"scope" required:"true"`
}

// oauthRefusal is the answer of RFC 6749, 5.2.
type oauthRefusal struct {
	Error       string `json:"error" required:"true" doc:"invalid_request, invalid_client, invalid_grant, invalid_scope, unsupported_grant_type or server_error."`
	Description string `json:"error_description" required:"true"`
}

// connectToken is the token endpoint of RFC 6749: a form in, snake_case out.
// Credentials come in the form or as HTTP Basic, not both.
func (a *API) connectToken(w http.ResponseWriter, r *http.Request) {
	x := api.ExchangeOf(r.Context())
	x.Route = "/connect/token"
	out := newAnswer()
	defer func() { out.writeTo(w, x) }()
	out.header.Set("Content-Type", "application/json")
	out.header.Set("Pragma", "no-cache")
	var grant access.Grant
	err := a.addresses.Admit(api.NetworkOf(x.IP), a.TokenLimit)
	if err == nil {
		grant, err = readGrant(w, r)
		grant.From = originOf(x)
	}
	var tokens access.Tokens
	if err == nil {
		x.Client = grant.ClientID
		tokens, err = a.Access.Token(r.Context(), grant)
	}
	if err != nil {
		out.err, out.fault = err, faultOf(err).Code
		status, code, description := oauthError(err)
		if status == http.StatusUnauthorized && grant.Scope == access.ScopeWallet && r.Header.Get("Authorization") == "" {
			status = http.StatusBadRequest // what clients of wallets read
		}
		if status == http.StatusUnauthorized {
			out.header.Set("WWW-Authenticate", `Basic realm="sarraf"`)
		}
		if status == http.StatusTooManyRequests {
			out.header.Set("Retry-After", strconv.Itoa(retryAfter(faultOf(err))))
		}
		out.WriteHeader(status)
		_ = marshal(out, oauthRefusal{code, description})
		return
	}
	_ = marshal(out, oauthTokens{
		AccessToken: string(tokens.Access.Reveal()), TokenType: "Bearer", ExpiresIn: int(tokens.ExpiresIn.Seconds()),
		RefreshToken: string(tokens.Refresh.Reveal()), RefreshExpiresIn: int(tokens.RefreshExpires.Seconds()), Scope: tokens.Scope,
	})
}

// The longest names a form may hold.
const (
	clientIDMax = 128
	scopeMax    = 4096
	passwordMax = 512
)

// readGrant reads the form. A parameter that is given twice is refused (RFC
// 6749, 3.2).
func readGrant(w http.ResponseWriter, r *http.Request) (access.Grant, error) {
	form, err := api.ReadForm(w, r)
	if err != nil {
		return access.Grant{}, err
	}
	grant := access.Grant{
		Type: form["grant_type"], ClientID: form["client_id"], Scope: form["scope"],
		ClientSecret: secret.FromString(form["client_secret"]),
		RefreshToken: secret.FromString(form["refresh_token"]),
		UserName:     form["username"], Password: secret.FromString(form["password"]),
	}
	needs := []string{"grant_type"}
	switch grant.Type {
	case access.GrantPassword:
		needs = append(needs, "username", "password")
	case access.GrantRefreshToken:
		needs = append(needs, "refresh_token")
	}
	for _, name := range needs {
		if form[name] == "" {
			return access.Grant{}, api.Invalid().OnField(name, "required", "is required")
		}
	}
	if id, password, ok := r.BasicAuth(); ok {
		if grant.ClientID != "" && grant.ClientID != id || !grant.ClientSecret.IsZero() {
			return access.Grant{}, api.Invalid().OnField("client_id", "repeated", "gives the client's credentials twice")
		}
		grant.ClientID, grant.ClientSecret = id, secret.FromString(password)
	}
	// As long as in the family's own form, and as storable.
	if len(grant.ClientID) > clientIDMax || len(grant.UserName) > clientIDMax || len(form["password"]) > passwordMax || len(grant.Scope) > scopeMax || !api.Storable(grant.ClientID) {
		return access.Grant{}, api.Invalid().OnField("client_id", "malformed", "or scope is longer than any can be")
	}
	return grant, nil
}

func (a *API) jwks(w http.ResponseWriter, r *http.Request) {
	api.ExchangeOf(r.Context()).Route = "/.well-known/jwks.json"
	keys, err := a.Access.JWKS(r.Context())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(keys)
}
