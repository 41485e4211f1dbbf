package platform

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
)

// A payment that was too low for a limit is told the minimum, and not the maximum
// that it is far below.
func TestDeclineDetail_tellsTheBoundThatRefused(t *testing.T) {
	for _, c := range []struct {
		requested, fees string
		limit, minimum  string
	}{
		{requested: "5.00 TRY", minimum: "10.00"},
		{requested: "5.00 TRY", fees: "4.99 TRY", minimum: "10.00"},
		{requested: "600.00 TRY", limit: "500.00"},
	} {
		on := authorization.Check{Outcome: authorization.Fail, Reason: authorization.VelocityAmount, Subject: "ONE", Inputs: []authorization.Input{
			{Name: "requested", Value: c.requested}, {Name: "fees", Value: c.fees}, {Name: "minimum", Value: "10.00 TRY"}, {Name: "limit", Value: "500.00 TRY"},
		}}
		var d declineDetail
		d.detail(&on, nil)
		told := func(f *declineFigures) string {
			if f == nil {
				return ""
			}
			return string(f.Amount)
		}
		if told(d.Limit) != c.limit || told(d.Minimum) != c.minimum {
			t.Errorf("%s: limit %q and minimum %q, want %q and %q", c.requested, told(d.Limit), told(d.Minimum), c.limit, c.minimum)
		}
	}
}
