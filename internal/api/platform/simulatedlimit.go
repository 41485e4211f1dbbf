package platform

import (
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// simulationLimit is a velocity control that counted a transaction: what was
// requested, and what was used of its limits before and right after.
type simulationLimit struct {
	VelocityCheckCode string         `json:"velocityCheckCode"`
	LinkedBy          string         `json:"linkedBy" doc:"Type and code of the link because of which it holds."`
	CurrencyCode      *string        `json:"currencyCode"`
	Requested         api.Decimal    `json:"requested" nullable:"true" doc:"In currencyCode; null where amounts are not added, or there is no rate."`
	Limit             velocityAmount `json:"limit"`
	MinAmount         api.Decimal    `json:"minAmount" nullable:"true"`
	UsedBefore        velocityAmount `json:"usedBefore"`
	UsedAfter         velocityAmount `json:"usedAfter"`
}

// encodeLimits tells how the limits stood when a transaction was decided.
func encodeLimits(x authorization.Explanation) []simulationLimit {
	out := make([]simulationLimit, 0, len(x.Limits))
	for _, v := range x.Limits {
		l := simulationLimit{VelocityCheckCode: v.Code, LinkedBy: v.Link, MinAmount: decimalOrNil(v.MinAmount)}
		l.Limit.Amount, l.Limit.Count = decimalOrNil(v.MaxAmount), positiveOrNil(v.MaxCount)
		if v.Amount != nil {
			c := v.Amount.Currency()
			l.CurrencyCode, l.Requested = orNil(c.Code()), api.DecimalOf(*v.Amount)
			l.UsedBefore.Amount, l.UsedAfter.Amount = minorDecimal(v.Before.Amount, c), minorDecimal(v.After.Amount, c)
		}
		was, is := int(v.Before.Count), int(v.After.Count)
		l.UsedBefore.Count, l.UsedAfter.Count = &was, &is
		out = append(out, l)
	}
	return out
}

// minorDecimal shows minor units, up to what an amount can be.
func minorDecimal(minor int64, c money.Currency) api.Decimal {
	a, err := money.New(min(minor, money.MaxMinor), c)
	if err != nil {
		return ""
	}
	return api.DecimalOf(a)
}
