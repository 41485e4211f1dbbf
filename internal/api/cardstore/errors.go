package cardstore

import (
	"net/http"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/locale"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

const codeKeysMissing fault.Code = "keys_missing"

// numbers are what a refusal is called: by the card wall, and by the payment
// API, which counts in another way.
type numbers struct{ wall, payment int }

// general is what any other fault of a kind is called.
const (
	invalidWall, invalidPayment     = 2, 2
	exceptionWall, exceptionPayment = 5, -1
)

var table = map[fault.Code]numbers{
	codeKeysMissing:            {4, 4},
	access.CodeUnauthenticated: {401, 401},
	access.CodeInvalidClient:   {401, 401},
	access.CodeClientLocked:    {401, 401},
	access.CodeAddressDenied:   {513, 513},
	access.CodeIPNotAllowed:    {513, 513},
	vault.CodeStoredInvalid:    {invalidWall, invalidPayment},
	vault.CodeCardNumber:       {50, 14},
	vault.CodeCardMonth:        {107, 15},
	vault.CodeCardYear:         {108, 16},
	vault.CodeCardExpired:      {106, 19},
	vault.CodeIdentityNumber:   {23, 77},
	vault.CodeTaxNumber:        {68, 77},
	vault.CodeUniqueCode:       {118, 21},
	vault.CodeStoredNotFound:   {115, 22},
	vault.CodePartnerNotFound:  {397, 87},
	vault.CodeBlacklisted:      {4, 4},
	vault.CodeNotBlacklisted:   {5, 5},
	vault.CodeTemporaryToken:   {74, 74},
	vault.CodeTemporaryCard:    {75, 75},
	vault.CodeTemporaryKind:    {79, 79},
	vault.CodeBINNotFound:      {3, 14},
	vault.CodeHSMUnavailable:   {exceptionWall, exceptionPayment},
	api.CodeInvalid:            {invalidWall, invalidPayment},
	api.CodeTooLarge:           {invalidWall, invalidPayment},
	api.CodeMediaType:          {invalidWall, invalidPayment},
	api.CodeNoRoute:            {404, 404},
	api.CodeMethodNotAllowed:   {404, 404},
	api.CodeTooManyRequests:    {503, 503},
	api.CodeInternal:           {exceptionWall, exceptionPayment},
}

// messages are the keys of texts that another code shares.
var messages = map[fault.Code]string{
	access.CodeInvalidClient: "unauthenticated", access.CodeClientLocked: "unauthenticated", access.CodeIPNotAllowed: "address_denied",
	vault.CodeHSMUnavailable: "unavailable", api.CodeInvalid: "stored_card_invalid", api.CodeTooLarge: "stored_card_invalid",
	api.CodeMediaType: "stored_card_invalid", api.CodeMethodNotAllowed: "route_not_found",
}

// outcome is a refusal in the words of the family; the zero value is success.
type outcome struct {
	code     fault.Code
	number   int
	status   int
	internal bool
}

// outcomeOf is total: what has no row is called by its kind, and what is no
// fault is ours.
func outcomeOf(err error, payment bool) outcome {
	f, ok := fault.As(err)
	o := outcome{code: api.CodeInternal, status: http.StatusOK, internal: true}
	if ok && f.Kind != fault.Internal {
		o.code, o.internal = f.Code, f.Kind == fault.Unavailable
		if _, known := table[o.code]; !known {
			o.code = codeOfKind(f.Kind)
		}
	}
	o.number = table[o.code].wall
	if payment {
		o.number = table[o.code].payment
	}
	switch o.code {
	case api.CodeNoRoute:
		o.status = http.StatusNotFound
	case api.CodeMethodNotAllowed:
		o.status = http.StatusMethodNotAllowed
	case api.CodeTooManyRequests:
		o.status = http.StatusTooManyRequests
	}
	return o
}

// isOfKeys reports whether keys, or where they were used, are what was refused.
func (o outcome) isOfKeys() bool {
	switch o.code {
	case access.CodeUnauthenticated, access.CodeInvalidClient, access.CodeClientLocked, access.CodeAddressDenied, access.CodeIPNotAllowed:
		return true
	}
	return false
}

func codeOfKind(k fault.Kind) fault.Code {
	switch k {
	case fault.Unauthenticated, fault.Forbidden:
		return access.CodeUnauthenticated
	case fault.Throttled:
		return api.CodeTooManyRequests
	case fault.Unavailable:
		return vault.CodeHSMUnavailable
	case fault.NotFound:
		return vault.CodeStoredNotFound
	case fault.Invalid, fault.Refused, fault.Conflict:
		return api.CodeInvalid
	}
	return api.CodeInternal
}

func (o outcome) message(language string) string {
	key := string(o.code)
	if other, shared := messages[o.code]; shared {
		key = other
	}
	text, _ := locale.Text(language, "cardstore."+key, nil)
	return text
}
