package credit

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
)

// LineKind says what a line of a statement is.
type LineKind string

// The kinds of lines.
const (
	LinePurchase LineKind = "Purchase"
	LineCash     LineKind = "Cash"
	LineRefund   LineKind = "Refund"
	LinePayment  LineKind = "Payment"
	LineFee      LineKind = "Fee" // with its taxes
	LineInterest LineKind = "Interest"
	LineKKDF     LineKind = "Kkdf"
	LineBSMV     LineKind = "Bsmv"
)

// Line is a line of a statement, or of the term that runs. Amounts are minor units,
// below zero where less is owed after it.
type Line struct {
	On          clock.Date
	Kind        LineKind
	Description string
	Minor       int64
	Points      int64 // in tenths
	// Card is the card that did it; zero for what none did.
	Card     issuing.Card
	movement ledger.Movement
}

// In is what of the line is of a region: of a payment, what it paid there; what is
// in credit afterwards is domestic.
func (l Line) In(r line.Region) int64 {
	p := l.movement.Entry.Purpose
	if l.Kind == LinePayment || l.movement.Side == ledger.Credit && p.GivesBack {
		sum := int64(0)
		for b, minor := range l.movement.Parts {
			switch {
			case b.IsCredit && r == line.Domestic:
				sum -= minor
			case !b.IsCredit && b.Region == r:
				sum += minor
			}
		}
		return sum
	}
	if p.Region == r {
		return l.Minor
	}
	return 0
}

// FullStatement is a statement with its lines and the account it is of.
type FullStatement struct {
	Statement
	Account Account
	Lines   []Line
}

// Statements returns the statements of an account, the newest first.
func (s *Service) Statements(ctx context.Context, c access.Caller, accountNo string) (all []Statement, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		f, err := s.find(ctx, tx, c, accountNo)
		if err != nil {
			return err
		}
		all, err = readStatements(ctx, tx, f.AccountID)
		return err
	})
	return all, err
}

// Statement returns the statement of an account that was cut on a day, with its
// lines.
func (s *Service) Statement(ctx context.Context, c access.Caller, accountNo string, cutOn clock.Date) (out FullStatement, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		f, err := s.find(ctx, tx, c, accountNo)
		if err != nil {
			return err
		}
		a, err := s.account(ctx, tx, f)
		if err != nil {
			return err
		}
		out, err = s.statement(ctx, tx, c, a, cutOn)
		return err
	})
	return out, err
}

func (s *Service) statement(ctx context.Context, tx db.Tx, c access.Caller, a Account, cutOn clock.Date) (FullStatement, error) {
	all, err := readStatements(ctx, tx, a.ID)
	if err != nil {
		return FullStatement{}, err
	}
	for _, one := range all {
		if one.On == cutOn {
			lines, err := s.lines(ctx, tx, c, a, one.First, one.Last)
			return FullStatement{one, a, lines}, err
		}
	}
	return FullStatement{}, errNoStatement.With("statementDate", cutOn.String())
}

// lines are what happened between two positions of the account's statement.
func (s *Service) lines(ctx context.Context, tx db.Tx, c access.Caller, a Account, first, last int64) ([]Line, error) {
	movements, err := ledger.Movements(ctx, tx, a.ID, first, last)
	if err != nil {
		return nil, err
	}
	var ids []authorization.TransactionID
	of := make([]authorization.TransactionID, len(movements))
	for i, m := range movements {
		if m.Entry.Transaction == "" {
			continue
		}
		if of[i], err = id.Parse[authorization.Transaction](m.Entry.Transaction); err != nil {
			return nil, fmt.Errorf("entry %s: %w", m.Entry.ID, err)
		}
		ids = append(ids, of[i])
	}
	transactions, err := authorization.ReadTransactions(ctx, tx, ids)
	if err != nil {
		return nil, fmt.Errorf("read transactions: %w", err)
	}
	var used []id.ID[issuing.Card]
	for _, t := range transactions {
		used = append(used, t.Card)
	}
	cards, err := issuing.ReadCards(ctx, tx, c.Tenant, used)
	if err != nil {
		return nil, fmt.Errorf("read cards: %w", err)
	}
	all := make([]Line, len(movements))
	for i, m := range movements {
		all[i] = lineOf(a.Credit.Line.Terms, m)
		if t := transactions[of[i]]; t != nil {
			all[i].Card = cards[t.Card]
		}
	}
	return all, nil
}

// lineOf is a movement as a line.
func lineOf(terms line.Terms, m ledger.Movement) Line {
	l := Line{On: m.Entry.BusinessOn, Kind: kindOf(m), Description: m.Entry.Description, Minor: m.Minor, Points: pointsOf(terms, m), movement: m}
	if m.Side == ledger.Credit {
		l.Minor = -l.Minor
	}
	return l
}

func kindOf(m ledger.Movement) LineKind {
	p := m.Entry.Purpose
	switch {
	case m.IsCharge():
		return map[line.Levy]LineKind{line.InterestLevy: LineInterest, line.KKDFLevy: LineKKDF, line.BSMVLevy: LineBSMV}[m.Levy()]
	case p.Kind == line.Fee && (m.Side == ledger.Debit || p.GivesBack):
		return LineFee
	case m.Side == ledger.Credit && p.GivesBack:
		return LineRefund
	case m.Side == ledger.Credit:
		return LinePayment
	case p.Kind == line.Cash:
		return LineCash
	}
	return LinePurchase
}
