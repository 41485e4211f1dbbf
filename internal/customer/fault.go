package customer

import (
	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Refusals that every package shares.
var (
	errInvalid = access.ErrInvalid
	errStale   = access.ErrStale
)

// Refusals about customers.
var (
	errNotFound           = fault.New(fault.NotFound, "customer_not_found", "there is no such customer")
	errExists             = fault.New(fault.Conflict, "customer_already_exists", "the customer exists already")
	errIdentityConflict   = fault.New(fault.Conflict, "customer_identity_conflict", "the keys name different customers")
	errIdentificationNo   = fault.New(fault.Invalid, "invalid_identification_no", "an identification number is not valid")
	errSegmentUnknown     = fault.New(fault.Refused, "segment_unknown", "the named segment does not exist")
	errSegmentPassive     = fault.New(fault.Refused, "segment_passive", "the named segment is not active")
	errSegmentNotFound    = fault.New(fault.NotFound, "segment_not_found", "there is no such segment")
	errSegmentExists      = fault.New(fault.Conflict, "segment_already_exists", "the segment exists already")
	errSegmentInUse       = fault.New(fault.Conflict, "segment_in_use", "customers belong to the segment")
	errOpenCards          = fault.New(fault.Refused, "customer_has_open_cards", "the customer has cards that are not closed")
	errClosed             = fault.New(fault.Conflict, "customer_closed", "the customer is closed")
	errDowngradeNeedsNote = fault.New(fault.Refused, "kyc_downgrade_needs_reason", "a lower KYC level needs a reason")
)

// Refusals about payers.
var (
	errPayerNotFound = fault.New(fault.NotFound, "payer_not_found", "there is no such payer")
	// ErrScroll refuses to go on with what is not there, or is over.
	ErrScroll = fault.New(fault.Invalid, "scroll_unknown", "the scroll is unknown or over")
)

// PayerCodes lists the codes of refusals about payers.
var PayerCodes = fault.CodesOf(errInvalid, errPayerNotFound, ErrScroll)

// Codes lists the code of every refusal of this package, for the tables by
// which API families translate them.
var Codes = fault.CodesOf(
	errNotFound, errExists, errIdentityConflict, errIdentificationNo,
	errSegmentUnknown, errSegmentPassive, errSegmentNotFound, errSegmentExists, errSegmentInUse, errOpenCards, errClosed, errDowngradeNeedsNote,
)
