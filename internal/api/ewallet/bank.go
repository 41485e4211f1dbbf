package ewallet

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// bankTopUp is the answer to a top-up from a bank: the one that shows no wallet.
type bankTopUp struct {
	TenantID      string      `json:"tenant_id"`
	AccountID     string      `json:"account_id"`
	AccountNumber string      `json:"account_number"`
	AccountType   int         `json:"account_type"`
	WalletID      string      `json:"wallet_id"`
	Upgrade       bool        `json:"upgrade_account_required"`
	Amount        api.Decimal `json:"amount"`
	CorrelationID string      `json:"tx_correlation_id"`
}

// accountType is the number of a kind of account.
func accountType(k wallet.Kind) int {
	if k == wallet.Business {
		return 2
	}
	return 1
}

// bankTime is how a bank tells when money came.
const bankTime = "2006-01-02 15:04"

func (a *API) topUpByBank(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	in.required("tenant_code") // a bank's word for who the client is, which its token says
	if when := in.required("bank_transaction_date"); when != "" {
		if _, err := time.Parse(bankTime, when); err != nil {
			in.malformed("bank_transaction_date")
		}
	}
	currency := in.currency()
	top := wallet.BankTopUp{
		Receipt: in.required("bank_receipt_no"), WalletNo: in.optionalDigits("wallet_number", walletNumberMax),
		Reference: in.text("regex_definition_result_data"), IdentityNo: in.text("national_id_or_tax_no"),
		Amount: in.amount("amount", currency), Note: noteOf(in),
	}
	if err := in.err(); err != nil {
		return answer{}, err
	}
	done, err := a.wallets.TopUpByBank(ctx, c, top)
	if err != nil {
		return answer{}, err
	}
	to := done.Receiver()
	return answer{payload: bankTopUp{
		TenantID: shownTenant(to.TenantNo), AccountID: to.Account.ID.String(), AccountNumber: to.Account.No, AccountType: accountType(to.Account.Kind),
		WalletID: to.Wallet.ID.String(), Upgrade: to.Account.Level == wallet.Unknown, Amount: api.DecimalOf(done.Transaction.Amount),
		CorrelationID: done.Transaction.ID.String(),
	}}, nil
}

// withdrawn is a receipt with the number that the bank leg goes by.
type withdrawn struct {
	receipt
	RequestID string `json:"request_id"`
}

var ibanSyntax = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}$`)

// iban reads an IBAN that must be there, however it is spaced.
func (f *fields) iban(name string) string {
	s := f.required(name)
	text := strings.ToUpper(strings.Join(strings.Fields(s), ""))
	if s != "" && !ibanSyntax.MatchString(text) {
		f.malformed(name)
	}
	return text
}

// sendToBank is a business's transfer to a bank account of anybody.
func (a *API) sendToBank(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	currency := in.currency()
	asked := wallet.NewWithdrawal{
		ExternalID: in.required("ext_transaction_id"), AccountNo: in.required("sender_account_number"),
		WalletNo: in.digits("sender_wallet_number", walletNumberMax),
		To: wallet.Destination{
			IBAN: in.iban("receiver_iban"), Holder: in.required("receiver_account_holder_name"), NationalID: in.required("receiver_national_id_or_tax_no"),
		},
		Amount: in.amount("amount", currency), Note: noteOf(in),
	}
	if err := in.err(); err != nil {
		return answer{}, err
	}
	done, err := a.wallets.Withdraw(ctx, c, asked)
	if err != nil {
		return answer{}, err
	}
	t := done.Transaction
	return answer{payload: withdrawn{receiptOf(t, done.Wallets[asked.WalletNo]), t.RequestID.String()}}, nil
}

// withdraw takes cash to the bank account of a wallet's owner. The members say
// receiver and mean the wallet that is debited.
func (a *API) withdraw(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	currency := in.currency()
	asked := wallet.NewWithdrawal{
		Own: true, ExternalID: in.required("ext_transaction_id"), AccountNo: in.text("receiver_account_number"),
		WalletNo: in.digits("receiver_wallet_number", walletNumberMax),
		To: wallet.Destination{
			IBAN: in.iban("receiver_iban"), Holder: in.text("receiver_account_holder_name"), NationalID: in.required("receiver_national_id"),
		},
		Amount: in.amount("amount", currency), Note: noteOf(in),
	}
	if err := in.err(); err != nil {
		return answer{}, err
	}
	_, err := a.wallets.Withdraw(ctx, c, asked)
	return answer{payload: true, silent: true}, err
}
