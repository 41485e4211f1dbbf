package algo

import "errors"

// Refusals. They carry no detail, so that they can be passed on as they are.
var (
	// ErrInput: a parameter has a length or character it may not have.
	ErrInput = errors.New("algo: malformed input")
	// ErrPINBlock: a PIN block does not decode; which check failed is not told.
	ErrPINBlock = errors.New("algo: malformed PIN block")
	// ErrKeyBlock: a key block or wrapped key does not open; which check failed
	// is not told.
	ErrKeyBlock = errors.New("algo: malformed key block")
	// ErrKey: a key has a wrong length, or is weak where weak keys are refused.
	ErrKey = errors.New("algo: key refused")
)
