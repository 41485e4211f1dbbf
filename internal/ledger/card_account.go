package ledger

import "github.com/sarraf-platform/sarraf/internal/fault"

// NewCardAccount is a customer account that is to be opened.
type NewCardAccount struct {
	ID     AccountID
	Number string
	Owner  string // whose it is, opaque here
}

// accountTaken refuses a number that another account has. It does not tell
// whose that is.
func accountTaken(number string) error {
	return fault.New(fault.Conflict, AccountNoTaken, "the account number is in use by another customer or in another currency").
		With("accountNo", number)
}
