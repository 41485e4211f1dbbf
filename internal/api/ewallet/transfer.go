package ewallet

import (
	"context"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// transferred is the answer to a transfer. The receiver's names are masked.
type transferred struct {
	TransactionID     string      `json:"transaction_id"`
	Amount            api.Decimal `json:"transaction_amount"`
	ReceiverFirstName string      `json:"receiver_first_name"`
	ReceiverLastName  string      `json:"receiver_last_name"`
	ReceiverAccount   string      `json:"receiver_account_number"`
	ReceiverWallet    string      `json:"receiver_wallet_number"`
	Sender            walletView  `json:"sender_wallet_info"`
}

// readBetween reads what one wallet gives another under a key that was read.
func readBetween(in *fields, key string) wallet.Between {
	currency := in.currency()
	return wallet.Between{
		ExternalID: key, FromAccountNo: in.required("sender_account_number"), FromNo: in.digits("sender_wallet_number", walletNumberMax),
		ToNo: in.digits("receiver_wallet_number", walletNumberMax), Amount: in.amount("amount", currency), Note: noteOf(in),
	}
}

// transfer is the action of a transfer between these parties.
func (a *API) transfer(parties wallet.Parties) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		between := readBetween(in, in.required("ext_transaction_id"))
		if err := in.err(); err != nil {
			return answer{}, err
		}
		done, err := a.wallets.TransferCash(ctx, c, parties, between)
		if err != nil {
			return answer{}, err
		}
		return answer{payload: viewTransfer(done)}, nil
	}
}

func viewTransfer(done wallet.Moved) transferred {
	to := done.Receiver()
	return transferred{
		TransactionID: done.Transaction.ID.String(), Amount: api.DecimalOf(done.Transaction.Amount),
		ReceiverFirstName: masked(to.Account.Person.FirstName), ReceiverLastName: masked(to.Account.Person.LastName),
		ReceiverAccount: to.Account.No, ReceiverWallet: to.Wallet.Number, Sender: viewMoved(done.Sender()),
	}
}

// masked leaves the first letter of a name, and a star for each other.
func masked(name string) string {
	out := []rune(name)
	for i := 1; i < utf8.RuneCountInString(name); i++ {
		out[i] = '*'
	}
	return string(out)
}

// cashedBack is a receipt with the request that it answers.
type cashedBack struct {
	receipt
	RequestID string `json:"request_id"`
}

func (a *API) cashBack(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	between := readBetween(in, in.required("ext_transaction_id"))
	if err := in.err(); err != nil {
		return answer{}, err
	}
	done, err := a.wallets.GiveCashBack(ctx, c, between)
	if err != nil {
		return answer{}, err
	}
	t := done.Transaction
	return answer{payload: cashedBack{receiptOf(t, done.Wallets[between.FromNo]), t.ID.String()}}, nil
}

// paid is the answer to a payment.
type paid struct {
	TransactionID   string      `json:"transaction_id"`
	Amount          api.Decimal `json:"transaction_amount"`
	Fee             api.Decimal `json:"transaction_fee"`
	Charged         api.Decimal `json:"charged_amount"`
	ExternalID      string      `json:"ext_order_id"`
	BusinessCode    string      `json:"business_code"`
	BusinessName    string      `json:"business_name"`
	FriendlyName    string      `json:"friendly_name"`
	ReceiverAccount string      `json:"receiver_account_number"`
	ReceiverWallet  string      `json:"receiver_wallet_number"`
	Sender          walletView  `json:"sender_wallet_info"`
	LoyaltyBurn     bool        `json:"loyalty_burn_record_required"`
	BurnID          *string     `json:"burn_transaction_id"`
}

func (a *API) pay(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	key := in.text("ext_transaction_id")
	if key == "" {
		key = in.text("ext_order_id") // of an older variant
	}
	between := readBetween(in, key)
	if err := in.err(); err != nil {
		return answer{}, err
	}
	done, err := a.wallets.Pay(ctx, c, between)
	if err != nil {
		return answer{}, err
	}
	return answer{payload: viewPayment(done)}, nil
}

func viewPayment(done wallet.Moved) paid {
	to, amount := done.Receiver(), api.DecimalOf(done.Transaction.Amount)
	name := to.Account.Person.BusinessName
	return paid{
		TransactionID: done.Transaction.ID.String(), Amount: amount, Fee: noMoney, Charged: amount, ExternalID: done.Transaction.ExternalID,
		BusinessName: name, FriendlyName: name, ReceiverAccount: to.Account.No, ReceiverWallet: to.Wallet.Number, Sender: viewMoved(done.Sender()),
	}
}

func readRefund(in *fields) wallet.NewRefund {
	currency := in.currency()
	return wallet.NewRefund{
		Original: in.id("tx_correlation_id"), ExternalID: in.required("ext_transaction_id"), Amount: in.amount("refund_amount", currency),
		Note: noteOf(in),
	}
}

// refund gives back what was paid or a part of it. The answer shows what the whole
// payment was.
func (a *API) refund(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	asked := readRefund(in)
	if err := in.err(); err != nil {
		return answer{}, err
	}
	done, err := a.wallets.GiveBack(ctx, c, asked)
	if err != nil {
		return answer{}, err
	}
	r := receiptOf(done.Transaction, done.Receiver())
	r.Amount = api.DecimalOf(done.Original.Amount)
	return answer{payload: r}, nil
}

// refundWhole gives back what was paid, and nothing less.
func (a *API) refundWhole(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	asked := readRefund(in)
	asked.Whole = true
	if err := in.err(); err != nil {
		return answer{}, err
	}
	_, err := a.wallets.GiveBack(ctx, c, asked)
	return answer{payload: true, silent: true}, err
}
