package vault

import (
	"errors"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// The codes of this package's refusals.
const (
	CodeKeyNotFound            fault.Code = "key_exchange_not_found"
	CodeEncryptionKeyNotFound  fault.Code = "encryption_key_not_found"
	CodeEncryptionKeyExpired   fault.Code = "encryption_key_expired"
	CodeClientKeyNotRegistered fault.Code = "client_key_not_registered"
	CodeHSMUnavailable         fault.Code = "hsm_unavailable"
	CodeTooManyKeys            fault.Code = "key_exchange_limit_exceeded"
)

// Codes lists every code that only this package refuses with.
var Codes = []fault.Code{
	CodeKeyNotFound, CodeEncryptionKeyNotFound, CodeEncryptionKeyExpired, CodeClientKeyNotRegistered,
	CodeHSMUnavailable, CodeTooManyKeys,
}

var (
	errKeyNotFound           = fault.New(fault.NotFound, CodeKeyNotFound, "there is no such exchanged key")
	errEncryptionKeyNotFound = fault.New(fault.Refused, CodeEncryptionKeyNotFound, "the encryption key is unknown or made for another use")
	errEncryptionKeyExpired  = fault.New(fault.Refused, CodeEncryptionKeyExpired, "the encryption key has expired; exchange a new one")
	errHSMUnavailable        = fault.New(fault.Unavailable, CodeHSMUnavailable, "the security module does not answer")
	errTooManyKeys           = fault.New(fault.Throttled, CodeTooManyKeys, "the client has as many live transport keys as it may have; delete one, or wait until one expires")
	errNotRegistered         = fault.New(fault.Refused, CodeClientKeyNotRegistered, "this public key was not registered for the client by an administrator")
)

// HSMFault makes a refusal of a security module that does not answer. Other
// errors stay what they are: ours.
func HSMFault(err error) error {
	if errors.Is(err, hsm.ErrUnavailable) {
		return errHSMUnavailable.Wrap(err)
	}
	return err
}
