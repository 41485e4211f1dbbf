package authorization_test

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// An explanation tells the rule of each control, limit and fee as it was then, and
// the values that its conditions and its criteria compared.
func TestExplain_tellsWhatRulesCompared(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		card := w.NewCard("1000.00")
		everywhere := []control.Link{{Type: control.LinkGlobal, Priority: control.LinkPriority, IsActive: true}}
		try := money.MustCurrency("TRY")

		c := control.NewAuthorizationCheck("DEAR")
		c.Name, c.Action, c.Criteria.MinAmount = c.Code, control.Decline, "20"
		c.Rule = rule.Source(`"transaction.billingAmount > decimal('50.00') && customer.segmentCode != 'VIP'"`)
		c, _, err := control.AuthorizationChecks.Create(t.Context(), w.Controls, w.Caller, c, everywhere)
		if err != nil {
			t.Fatal(err)
		}
		v := control.NewVelocityCheck("NIGHT")
		v.Name, v.Period, v.Currency = v.Code, control.PerDay, try
		v.Rule = rule.Source(`"!transaction.isContactless"`)
		most := money.Must(90000, "TRY")
		v.Limits.Amount = &most
		if _, _, err := control.VelocityChecks.Create(t.Context(), w.Controls, w.Caller, v, everywhere); err != nil {
			t.Fatal(err)
		}
		f := fee.NewOnTransaction("POS")
		fixed := money.Must(100, "TRY")
		f.Name, f.Currency, f.Fixed, f.Calculation = f.Code, try, &fixed, fee.Fixed
		f.Criteria.Currencies = []string{"TRY"}
		if _, _, err := fee.TransactionFees.Create(t.Context(), w.Controls, w.Caller, f, everywhere); err != nil {
			t.Fatal(err)
		}

		part := func(a authorization.Answer, check, subject string) authorization.Check {
			t.Helper()
			x, err := w.Queries.Explain(t.Context(), w.Caller, a.Transaction)
			if err != nil || !x.Recomputed {
				t.Fatalf("%v, %q", err, x.Difference)
			}
			for _, k := range x.Trace {
				for _, p := range k.Parts {
					if k.Name == check && p.Subject == subject {
						return p
					}
				}
			}
			t.Fatalf("no part %s of %s in\n%s", subject, check, x.Trace)
			return authorization.Check{}
		}
		want := func(p authorization.Check, name, value string) {
			t.Helper()
			if got := p.Input(name); got != value {
				t.Errorf("%s: %s is %q, want %q", p.Subject, name, got, value)
			}
		}

		refused := w.Authorize(w.Request(card, authorization.AuthorizationRequest, money.Must(8000, "TRY")))
		dear := `transaction.billingAmount > decimal("50") && customer.segmentCode != "VIP"`
		tellsDear := func() {
			t.Helper()
			p := part(refused, authorization.ControlCheck, "DEAR")
			want(p, "rule", dear)
			want(p, "rule transaction.billingAmount", `80.00 greater 50: true`)
			want(p, "rule customer.segmentCode", `missing not_equal "VIP": true`)
			want(p, "criteria transaction.billingAmount", `80.00 greater_or_equal 20: true`)
		}
		tellsDear()

		paid := w.Authorize(w.Request(card, authorization.AuthorizationRequest, money.Must(3000, "TRY")))
		want(part(paid, authorization.VelocityCheck, "NIGHT"), "rule transaction.isContactless", `false not_equal true: true`)
		want(part(paid, authorization.FeeCheck, "POS"), "criteria transaction.transactionCurrency", `"TRY" in ["TRY"]: true`)
		want(part(paid, authorization.FeeCheck, "POS"), "rule", "")
		want(part(paid, authorization.VelocityCheck, "NIGHT"), "used", "0.00 TRY")
		want(part(paid, authorization.VelocityCheck, "NIGHT"), "usedAfter", "30.00 TRY")

		// A rule is tried on what was decided on, not on what became of it.
		facts, found, err := w.Queries.RuleFacts(t.Context(), w.Caller, refused.Transaction)
		if amount, _ := facts.Number(rule.TransactionBillingAmount); err != nil || !found || amount.String() != "80.00" || !facts.Known(rule.TransactionIsPartialApprovalSupported) {
			t.Errorf("%v %v %v", amount, found, err)
		}

		// What was decided is told as it was decided, whatever the control is by now.
		c.Rule = rule.Source(`"transaction.billingAmount > decimal('70.00')"`)
		if _, _, err := control.AuthorizationChecks.Update(t.Context(), w.Controls, w.Caller, c, ""); err != nil {
			t.Fatal(err)
		}
		tellsDear()
	})
}
