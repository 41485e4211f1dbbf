package platform

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
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
