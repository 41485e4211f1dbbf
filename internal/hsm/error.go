package hsm

import "errors"

// Refusals of a backend. Each is one outward class: which check behind it
// failed is not told, so that no caller can be used as an oracle.
var (
	// ErrKeyNotFound: the reference names no key (it carries no key block).
	ErrKeyNotFound = errors.New("hsm: key not found")
	// ErrKeyUsage: usage, algorithm or mode of the key does not fit the operation.
	ErrKeyUsage = errors.New("hsm: key usage does not allow this")
	// ErrKeyPolicy: tenant, test mark, exportability or strength forbids it.
	ErrKeyPolicy = errors.New("hsm: key policy does not allow this")
	// ErrFormat: a PIN block, key block, field or parameter is malformed.
	ErrFormat = errors.New("hsm: malformed input")
	// ErrIntegrity: a stored key or sealed value is not what it was, or is not
	// where it was put. An incident, never a user's mistake.
	ErrIntegrity = errors.New("hsm: integrity check failed")
	// ErrNotSupported: the backend cannot do this at all.
	ErrNotSupported = errors.New("hsm: not supported")
	// ErrUnavailable: the backend cannot be reached now; the call may be retried.
	ErrUnavailable = errors.New("hsm: unavailable")
	// ErrWeakPIN: the PIN breaks a rule of [PINRules].
	ErrWeakPIN = errors.New("hsm: PIN is too easy to guess")
	// ErrPINLength: the PIN's length is not the one asked for, or the
	// verification method cannot protect a PIN of that length.
	ErrPINLength = errors.New("hsm: PIN length not allowed")
)
