package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// cardMaker makes cards by the use cases that issue them, many in a transaction.
type cardMaker struct {
	*app.Core
	caller access.Caller
}

// make makes the cards from first on and before end, all or none.
func (m cardMaker) make(ctx context.Context, first, end int) (all []issuing.IssuedCard, err error) {
	err = m.DB.InTx(ctx, func(tx db.Tx) error {
		all = all[:0]
		var plastics []issuing.PlasticMove
		within := db.WithTx(ctx, tx)
		for n := first; n < end; n++ {
			made, err := m.makeCard(within, n)
			if err != nil {
				return fmt.Errorf("card %d: %w", n, err)
			}
			all = append(all, made)
			plastics = append(plastics, issuing.PlasticMove{Card: made.Card.ID, FromPerso: issuing.PersoRequested, ToPerso: issuing.PersoCancelled})
		}
		_, err := m.Issuing.MovePlastics(ctx, tx, m.caller, plastics) // no bureau makes them
		return err
	})
	return all, err
}

// workOff tells whoever is to be told of what has happened so far.
func workOff(ctx context.Context, k *app.Core) error {
	tellers := []interface{ RunOnce(context.Context) error }{k.Webhooks.Relay()}
	for _, w := range append(k.Notices.Workers(), k.Webhooks.Worker()) {
		tellers = append(tellers, w)
	}
	for _, t := range tellers {
		if err := t.RunOnce(ctx); err != nil {
			return fmt.Errorf("tell of what has happened: %w", err)
		}
	}
	return nil
}

// makeCard makes the n-th customer with a card that can be used, and money on its
// account.
func (m cardMaker) makeCard(ctx context.Context, n int) (issuing.IssuedCard, error) {
	holder, err := m.Customers.Create(ctx, m.caller, customer.Customer{
		Type: customer.Individual, KYCLevel: customer.KYCBasic, Profile: customer.Profile{
			Name: "Ada", Surname: "Deniz", BirthDate: clock.Date{Year: 1985, Month: time.May, Day: 17}, Nationality: country.Must("TR"),
		},
		Identifications: []customer.Identification{{Type: customer.TCKN, Number: citizenNo(n)}},
		Communications:  []customer.Communication{{Type: customer.MobilePhone, Value: fmt.Sprintf("+9053%08d", n)}},
	})
	if err != nil {
		return issuing.IssuedCard{}, fmt.Errorf("make customer: %w", err)
	}
	card, err := m.Issuing.IssueCard(ctx, m.caller, issuing.NewCard{
		CustomerNo: holder.No, ProductCode: "CLASSIC", FormFactor: program.PhysicalCard, DeliveryMethod: program.ByBranch, BranchCode: "0001",
		PINSource: issuing.RandomPIN, InitialStatus: issuing.Active,
	})
	if err != nil {
		return issuing.IssuedCard{}, fmt.Errorf("issue: %w", err)
	}
	_, err = m.Ledger.Adjust(ctx, m.caller, ledger.Adjustment{
		AccountNo: card.Issuance.AccountNo, Side: ledger.Credit, Amount: money.Must(1_000_000_000, "TRY"), Description: "load", Reference: "bench-" + strconv.Itoa(n),
	})
	if err != nil {
		return issuing.IssuedCard{}, fmt.Errorf("load: %w", err)
	}
	return card, nil
}

// citizenNo is the n-th number of a citizen, n being below 900 million: nine digits
// and two that check them.
func citizenNo(n int) string {
	nine := strconv.Itoa(100_000_000 + n)
	odd, even := 0, 0
	for i, d := range nine {
		if i%2 == 0 {
			odd += int(d - '0')
		} else {
			even += int(d - '0')
		}
	}
	tenth := ((odd*7-even)%10 + 10) % 10
	return nine + strconv.Itoa(tenth) + strconv.Itoa((odd+even+tenth)%10)
}
