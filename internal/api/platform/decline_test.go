package platform

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// An event about a decline tells the limit, what was used of it and what was
// requested, and what would have approved it (contract §11.6).
func TestEncodeTransactionEvent_tellsTheLimit(t *testing.T) {
	at := time.Date(2026, 11, 21, 21, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		decline authorization.Decline
		want    string
	}{
		{
			authorization.Decline{
				On: authorization.Check{Inputs: []authorization.Input{
					{Name: "requested", Value: "60.00 TRY"}, {Name: "used", Value: "50.00 TRY"}, {Name: "limit", Value: "100.00 TRY"},
					{Name: "usedCount", Value: "1"}, {Name: "limitCount", Value: "3"},
				}},
				Counterfactual: &authorization.Counterfactual{
					Change: authorization.AnotherAmount, Amount: money.Must(5000, "TRY"), Billing: money.Must(5000, "TRY"),
				},
			},
			`{"stage":"Velocity","controlCode":null,"velocityCode":"DAY","policyType":null,"reasonText":null,` +
				`"limit":{"amount":100.00,"currencyCode":"TRY","count":3},"used":{"amount":50.00,"currencyCode":"TRY","count":1},` +
				`"requested":{"amount":60.00,"currencyCode":"TRY","count":null},` +
				`"counterfactual":{"change":"Amount","amount":50.00,"currencyCode":"TRY","billingAmount":50.00,"billingCurrency":"TRY","at":null}}`,
		},
		{
			// More was counted than an amount can be: it is not told as one.
			authorization.Decline{
				On:             authorization.Check{Inputs: []authorization.Input{{Name: "used", Value: "1000000000000001 minor units"}}},
				Counterfactual: &authorization.Counterfactual{Change: authorization.AnotherTime, At: at},
			},
			`{"stage":"Velocity","controlCode":null,"velocityCode":"DAY","policyType":null,"reasonText":null,` +
				`"counterfactual":{"change":"Time","amount":null,"currencyCode":null,"billingAmount":null,"billingCurrency":null,` +
				`"at":"2026-11-21T21:00:00Z"}}`,
		},
	} {
		e := authorization.TransactionEvent{Name: authorization.EventDeclined, Decline: &c.decline}
		e.Transaction.Amount, e.Transaction.Billing = money.Must(6000, "TRY"), money.Must(6000, "TRY")
		e.Transaction.Status, e.Transaction.DeclinedBy, e.Transaction.DeclinedSubject = authorization.StatusDeclined, "Velocity", "DAY"
		got, err := json.Marshal(encodeTransactionEvent(e).DeclineDetail)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Error(diff)
		}
	}
}
