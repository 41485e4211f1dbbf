package wallet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// BankTopUp is money that came to the bank for a wallet.
type BankTopUp struct {
	Receipt string // the bank's, once in a tenant
	// WalletNo says for whom, else Reference, which is the number of a wallet or
	// an account, else IdentityNo: who sent it.
	WalletNo, Reference, IdentityNo string
	Amount                          money.Amount
	Note                            Note
}

// TopUpByBank adds what came to the bank to a cash balance. Money for nobody we
// know is booked as that and refused: see [Service.AssignTopUp]. Who is sent money
// by a bank that knows them is verified thereby.
func (s *Service) TopUpByBank(ctx context.Context, c access.Caller, in BankTopUp) (Moved, error) {
	out, err := s.topUpByBank(ctx, c, in)
	why, ok := fault.As(err)
	if !ok || !slices.ContainsFunc(toldRefusals, func(f *fault.Error) bool { return f.Code == why.Code }) {
		return out, err
	}
	// Nothing is left of the movement: what is told of it, and booked for nobody, has
	// a transaction of its own.
	failed := s.db.InTx(ctx, func(tx db.Tx) error {
		if why.Code == ErrWalletNotFound.Code && in.Amount.Sign() > 0 {
			return s.suspend(ctx, tx, c, in, why)
		}
		return s.raiseRefused(ctx, tx, c, in, why)
	})
	if failed != nil {
		return Moved{}, failed
	}
	return Moved{}, err
}

func (s *Service) topUpByBank(ctx context.Context, c access.Caller, in BankTopUp) (Moved, error) {
	asked := request{key: in.Receipt, keyKind: receiptKey, used: ErrReceiptUsed, note: in.Note}
	asked.whose = func(ctx context.Context, tx db.Tx) ([]string, error) { return s.meant(ctx, tx, c.Tenant, in) }
	return s.move(ctx, c, asked, func(w *work) error {
		if err := w.take("W2", in.Amount, w.control(ledger.Safeguarded, in.Amount.Currency())); err != nil {
			return err
		}
		if err := s.verifySender(ctx, w, in.IdentityNo); err != nil {
			return err
		}
		return w.raiseTopup(ctx)
	})
}

// take adds an amount from the bank to the cash of the one wallet that is held.
func (w *work) take(event string, a money.Amount, from ledger.Account) error {
	to := w.only()
	if err := acceptable(a, to); err != nil {
		return err
	}
	if err := to.mayTake(a); err != nil {
		return err
	}
	w.begin(BankTopup, nil, to, a)
	to.count(OnTopup, a)
	return w.post(event, leg{from, w.bucket(to.Wallet.Cash), a})
}

// only returns the wallet of a movement that touches one.
func (w *work) only() *Standing {
	for _, s := range w.wallets {
		return s
	}
	panic("wallet: no wallet is held")
}

// meant finds the wallet that a top-up is for.
func (s *Service) meant(ctx context.Context, tx db.Tx, tenant access.TenantID, in BankTopUp) ([]string, error) {
	if in.WalletNo != "" {
		return []string{in.WalletNo}, nil
	}
	if in.Reference != "" {
		number, found, err := numberMeant(ctx, tx, tenant, in.Reference, in.Amount.Currency())
		if err != nil || found {
			return []string{number}, err
		}
	}
	if in.IdentityNo != "" {
		index, err := s.index(ctx, tenant, byIdentity, in.IdentityNo)
		if err != nil {
			return nil, err
		}
		number, found, err := numberOfIdentity(ctx, tx, tenant, index, in.Amount.Currency())
		if err != nil || found {
			return []string{number}, err
		}
	}
	return nil, ErrWalletNotFound
}

// verifySender lifts an account whose owner a bank identified as who they said
// they are. The limits of the top-up were still those of before.
func (s *Service) verifySender(ctx context.Context, w *work, identityNo string) error {
	to := w.only()
	p := to.Account.Person
	if to.Account.Level != Unverified || identityNo == "" || identityNo != p.NationalID && identityNo != p.TaxNumber {
		return nil
	}
	a, err := s.changeAccount(ctx, w.tx, w.caller, to.Account.No, w.at, func(a *Account) error {
		a.Level = max(a.Level, Verified)
		return nil
	})
	if err != nil {
		return err
	}
	to.Account = a
	to.Limits, err = readLimits(ctx, w.tx, a.Tenant, a.Level)
	return err
}

// suspend books money that is for nobody we know, and tells why. Its receipt is
// used up.
func (s *Service) suspend(ctx context.Context, tx db.Tx, c access.Caller, in BankTopUp, why *fault.Error) error {
	if err := s.openTenant(ctx, tx, c.Tenant); err != nil {
		return err
	}
	w := s.newWork(tx, c)
	w.made.ID, w.made.Kind = newID(), BankTopup
	taken, err := takeKey(ctx, tx, c.Tenant, receiptKey, in.Receipt, w.made.ID)
	if err != nil {
		return fmt.Errorf("take key: %w", err)
	}
	if !taken {
		return ErrReceiptUsed
	}
	if err := s.hold(ctx, w, nil); err != nil {
		return err
	}
	bank, nobody := w.control(ledger.Safeguarded, in.Amount.Currency()), w.control(ledger.UnmatchedTopups, in.Amount.Currency())
	if err := w.post("W11", leg{bank, nobody, in.Amount}); err != nil {
		return err
	}
	if err := w.book.Write(ctx, tx); err != nil {
		return err
	}
	if err := insertUnmatched(ctx, tx, c.Tenant, in, w.at); err != nil {
		return fmt.Errorf("write top-up without an owner: %w", err)
	}
	if err := s.raiseRefused(ctx, tx, c, in, why); err != nil {
		return err
	}
	return record(ctx, tx, c, "Suspend", "WalletTopup", in.Receipt, w.at, struct{ Amount, Currency string }{
		in.Amount.Decimal(), in.Amount.Currency().Code(),
	})
}

// AssignTopUp gives money that came for nobody we know to a wallet, as its limits
// allow.
func (s *Service) AssignTopUp(ctx context.Context, c access.Caller, receipt, walletNo string) (Moved, error) {
	asked := request{key: receipt, keyKind: assignedKey, used: ErrReceiptUsed, numbers: []string{walletNo}}
	return s.move(ctx, c, asked, func(w *work) error {
		u, found, err := readUnmatched(ctx, w.tx, c.Tenant, receipt)
		if err != nil {
			return fmt.Errorf("read top-up without an owner: %w", err)
		}
		if !found {
			return ErrTransactionNotFound
		}
		w.made.Note.Description = u.Description
		if err := w.take("W12", u.Amount, w.control(ledger.UnmatchedTopups, u.Amount.Currency())); err != nil {
			return err
		}
		return w.raiseTopup(ctx)
	})
}

// Unmatched is money that came to the bank for nobody we know.
type Unmatched struct {
	Receipt     string
	Amount      money.Amount
	Description string
	CreatedAt   time.Time
}

// UnmatchedTopUps lists those that were not assigned, the oldest first.
func (s *Service) UnmatchedTopUps(ctx context.Context, c access.Caller) (all []Unmatched, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		all, err = listUnmatched(ctx, tx, c.Tenant)
		return err
	})
	return all, err
}
