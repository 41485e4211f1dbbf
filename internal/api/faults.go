package api

import "github.com/sarraf-platform/sarraf/internal/fault"

// The codes of refusals that come from HTTP itself.
const (
	CodeInvalid          fault.Code = "validation_error"
	CodeTooLarge         fault.Code = "body_too_large"
	CodeMediaType        fault.Code = "unsupported_media_type"
	CodeNoRoute          fault.Code = "route_not_found"
	CodeMethodNotAllowed fault.Code = "method_not_allowed"
	CodeTooManyRequests  fault.Code = "too_many_requests"
	CodeSensitiveText    fault.Code = "sensitive_data_in_text"
	CodeAmountPrecision  fault.Code = "amount_precision"
	CodeInternal         fault.Code = "internal_error"
)

// Codes lists every code this package refuses with.
var Codes = []fault.Code{
	CodeInvalid, CodeTooLarge, CodeMediaType, CodeNoRoute, CodeMethodNotAllowed, CodeTooManyRequests,
	CodeSensitiveText, CodeAmountPrecision, CodeInternal,
}

// Invalid starts a fault that collects what is wrong with a request; the
// caller adds fields with OnField and returns it when it has any.
func Invalid() *fault.Error {
	return fault.New(fault.Invalid, CodeInvalid, "the request is not valid")
}
