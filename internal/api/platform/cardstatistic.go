package platform

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// cardStatistic is CardAccountStatisticInfoDto (§8.5): of the issuance, through
// all its cards.
type cardStatistic struct {
	FirstTransactionDate    *time.Time  `json:"firstTransactionDate"`
	LastTransactionDate     *time.Time  `json:"lastTransactionDate"`
	LastTransactionAmount   api.Decimal `json:"lastTransactionAmount" nullable:"true"`
	LastTransactionCurrency *string     `json:"lastTransactionCurrency"`
	LastSuccessfulPINDate   *time.Time  `json:"lastSuccessfulPinDate"`
	LastPINChangeDate       *time.Time  `json:"lastPinChangeDate"`
	TotalPurchaseCount      int         `json:"totalPurchaseCount"`
	TotalPurchaseAmount     api.Decimal `json:"totalPurchaseAmount"`
	TotalCashCount          int         `json:"totalCashCount"`
	TotalCashAmount         api.Decimal `json:"totalCashAmount"`
	TotalRefundCount        int         `json:"totalRefundCount"`
	TotalRefundAmount       api.Decimal `json:"totalRefundAmount"`
	DeclineCount            int         `json:"declineCount"`
	LastDeclineReason       *string     `json:"lastDeclineReason"`
	OpenHoldCount           int         `json:"openHoldCount"`
	OpenHoldAmount          api.Decimal `json:"openHoldAmount"`
	CurrentYearSpend        api.Decimal `json:"currentYearSpend"`
	CurrencyCode            string      `json:"currencyCode" doc:"Of the totals."`
}

func encodeStatistics(d issuing.CardDetails, s authorization.Statistics) (cardStatistic, error) {
	out := cardStatistic{
		FirstTransactionDate: timeOrNil(s.First), LastTransactionDate: timeOrNil(s.Last), LastSuccessfulPINDate: timeOrNil(s.LastPIN),
		LastPINChangeDate: timeOrNil(d.Card.PINChangedAt), TotalPurchaseCount: s.Purchases.Count, TotalCashCount: s.Cash.Count,
		TotalRefundCount: s.Refunds.Count, DeclineCount: s.Declines, LastDeclineReason: orNil(s.LastDeclineReason),
		OpenHoldCount: s.OpenHolds.Count, CurrencyCode: d.Product.Currency.Code(),
	}
	if !s.Last.IsZero() {
		currency := s.LastAmount.Currency().Code()
		out.LastTransactionAmount, out.LastTransactionCurrency = api.DecimalOf(s.LastAmount), &currency
	}
	for _, sum := range []struct {
		to    *api.Decimal
		minor int64
	}{
		{&out.TotalPurchaseAmount, s.Purchases.Amount}, {&out.TotalCashAmount, s.Cash.Amount}, {&out.TotalRefundAmount, s.Refunds.Amount},
		{&out.OpenHoldAmount, s.OpenHolds.Amount}, {&out.CurrentYearSpend, s.YearSpend},
	} {
		amount, err := money.New(sum.minor, d.Product.Currency)
		if err != nil {
			return out, err
		}
		*sum.to = api.DecimalOf(amount)
	}
	return out, nil
}
