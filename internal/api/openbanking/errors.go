package openbanking

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

// success is the code of an answer that is no refusal.
const success = "APIGW000000"

// The codes of refusals.
const (
	badToken      = "ACBG000001"
	deadToken     = "ACBG000002"
	planExhausted = "ACBG000003"
	unreadable    = "ACBG000007"
	systemError   = "ACBG000008"
	notNow        = "ACBG000009"
	badAddress    = "ACBG000010"

	badStatementCode = "ACBH000105"
	foreignCard      = "ACBH000114"
	emptyTerm        = "ACBH000206"
	noStatement      = "ACBH000207"
	noType           = "ACBH000220"
	badType          = "ACBH000221"
	badCardID        = "ACBH000227"
	notMain          = "ACBH000236"
)

// What this family refuses by itself.
var (
	errCardID        = fault.New(fault.Invalid, "openbanking_card_id", "the number of the card is not well-formed")
	errStatementCode = fault.New(fault.Invalid, "openbanking_statement_code", "the code of the statement is not well-formed")
	errNoType        = fault.New(fault.Invalid, "openbanking_statement_type_missing", "the type of the statement is missing")
	errLimit         = fault.New(fault.Invalid, "openbanking_limit", "the limit of the card is not a whole number from zero on")
	errType          = fault.New(fault.Invalid, "openbanking_statement_type", "the type of the statement is neither YI nor YD")
)

// outward is how this family shows a refusal.
type outward struct {
	status int
	code   string
}

// byKind says it for every kind of fault, byCode for those that differ from their
// kind.
var (
	byKind = map[fault.Kind]outward{
		fault.Internal:        {http.StatusInternalServerError, systemError},
		fault.Invalid:         {http.StatusBadRequest, unreadable},
		fault.Unauthenticated: {http.StatusUnauthorized, badToken},
		fault.Forbidden:       {http.StatusForbidden, deadToken},
		fault.NotFound:        {http.StatusNotFound, notNow},
		fault.Conflict:        {http.StatusBadRequest, notNow},
		fault.Refused:         {http.StatusBadRequest, notNow},
		fault.Exhausted:       {http.StatusUnauthorized, deadToken},
		fault.Throttled:       {http.StatusTooManyRequests, planExhausted},
		fault.Unavailable:     {http.StatusInternalServerError, notNow},
	}
	byCode = map[fault.Code]outward{
		api.CodeMethodNotAllowed:             {http.StatusMethodNotAllowed, unreadable},
		api.CodeTooLarge:                     {http.StatusRequestEntityTooLarge, unreadable},
		api.CodeMediaType:                    {http.StatusUnsupportedMediaType, unreadable},
		access.CodeAddressDenied:             {http.StatusForbidden, badAddress},
		access.CodeTokenEnded:                {http.StatusUnauthorized, deadToken},
		access.CodeClientLocked:              {http.StatusUnauthorized, deadToken},
		"credit_card_not_theirs":             {http.StatusBadRequest, foreignCard},
		"credit_card_elsewhere":              {http.StatusBadRequest, foreignCard},
		"credit_term_empty":                  {http.StatusBadRequest, emptyTerm},
		"credit_statement_not_found":         {http.StatusBadRequest, noStatement},
		"credit_card_not_main":               {http.StatusBadRequest, notMain},
		"openbanking_card_id":                {http.StatusBadRequest, badCardID},
		"openbanking_statement_code":         {http.StatusBadRequest, badStatementCode},
		"openbanking_statement_type_missing": {http.StatusBadRequest, noType},
		"openbanking_statement_type":         {http.StatusBadRequest, badType},
	}
)

func outwardOf(f *fault.Error) outward {
	if o, ok := byCode[f.Code]; ok {
		return o
	}
	return byKind[f.Kind]
}

// language is that of this family's messages, whatever its clients speak.
const language = "tr"

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
	if r.URL.Path == tokenPath || r.URL.Path == revokePath {
		refuseToken(w, f)
		return
	}
	if seconds, ok := f.Params["retryAfterSeconds"].(int); ok {
		w.Header().Set("Retry-After", fmt.Sprint(seconds))
	}
	if strings.HasPrefix(r.URL.Path, "/auth/oauth/v2/") {
		a.refusePage(w, r, f)
		return
	}
	text, _ := locale.Text(language, "openbanking."+o.code, nil)
	writeJSON(w, o.status, envelope{Header: a.header(o.code, text)})
}
