package wallet

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// AccountOf names an account: its number, or else the phone of its owner.
type AccountOf struct {
	Kind     Kind // empty: any, of who is named by a number
	No       string
	Phone    string // with its country code
	Currency money.Currency
}

// TenantNo is the number that clients know the caller's tenant by, 0 before it has a
// wallet.
func (s *Service) TenantNo(ctx context.Context, c access.Caller) (no int64, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		t, _, err := readTenant(ctx, tx, c.Tenant)
		no = t.shownID
		return err
	})
	return no, err
}

// Find returns the oldest wallet of an account in a currency, or in any. An account that is
// not there is wallet_account_not_found, one without such a wallet
// wallet_not_found.
func (s *Service) Find(ctx context.Context, c access.Caller, of AccountOf) (out Standing, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		no := of.No
		if no == "" {
			index, err := s.index(ctx, c.Tenant, byPhone, of.Phone)
			if err != nil {
				return err
			}
			if no, err = numberOfPhone(ctx, tx, c.Tenant, index, of.Kind); err != nil {
				return fmt.Errorf("find account: %w", err)
			}
		}
		a, found, err := s.findAccount(ctx, tx, c.Tenant, no)
		if err != nil {
			return err
		}
		if !found || of.Kind != "" && a.Kind != of.Kind {
			return ErrAccountNotFound
		}
		w, found, err := oldestWallet(ctx, tx, a.ID, of.Currency)
		if err != nil {
			return err
		}
		if !found {
			return ErrWalletNotFound
		}
		out, err = s.standing(ctx, tx, w, monthOf(c.Now(s.clock)))
		return err
	})
	return out, err
}

// Filter chooses wallets. What is zero chooses all.
type Filter struct {
	AccountID           ID
	Kind                Kind
	Name, AccountNo, No string
	Currency            string
	Level               KYCLevel
	From, Until         time.Time // of opening; Until is not among them
	NationalID          string
	TaxNumber           string
}

// List returns a page of the wallets of a tenant, as they stand, and how many there
// are.
func (s *Service) List(ctx context.Context, c access.Caller, f Filter, p list.Page) (page []Standing, total int, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		page = nil
		by, err := s.indexesOf(ctx, Account{Tenant: c.Tenant, Person: Person{NationalID: f.NationalID, TaxNumber: f.TaxNumber}})
		if err != nil {
			return err
		}
		var found []Wallet
		if found, total, err = listWallets(ctx, tx, c.Tenant, f, by, p); err != nil {
			return fmt.Errorf("list wallets: %w", err)
		}
		for _, w := range found {
			standing, err := s.standing(ctx, tx, w, monthOf(c.Now(s.clock)))
			if err != nil {
				return err
			}
			page = append(page, standing)
		}
		return nil
	})
	return page, total, err
}

// Record is a transaction with whose wallets it moved. A side that is the outside
// is empty.
type Record struct {
	Transaction
	TenantNo int64
	Sender   Side
	Receiver Side
}

// Side is one of the two of a transaction.
type Side struct {
	WalletNo, AccountNo string
	Kind                Kind
}

// TransactionFilter chooses transactions. What is empty chooses all.
type TransactionFilter struct {
	ID                    ID
	ExternalID            string
	Wallet, ToWallet      ID // Wallet is either side
	Kinds                 []TransactionKind
	FromKind, ToKind      Kind // of the accounts
	Statuses              []Status
	NotFailed             bool
	Currencies            []string
	FromAccountNo, FromNo string
	ToAccountNo, ToNo     string
	ChannelType           string
	From, Until           time.Time // Until is not among them
	LeastMinor, MostMinor int64     // zero: any
}

// Transactions returns a page of the transactions of a tenant and how many there
// are.
func (s *Service) Transactions(ctx context.Context, c access.Caller, f TransactionFilter, p list.Page) (page []Record, total int, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		t, _, err := readTenant(ctx, tx, c.Tenant)
		if err != nil {
			return fmt.Errorf("read tenant: %w", err)
		}
		if page, total, err = listTransactions(ctx, tx, c.Tenant, f, p); err != nil {
			return fmt.Errorf("list transactions: %w", err)
		}
		for i := range page {
			page[i].TenantNo = t.shownID
		}
		return nil
	})
	return page, total, err
}

// Transaction returns the one transaction that f chooses.
func (s *Service) Transaction(ctx context.Context, c access.Caller, f TransactionFilter) (Record, error) {
	page, _, err := s.Transactions(ctx, c, f, list.Page{Limit: 1})
	if err != nil {
		return Record{}, err
	}
	if len(page) == 0 {
		return Record{}, ErrTransactionNotFound
	}
	return page[0], nil
}
