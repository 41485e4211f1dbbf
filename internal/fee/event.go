package fee

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// The events about fees for cards, which are events about their cards. Each adds
// a [CardFeeTold].
const (
	EventUpcoming = "fee.upcoming" // a year's is about to be charged
	EventFailed   = "fee.failed"   // it was not borne for as long as it was tried
)

// CardFeeTold is what an event about a fee for a card adds. Its member names are
// the stored form: they are only added to.
type CardFeeTold struct {
	Code       string
	Event      Event  // of a fee for making a card
	Year, Part int    // of a yearly fee
	DueOn      string // YYYY-MM-DD
	Additional string // as [ParseAdditional] reads it
}

func (s *Service) raise(ctx context.Context, tx db.Tx, c access.Caller, name string, f CardFee, at time.Time) error {
	charge, err := f.Charge()
	if err != nil {
		return fmt.Errorf("compute fee: %w", err)
	}
	due := NewDue(f.Applied)
	return issuing.RaiseCard(ctx, tx, c, name, f.Card, at, CardFeeTold{
		Code: f.Applied.Code, Event: f.Event, Year: f.Year, Part: f.Part, DueOn: f.DueOn.String(),
		Additional: AdditionalDocument([]Additional{due.additional(charge, f.Status == Unpaid)}),
	})
}
