package credit

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// rollBatch is how many accounts one transaction rolls.
const rollBatch = 50

// RollDue ends the days of a tenant's credit accounts that have passed, makes the
// statements of terms that have ended, and looks at what is overdue. It returns how
// many accounts there were.
//
// It may run on several nodes at once and be broken off at any time: what an account
// needs is done in one transaction, once for each day.
func (s *Service) RollDue(ctx context.Context, tenant access.Tenant) (int, error) {
	at := tenant.Now(s.Clock)
	day := clock.DateOf(at, tenant.Zone)
	done, after := 0, ledger.AccountID{}
	var failure error
	for {
		var due []ledger.AccountID
		err := s.DB.View(ctx, func(tx db.Tx) (err error) {
			due, err = unchecked(ctx, tx, tenant.ID, day, after, rollBatch)
			return err
		})
		if err != nil {
			return done, fmt.Errorf("look for credit accounts: %w", err)
		}
		if len(due) == 0 {
			return done, failure
		}
		after = due[len(due)-1]
		n, err := s.roll(ctx, tenant, due, day, at)
		if err != nil && ctx.Err() == nil { // one of them must not hold up the others
			n = 0
			for _, a := range due {
				one, err := s.roll(ctx, tenant, []ledger.AccountID{a}, day, at)
				if n += one; err != nil && failure == nil {
					failure = fmt.Errorf("roll %s: %w", a, err)
				}
			}
		}
		done += n
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
	}
}

// roll is RollDue of some accounts, in one transaction.
func (s *Service) roll(ctx context.Context, tenant access.Tenant, accounts []ledger.AccountID, day clock.Date, at time.Time) (done int, err error) {
	c := access.System(tenant)
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		done = 0
		book, err := ledger.OpenBook(ctx, tx, accounts, nil)
		if err != nil {
			return err
		}
		all, err := readFacts(ctx, tx, accounts) // as they are under the locks
		if err != nil {
			return err
		}
		for _, f := range all {
			if err := book.RollCredit(f.AccountID, day, at); err != nil {
				return err
			}
		}
		rolled := make(map[ledger.AccountID]ledger.Account, len(all))
		for _, f := range all {
			rolled[f.AccountID], _ = book.Account(f.AccountID)
		}
		if err := book.Write(ctx, tx); err != nil {
			return err
		}
		var acts []audit.Act
		for _, f := range all {
			if !f.CheckedOn.Before(day) {
				continue
			}
			more, err := s.settle(ctx, tx, c, Account{Account: rolled[f.AccountID], Facts: f}, day, at)
			if err != nil {
				return err
			}
			acts = append(acts, more...)
			done++
		}
		for _, act := range acts { // at last: from here on the chain is held
			if err := audit.Append(ctx, tx, act); err != nil {
				return err
			}
		}
		return nil
	})
	return done, err
}

// settle makes the statements of an account that are missing, and notes where it
// stands. It returns what is to be written down.
func (s *Service) settle(ctx context.Context, tx db.Tx, c access.Caller, a Account, day clock.Date, at time.Time) (acts []audit.Act, err error) {
	made, err := s.bill(ctx, tx, a)
	if err != nil {
		return nil, fmt.Errorf("make statements: %w", err)
	}
	for _, n := range made {
		if err := insertStatement(ctx, tx, a.ID, n, c.Real(at)); err != nil {
			return nil, fmt.Errorf("insert statement: %w", err)
		}
		err := a.raise(ctx, tx, c, EventStatementReady, at, Event{
			StatementNo: n.Name(a.Number), StatementDate: n.On.String(), DueDate: n.Due.String(), Limit: a.Amount(n.Limit).Decimal(),
			TotalDebt: a.Amount(n.Debt()).Decimal(), MinimumPayment: a.Amount(n.Minimum()).Decimal(),
		})
		if err != nil {
			return nil, err
		}
		act := a.act(c, at, "StatementMade")
		act.Changes = audit.Changes(nil, struct{ Statement, Hash string }{n.Name(a.Number), n.Hash})
		acts = append(acts, act)
	}
	was := a.Standing
	a.Standing, a.CheckedOn = standingOf(a.Credit.OverdueSince(), day), day
	if a.Standing != was {
		if err := a.raise(ctx, tx, c, EventStandingChanged, at, Event{Standing: a.Standing, PreviousStanding: was}); err != nil {
			return nil, err
		}
		act := a.act(c, at, "StatusChange")
		act.Changes = audit.Changes(struct{ Standing Standing }{was}, struct{ Standing Standing }{a.Standing})
		acts = append(acts, act)
	}
	return acts, updateFacts(ctx, tx, a.Facts)
}

// bill returns the statements of an account that are to be made, the oldest first.
func (s *Service) bill(ctx context.Context, tx db.Tx, a Account) (made []Statement, err error) {
	cuts, err := ledger.Cuts(ctx, tx, a.ID)
	if err != nil {
		return nil, err
	}
	last, _, err := lastStatement(ctx, tx, a.ID)
	if err != nil {
		return nil, err
	}
	for i := len(cuts) - 1; i >= 0; i-- {
		if last.Number > 0 && !last.On.Before(cuts[i].On) {
			continue
		}
		movements, err := ledger.Movements(ctx, tx, a.ID, cuts[i].First, cuts[i].Last)
		if err != nil {
			return nil, err
		}
		last = last.next(a.Credit.OpenedOn, a.Credit.Line.Terms, cuts[i], movements)
		if what := last.wrong(last); what != "" {
			return nil, fmt.Errorf("the statement of %s does not hold together: %s", last.On, what)
		}
		made = append(made, last)
	}
	return made, nil
}
