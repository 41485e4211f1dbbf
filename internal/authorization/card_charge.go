package authorization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// CardCharges charges what cards cost besides what they pay: each charge is a
// transaction of the flow InternalFee whose additional amount is the fee, and so
// is what is given back of it. It is safe for concurrent use.
type CardCharges struct {
	DB    *db.DB
	Cards *issuing.Service
	Clock clock.Clock
}

var _ fee.Charger = (*CardCharges)(nil)

// chargeOf names the transaction that charges a fee: there is one, however often
// it is asked for.
func chargeOf(f fee.CardFee) (TransactionID, error) {
	t, err := id.ParseUUID[Transaction](f.ID.UUID())
	if err != nil {
		return t, fmt.Errorf("fee %s names no transaction: %w", f.ID, err)
	}
	return t, nil
}

// ChargeCardFee implements [fee.Charger]. The account must bear all that remains
// of the fee, with its taxes: else nothing is charged.
func (s *CardCharges) ChargeCardFee(ctx context.Context, c access.Caller, f fee.CardFee) (charged bool, err error) {
	t, err := s.begin(ctx, c, f)
	if err != nil {
		return false, err
	}
	t.ID, err = chargeOf(f)
	if err != nil {
		return false, err
	}
	t.Root, t.IsDebit = t.ID, true
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		book, err := ledger.OpenBook(ctx, tx, []ledger.AccountID{t.Account}, nil)
		if err != nil {
			return err
		}
		before, err := ReadTransactions(ctx, tx, []TransactionID{t.ID})
		if err != nil {
			return fmt.Errorf("read charge: %w", err)
		}
		if charged = before[t.ID] != nil; charged {
			return nil
		}
		account, found := book.Account(t.Account)
		if !found {
			return fmt.Errorf("account %s: %w", t.Account, db.ErrGone)
		}
		charge, err := f.Charge()
		if err != nil {
			return fmt.Errorf("compute fee: %w", err)
		}
		total, err := charge.Total()
		if err != nil {
			return fmt.Errorf("compute fee: %w", err)
		}
		if charged = account.Available().Cmp(total) >= 0; !charged {
			return nil
		}
		dues, err := fee.OpenDues(ctx, tx, []string{t.ID.String()})
		if err != nil {
			return err
		}
		dues.Begin(t.Tenant, t.Account, t.ID.String(), []fee.Due{fee.NewDue(f.Applied)}, t.CreatedAt)
		dues.Each(t.ID.String(), func(due *fee.Due) { due.Move(f.Remaining()) })
		return s.settle(ctx, tx, c, book, dues, t)
	})
	return charged, err
}

// GiveBackCardFee implements [fee.Charger].
func (s *CardCharges) GiveBackCardFee(ctx context.Context, c access.Caller, f fee.CardFee, inAll money.Amount) error {
	root, err := chargeOf(f)
	if err != nil {
		return err
	}
	t, err := s.begin(ctx, c, f)
	if err != nil {
		return err
	}
	t.Root, t.Original = root, root
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		book, err := ledger.OpenBook(ctx, tx, []ledger.AccountID{t.Account}, nil)
		if err != nil {
			return err
		}
		dues, err := fee.OpenDues(ctx, tx, []string{root.String()})
		if err != nil {
			return err
		}
		of := dues.Of(root.String())
		if len(of) != 1 {
			return fmt.Errorf("fee %s was not charged", f.ID)
		}
		part := minus(of[0].Moved, minus(f.Price, inAll))
		if part.Sign() <= 0 {
			return nil // it was given back
		}
		dues.Stand(root.String(), money.Zero(part.Currency()))
		dues.Each(root.String(), func(due *fee.Due) { due.Move(part.Neg()) })
		if err := s.settle(ctx, tx, c, book, dues, t); err != nil {
			return err
		}
		return s.undo(ctx, tx, c, root, minus(of[0].Moved, part).IsZero())
	})
}

// begin is a transaction about a fee for a card, before it is charged.
func (s *CardCharges) begin(ctx context.Context, c access.Caller, f fee.CardFee) (*Transaction, error) {
	card, err := s.Cards.CardOf(ctx, c, f.Card)
	if err != nil {
		return nil, fmt.Errorf("read card: %w", err)
	}
	now, zero := c.Now(s.Clock), money.Zero(f.Price.Currency())
	return &Transaction{
		ID: id.New[Transaction](s.Clock.Now()), Tenant: c.Tenant, Flow: InternalFee, Code: FeeCode, Status: StatusCleared,
		Card: f.Card, Issuance: f.Issuance, Account: card.Issuance.Account, Amount: zero, Billing: zero, Reversed: zero, Cleared: zero, Refunded: zero,
		CardNetwork: string(card.BIN.Network), CardCountry: card.BIN.Country.Alpha2(), DecidedBy: ByPlatform,
		Message:   Details{TransmittedAt: now.Truncate(time.Second), LocalTime: now.Format("0102150405")},
		CreatedAt: now, UpdatedAt: now,
	}, nil
}

// settle posts what a fee has come to, and keeps the transaction that says so.
func (s *CardCharges) settle(ctx context.Context, tx db.Tx, c access.Caller, book *ledger.Book, dues *fee.Dues, t *Transaction) error {
	tenant, found, err := access.ReadTenant(ctx, tx, c.Tenant)
	if err != nil || !found {
		return fmt.Errorf("read tenant: %w", db.Missing(err))
	}
	t.BusinessOn = clock.DateOf(t.CreatedAt, tenant.Zone)
	changes, err := dues.Settle(book, t.Root.String(), ledger.HoldID{}, fee.Act{
		Transaction: t.ID.String(), Description: "fee", BusinessOn: t.BusinessOn, At: t.CreatedAt, Real: clock.RealNow(s.Clock),
	})
	if err != nil {
		return err
	}
	t.Additional = fee.Standing(changes)
	account, _ := book.Account(t.Account)
	t.HasBalance, t.PostedAfter, t.AvailableAfter = true, account.Posted, account.Available()
	if err := book.Write(ctx, tx); err != nil {
		return fmt.Errorf("write book: %w", err)
	}
	if err := dues.Write(ctx, tx); err != nil {
		return fmt.Errorf("write fee: %w", err)
	}
	if err := InsertTransactions(ctx, tx, []*Transaction{t}); err != nil {
		return fmt.Errorf("write transaction: %w", err)
	}
	return nil
}

// undo notes on the transaction that charged a fee what became of it.
func (s *CardCharges) undo(ctx context.Context, tx db.Tx, c access.Caller, root TransactionID, all bool) error {
	found, err := ReadTransactions(ctx, tx, []TransactionID{root})
	if err != nil || found[root] == nil {
		return fmt.Errorf("read charge: %w", db.Missing(err))
	}
	t := found[root]
	if t.Status = StatusPartiallyRefunded; all {
		t.Status = StatusRefunded
	}
	t.UpdatedAt = c.Now(s.Clock)
	return UpdateTransactions(ctx, tx, []*Transaction{t}, func(access.TenantID) time.Time { return t.UpdatedAt })
}
