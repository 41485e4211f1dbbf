package ewallet

import "github.com/sarraf-platform/sarraf/internal/wallet"

// transactionKind is the number and name of a kind of transaction. The list of the
// contract is a part of a longer one that nobody published: what it does not name
// is "other".
type transactionKind struct {
	id   int
	name string
}

var transactionKinds = map[wallet.TransactionKind]transactionKind{
	wallet.BankTopup:  {1001, "Topup Bank"},
	wallet.CardTopup:  {1002, "Topup Credit Card"},
	wallet.Withdrawal: {2001, "Withdrawal"},
	wallet.Payment:    {3003, "Payment"},
	wallet.Refund:     {5001, "Refund Payment"},
	wallet.CashBack:   {5001, "Cash Back"},
	wallet.Transfer:   {5001, "Transfer"},
}

// The transfers that have a number of their own.
var (
	personToPerson   = transactionKind{3001, "Personal To Personal Transfer"}
	businessToPerson = transactionKind{3004, "Business To Personal Transfer"}
)

func kindOf(k wallet.TransactionKind) transactionKind { return transactionKinds[k] }
