package payers

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// The names of errors, which were those of classes.
const (
	notAllowed = "ProductNotAllowedException"
	badFormat  = "ProductFormatException"
	notFound   = "ProductNotFoundException"
	internal   = "ProductInternalException"
	backend    = "ProductBackendproviderException"
)

// outward is how this family shows a refusal.
type outward struct {
	status int
	name   string
	code   int
}

// byKind says it for every kind of fault, byCode for those that differ from
// their kind. A request without a valid token is what [Services.TokenStatus]
// says.
var (
	byKind = map[fault.Kind]outward{
		fault.Internal:        {http.StatusInternalServerError, internal, 1001},
		fault.Invalid:         {http.StatusBadRequest, badFormat, 3001},
		fault.Unauthenticated: {http.StatusForbidden, notAllowed, 2003},
		fault.Forbidden:       {http.StatusForbidden, notAllowed, 2003},
		fault.NotFound:        {http.StatusNotFound, notFound, 4001},
		fault.Conflict:        {http.StatusConflict, badFormat, 3001},
		fault.Refused:         {http.StatusBadRequest, badFormat, 3001},
		fault.Exhausted:       {http.StatusForbidden, notAllowed, 2003},
		fault.Throttled:       {http.StatusTooManyRequests, notAllowed, 2003},
		fault.Unavailable:     {http.StatusBadGateway, backend, 1001},
	}
	byCode = map[fault.Code]outward{
		api.CodeMethodNotAllowed: {http.StatusMethodNotAllowed, notFound, 4001},
		api.CodeTooLarge:         {http.StatusRequestEntityTooLarge, badFormat, 3001},
		api.CodeMediaType:        {http.StatusUnsupportedMediaType, badFormat, 3001},
	}
)

func outwardOf(f *fault.Error) outward {
	if o, ok := byCode[f.Code]; ok {
		return o
	}
	return byKind[f.Kind]
}

type refusal struct {
	Status    string `json:"status"`
	Error     string `json:"error"`
	Details   string `json:"error_details"`
	User      string `json:"error_user"`
	Code      int    `json:"code"`
	SupportID string `json:"supportId"`
}

// refuse answers an error.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	x := api.ExchangeOf(r.Context())
	f, ok := fault.As(err)
	if !ok {
		f = fault.New(fault.Internal, api.CodeInternal, "an error occurred")
	}
	o := outwardOf(f)
	if x.Fault = f.Code; o.status >= http.StatusInternalServerError {
		x.Err = err
	}
	if r.URL.Path == tokenPath {
		refuseToken(w, err)
		return
	}
	if f.Kind == fault.Unauthenticated {
		o.status = a.TokenStatus
		if o.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
	}
	if seconds, ok := f.Params["retryAfterSeconds"].(int); ok {
		w.Header().Set("Retry-After", fmt.Sprint(seconds))
	}
	writeJSON(w, o.status, refusal{
		Status: "error", Error: o.name, Details: explain(f), Code: o.code, SupportID: supportID(),
		User: fmt.Sprintf("Es ist ein Fehler aufgetreten (Code %d)", o.code),
	})
}

// explain is the text for technicians, with the members that are wrong.
func explain(f *fault.Error) string {
	if f.Code == access.CodeUnauthenticated || f.Code == access.CodeTokenEnded {
		return "Valid auth token required"
	}
	text := f.Text
	for i, field := range f.Fields {
		sign := "; "
		if i == 0 {
			sign = ": "
		}
		text += sign + memberOf(field.Name) + " " + field.Text
	}
	return text
}

// memberOf is the name of a member as clients write it.
func memberOf(name string) string {
	for _, m := range members {
		if string(m.field) == name && !strings.Contains(name, ".") {
			return m.path
		}
	}
	return name
}

func supportID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
