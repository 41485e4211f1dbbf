package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// shownWithdrawal is a withdrawal as it is printed.
type shownWithdrawal struct {
	Transaction string `json:"transaction"`
	Request     string `json:"request"`
	Status      string `json:"status"`
	WalletNo    string `json:"walletNumber"`
	AccountNo   string `json:"accountNumber"`
	Amount      string `json:"amount"`
	Currency    string `json:"currency"`
	IBAN        string `json:"iban"`
	Holder      string `json:"accountHolder"`
	NationalID  string `json:"nationalIdOrTaxNumber"`
	CreatedAt   string `json:"createdAt"`
}

// withdrawalsMax is how many withdrawals are printed at once.
const withdrawalsMax = 1000

// ListWithdrawals prints the withdrawals of a tenant that wait for a bank.
func ListWithdrawals(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		waiting := wallet.TransactionFilter{
			Kinds: []wallet.TransactionKind{wallet.Withdrawal}, Statuses: []wallet.Status{wallet.Requested, wallet.Sent},
		}
		oldest := list.Page{Limit: withdrawalsMax, Sort: []list.SortKey{{Name: "CreatedDateUtc"}}}
		found, _, err := k.Wallets.Transactions(ctx, caller, waiting, oldest)
		if err != nil {
			return err
		}
		shown := make([]shownWithdrawal, len(found))
		for i, r := range found {
			to, err := k.Wallets.DestinationOf(ctx, r.Transaction)
			if err != nil {
				return err
			}
			shown[i] = shownWithdrawal{
				r.ID.String(), r.RequestID.String(), string(r.Status), r.Sender.WalletNo, r.Sender.AccountNo, r.Amount.Decimal(), r.Amount.Currency().Code(),
				to.IBAN, to.Holder, to.NationalID, r.CreatedAt.Format(time.RFC3339),
			}
		}
		if asJSON {
			return PrintJSON(w, shown)
		}
		for _, s := range shown {
			if _, err := fmt.Fprintf(w, "%s  %-9s  %s %s  from %s  to %s  %s\n", s.Transaction, s.Status, s.Amount, s.Currency, s.WalletNo, s.IBAN, s.Holder); err != nil {
				return err
			}
		}
		return nil
	})
}

// IsWithdrawalStep reports whether a text is what a withdrawal may become.
func IsWithdrawalStep(status string) bool {
	switch wallet.Status(status) {
	case wallet.Sent, wallet.Completed, wallet.Failed:
		return true
	}
	return false
}

// AdvanceWithdrawal says what became of a withdrawal.
func AdvanceWithdrawal(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, transaction, status string) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		named, ok := wallet.ParseID(transaction)
		if !ok {
			return wallet.ErrTransactionNotFound
		}
		t, err := k.Wallets.AdvanceWithdrawal(ctx, caller, named, wallet.Status(status))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "withdrawal %s is %s\n", t.ID, t.Status)
		return err
	})
}

// shownUnmatched is a top-up of nobody as it is printed.
type shownUnmatched struct {
	Receipt     string `json:"receipt"`
	Amount      string `json:"amount"`
	Currency    string `json:"currency"`
	Description string `json:"description"`
	CreatedAt   string `json:"createdAt"`
}

// ListUnmatched prints the top-ups that came for nobody we know.
func ListUnmatched(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		all, err := k.Wallets.UnmatchedTopUps(ctx, caller)
		if err != nil {
			return err
		}
		shown := make([]shownUnmatched, len(all))
		for i, u := range all {
			shown[i] = shownUnmatched{u.Receipt, u.Amount.Decimal(), u.Amount.Currency().Code(), u.Description, u.CreatedAt.Format(time.RFC3339)}
		}
		if asJSON {
			return PrintJSON(w, shown)
		}
		for _, s := range shown {
			if _, err := fmt.Fprintf(w, "%s  %s %s  %s  %q\n", s.Receipt, s.Amount, s.Currency, s.CreatedAt, s.Description); err != nil {
				return err
			}
		}
		return nil
	})
}

// AssignTopUp gives a top-up of nobody to a wallet.
func AssignTopUp(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, receipt, walletNo string) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		m, err := k.Wallets.AssignTopUp(ctx, caller, receipt, walletNo)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s %s are in wallet %s\n", m.Transaction.Amount.Decimal(), m.Transaction.Amount.Currency().Code(), walletNo)
		return err
	})
}

// DefinePOS says which account the top-ups through a POS type debit.
func DefinePOS(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, code, account string) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		if err := k.Wallets.DefinePOS(ctx, caller, code, account); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "top-ups through %s debit %s\n", code, account)
		return err
	})
}
