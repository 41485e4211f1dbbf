package access

import "github.com/sarraf-platform/sarraf/internal/fault"

// The codes of this package's refusals.
const (
	CodeInvalid              fault.Code = "validation_error"
	CodeUnauthenticated      fault.Code = "unauthenticated"
	CodeTokenEnded           fault.Code = "token_ended"
	CodeForbidden            fault.Code = "forbidden"
	CodeInvalidClient        fault.Code = "invalid_client"
	CodeClientLocked         fault.Code = "client_locked"
	CodeIPNotAllowed         fault.Code = "ip_not_allowed"
	CodeAddressDenied        fault.Code = "address_denied"
	CodeNotHeld              fault.Code = "permission_not_held"
	CodeSandboxPermission    fault.Code = "sandbox_permission"
	CodeInvalidGrant         fault.Code = "invalid_grant"
	CodeInvalidScope         fault.Code = "invalid_scope"
	CodeUnsupportedGrant     fault.Code = "unsupported_grant_type"
	CodeTenantNotFound       fault.Code = "tenant_not_found"
	CodeTenantTaken          fault.Code = "tenant_already_exists"
	CodeClientNotFound       fault.Code = "client_not_found"
	CodeConsentNotFound      fault.Code = "consent_not_found"
	CodeCardholderNotFound   fault.Code = "cardholder_not_found"
	CodeRedirectUnproven     fault.Code = "redirect_unproven"
	CodeConsentRequestEnded  fault.Code = "consent_request_ended"
	CodeSessionEnded         fault.Code = "session_ended"
	CodeSignIn               fault.Code = "sign_in_refused"
	CodeSignInCode           fault.Code = "sign_in_code_refused"
	CodeUserNotFound         fault.Code = "user_not_found"
	CodeUserTaken            fault.Code = "user_already_exists"
	CodeConcurrency          fault.Code = "concurrency_conflict"
	CodeIdempotencyReused    fault.Code = "idempotency_key_reused"
	CodeIdempotencyNotKept   fault.Code = "idempotent_answer_not_kept"
	CodeIdempotencyMalformed fault.Code = "idempotency_key_malformed"
	CodeInProgress           fault.Code = "request_in_progress"
	CodeAdvancing            fault.Code = "sandbox_time_moving"
)

// Codes lists every code this package refuses with.
var Codes = []fault.Code{
	CodeInvalid, CodeUnauthenticated, CodeTokenEnded, CodeForbidden, CodeInvalidClient, CodeClientLocked, CodeIPNotAllowed, CodeAddressDenied,
	CodeNotHeld, CodeSandboxPermission, CodeInvalidGrant,
	CodeInvalidScope, CodeUnsupportedGrant, CodeTenantNotFound, CodeTenantTaken, CodeClientNotFound, CodeConsentNotFound, CodeCardholderNotFound, CodeRedirectUnproven,
	CodeConsentRequestEnded, CodeSessionEnded, CodeSignIn, CodeSignInCode, CodeUserNotFound, CodeUserTaken, CodeConcurrency,
	CodeIdempotencyReused, CodeIdempotencyNotKept, CodeIdempotencyMalformed, CodeInProgress, CodeAdvancing,
}

// Refusals that every domain shares.
var (
	// ErrInvalid is where the wrong fields of a request are added to.
	ErrInvalid = fault.New(fault.Invalid, CodeInvalid, "the request is not valid")
	// ErrStale refuses a change whose concurrency stamp is not the present one.
	ErrStale = fault.New(fault.Conflict, CodeConcurrency, "the object was changed by someone else in the meantime")
)

var (
	errUnauthenticated    = fault.New(fault.Unauthenticated, CodeUnauthenticated, "the access token is missing, malformed or no longer valid")
	errTokenEnded         = fault.New(fault.Unauthenticated, CodeTokenEnded, "the access token has ended, or its client may not call any more")
	errInvalidClient      = fault.New(fault.Unauthenticated, CodeInvalidClient, "the client is unknown or its secret is wrong")
	errClientLocked       = fault.New(fault.Unauthenticated, CodeClientLocked, "the client is locked after too many wrong secrets; try again later")
	errIPNotAllowed       = fault.New(fault.Forbidden, CodeIPNotAllowed, "the client may not call from this address")
	errAddressDenied      = fault.New(fault.Forbidden, CodeAddressDenied, "the client may not call from this address")
	errNotHeld            = fault.New(fault.Forbidden, CodeNotHeld, "whoever grants permissions, or manages their holder, must hold them all")
	errSandboxPermission  = fault.New(fault.Refused, CodeSandboxPermission, "a permission of the sandbox is never granted in a production tenant")
	errInvalidGrant       = fault.New(fault.Unauthenticated, CodeInvalidGrant, "the grant is invalid, expired, revoked or already used")
	errTenantNotFound     = fault.New(fault.NotFound, CodeTenantNotFound, "there is no such tenant")
	errTenantTaken        = fault.New(fault.Conflict, CodeTenantTaken, "a tenant with this code exists")
	errClientNotFound     = fault.New(fault.NotFound, CodeClientNotFound, "there is no such client")
	errConsentNotFound    = fault.New(fault.NotFound, CodeConsentNotFound, "there is no such consent")
	errCardholderNotFound = fault.New(fault.NotFound, CodeCardholderNotFound, "the customer has no password to sign in with")
	errRedirectUnproven   = fault.New(fault.Invalid, CodeRedirectUnproven, "the client is unknown, or has not named this address")
	errRequestEnded       = fault.New(fault.NotFound, CodeConsentRequestEnded, "the request was answered, or has expired")
	errSessionEnded       = fault.New(fault.Unauthenticated, CodeSessionEnded, "the session has ended")
	errSignIn             = fault.New(fault.Unauthenticated, CodeSignIn, "the customer number or the password is wrong, or the customer is locked")
	errSignInCode         = fault.New(fault.Unauthenticated, CodeSignInCode, "the one-time password is wrong")
	errUserNotFound       = fault.New(fault.NotFound, CodeUserNotFound, "there is no such user")
	errUserTaken          = fault.New(fault.Conflict, CodeUserTaken, "a user with this name exists")
	errKeyReused          = fault.New(fault.Conflict, CodeIdempotencyReused, "the idempotency key was used with another request")
	errNotKept            = fault.New(fault.Conflict, CodeIdempotencyNotKept, "the request was already carried out and its answer is not kept")
	errKeyMalformed       = fault.New(fault.Invalid, CodeIdempotencyMalformed, "an idempotency key has 1 to 64 printable characters").
				OnField("X-Idempotency-Key", "malformed", "must have 1 to 64 printable ASCII characters")
	errAdvancing  = fault.New(fault.Conflict, CodeAdvancing, "somebody else is moving the business time of the tenant")
	errInProgress = fault.New(fault.Conflict, CodeInProgress, "a request with this idempotency key is being carried out")
)
