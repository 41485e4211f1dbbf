package platform

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// velocityThresholdEvent is the data of an alert about a limit. What is null is
// not limited.
type velocityThresholdEvent struct {
	TransactionCard
	TransactionID         string         `json:"transactionId" doc:"The one that reached it."`
	Code                  string         `json:"code" doc:"Of the velocity control."`
	Percent               int            `json:"percent" doc:"Used now, of the amount or the count, whichever is more."`
	AlertThresholdPercent *int           `json:"alertThresholdPercent"`
	IsExceeded            bool           `json:"isExceeded" doc:"Above a limit that does not decline."`
	CurrencyCode          *string        `json:"currencyCode"`
	Used                  velocityAmount `json:"used"`
	Limit                 velocityAmount `json:"limit"`
	WindowStart           *time.Time     `json:"windowStart" doc:"Null for one transaction and for a lifetime."`
}

func encodeVelocityThreshold(e authorization.TransactionEvent) velocityThresholdEvent {
	out := velocityThresholdEvent{
		TransactionCard: encodeTransaction(e.Listed(), e.Card, false).TransactionCard, TransactionID: e.Transaction.ID.UUID(),
	}
	a := e.Velocity
	if a == nil {
		return out
	}
	out.Code, out.Percent, out.AlertThresholdPercent, out.IsExceeded = a.Code, a.Percent, positiveOrNil(a.Threshold), a.IsExceeded
	used := int(a.UsedCount)
	out.Used.Count, out.Limit.Count = &used, positiveOrNil(a.LimitCount)
	if a.LimitAmount != nil {
		out.CurrencyCode = orNil(a.LimitAmount.Currency().Code())
		out.Used.Amount, out.Limit.Amount = api.DecimalOf(a.Used), api.DecimalOf(*a.LimitAmount)
	}
	if !a.WindowStart.IsZero() {
		out.WindowStart = &a.WindowStart
	}
	return out
}

type velocityChangedEvent struct {
	CardOfEvent
	Code    string          `json:"code" doc:"Of the velocity control."`
	Old     *velocityOfCard `json:"old" doc:"Null where the limits of the control held."`
	New     *velocityOfCard `json:"new" doc:"Null where they hold again."`
	Channel *string         `json:"channel"`
}

// velocityOfCard is a limit of a card as events tell it.
type velocityOfCard struct {
	MaxAmount    api.Decimal `json:"maxAmount" nullable:"true"`
	CurrencyCode *string     `json:"currencyCode"`
	MaxCount     *int        `json:"maxCount"`
	StartDate    *time.Time  `json:"startDate"`
	EndDate      *time.Time  `json:"endDate"`
	Reason       *string     `json:"reason"`
}

func encodeVelocityChanged(card CardOfEvent, v control.VelocityChanged) velocityChangedEvent {
	return velocityChangedEvent{
		CardOfEvent: card, Code: v.Code, Old: encodeVelocityOfCard(v.Old), New: encodeVelocityOfCard(v.New), Channel: orNil(v.Channel),
	}
}

func encodeVelocityOfCard(o *control.OverrideTold) *velocityOfCard {
	if o == nil {
		return nil
	}
	out := &velocityOfCard{CurrencyCode: orNil(o.Currency), MaxCount: o.MaxCount, StartDate: o.StartsAt, EndDate: o.EndsAt, Reason: orNil(o.Reason)}
	if c, err := money.ParseCurrency(o.Currency); err == nil && o.MaxAmount != nil {
		if a, err := money.New(*o.MaxAmount, c); err == nil {
			out.MaxAmount = api.DecimalOf(a)
		}
	}
	return out
}
