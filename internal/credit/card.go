package credit

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Card is a card of a credit account, as the customer of the account sees it.
type Card struct {
	issuing.AccountCard
	Account Account
	// Alias is the number by which clients of the customer know the card: stable, and
	// the card's through renewals.
	Alias       int64
	ProductName string
	MainNumber  string // of its main card, or its own: the first four digits and the last
	// Billed is what it spent itself in the term of the last statement, Spent since
	// then, by region, less what came back. Of a main card it is that of the account.
	Billed, Spent [2]money.Amount
}

// IsMain reports whether it is a main card.
func (c Card) IsMain() bool { return c.Issuance.Parent.IsZero() }

// Remaining is what it may still spend: below zero beyond its limit.
func (c Card) Remaining() money.Amount { return c.Account.AvailableTo(c.holder()) }

// RemainingCash is what of that it may draw as cash.
func (c Card) RemainingCash() money.Amount { return c.Account.AvailableCashTo(c.holder()) }

// OwnLimit is what it may take of the line, if it has a limit of its own.
func (c Card) OwnLimit() (money.Amount, bool) {
	s := c.Account.Credit.Shares[c.holder()]
	if s == nil {
		return money.Amount{}, false
	}
	return c.Account.Amount(s.Limit), true
}

func (c Card) holder() string { return c.Issuance.ID.String() }

// ShortNumber is a card number of which the first four digits and the last are told.
func ShortNumber(c issuing.Card) string { return c.BIN[:4] + "********" + c.LastFour }

// naming returns the alias of a card.
type naming func(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) (int64, error)

// read runs f on one state of the database. Where a card has no alias yet, f runs again
// in a transaction that gives it one.
func (s *Service) read(ctx context.Context, f func(tx db.Tx, named naming) error) error {
	err := s.DB.View(ctx, func(tx db.Tx) error { return f(tx, aliasOf) })
	if errors.Is(err, errNoAlias) {
		err = s.DB.InTx(ctx, func(tx db.Tx) error { return f(tx, giveAlias) })
	}
	return err
}

// CardsOf returns the cards of all credit accounts of a customer: of each account the
// main cards first. A card that had no alias gets one.
func (s *Service) CardsOf(ctx context.Context, c access.Caller, customerNo string) (all []Card, err error) {
	err = s.read(ctx, func(tx db.Tx, named naming) error {
		all = nil
		known, err := accountsOf(ctx, tx, c.Tenant, customerNo)
		if err != nil {
			return err
		}
		for _, f := range known {
			cards, err := s.cardsOn(ctx, tx, named, c, f)
			if err != nil {
				return err
			}
			all = append(all, cards...)
		}
		return nil
	})
	return all, err
}

// cardsOn returns the cards of an account, with their aliases.
func (s *Service) cardsOn(ctx context.Context, tx db.Tx, named naming, c access.Caller, f Facts) ([]Card, error) {
	a, err := s.account(ctx, tx, f)
	if err != nil {
		return nil, err
	}
	cards, err := issuing.CardsOnAccount(ctx, tx, c.Tenant, f.AccountID)
	if err != nil {
		return nil, fmt.Errorf("read cards of account: %w", err)
	}
	cfg, err := s.Programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil {
		return nil, err
	}
	all := make([]Card, len(cards))
	for i, one := range cards {
		product, _ := cfg.Product(one.Issuance.ProductCode)
		all[i] = Card{AccountCard: one, Account: a, ProductName: product.Name, MainNumber: ShortNumber(one.Card)}
		for _, main := range cards {
			if main.Issuance.ID == one.Issuance.Parent {
				all[i].MainNumber = ShortNumber(main.Card)
			}
		}
		if all[i].Alias, err = named(ctx, tx, c.Tenant, one.Issuance.ID); err != nil {
			return nil, fmt.Errorf("alias of card: %w", err)
		}
	}
	return all, nil
}

// CardOf returns a card of a customer by its alias. One that is not among the
// customer's is refused alike, whether it is another's or nobody's.
func (s *Service) CardOf(ctx context.Context, c access.Caller, customerNo string, alias int64) (card Card, err error) {
	err = s.read(ctx, func(tx db.Tx, named naming) (err error) {
		card, err = s.cardOf(ctx, tx, named, c, customerNo, alias)
		return err
	})
	return card, err
}

func (s *Service) cardOf(ctx context.Context, tx db.Tx, named naming, c access.Caller, customerNo string, alias int64) (Card, error) {
	known, err := accountsOf(ctx, tx, c.Tenant, customerNo)
	if err != nil {
		return Card{}, err
	}
	for _, f := range known {
		cards, err := s.cardsOn(ctx, tx, named, c, f)
		if err != nil {
			return Card{}, err
		}
		for _, card := range cards {
			if card.Alias == alias {
				return card, s.fillSpent(ctx, tx, c, &card)
			}
		}
	}
	return Card{}, errNotTheirs
}

