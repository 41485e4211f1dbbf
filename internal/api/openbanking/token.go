package openbanking

import (
	"maps"
	"net/http"
	"net/url"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Refresh     string `json:"refresh_token,omitempty"`
	Scope       string `json:"scope"`
}

type tokenRefusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// issueToken is the token endpoint. Its parameters come as a form or in the query,
// and the client's credentials as HTTP Basic, too.
func (a *API) issueToken(w http.ResponseWriter, r *http.Request) {
	member, err := a.readTokenRequest(w, r, tokenPath)
	var grant access.Grant
	if err == nil {
		grant, err = readGrant(member)
		grant.From = originOf(api.ExchangeOf(r.Context()))
	}
	var tokens access.Tokens
	if err == nil {
		tokens, err = a.Access.OpenBankingToken(r.Context(), grant)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, http.StatusOK, tokenAnswer{
		AccessToken: string(tokens.Access.Reveal()), TokenType: "Bearer", ExpiresIn: int(tokens.ExpiresIn.Seconds()),
		Refresh: string(tokens.Refresh.Reveal()), Scope: tokens.Scope,
	})
}

// revokeToken ends a token of the client (RFC 7009). What kind of token it is, is
// found out whatever the client says.
func (a *API) revokeToken(w http.ResponseWriter, r *http.Request) {
	member, err := a.readTokenRequest(w, r, revokePath)
	if err == nil {
		err = needs(member, "client_id", "client_secret", "token")
	}
	if err == nil {
		err = a.Access.RevokeOpenBankingToken(r.Context(), access.Grant{
			ClientID: member["client_id"], ClientSecret: secret.FromString(member["client_secret"]), From: originOf(api.ExchangeOf(r.Context())),
		}, secret.FromString(member["token"]))
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// memberMax is how long a parameter of a token request may be.
const memberMax = 512

// readTokenRequest reads the parameters of a client. Those of the form win, and the
// credentials of HTTP Basic are encoded like a form (RFC 6749 §2.3.1).
func (a *API) readTokenRequest(w http.ResponseWriter, r *http.Request, route string) (map[string]string, error) {
	x := api.ExchangeOf(r.Context())
	x.Route = route
	if err := a.addresses.Admit(api.NetworkOf(x.IP), a.TokenLimit); err != nil {
		return nil, err
	}
	query, err := readQuery(r)
	if err != nil {
		return nil, err
	}
	member := map[string]string{}
	for name := range query {
		member[name] = query.Get(name)
	}
	form, err := api.ReadForm(w, r)
	if err != nil {
		return nil, err
	}
	maps.Copy(member, form)
	if client, password, basic := r.BasicAuth(); basic && member["client_id"] == "" {
		member["client_id"], member["client_secret"] = plain(client), plain(password)
	}
	x.Client = member["client_id"]
	return member, nil
}

func plain(encoded string) string {
	if text, err := url.QueryUnescape(encoded); err == nil {
		return text
	}
	return encoded
}

// needs refuses a request without one of these parameters.
func needs(member map[string]string, names ...string) error {
	bad := api.Invalid()
	for _, name := range names {
		if v := member[name]; v == "" || len(v) > memberMax || !api.Storable(v) {
			bad = bad.OnField(name, "required", "is required, as a text of at most 512 bytes")
		}
	}
	if len(bad.Fields) > 0 {
		return bad
	}
	return nil
}

func readGrant(member map[string]string) (access.Grant, error) {
	names := []string{"grant_type", "client_id", "client_secret"}
	switch member["grant_type"] {
	case access.GrantConsent:
		names = append(names, "consentId")
	case access.GrantCode:
		names = append(names, "code", "redirect_uri")
	case access.GrantRefreshToken:
		names = append(names, "refresh_token")
	}
	if err := needs(member, names...); err != nil {
		return access.Grant{}, err
	}
	return access.Grant{
		Type: member["grant_type"], Scope: member["scope"], Consent: member["consentId"], ClientID: member["client_id"],
		ClientSecret: secret.FromString(member["client_secret"]), RefreshToken: secret.FromString(member["refresh_token"]),
		Code: secret.FromString(member["code"]), RedirectURI: member["redirect_uri"], Verifier: secret.FromString(member["code_verifier"]),
	}, nil
}

// refuseToken refuses in the words of OAuth 2.0.
func refuseToken(w http.ResponseWriter, f *fault.Error) {
	status, code := http.StatusBadRequest, "invalid_request"
	switch {
	case f.Code == api.CodeMethodNotAllowed:
		status = http.StatusMethodNotAllowed
	case f.Code == access.CodeInvalidGrant:
		code = "invalid_grant"
	case f.Code == access.CodeInvalidScope:
		code = "invalid_scope"
	case f.Code == access.CodeUnsupportedGrant:
		code = "unsupported_grant_type"
	case f.Code == api.CodeNoRoute:
		status = http.StatusNotFound
	case f.Kind == fault.Unauthenticated || f.Kind == fault.Forbidden || f.Kind == fault.Exhausted:
		status, code = http.StatusUnauthorized, "invalid_client"
	case f.Kind == fault.Throttled:
		status, code = http.StatusTooManyRequests, "temporarily_unavailable"
	case f.Kind == fault.Internal || f.Kind == fault.Unavailable:
		status, code = http.StatusInternalServerError, "server_error"
	}
	writeJSON(w, status, tokenRefusal{code, f.Text})
}
