package ewallet

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// receipt is the answer to a movement with the wallet that it changed.
type receipt struct {
	TransactionID string      `json:"transaction_id"`
	ExternalID    *string     `json:"ext_transaction_id"`
	Amount        api.Decimal `json:"transaction_amount"`
	Fee           api.Decimal `json:"transaction_fee_amount"`
	Previous      api.Decimal `json:"previous_amount"`
	Wallet        walletView  `json:"wallet_info"`
}

// receiptOf is a receipt that echoes the caller's own id.
func receiptOf(t wallet.Transaction, s wallet.Standing) receipt {
	return receipt{
		TransactionID: t.ID.String(), ExternalID: &t.ExternalID, Amount: api.DecimalOf(t.Amount), Fee: noMoney, Previous: noMoney, Wallet: viewMoved(s),
	}
}

// noteOf reads what a caller says of a movement.
func noteOf(in *fields) wallet.Note {
	in.text("hash_key") // of the right type, and worth nothing
	return wallet.Note{Description: in.text("description"), SourceType: in.text("source_type"), ChannelType: in.text("channel_type")}
}

// topUpByCard is the sample of the family: the answer keeps the caller's own id to
// itself, and names neither fee nor what was there before.
func (a *API) topUpByCard(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	key := in.text("ext_transaction_id")
	if key == "" {
		key = in.text("ext_credit_card_transaction_id") // of an older variant
	}
	currency := in.currency()
	top := wallet.CardTopUp{
		ExternalID: key, POSType: in.text("credit_card_post_type_id"), Amount: in.amount("amount", currency),
		AccountNo: in.required("account_number"), WalletNo: in.digits("wallet_number", walletNumberMax), Note: noteOf(in),
	}
	if err := in.err(); err != nil {
		return answer{}, err
	}
	done, err := a.wallets.TopUpByCard(ctx, c, top)
	if err != nil {
		return answer{}, err
	}
	out := receiptOf(done.Transaction, done.Wallets[top.WalletNo])
	out.ExternalID = nil
	return answer{payload: out}, nil
}
