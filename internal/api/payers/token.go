package payers

import (
	"mime"
	"net/http"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in"`
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

type tokenRefusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// issueToken is the token endpoint: JSON or a form in.
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
		tokens, err = a.Access.PayersToken(r.Context(), grant)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, http.StatusOK, tokenAnswer{
		AccessToken: string(tokens.Access.Reveal()), ExpiresIn: int(tokens.ExpiresIn.Seconds()), TokenType: "bearer",
		Scope: tokens.Scope, RefreshToken: string(tokens.Refresh.Reveal()),
	})
}

// memberMax is how long a member of a token request may be.
const memberMax = 512

func readGrant(w http.ResponseWriter, r *http.Request) (access.Grant, error) {
	member, err := readMembers(w, r)
	if err != nil {
		return access.Grant{}, err
	}
	bad := api.Invalid()
	grant := access.Grant{Type: member["grant_type"], Scope: member["scope"], ClientID: member["client_id"], ClientSecret: secret.FromString(member["client_secret"])}
	needs := []string{"grant_type", "client_id", "client_secret"}
	if grant.Type == access.GrantRefreshToken {
		grant.RefreshToken = secret.FromString(member["refresh_token"])
		needs = append(needs, "refresh_token")
	}
	for _, name := range needs {
		if v := member[name]; v == "" || len(v) > memberMax || !api.Storable(v) {
			bad = bad.OnField(name, "required", "is required, as a text of at most 512 bytes")
		}
	}
	if len(bad.Fields) > 0 {
		return access.Grant{}, bad
	}
	return grant, nil
}

// readMembers reads the texts of a token request.
func readMembers(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		return api.ReadForm(w, r)
	}
	object, err := readObject(w, r)
	if err != nil {
		return nil, err
	}
	member := map[string]string{}
	for name, value := range object {
		if text, ok := value.(string); ok {
			member[name] = text
		}
	}
	return member, nil
}

// refuseToken refuses in the words of OAuth 2.0.
func refuseToken(w http.ResponseWriter, err error) {
	f, ok := fault.As(err)
	if !ok {
		f = fault.New(fault.Internal, api.CodeInternal, "an error occurred")
	}
	status, code := http.StatusBadRequest, "invalid_request"
	switch {
	case f.Code == access.CodeInvalidGrant:
		code = "invalid_grant"
	case f.Code == access.CodeUnsupportedGrant:
		code = "unsupported_grant_type"
	case f.Kind == fault.Unauthenticated, f.Kind == fault.Forbidden:
		status, code = http.StatusUnauthorized, "invalid_client"
	case f.Code == api.CodeMethodNotAllowed, f.Code == api.CodeTooLarge, f.Code == api.CodeMediaType, f.Kind == fault.Throttled:
		status = outwardOf(f).status
	case f.Kind == fault.Internal, f.Kind == fault.Unavailable:
		status, code = outwardOf(f).status, "server_error"
	}
	if seconds, ok := f.Params["retryAfterSeconds"].(int); ok {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	writeJSON(w, status, tokenRefusal{code, explain(f)})
}
