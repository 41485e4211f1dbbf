package authorization_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// However many amounts rules compare with, no amount is told that is approved where
// a higher one is, too.
func TestCounterfactual_tellsTheHighestAmountOrNone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		for _, thresholds := range []int{10, 300} {
			card := w.NewCard("1000.00")
			links := []control.Link{{Type: control.LinkCard, Code: card.Token, Priority: control.LinkPriority, IsActive: true}}
			var all []string
			for i := range thresholds {
				all = append(all, fmt.Sprintf("%d.00", 100+i))
			}
			look := fmt.Sprintf(`{"condition":"or","rules":[{"field":"transaction.amount","operator":"in","value":[%s]}]}`, strings.Join(all, ","))
			for code, c := range map[string]struct {
				action control.Action
				rule   string
			}{
				"LOOK": {control.Alert, look},
				"MANY": {control.Decline, `"transaction.amount > decimal('20.00')"`},
				"SOME": {control.Decline, `"transaction.amount >= decimal('10.00') && transaction.amount < decimal('15.00')"`},
			} {
				check := control.NewAuthorizationCheck(fmt.Sprint(code, thresholds))
				check.Name, check.Action, check.Rule = code, c.action, rule.Source(c.rule)
				if _, _, err := control.AuthorizationChecks.Create(t.Context(), w.Controls, w.Caller, check, links); err != nil {
					t.Fatal(err)
				}
			}
			a := w.Authorize(w.Request(card, authorization.AuthorizationRequest, money.Must(50_000, "TRY")))
			x, err := w.Queries.Explain(t.Context(), w.Caller, a.Transaction)
			if err != nil || a.Reason != authorization.ControlDeclined {
				t.Fatalf("%s, %v", a.Reason, err)
			}
			var got int64
			if x.Counterfactual != nil {
				got = x.Counterfactual.Amount.Minor()
			}
			want := int64(2000)
			if thresholds > 200 {
				want = 0
			}
			if got != want {
				t.Errorf("with %d thresholds %d is told, want %d", thresholds, got, want)
			}
		}
	})
}
