package ewallet

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/locale"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

var errNotGranted = fault.New(fault.Forbidden, access.CodeForbidden, "the client may not do this")

// The codes of the contract (3.7).
const (
	systemError      = "500"
	validationFailed = "999"
)

// refusals is the code of every business refusal. All are HTTP 200 with status 2.
var refusals = map[fault.Code]string{
	wallet.ErrWalletNotFound.Code:      "300",
	wallet.ErrKeyUsed.Code:             "301",
	wallet.ErrWrongParty.Code:          "303",
	wallet.ErrBusinessNotFound.Code:    "304",
	wallet.ErrIBAN.Code:                "306",
	wallet.ErrIdentity.Code:            "307",
	wallet.ErrLimit.Code:               "310",
	wallet.ErrReceiverLimit.Code:       "310",
	wallet.ErrPersonNotFound.Code:      "313",
	wallet.ErrBalance.Code:             "311",
	wallet.ErrTransactionNotFound.Code: "312",
	wallet.ErrAmount.Code:              "315",
	wallet.ErrNotOfAccount.Code:        "316",
	wallet.ErrUndone.Code:              "322",
	wallet.ErrReceiptUsed.Code:         "360",
	wallet.ErrNoLimit.Code:             "361",
	wallet.ErrAccountNotFound.Code:     systemError,
	wallet.ErrAccountTaken.Code:        systemError,
	wallet.ErrKeyMissing.Code:          systemError,
	wallet.ErrNotThisWay.Code:          "501",
}

// kinds is how a fault is answered that no row of refusals names: by HTTP alone.
var kinds = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Refused:         http.StatusUnprocessableEntity,
	fault.Exhausted:       http.StatusLocked,
	fault.Throttled:       http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// statusOf is the HTTP status of a fault that is none of the business's.
func statusOf(f *fault.Error) int {
	switch f.Code {
	case api.CodeMethodNotAllowed:
		return http.StatusMethodNotAllowed
	case api.CodeMediaType:
		return http.StatusUnsupportedMediaType
	case api.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return kinds[f.Kind]
}

// refuse answers a request with an error: business refusals and validation in
// their envelopes, all else with a status and nothing.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	x := api.ExchangeOf(r.Context())
	if found, ok := errors.AsType[notValid](err); ok {
		x.Fault = api.CodeInvalid
		texts := textsOf(found)
		writeJSON(w, http.StatusBadRequest, validation{statusInvalid, validationFailed, strings.Join(texts, " "), texts})
		return
	}
	if found, ok := errors.AsType[unreadable](err); ok {
		x.Fault = api.CodeInvalid
		writeProblem(w, x, found)
		return
	}
	f, ok := fault.As(err)
	if !ok {
		f = fault.New(fault.Internal, api.CodeInternal, "something went wrong on our side")
	}
	x.Fault = f.Code
	if code, ok := refusals[f.Code]; ok {
		writeJSON(w, http.StatusOK, envelope{Status: statusRefused, Code: &code, Message: new(messageOf(x.Language, f))})
		return
	}
	status := statusOf(f)
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests:
		seconds := 1
		if n, ok := f.Params["retryAfterSeconds"].(int); ok {
			seconds = n
		}
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	if status >= http.StatusInternalServerError {
		x.Err = err
		writeJSON(w, status, envelope{Status: statusRefused, Code: new(systemError), Message: new(messageOf(x.Language, f))})
		return
	}
	w.WriteHeader(status)
}

// writeProblem writes the problem details of JSON of the wrong type.
func writeProblem(w http.ResponseWriter, x *api.Exchange, found unreadable) {
	out := problem{
		Errors: map[string][]string{}, Type: "https://tools.ietf.org/html/rfc7231#section-6.5.1",
		Title: "One or more validation errors occurred.", Status: http.StatusBadRequest, TraceID: "00-" + x.CorrelationID + "-00",
	}
	for _, v := range found {
		out.Errors[v.member] = append(out.Errors[v.member], v.says)
	}
	writeJSON(w, http.StatusBadRequest, out)
}

func textsOf(found notValid) []string {
	texts := make([]string, len(found))
	for i, v := range found {
		texts[i] = v.says
	}
	return texts
}

// messageOf is the text for people.
func messageOf(language string, f *fault.Error) string {
	if text, ok := locale.Text(language, "ewallet."+string(f.Code), f.Params); ok {
		return text
	}
	text, _ := locale.Text(language, f.Kind.String(), nil)
	return text
}
