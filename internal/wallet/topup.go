package wallet

import (
	"context"
	"regexp"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// CardTopUp is a card payment that its caller has collected through a POS.
type CardTopUp struct {
	ExternalID          string
	POSType             string // empty: the tenant's default
	AccountNo, WalletNo string
	Amount              money.Amount
	Note                Note
}

// TopUpByCard adds what a POS collected to a payment balance.
func (s *Service) TopUpByCard(ctx context.Context, c access.Caller, in CardTopUp) (Moved, error) {
	return s.move(ctx, c, request{key: in.ExternalID, keyKind: externalKey, used: ErrKeyUsed, numbers: []string{in.WalletNo}, note: in.Note},
		func(w *work) error {
			to, err := w.of(in.WalletNo, in.AccountNo)
			if err != nil {
				return err
			}
			if err := acceptable(in.Amount, to); err != nil {
				return err
			}
			pos := w.tenant.pos
			if in.POSType != "" {
				var found bool
				if pos, found, err = posAccount(ctx, w.tx, c.Tenant, in.POSType); err != nil {
					return err
				}
				if !found {
					return ErrNotThisWay
				}
			}
			if err := to.mayTake(in.Amount); err != nil {
				return err
			}
			w.begin(CardTopup, nil, to, in.Amount)
			to.count(OnTopup, in.Amount)
			return w.post("W1", leg{w.control(pos, in.Amount.Currency()), w.bucket(to.Wallet.Payment), in.Amount})
		})
}

// acceptable reports whether an amount is above zero and in the currency of the
// wallets.
func acceptable(a money.Amount, wallets ...*Standing) error {
	if a.Sign() <= 0 {
		return ErrAmount
	}
	for _, s := range wallets {
		if s.Wallet.Currency != a.Currency() {
			return ErrAmount
		}
	}
	return nil
}

// receivable is the code of a control account of what others owe.
var receivable = regexp.MustCompile(`^A(\.[A-Z0-9_]{1,20}){1,3}$`)

// DefinePOS says which control account top-ups through a POS type debit: one of
// what others owe.
func (s *Service) DefinePOS(ctx context.Context, c access.Caller, code, account string) error {
	if code == "" || !receivable.MatchString(account) {
		return ErrNotThisWay
	}
	return s.db.InTx(ctx, func(tx db.Tx) error {
		if err := s.openTenant(ctx, tx, c.Tenant); err != nil {
			return err
		}
		if err := upsertPOS(ctx, tx, c.Tenant, code, account); err != nil {
			return err
		}
		return record(ctx, tx, c, "DefinePOS", "WalletPOS", code, c.Now(s.clock), struct{ Account string }{account})
	})
}

// Show returns a wallet as it stands. accountNo may be empty; one that is not the
// wallet's is wallet_not_of_account.
func (s *Service) Show(ctx context.Context, c access.Caller, number, accountNo string) (out Standing, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		w, found, err := findWallet(ctx, tx, c.Tenant, number)
		if err != nil {
			return err
		}
		if !found {
			return ErrWalletNotFound
		}
		if out, err = s.standing(ctx, tx, w, monthOf(c.Now(s.clock))); err != nil {
			return err
		}
		if accountNo != "" && accountNo != out.Account.No {
			return ErrNotOfAccount
		}
		return nil
	})
	return out, err
}
