package openbanking

import (
	"maps"
	"net/http"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
}

type tokenRefusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// issueToken is the token endpoint. Its parameters come as a form or in the query,
// and the client's credentials as HTTP Basic, too.
func (a *API) issueToken(w http.ResponseWriter, r *http.Request) {
	x := api.ExchangeOf(r.Context())
	x.Route = tokenPath
	var grant access.Grant
	err := a.addresses.Admit(api.NetworkOf(x.IP), a.TokenLimit)
	if err == nil {
		grant, err = readGrant(w, r)
		grant.From = originOf(x)
	}
	var tokens access.Tokens
	if err == nil {
		x.Client = grant.ClientID
		tokens, err = a.Access.OpenBankingToken(r.Context(), grant)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, http.StatusOK, tokenAnswer{
		AccessToken: string(tokens.Access.Reveal()), TokenType: "Bearer", ExpiresIn: int(tokens.ExpiresIn.Seconds()), Scope: tokens.Scope,
	})
}

// memberMax is how long a parameter of a token request may be.
const memberMax = 512

func readGrant(w http.ResponseWriter, r *http.Request) (access.Grant, error) {
	member := map[string]string{}
	for name, values := range r.URL.Query() {
		member[name] = values[0]
	}
	form, err := api.ReadForm(w, r)
	if err != nil {
		return access.Grant{}, err
	}
	maps.Copy(member, form)
	if client, password, basic := r.BasicAuth(); basic && member["client_id"] == "" {
		member["client_id"], member["client_secret"] = client, password
	}
	bad := api.Invalid()
	needs := []string{"grant_type", "client_id", "client_secret"}
	if member["grant_type"] == access.GrantConsent {
		needs = append(needs, "consentId")
	}
	for _, name := range needs {
		if v := member[name]; v == "" || len(v) > memberMax || !api.Storable(v) {
			bad = bad.OnField(name, "required", "is required, as a text of at most 512 bytes")
		}
	}
	if len(bad.Fields) > 0 {
		return access.Grant{}, bad
	}
	return access.Grant{
		Type: member["grant_type"], Scope: member["scope"], Consent: member["consentId"], ClientID: member["client_id"],
		ClientSecret: secret.FromString(member["client_secret"]),
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
	case f.Kind == fault.Unauthenticated || f.Kind == fault.Forbidden || f.Kind == fault.Exhausted:
		status, code = http.StatusUnauthorized, "invalid_client"
	case f.Kind == fault.Throttled:
		status, code = http.StatusTooManyRequests, "temporarily_unavailable"
	case f.Kind == fault.Internal || f.Kind == fault.Unavailable:
		status, code = http.StatusInternalServerError, "server_error"
	}
	writeJSON(w, status, tokenRefusal{code, f.Text})
}
