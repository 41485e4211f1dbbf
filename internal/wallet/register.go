package wallet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// NewAccount is an account to open.
type NewAccount struct {
	No       string // empty: made up
	WalletNo string // of the first wallet, at most 20 digits; empty: made up
	Kind     Kind
	Person   Person
	Currency money.Currency
}

// Register opens an account at the level of those who are not known, with its
// first wallet. A number that somebody has is wallet_account_taken.
func (s *Service) Register(ctx context.Context, c access.Caller, in NewAccount) (Standing, error) {
	var out Standing
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		if err := s.openTenant(ctx, tx, c.Tenant); err != nil {
			return err
		}
		now := c.Now(s.clock)
		a := Account{
			ID: newID(), Tenant: c.Tenant, No: in.No, Kind: in.Kind, Level: Unknown, Person: in.Person, CreatedAt: now, UpdatedAt: now,
		}
		if err := s.insertNumbered(ctx, tx, &a); err != nil {
			return err
		}
		w, err := s.openWallet(ctx, tx, c, a, Wallet{Number: in.WalletNo, Currency: in.Currency})
		if err != nil {
			return err
		}
		if out, err = s.standing(ctx, tx, w, monthOf(now)); err != nil {
			return err
		}
		return record(ctx, tx, c, "Create", "WalletAccount", a.No, now, standingOf(a, w))
	})
	return out, err
}

// NewWallet is another wallet of an account.
type NewWallet struct {
	AccountNo string
	Kind      Kind
	Name      string
	Currency  money.Currency
}

// Open opens another wallet of an account of a kind.
func (s *Service) Open(ctx context.Context, c access.Caller, in NewWallet) (out Wallet, err error) {
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		a, found, err := s.lockAccount(ctx, tx, c.Tenant, in.AccountNo)
		if err != nil {
			return err
		}
		if !found || a.Kind != in.Kind {
			return notFound(in.Kind)
		}
		if out, err = s.openWallet(ctx, tx, c, a, Wallet{Name: in.Name, Currency: in.Currency}); err != nil {
			return err
		}
		return record(ctx, tx, c, "Open", "Wallet", out.Number, c.Now(s.clock), standingOf(a, out))
	})
	return out, err
}

// insertNumbered writes an account under its number, or one made up.
func (s *Service) insertNumbered(ctx context.Context, tx db.Tx, a *Account) error {
	madeUp := a.No == ""
	for range numberTries {
		if madeUp {
			a.No = fmt.Sprintf("%012d", random(1_000_000_000_000))
		}
		fresh, err := s.insertAccount(ctx, tx, *a)
		if err != nil || fresh {
			return err
		}
		if !madeUp {
			return ErrAccountTaken
		}
	}
	return errors.New("every account number that was tried is taken")
}

// numberTries is how many numbers are made up before something must be wrong.
const numberTries = 20

// openWallet opens a wallet of an account, with its accounts of the ledger, under
// the number that w has, or one made up.
func (s *Service) openWallet(ctx context.Context, tx db.Tx, by access.Caller, a Account, w Wallet) (Wallet, error) {
	now := clock.RealNow(s.clock)
	madeUp := w.Number == ""
	w.ID, w.Tenant, w.Account, w.CreatedAt = newID(), a.Tenant, a.ID, by.Ahead.At(now)
	for _, bucket := range []struct {
		code string
		into *ledger.AccountID
	}{
		{"L.WALLET.PAYMENT", &w.Payment}, {"L.WALLET.PAYMENT_HELD", &w.PaymentHeld},
		{"L.WALLET.CASH", &w.Cash}, {"L.WALLET.CASH_HELD", &w.CashHeld},
	} {
		opened, err := ledger.OpenBucket(ctx, tx, a.Tenant, bucket.code+"."+w.ID.String(), w.Currency, now, by.Ahead)
		if err != nil {
			return Wallet{}, err
		}
		*bucket.into = opened.ID
	}
	for range numberTries {
		if madeUp {
			w.Number = fmt.Sprintf("%08d", 10_000_000+random(9_990_000_000))
		}
		fresh, err := insertWallet(ctx, tx, w)
		if err != nil || fresh {
			return w, err
		}
		if !madeUp {
			return Wallet{}, ErrAccountTaken
		}
	}
	return Wallet{}, errors.New("every wallet number that was tried is taken")
}

// opened is what the audit record shows of a new wallet.
type opened struct {
	Kind         Kind
	Level        int
	WalletNumber string
}

func standingOf(a Account, w Wallet) opened { return opened{a.Kind, int(a.Level), w.Number} }

// record writes what was done into the audit chain, last in its transaction: the
// chain is held from here on.
func record(ctx context.Context, tx db.Tx, c access.Caller, action, entity, key string, at time.Time, is any) error {
	a := c.Act(c.Real(at), audit.CustomerStream, action)
	a.EntityType, a.EntityKey, a.Changes = entity, key, audit.Changes(nil, is)
	return audit.Append(ctx, tx, a)
}
