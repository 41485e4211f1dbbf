package platform

import (
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// creditEvent is the data of events about credit accounts.
type creditEvent struct {
	AccountNo           string      `json:"accountNo"`
	CustomerNo          string      `json:"customerNo"`
	ProductCode         string      `json:"productCode"`
	Currency            string      `json:"currency"`
	Limit               api.Decimal `json:"limit,omitempty"`
	PreviousLimit       api.Decimal `json:"previousLimit,omitempty"`
	StatementNo         string      `json:"statementNo,omitempty"`
	StatementDate       string      `json:"statementDate,omitempty"`
	DueDate             string      `json:"dueDate,omitempty"`
	TotalDebt           api.Decimal `json:"totalDebt,omitempty"`
	MinimumPayment      api.Decimal `json:"minimumPayment,omitempty"`
	Delinquency         string      `json:"delinquency,omitempty" doc:"Current, Days1To30, Days31To60, Days61To90, NonPerforming."`
	PreviousDelinquency string      `json:"previousDelinquency,omitempty"`
}

func encodeCreditEvent(e credit.Event) (creditEvent, webhook.Content) {
	return creditEvent{
		AccountNo: e.AccountNo, CustomerNo: e.CustomerNo, ProductCode: e.ProductCode, Currency: e.Currency,
		Limit: api.Decimal(e.Limit), PreviousLimit: api.Decimal(e.PreviousLimit), StatementNo: e.StatementNo, StatementDate: e.StatementDate,
		DueDate: e.DueDate, TotalDebt: api.Decimal(e.TotalDebt), MinimumPayment: api.Decimal(e.MinimumPayment),
		Delinquency: string(e.Standing), PreviousDelinquency: string(e.PreviousStanding),
	}, webhook.Content{CustomerNo: e.CustomerNo, ProductCode: e.ProductCode}
}
