package ewallet

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/wallet"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// Events makes the bodies of webhooks (3.8). A hook that asks for nothing but
// events of wallets gets them as they are, others in the envelope of our own
// family.
type Events struct{}

var _ webhook.Encoder = Events{}

// topupDone tells of a top-up from a bank. Identifiers are numbers here.
type topupDone struct {
	ID            wallet.ID   `json:"id"`
	TenantID      int64       `json:"tenant_id"`
	Group         int64       `json:"tx_group_correlation_id"`
	Reference     int64       `json:"tx_ref_correlation_id"`
	WalletID      wallet.ID   `json:"wallet_id"`
	TypeID        int         `json:"transaction_type_id"`
	Type          string      `json:"transaction_type"`
	StatusID      int         `json:"transaction_status_id"`
	Status        string      `json:"transaction_status"`
	ResultCode    string      `json:"result_code"`
	CreatedAt     string      `json:"created_date_utc"`
	CompletedAt   string      `json:"completed_date_utc"`
	ToWallet      string      `json:"to_wallet_number"`
	AccountNumber string      `json:"to_account_number"`
	Description   string      `json:"tx_description"`
	Currency      string      `json:"currency_code"`
	Amount        api.Decimal `json:"amount"`
}

// topupRefused tells of one that was refused.
type topupRefused struct {
	TenantID    int64       `json:"tenant_id"`
	Message     string      `json:"result_message"`
	Code        string      `json:"result_code"`
	Wallet      string      `json:"wallet_number"`
	Description string      `json:"description"`
	ReceiptNo   string      `json:"bank_receipt_no"`
	Amount      api.Decimal `json:"amount"`
	Currency    string      `json:"currency_code"`
}

// withdrawalChanged tells of a transfer to a bank.
type withdrawalChanged struct {
	TenantID      int64       `json:"tenant_id"`
	Amount        api.Decimal `json:"amount"`
	Currency      string      `json:"currency_code"`
	ExternalID    string      `json:"ext_transaction_id"`
	RequestID     wallet.ID   `json:"request_withdraw_id"`
	TransactionID wallet.ID   `json:"transaction_id"`
	AccountType   int         `json:"account_type_id"`
	AccountNumber string      `json:"account_number"`
	WalletNumber  string      `json:"wallet_number"`
	Before        string      `json:"before_process_status"`
	After         string      `json:"after_process_status"`
	State         string      `json:"money_transfer_state"`
	ChangedAt     string      `json:"updated_date_utc"`
}

// EncodeEvent implements [webhook.Encoder].
func (Events) EncodeEvent(m webhook.Delivery) (webhook.Content, error) {
	var e wallet.Event
	if err := json.Unmarshal(m.Payload, &e); err != nil {
		return webhook.Content{}, fmt.Errorf("read event: %w", err)
	}
	var body any
	switch m.Name {
	case wallet.EventTopupDone:
		kind := kindOf(wallet.BankTopup)
		body = topupDone{
			ID: e.Transaction, TenantID: e.TenantNo, WalletID: e.Wallet, TypeID: kind.id, Type: kind.name, StatusID: 20, Status: "NormalCompleted",
			ResultCode: "Success", CreatedAt: moment(e.CreatedAt), CompletedAt: moment(e.LastChangedAt), ToWallet: e.WalletNo,
			AccountNumber: e.AccountNo, Description: e.Description, Currency: e.Currency, Amount: api.Decimal(e.Amount),
		}
	case wallet.EventTopupRefused:
		text := messageOf("tr", wallet.RefusalOf(e))
		body = topupRefused{e.TenantNo, text, refusals[e.Refusal], e.WalletNo, e.Description, e.ExternalID, api.Decimal(e.Amount), e.Currency}
	case wallet.EventWithdrawalChanged:
		body = withdrawalChanged{
			TenantID: e.TenantNo, Amount: api.Decimal(e.Amount), Currency: e.Currency, ExternalID: e.ExternalID, RequestID: e.RequestID,
			TransactionID: e.Transaction, AccountType: accountType(e.AccountKind), AccountNumber: e.AccountNo, WalletNumber: e.WalletNo,
			Before: string(e.Before), After: string(e.After), State: string(e.After), ChangedAt: moment(e.LastChangedAt),
		}
	default:
		return webhook.Content{}, fmt.Errorf("no encoder for %s", m.Name)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return webhook.Content{}, fmt.Errorf("encode event: %w", err)
	}
	return webhook.Content{Bare: true, Data: bytes.TrimSpace(text.Bytes())}, nil
}
