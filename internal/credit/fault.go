package credit

import "github.com/sarraf-platform/sarraf/internal/fault"

// What this package refuses.
var (
	errInvalid     = fault.New(fault.Invalid, "credit_account_invalid", "the request is not valid")
	errProduct     = fault.New(fault.Refused, "credit_product_wrong", "the product is not one of credit cards in TRY that are issued")
	errCustomer    = fault.New(fault.Refused, "credit_customer_not_active", "the customer is not active")
	errNotFound    = fault.New(fault.NotFound, "credit_account_not_found", "there is no such credit account")
	errNoStatement = fault.New(fault.NotFound, "credit_statement_not_found", "there is no such statement")
	errForeignCard = fault.New(fault.Refused, "credit_card_elsewhere", "the card does not spend from a credit account")
	errNotTheirs   = fault.New(fault.NotFound, "credit_card_not_theirs", "the card is not one of the customer's credit cards")
	errNotMain     = fault.New(fault.Refused, "credit_card_not_main", "an additional or virtual card has no statements")
	errNothingYet  = fault.New(fault.NotFound, "credit_term_empty", "nothing has happened in the present term")
	errMainCard    = fault.New(fault.Refused, "credit_card_is_main", "a main card has the whole limit")
)

// Codes lists them, for the totality tests of the families.
var Codes = fault.CodesOf(errInvalid, errProduct, errCustomer, errNotFound, errNoStatement, errForeignCard, errNotTheirs, errNotMain, errNothingYet, errMainCard)
