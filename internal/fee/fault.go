package fee

import (
	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

var errInvalid = access.ErrInvalid

// Refusals about fees.
var (
	errNotFound = fault.New(fault.NotFound, "fee_not_found", "there is no such fee")
	errExists   = fault.New(fault.Conflict, "fee_already_exists", "the code of the fee is or was in use")
	errInUse    = fault.New(fault.Conflict, "fee_in_use", "the fee is linked")
	errTiers    = fault.New(fault.Refused, "fee_tier_invalid", "the tiers must follow each other without a gap, the first from zero")
	errCurrency = fault.New(fault.Refused, "fee_currency_mismatch", "the product of the link has another currency than the fee")
)

// Codes lists the code of every refusal of this package, for the tables by
// which API families translate them.
var Codes = fault.CodesOf(errNotFound, errExists, errInUse, errTiers, errCurrency)
