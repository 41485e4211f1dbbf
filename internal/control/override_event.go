package control

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// EventVelocityChanged tells that somebody set or removed a limit of a card.
const EventVelocityChanged = "card.velocity-changed" // VelocityChanged

// VelocityChanged is what the event adds to an [issuing.CardEvent]. Its member names
// are the stored form: they are only added to.
type VelocityChanged struct {
	Code     string        // of the control
	Old, New *OverrideTold // nil where the control's own limits held, or hold
	Channel  string
}

// OverrideTold is an [Override] as an event tells it, MaxAmount in minor units.
type OverrideTold struct {
	MaxAmount        *int64
	Currency         string
	MaxCount         *int
	StartsAt, EndsAt *time.Time
	Reason           string
}

func overrideTold(o *Override) *OverrideTold {
	if o == nil {
		return nil
	}
	t := &OverrideTold{MaxCount: o.Limits.Count, StartsAt: o.StartsAt, EndsAt: o.EndsAt, Reason: o.Reason}
	if a := o.Limits.Amount; a != nil {
		minor := a.Minor()
		t.MaxAmount, t.Currency = &minor, a.Currency().Code()
	}
	return t
}

// raiseOverride tells that a card's limit became another; nil is none.
func raiseOverride(ctx context.Context, tx db.Tx, c access.Caller, v *cardLimits, before, after *Override) error {
	about := VelocityChanged{Old: overrideTold(before), New: overrideTold(after)}
	if after != nil {
		about.Code, about.Channel = after.Check, after.Channel
	} else {
		about.Code = before.Check
	}
	for _, card := range v.current {
		if err := issuing.RaiseCard(ctx, tx, c, EventVelocityChanged, card, v.now, about); err != nil {
			return err
		}
	}
	return nil
}
