package program

import (
	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Refusals that every package shares.
var (
	errInvalid = access.ErrInvalid
	errStale   = access.ErrStale
)

// Refusals about the configuration. What a body names and the tenant does not
// have is as much not found as what a path names.
var (
	errBINNotFound            = fault.New(fault.NotFound, "bin_not_found", "there is no such BIN")
	errBINExists              = fault.New(fault.Conflict, "bin_already_exists", "the BIN exists already")
	errBINTaken               = fault.New(fault.Conflict, "bin_taken", "the BIN is not available")
	errBINInUse               = fault.New(fault.Conflict, "bin_in_use", "products use the BIN as it is")
	errRangeNotFound          = fault.New(fault.NotFound, "bin_range_not_found", "there is no such BIN range")
	errRangeExists            = fault.New(fault.Conflict, "bin_range_already_exists", "the BIN range exists already")
	errRangeOverlap           = fault.New(fault.Conflict, "bin_range_overlap", "the BIN range overlaps another one")
	errRangeShrink            = fault.New(fault.Refused, "bin_range_shrink_not_allowed", "a BIN range can only be extended")
	errRangeExhausted         = fault.New(fault.Refused, "bin_range_exhausted", "the BIN range has no card number left")
	errRangePassive           = fault.New(fault.Refused, "bin_range_passive", "the BIN range gives out no new card numbers")
	errGroupNotFound          = fault.New(fault.NotFound, "product_group_not_found", "there is no such product group")
	errGroupPassive           = fault.New(fault.Refused, "product_group_passive", "the product group is not active")
	errGroupExists            = fault.New(fault.Conflict, "product_group_already_exists", "the product group exists already")
	errGroupInUse             = fault.New(fault.Conflict, "product_group_in_use", "products belong to the product group")
	errCardArtNotFound        = fault.New(fault.NotFound, "card_art_not_found", "there is no such card art")
	errCardArtExists          = fault.New(fault.Conflict, "card_art_already_exists", "the card art exists already")
	errCardArtInUse           = fault.New(fault.Conflict, "card_art_in_use", "products have plastics with the card art")
	errProductNotFound        = fault.New(fault.NotFound, "product_not_found", "there is no such product")
	errProductExists          = fault.New(fault.Conflict, "product_already_exists", "the product exists already")
	errProductInUse           = fault.New(fault.Conflict, "product_in_use", "cards of the product exist")
	errCardTypeMismatch       = fault.New(fault.Refused, "product_card_type_mismatch", "the card type is not the BIN's")
	errCurrencyFixed          = fault.New(fault.Refused, "product_currency_fixed", "the currency is fixed by the first card")
	errRangeFixed             = fault.New(fault.Refused, "product_bin_range_fixed", "cards exist: applyToNewCards must be set")
	errServiceCode            = fault.New(fault.Invalid, "invalid_service_code", "the service code is not valid")
	errContactlessCap         = fault.New(fault.Refused, "contactless_limit_above_cap", "the contactless limit is above the tenant's cap")
	errAttributeNotFound      = fault.New(fault.NotFound, "issuing_attribute_not_found", "the tenant has set no issuing attributes")
	errAttributeExists        = fault.New(fault.Conflict, "issuing_attribute_already_exists", "the tenant has its issuing attributes already")
	errTenantCurrency         = fault.New(fault.Refused, "tenant_currency_fixed", "the issuing attributes hold amounts in the present default currency")
	errRateNotFound           = fault.New(fault.NotFound, "exchange_rate_not_found", "there is no such exchange rate")
	errRateExists             = fault.New(fault.Conflict, "exchange_rate_already_exists", "the pair has a rate from this moment on")
	errBillingCurrency        = fault.New(fault.Refused, "billing_currency_not_allowed", "the tenant's cards are not billed in the currency")
	errBillingCurrencyInUse   = fault.New(fault.Refused, "billing_currency_in_use", "a product is billed in a currency that is left out")
	errConversionNotAvailable = fault.New(fault.Refused, "currency_conversion_not_available", "the amount billed is the one the network states")
	errSandboxOnly            = fault.New(fault.Refused, "sandbox_only", "this is for sandbox tenants only")
)

// Codes lists the code of every refusal of this package, for the tables by
// which API families translate them.
var Codes = fault.CodesOf(
	errBINNotFound, errBINExists, errBINTaken, errBINInUse, errRangeNotFound,
	errRangeExists, errRangeOverlap, errRangeShrink, errRangeExhausted, errRangePassive,
	errGroupNotFound, errGroupPassive, errGroupExists, errGroupInUse, errCardArtNotFound, errCardArtExists, errCardArtInUse, errProductNotFound,
	errProductExists, errProductInUse, errCardTypeMismatch, errCurrencyFixed, errRangeFixed,
	errServiceCode, errContactlessCap, errAttributeNotFound, errAttributeExists,
	errTenantCurrency, errSandboxOnly, errRateNotFound, errRateExists,
	errBillingCurrency, errBillingCurrencyInUse, errConversionNotAvailable,
)
