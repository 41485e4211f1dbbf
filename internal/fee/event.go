package fee

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// The events about fees, which are events about cards. Each adds a [CardFeeTold].
const (
	EventUpcoming = "fee.upcoming" // a year's is about to be charged
	EventCharged  = "fee.charged"  // for a card, or on a transaction
	EventReversed = "fee.reversed" // some of it was given back
	EventFailed   = "fee.failed"   // it was not borne for as long as it was tried
)

// CardFeeTold is what an event about a fee adds. Its member names are the stored
// form: they are only added to.
type CardFeeTold struct {
	Code       string
	Event      Event  // of a fee for making a card
	Year, Part int    // of a yearly fee
	DueOn      string // YYYY-MM-DD
	Additional string // as [ParseAdditional] reads it
	// Transaction is what a fee on a transaction was charged with, or given back.
	Transaction string
}

// Told is the event that a line of what was charged, or given back, is with a
// transaction.
func (a Additional) Told(transaction string) (name string, about CardFeeTold) {
	if name = EventCharged; !a.IsDebit {
		name = EventReversed
	}
	return name, CardFeeTold{Code: a.Code, Transaction: transaction, Additional: AdditionalDocument([]Additional{a})}
}

// NoticeValues implements [issuing.Noticed].
func (t CardFeeTold) NoticeValues() map[string]string {
	values := map[string]string{"date": t.DueOn}
	if all, err := ParseAdditional(t.Additional); err == nil && len(all) == 1 {
		if total, err := all[0].Charge.Total(); err == nil {
			values["amount"] = total.String()
		}
	}
	return values
}

// raise tells of a fee, which is so much of its price.
func (s *Service) raise(ctx context.Context, tx db.Tx, c access.Caller, name string, f CardFee, price money.Amount, at time.Time) error {
	charge, err := f.Applied.Terms.On(price)
	if err != nil {
		return fmt.Errorf("compute fee: %w", err)
	}
	if name == EventReversed {
		charge = charge.negated()
	}
	due := NewDue(f.Applied)
	return issuing.RaiseCard(ctx, tx, c, name, f.Card, at, CardFeeTold{
		Code: f.Applied.Code, Event: f.Event, Year: f.Year, Part: f.Part, DueOn: f.DueOn.String(),
		Additional: AdditionalDocument([]Additional{due.additional(charge, f.Status == Unpaid)}),
	})
}
