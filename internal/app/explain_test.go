package app

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// A decline is explained to people: what refused it, what would have approved it,
// and what each check and each control compared.
func TestExplain_tellsPeopleWhy(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	x := authorization.Explanation{
		Transaction: authorization.Transaction{
			ID: id.New[authorization.Transaction](at), Flow: authorization.AuthorizationRequest, Code: authorization.Purchase,
			Status: authorization.StatusDeclined, Reason: authorization.VelocityAmount, ResponseCode: "61", Amount: money.Must(6000, "TRY"),
			CreatedAt: at, Message: authorization.Details{MTI: "0100", MerchantName: "MARKET", MerchantCity: "ANKARA", MCC: "5411", EntryMode: "051"},
		},
		Trace: authorization.Trace{
			{Name: "Card", Outcome: authorization.Pass},
			{Name: "Pin", Outcome: authorization.Skip},
			{
				Name: "Velocity", Outcome: authorization.Fail, Reason: authorization.VelocityAmount, Subject: "DAY", Detail: "DAY: 60.00 + 60.00 > 100.00",
				Parts: []authorization.Check{
					{Outcome: authorization.Pass, Subject: "CASH", Detail: "1 + 1 <= 3", Inputs: []authorization.Input{{Name: "usedCount", Value: "1"}, {Name: "limitCount", Value: "3"}}},
					{
						Outcome: authorization.Fail, Reason: authorization.VelocityAmount, Subject: "DAY", Detail: "DAY: 60.00 + 60.00 > 100.00",
						Inputs: []authorization.Input{
							{Name: "version", Value: "2"}, {Name: "link", Value: "Product/CLASSIC"}, {Name: "requested", Value: "60.00 TRY"},
							{Name: "used", Value: "60.00 TRY"}, {Name: "limit", Value: "100.00 TRY"}, {Name: "windowStart", Value: "2026-11-20T21:00:00Z"},
						},
					},
				},
			},
		},
		ConfigurationHash: "0123456789abcdef0123", ConfigurationVersion: 7, Recomputed: true,
		Times:          authorization.Times{authorization.StageGather: 210 * time.Microsecond, authorization.StageDecide: 41 * time.Microsecond},
		Counterfactual: &authorization.Counterfactual{Change: authorization.AnotherAmount, Amount: money.Must(4000, "TRY"), Billing: money.Must(4000, "TRY")},
	}
	lines := encodeExplanation(x).lines()
	want := `message      0100  AuthorizationRequest  Purchase  60.00 TRY
where        MARKET  ANKARA  5411  entry mode 051
ended        Declined  VelocityAmount  answered 61
why          Velocity refused it: DAY: 60.00 + 60.00 > 100.00
instead      40.00 TRY would have been approved

pass  Card
skip  Pin
fail  Velocity  VelocityAmount  DAY: 60.00 + 60.00 > 100.00
pass    CASH    1 + 1 <= 3
                usedCount 1, limitCount 3
fail    DAY     DAY: 60.00 + 60.00 > 100.00
                version 2, link Product/CLASSIC, requested 60.00 TRY, used 60.00 TRY, limit 100.00 TRY,
                windowStart 2026-11-20T21:00:00Z

under        configuration 7, 0123456789abcdef…
took, in µs  gather 210, decide 41
again        deciding from the record gives the same`
	if diff := cmp.Diff(want, strings.Join(lines[1:], "\n")); diff != "" {
		t.Error(diff)
	}
}
