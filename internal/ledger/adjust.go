package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Adjustment is money put onto or taken off a card account by its institution.
type Adjustment struct {
	AccountNo string
	// Side is Credit (a load: safeguarded cash grows with the account) or Debit.
	Side        Side
	Amount      money.Amount // above zero, in the account's currency
	Description string
	// Reference is the caller's own; the same reference moves money once.
	Reference string
}

// Adjusted is the outcome of an adjustment.
type Adjusted struct {
	Entry   Entry
	Account Account
	// Repeated says that the reference had been used for the same adjustment
	// before, and that nothing moved now.
	Repeated bool
}

// Adjust moves money between the safeguarding bank account and a card account, or
// between the collecting one and a credit account, on which a credit is a payment.
//
// It is idempotent on a.Reference: the same adjustment again returns the first
// outcome; another one under the same reference is ReferenceReused. A debit of
// more than is available is Overdraw and changes nothing.
func (s *Service) Adjust(ctx context.Context, c access.Caller, a Adjustment) (Adjusted, error) {
	if a.Amount.Sign() <= 0 {
		return Adjusted{}, fault.New(fault.Refused, InvalidAmount, "the amount must be above zero")
	}
	key := fmt.Sprintf("adjustment:%d:%s:%s", len(a.AccountNo), a.AccountNo, a.Reference)
	var out Adjusted
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		out = Adjusted{}
		account, found, err := findAccount(ctx, tx, c.Tenant, a.AccountNo)
		if err != nil {
			return err
		}
		if !found {
			return notFound(a.AccountNo)
		}
		if account.Currency != a.Amount.Currency() {
			return fault.New(fault.Refused, CurrencyMismatch, "the account is kept in another currency").
				With("currency", account.Currency.Code())
		}
		book, err := OpenBook(ctx, tx, []AccountID{account.ID}, nil)
		if err != nil {
			return err
		}
		account, _ = book.Account(account.ID) // as it stands under the lock
		prior, found, err := entryByKey(ctx, tx, c.Tenant, key)
		if err != nil {
			return err
		}
		if found {
			out.Repeated, out.Entry, out.Account = true, prior, account
			if !prior.isAdjustment(account.ID, a) {
				return fault.New(fault.Conflict, ReferenceReused, "the reference was used for another adjustment").
					With("externalReference", a.Reference)
			}
			return nil
		}
		bank := Control(c.Tenant, Safeguarded, account.Currency)
		if account.Credit != nil { // what is paid of a debt is our own
			bank = Control(c.Tenant, Collections, account.Currency)
		}
		debit, credit := bank, account
		if a.Side == Debit {
			if err := book.MayDebit(account.ID, a.Amount); errors.Is(err, ErrInsufficientFunds) {
				return fault.New(fault.Refused, Overdraw, "the adjustment is more than is available").
					With("available", account.Available().Decimal()).Wrap(err)
			}
			debit, credit = account, bank
		}
		now := c.Now(s.clock)
		tenant, found, err := access.ReadTenant(ctx, tx, c.Tenant)
		if err != nil || !found {
			return fmt.Errorf("read tenant: found %v: %w", found, err)
		}
		out.Entry = Entry{
			ID: id.New[Entry](s.clock.Now()), Tenant: c.Tenant, Event: "F3", Key: key, Description: a.Description,
			BusinessOn: clock.DateOf(now, tenant.Zone), At: now, Postings: Move(debit, credit, a.Amount),
		}
		if err := book.Post(out.Entry); errors.Is(err, money.ErrRange) {
			return fault.New(fault.Refused, InvalidAmount, "the balance would be out of range").Wrap(err)
		} else if err != nil {
			return err
		}
		keep := func() error { return nil }
		if a.Side == Credit && s.Collector != nil {
			if keep, err = s.Collector.Collect(ctx, tx, book, account.ID, out.Entry.BusinessOn, now); err != nil {
				return fmt.Errorf("collect what is owed: %w", err)
			}
		}
		out.Account, _ = book.Account(account.ID)
		if err := book.Write(ctx, tx); err != nil {
			return err
		}
		return keep()
	})
	if err != nil {
		return Adjusted{}, err
	}
	return out, nil
}

// isAdjustment reports whether e is what a asks for.
func (e Entry) isAdjustment(account AccountID, a Adjustment) bool {
	return e.Moved(account, a.Side) == a.Amount
}

func notFound(number string) error {
	return fault.New(fault.NotFound, AccountNotFound, "there is no such account").With("accountNo", number)
}