// fillSpent adds up what a card spent.
func (s *Service) fillSpent(ctx context.Context, tx db.Tx, c access.Caller, card *Card) error {
	a := card.Account
	for _, r := range []line.Region{line.Domestic, line.Abroad} {
		card.Spent[r], card.Billed[r] = a.Amount(a.Credit.Spent(r)), a.Amount(0)
		if a.Last != nil {
			card.Billed[r] = a.Amount(a.Last.Regions[r].Debt)
		}
	}
	if card.IsMain() {
		return nil
	}
	first := int64(1)
	if a.Last != nil {
		first = a.Last.Last + 1
		billed, err := ledger.Movements(ctx, tx, a.ID, a.Last.First, a.Last.Last)
		if err != nil {
			return err
		}
		card.Billed = card.own(billed)
	}
	running, err := ledger.Movements(ctx, tx, a.ID, first, math.MaxInt64)
	card.Spent = card.own(running)
	return err
}

// own adds up what of movements a card spent, less what came back.
func (c Card) own(movements []ledger.Movement) (sums [2]money.Amount) {
	var minor [2]int64
	for _, m := range movements {
		p := m.Entry.Purpose
		switch kind := kindOf(m); {
		case p.Holder != c.holder():
		case kind == LinePurchase || kind == LineCash:
			minor[p.Region] += m.Minor
		case kind == LineRefund:
			minor[p.Region] -= m.Minor
		}
	}
	return [2]money.Amount{c.Account.Amount(minor[0]), c.Account.Amount(minor[1])}
}

// StatementsOfCard returns the statements of the account of a main card, the newest
// first; there is one at least.
func (s *Service) StatementsOfCard(ctx context.Context, c access.Caller, customerNo string, alias int64) (card Card, all []Statement, err error) {
	err = s.read(ctx, func(tx db.Tx, named naming) (err error) {
		if card, err = s.mainCard(ctx, tx, named, c, customerNo, alias); err != nil {
			return err
		}
		if all, err = readStatements(ctx, tx, card.Account.ID); err == nil && len(all) == 0 {
			err = errNoStatement
		}
		return err
	})
	return card, all, err
}

// StatementOfCard returns the statement of the account of a main card that was cut on
// a day, with its lines.
func (s *Service) StatementOfCard(ctx context.Context, c access.Caller, customerNo string, alias int64, cutOn clock.Date) (card Card, out FullStatement, err error) {
	err = s.read(ctx, func(tx db.Tx, named naming) (err error) {
		if card, err = s.mainCard(ctx, tx, named, c, customerNo, alias); err != nil {
			return err
		}
		out, err = s.statement(ctx, tx, c, card.Account, cutOn)
		return err
	})
	return card, out, err
}

func (s *Service) mainCard(ctx context.Context, tx db.Tx, named naming, c access.Caller, customerNo string, alias int64) (Card, error) {
	card, err := s.cardOf(ctx, tx, named, c, customerNo, alias)
	if err == nil && !card.IsMain() {
		err = errNotMain
	}
	return card, err
}

// RunningTerm returns what happened on the account of a card since its last
// statement, the oldest first; of a supplementary card, what it did. There is
// something at least.
func (s *Service) RunningTerm(ctx context.Context, c access.Caller, customerNo string, alias int64) (card Card, lines []Line, err error) {
	err = s.read(ctx, func(tx db.Tx, named naming) (err error) {
		if card, err = s.cardOf(ctx, tx, named, c, customerNo, alias); err != nil {
			return err
		}
		first := int64(1)
		if last := card.Account.Last; last != nil {
			first = last.Last + 1
		}
		all, err := s.lines(ctx, tx, c, card.Account, first, math.MaxInt64)
		if err != nil {
			return err
		}
		lines = nil
		for _, l := range all {
			if card.IsMain() || l.Card.Issuance == card.Issuance.ID {
				lines = append(lines, l)
			}
		}
		if len(lines) == 0 {
			return errNothingYet
		}
		return nil
	})
	return card, lines, err
}

// VirtualCardOf is CreateVirtualCard for a customer, of a main card by its alias.
func (s *Service) VirtualCardOf(ctx context.Context, c access.Caller, customerNo string, alias int64, in Share) (VirtualCard, error) {
	card, err := s.CardOf(ctx, c, customerNo, alias)
	if err != nil {
		return VirtualCard{}, err
	}
	if !card.IsMain() {
		return VirtualCard{}, errNotTheirs
	}
	return s.CreateVirtualCard(ctx, c, card.Card.Token, in)
}
