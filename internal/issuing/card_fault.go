package issuing

import (
	"errors"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// Codes lists the code of every refusal of this package, for the tables by
// which API families translate them.
var Codes = slices.Concat(cardCodes, upkeepCodes, renewalCodes, nonameCodes)

// Refusals that every package shares.
var (
	errInvalid = access.ErrInvalid
	errStale   = access.ErrStale
)

// Refusals about cards. Parameters and causes are added where they arise.
var (
	errCardNotFound            = fault.New(fault.NotFound, "card_not_found", "there is no such card")
	errTransitionNotAllowed    = fault.New(fault.Conflict, "card_status_transition_not_allowed", "a card may not move between these statuses")
	errReasonMismatch          = fault.New(fault.Invalid, "card_status_reason_mismatch", "the reason does not fit the status")
	errActivationCondition     = fault.New(fault.Refused, "activation_condition_not_met", "the card cannot be activated yet")
	errStatusNotSuitable       = fault.New(fault.Conflict, "card_status_not_suitable", "the card's status does not allow this")
	errCustomerInactive        = fault.New(fault.Refused, "customer_inactive", "the customer is not active")
	errCustomerTypeNotAllowed  = fault.New(fault.Refused, "customer_type_not_allowed", "the product is not for this type of customer")
	errProductPassive          = fault.New(fault.Refused, "product_passive", "the product issues no new cards")
	errFormFactorNotAllowed    = fault.New(fault.Refused, "form_factor_not_allowed", "the product does not allow this form factor")
	errMaxCards                = fault.New(fault.Refused, "max_card_count_exceeded", "the customer has as many cards of this product as allowed")
	errMaxChildCards           = fault.New(fault.Refused, "max_child_card_count_exceeded", "the parent card has as many supplementary cards as allowed")
	errMaxVirtualCards         = fault.New(fault.Refused, "max_virtual_card_count_exceeded", "the main card has as many virtual cards as allowed")
	errParentInvalid           = fault.New(fault.Refused, "parent_card_invalid", "no supplementary card can hang on this card")
	errAge                     = fault.New(fault.Refused, "age_requirement_not_met", "the customer is younger than the product allows")
	errKYC                     = fault.New(fault.Refused, "kyc_level_insufficient", "the customer is not identified well enough for the product")
	errDeliveryAddressRequired = fault.New(fault.Invalid, "delivery_address_required", "a delivery address is needed")
	errEmbossName              = fault.New(fault.Invalid, "invalid_emboss_name", "the name cannot be printed on the card")
	errPhysical                = fault.New(fault.Refused, "physical_not_allowed", "the product has no such plastic or delivery")
	errPolicyLocked            = fault.New(fault.Refused, "policy_locked_by_product", "the product lets no card change this policy")
	errExternalCardID          = fault.New(fault.Conflict, "external_card_id_already_exists", "another card has this external id")
	errExpiryNotAllowed        = fault.New(fault.Refused, "expiry_not_allowed", "the expiry is past or beyond the product's validity")
	errAccountOfParent         = fault.New(fault.Refused, "account_no_not_allowed", "a supplementary card uses its parent's account")
	errAccountKind             = fault.New(fault.Conflict, "account_kind_mismatch", "a card of credit spends from a credit account, and no other card does")
	errCVV2Blocked             = fault.New(fault.Exhausted, "cvv2_blocked", "the CVV2 tries of the card are used up")
	errCVV2Views               = fault.New(fault.Throttled, "cvv2_view_limit_exceeded", "the CVV2 of the card was shown too often in the last hour")
	errPINBlocked              = fault.New(fault.Exhausted, "pin_blocked", "the PIN tries of the card are used up")
	errPINInvalid              = fault.New(fault.Refused, "pin_invalid", "the PIN is wrong")
	errPINNotSet               = fault.New(fault.Refused, "pin_not_set", "the card has no PIN")
	errPINDelivery             = fault.New(fault.Refused, "pin_delivery_not_allowed", "the PIN of this card cannot be sent this way")
	errSMSLimit                = fault.New(fault.Throttled, "sms_limit_exceeded", "the PIN of this card was sent too often today")
	errPhoneCooling            = fault.New(fault.Refused, "phone_change_cooling_period", "the phone number was changed too lately")
	errPhoneMissing            = fault.New(fault.Refused, "phone_number_missing", "there is no phone number to send to")
	errWeakPIN                 = fault.New(fault.Refused, "weak_pin", "the PIN is too easy to guess")
	errPINBlock                = fault.New(fault.Invalid, "invalid_pin_block", "the PIN block cannot be used")
	errPINLength               = fault.New(fault.Invalid, "pin_length_invalid", "the PIN has the wrong number of digits")
	errDecryption              = fault.New(fault.Invalid, "decryption_failed", "the encrypted value cannot be opened")
	errClearNotAllowed         = fault.New(fault.Refused, "clear_sensitive_data_not_allowed", "sensitive values may not be sent or asked for in clear")
	errCardNotPermitted        = fault.New(fault.Forbidden, access.CodeForbidden, "the caller may not do this with a card")
)

// cardCodes are the codes of the refusals above.
var cardCodes = fault.CodesOf(
	errCardNotFound, errTransitionNotAllowed, errReasonMismatch, errActivationCondition, errStatusNotSuitable,
	errCustomerInactive, errCustomerTypeNotAllowed, errProductPassive, errFormFactorNotAllowed, errMaxCards,
	errMaxChildCards, errMaxVirtualCards, errParentInvalid, errAge, errKYC, errDeliveryAddressRequired, errEmbossName,
	errPhysical, errPolicyLocked, errExternalCardID, errExpiryNotAllowed, errAccountOfParent, errAccountKind, errCVV2Blocked, errCVV2Views, errPINBlocked,
	errPINInvalid, errPINNotSet, errPINDelivery, errSMSLimit, errPhoneCooling, errPhoneMissing, errWeakPIN, errPINBlock, errPINLength,
	errDecryption, errClearNotAllowed,
)

// hsmFault makes a refusal of what the HSM said about a caller's input. Other
// errors, integrity and policy among them, stay what they are: ours.
func hsmFault(err error) error {
	switch {
	case errors.Is(err, hsm.ErrWeakPIN):
		return errWeakPIN
	case errors.Is(err, hsm.ErrPINLength):
		return errPINLength
	}
	return vault.HSMFault(err)
}

// pinFault is hsmFault for a PIN block that a caller made.
func pinFault(err error) error {
	if errors.Is(err, hsm.ErrFormat) {
		return errPINBlock
	}
	return hsmFault(err)
}

// fieldFault is hsmFault for a field that a caller encrypted.
func fieldFault(err error) error {
	if errors.Is(err, hsm.ErrFormat) {
		return errDecryption
	}
	return hsmFault(err)
}

// orRefuse is err, or the refusal when nothing went wrong.
func orRefuse(err error, refusal error) error {
	if err != nil {
		return err
	}
	return refusal
}
