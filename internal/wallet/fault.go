package wallet

import "github.com/sarraf-platform/sarraf/internal/fault"

// What this package refuses.
var (
	ErrWalletNotFound      = fault.New(fault.NotFound, "wallet_not_found", "there is no such wallet")
	ErrKeyUsed             = fault.New(fault.Conflict, "wallet_key_used", "the external transaction id was used before")
	ErrReceiptUsed         = fault.New(fault.Conflict, "wallet_receipt_used", "the bank receipt was used before")
	ErrWrongParty          = fault.New(fault.Refused, "wallet_wrong_party", "the wallets are not of the kinds that this movement is between")
	ErrBusinessNotFound    = fault.New(fault.NotFound, "wallet_business_not_found", "there is no such business account")
	ErrAccountNotFound     = fault.New(fault.NotFound, "wallet_account_not_found", "there is no such account")
	ErrPersonNotFound      = fault.New(fault.NotFound, "wallet_person_not_found", "there is no such personal account")
	ErrAccountTaken        = fault.New(fault.Conflict, "wallet_account_taken", "the account number belongs to somebody")
	ErrIBAN                = fault.New(fault.Refused, "wallet_iban_wrong", "IBAN and name do not match")
	ErrIdentity            = fault.New(fault.Refused, "wallet_identity_wrong", "the identity does not match")
	ErrLimit               = fault.New(fault.Refused, "wallet_limit_exceeded", "a limit of the level is exceeded")
	ErrReceiverLimit       = fault.New(fault.Refused, "wallet_receiver_limit_exceeded", "a limit of the receiver is exceeded")
	ErrNoLimit             = fault.New(fault.Refused, "wallet_limit_undefined", "the level has no such limit")
	ErrBalance             = fault.New(fault.Refused, "wallet_balance_insufficient", "the balance is too small")
	ErrTransactionNotFound = fault.New(fault.NotFound, "wallet_transaction_not_found", "there is no such transaction")
	ErrAmount              = fault.New(fault.Refused, "wallet_amount_refused", "the amount is not acceptable")
	ErrNotOfAccount        = fault.New(fault.Refused, "wallet_not_of_account", "the wallet does not belong to the account")
	ErrUndone              = fault.New(fault.Conflict, "wallet_transaction_undone", "the transaction was cancelled or refunded before")
	ErrKeyMissing          = fault.New(fault.Refused, "wallet_key_missing", "there is no external transaction id")
	ErrNotThisWay          = fault.New(fault.Refused, "wallet_not_this_way", "it cannot be done in this way")
)

// Codes lists them, for the totality tests of the families.
var Codes = fault.CodesOf(
	ErrWalletNotFound, ErrKeyUsed, ErrReceiptUsed, ErrWrongParty, ErrBusinessNotFound, ErrAccountNotFound, ErrAccountTaken, ErrIBAN,
	ErrIdentity, ErrLimit, ErrReceiverLimit, ErrPersonNotFound, ErrNoLimit, ErrBalance, ErrTransactionNotFound, ErrAmount, ErrNotOfAccount, ErrUndone, ErrKeyMissing,
	ErrNotThisWay,
)
