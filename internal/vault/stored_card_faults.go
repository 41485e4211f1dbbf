package vault

import "github.com/sarraf-platform/sarraf/internal/fault"

// The codes of the refusals of a [Store].
const (
	CodeStoredInvalid   fault.Code = "stored_card_invalid"
	CodeCardNumber      fault.Code = "stored_card_number_invalid"
	CodeCardMonth       fault.Code = "stored_card_month_invalid"
	CodeCardYear        fault.Code = "stored_card_year_invalid"
	CodeCardExpired     fault.Code = "stored_card_expired"
	CodeIdentityNumber  fault.Code = "identity_number_invalid"
	CodeTaxNumber       fault.Code = "tax_number_invalid"
	CodeUniqueCode      fault.Code = "unique_code_invalid"
	CodeStoredNotFound  fault.Code = "stored_card_not_found"
	CodePartnerNotFound fault.Code = "partner_not_found"
	CodeBlacklisted     fault.Code = "card_already_blacklisted"
	CodeNotBlacklisted  fault.Code = "card_not_blacklisted"
	CodeTemporaryToken  fault.Code = "temporary_token_not_found"
	CodeTemporaryCard   fault.Code = "temporary_card_not_found"
	CodeTemporaryKind   fault.Code = "temporary_card_type_invalid"
	CodeBINNotFound     fault.Code = "bin_not_found"
)

// StoreCodes lists every code that only a [Store] refuses with.
var StoreCodes = []fault.Code{
	CodeStoredInvalid, CodeCardNumber, CodeCardMonth, CodeCardYear, CodeCardExpired, CodeIdentityNumber, CodeTaxNumber,
	CodeUniqueCode, CodeStoredNotFound, CodePartnerNotFound, CodeBlacklisted, CodeNotBlacklisted, CodeTemporaryToken,
	CodeTemporaryCard, CodeTemporaryKind, CodeBINNotFound,
}

var (
	errStoredInvalid   = fault.New(fault.Invalid, CodeStoredInvalid, "a member is missing, too long or malformed")
	errCardNumber      = fault.New(fault.Invalid, CodeCardNumber, "the card number, BIN or last four digits are wrong")
	errCardMonth       = fault.New(fault.Invalid, CodeCardMonth, "the month is wrong")
	errCardYear        = fault.New(fault.Invalid, CodeCardYear, "the year is wrong")
	errCardExpired     = fault.New(fault.Invalid, CodeCardExpired, "the card has expired")
	errIdentityNumber  = fault.New(fault.Invalid, CodeIdentityNumber, "the identity number is wrong")
	errTaxNumber       = fault.New(fault.Invalid, CodeTaxNumber, "the tax number is wrong")
	errUniqueCode      = fault.New(fault.Refused, CodeUniqueCode, "the code is unreadable or too old; list the cards again")
	errStoredNotFound  = fault.New(fault.NotFound, CodeStoredNotFound, "there is no such stored card")
	errPartnerNotFound = fault.New(fault.NotFound, CodePartnerNotFound, "there is no such partner of this merchant")
	errBlacklisted     = fault.New(fault.Conflict, CodeBlacklisted, "the card is on the blacklist already")
	errNotBlacklisted  = fault.New(fault.NotFound, CodeNotBlacklisted, "the card is not on the blacklist")
	errTemporaryToken  = fault.New(fault.NotFound, CodeTemporaryToken, "there is no such temporary token, or it has expired")
	errTemporaryCard   = fault.New(fault.NotFound, CodeTemporaryCard, "there is no such temporary card, or it was used or has expired")
	errTemporaryKind   = fault.New(fault.Invalid, CodeTemporaryKind, "the type of the card is unknown")
	errBINNotFound     = fault.New(fault.NotFound, CodeBINNotFound, "nothing is known of this BIN")
)
