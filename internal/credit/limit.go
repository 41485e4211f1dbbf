package credit

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// SetLimit gives a credit account another limit from now on, a decimal. What is owed
// or held beyond it stays so.
func (s *Service) SetLimit(ctx context.Context, c access.Caller, accountNo, limit string) (Account, error) {
	to, err := parseLimit(limit)
	if err != nil {
		return Account{}, err
	}
	err = s.change(ctx, c, accountNo, func(tx db.Tx, a Account, book *ledger.Book) error {
		was := a.Limit()
		if was == to {
			return nil
		}
		book.SetCreditLimit(a.ID, to)
		if err := book.Write(ctx, tx); err != nil {
			return err
		}
		at := c.Now(s.Clock)
		if err := a.raise(ctx, tx, c, EventLimitChanged, at, Event{Limit: to.Decimal(), PreviousLimit: was.Decimal()}); err != nil {
			return err
		}
		act := a.act(c, at, "Update")
		act.Changes = audit.Changes(struct{ Limit string }{was.Decimal()}, struct{ Limit string }{to.Decimal()})
		return audit.Append(ctx, tx, act)
	})
	if err != nil {
		return Account{}, err
	}
	return s.Account(ctx, c, accountNo)
}

// Share is what a card may take of the line: a decimal each. An empty limit is all
// of it; an empty next is the limit.
type Share struct{ Limit, Next string }

// minor are the limits in minor units.
func (in Share) minor() (limit int64, next *int64, err error) {
	if in.Limit != "" {
		v, err := parseLimit(in.Limit)
		if err != nil {
			return 0, nil, err
		}
		limit = v.Minor()
	}
	if in.Next != "" {
		v, err := parseLimit(in.Next)
		if err != nil {
			return 0, nil, err
		}
		next = new(v.Minor())
	}
	return limit, next, nil
}

// SetShare limits what a supplementary or virtual card may take of the line it
// shares.
func (s *Service) SetShare(ctx context.Context, c access.Caller, cardToken string, in Share) error {
	limit, next, err := in.minor()
	if err != nil {
		return err
	}
	card, err := s.Cards.Card(ctx, c, cardToken)
	if err != nil {
		return err
	}
	if card.Issuance.Parent.IsZero() {
		return errMainCard
	}
	return s.change(ctx, c, card.Issuance.AccountNo, func(tx db.Tx, a Account, book *ledger.Book) error {
		holder := card.Issuance.ID.String()
		if a.ID != card.Issuance.Account {
			return errForeignCard
		}
		var before, after any
		type shared struct{ Limit, Next string }
		if was := a.Credit.Shares[holder]; was != nil {
			before = shared{a.Amount(was.Limit).Decimal(), decimal(a, was.Next)}
		}
		if in.Limit == "" {
			if err := book.DropShare(ctx, tx, a.ID, holder); err != nil {
				return err
			}
		} else {
			if err := book.SetShare(ctx, tx, a.ID, holder, limit, next); err != nil {
				return fmt.Errorf("set share: %w", err)
			}
			after = shared{a.Amount(limit).Decimal(), decimal(a, next)}
		}
		if err := book.Write(ctx, tx); err != nil {
			return err
		}
		act := a.act(c, c.Now(s.Clock), "Update")
		act.CardID, act.IssuanceID = card.Card.ID.String(), holder
		act.Changes = audit.Changes(before, after)
		return audit.Append(ctx, tx, act)
	})
}

func decimal(a Account, minor *int64) string {
	if minor == nil {
		return ""
	}
	return a.Amount(*minor).Decimal()
}

// change runs do on an account under its lock.
func (s *Service) change(ctx context.Context, c access.Caller, accountNo string, do func(tx db.Tx, a Account, book *ledger.Book) error) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		found, err := s.find(ctx, tx, c, accountNo)
		if err != nil {
			return err
		}
		book, err := ledger.OpenBook(ctx, tx, []ledger.AccountID{found.AccountID}, nil)
		if err != nil {
			return err
		}
		a := Account{Facts: found}
		a.Account, _ = book.Account(found.AccountID)
		return do(tx, a, book)
	})
}
