package issuing

import (
	"context"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// IssueCard makes an issuance with its first card.
//
// The account is that of the parent for a supplementary card, else the one
// named, else one named like the issuance; a card of credit has a credit account
// that is open, unless the client keeps the balances. The card number is drawn from the
// product's range and leaves this method sealed.
func (s *Service) IssueCard(ctx context.Context, c access.Caller, in NewCard) (IssuedCard, error) {
	if err := in.check(); err != nil {
		return IssuedCard{}, err
	}
	var d draft
	// Checks and cryptography come first, so that the writing transaction is
	// short; what may have changed meanwhile is checked again in it.
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		d, err = s.draftCard(ctx, tx, c, in)
		return err
	})
	if err != nil {
		return IssuedCard{}, err
	}
	if err := s.drawNumber(ctx, c, &d); err != nil {
		return IssuedCard{}, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		return s.saveDraft(ctx, tx, c, d)
	})
	if err != nil {
		return IssuedCard{}, err
	}
	return s.Card(ctx, c, d.card.Token)
}

// saveDraft writes a draft after looking again at what others may have changed
// since it was made.
func (s *Service) saveDraft(ctx context.Context, tx db.Tx, c access.Caller, d draft) error {
	// While parent and customer are locked, no two requests take the last place
	// of either.
	if !d.parent.ID.IsZero() {
		if err := lockIssuance(ctx, tx, c.Tenant, d.parent.ID); err != nil {
			return err
		}
		if err := s.findParent(ctx, tx, c, &d); err != nil {
			return err
		}
	}
	if err := customer.Lock(ctx, tx, c.Tenant, d.customer.ID); err != nil {
		return err
	}
	if err := s.findCustomerAndProduct(ctx, tx, c, &d); err != nil {
		return err
	}
	if err := checkPlaces(ctx, tx, d); err != nil {
		return err
	}
	if err := s.openAccount(ctx, tx, &d); err != nil {
		return err
	}
	added, err := insertIssuance(ctx, tx, d.issuance)
	if err != nil {
		return fmt.Errorf("insert issuance: %w", err)
	}
	if !added {
		if d.in.ExternalCardID != "" {
			return errExternalCardID
		}
		return errors.New("insert issuance: its number is taken")
	}
	if err := s.share(ctx, tx, d); err != nil {
		return err
	}
	for range numberAttempts {
		added, err := insertCard(ctx, tx, d.card)
		if err != nil {
			return fmt.Errorf("insert card: %w", err)
		}
		if added {
			if err := raiseIssue(ctx, tx, c, d); err != nil {
				return err
			}
			if err := s.orderFees(ctx, tx, c, d); err != nil {
				return err
			}
			return s.recordIssue(ctx, tx, c, d)
		}
		// The number, or the six letters of its token, are in use already.
		p, err := program.AllocatePAN(ctx, tx, d.cfg, d.product.BINRangeCode, clock.RealNow(s.Clock), s.takenNumber(ctx, tx, c.Tenant))
		if err != nil {
			return err
		}
		if err := s.useNumber(db.WithTx(ctx, tx), c, &d, p); err != nil {
			return err
		}
	}
	return program.RangeExhausted(d.product.BINRangeCode)
}

// share gives a virtual card its share of the credit account of its main card, with
// the card: it has never more.
func (s *Service) share(ctx context.Context, tx db.Tx, d draft) error {
	v := d.in.Virtual
	if v == nil {
		return nil
	}
	book, err := ledger.OpenBook(ctx, tx, []ledger.AccountID{d.issuance.Account}, nil)
	if err != nil {
		return err
	}
	if a, found := book.Account(d.issuance.Account); !found || a.Credit == nil {
		return errParentInvalid.With("condition", "credit")
	}
	if err := book.SetShare(ctx, tx, d.issuance.Account, d.issuance.ID.String(), v.Limit, v.Next); err != nil {
		return fmt.Errorf("give a share: %w", err)
	}
	return book.Write(ctx, tx)
}

// orderFees orders what the card of a draft costs.
func (s *Service) orderFees(ctx context.Context, tx db.Tx, c access.Caller, d draft) error {
	if s.Fees == nil {
		return nil
	}
	err := s.Fees.CardsMade(ctx, tx, c, []MadeCard{d.made()})
	if err != nil {
		return fmt.Errorf("order fees: %w", err)
	}
	return nil
}

// made is the card of a draft that is written.
func (d *draft) made() MadeCard {
	m := MadeCard{IssuedCard{Card: d.card, Issuance: d.issuance, Product: d.product, BIN: d.bin, Current: d.card}, d.in.FeeExemption}
	if !d.issuance.Customer.IsZero() {
		m.Customer = &d.customer
	}
	return m
}

// openAccount finds or opens the account the card spends from.
func (s *Service) openAccount(ctx context.Context, tx db.Tx, d *draft) error {
	for range numberAttempts {
		d.issuance.No = newIssuanceNo()
		_, taken, err := readIssuanceByNo(ctx, tx, d.issuance.Tenant, d.issuance.No)
		if err != nil {
			return fmt.Errorf("look for issuance number: %w", err)
		}
		if !taken {
			break
		}
	}
	if !d.parent.ID.IsZero() {
		d.issuance.Account, d.issuance.AccountNo = d.parent.Account, d.parent.AccountNo
		return nil
	}
	if d.issuance.AccountNo == "" {
		d.issuance.AccountNo = d.issuance.No
	}
	a, err := ledger.OpenCardAccount(ctx, tx, d.issuance.Tenant, d.issuance.AccountNo, d.customer.ID.String(),
		d.product.Currency, clock.RealNow(s.Clock), d.cfg.Tenant.Ahead)
	if err != nil {
		return fmt.Errorf("open account: %w", err)
	}
	if !fits(d.cfg, d.product, a) {
		return errAccountKind.With("accountNo", d.in.AccountNo)
	}
	d.issuance.Account = a.ID
	return nil
}

// fits reports whether cards of a product spend from accounts of this kind. A client
// that keeps the balances itself knows the line of a card of credit, and we need none.
func fits(cfg *program.Configuration, p program.Product, a ledger.Account) bool {
	if a.Kind == ledger.Asset {
		return p.CardType == program.Credit
	}
	mode := cfg.Attributes.BalanceMode
	return p.CardType != program.Credit || mode == program.BalanceExternal || mode == program.BalanceHybrid
}
