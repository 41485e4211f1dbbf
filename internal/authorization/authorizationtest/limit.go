package authorizationtest

import (
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// NewLimit defines a velocity control as a script says it: "code=DAY period=Day
// max=50.00 count=3 for=Segment/VIP", of cash, or of everything with of=all. Those
// of group=… are one limit group. refunds=lower lets refunds lower what was used,
// clearing=ignore presentments not change it, fees=count fees be counted; alert=80 is a percentage.
func (w *World) NewLimit(args map[string]string) string {
	c := control.NewVelocityCheck(args["code"])
	c.Name, c.Period, c.LimitGroup, c.Currency = args["code"], control.Period(args["period"]), args["group"], money.MustCurrency("TRY")
	if v := args["in"]; v != "" {
		c.Currency = money.MustCurrency(v)
	}
	if args["of"] != "all" {
		c.Criteria.TransactionCodes = []string{string(authorization.CashWithdrawal)}
	}
	if v := args["group-of-mcc"]; v != "" {
		c.Criteria.MCCGroups = []string{v}
	}
	if v := args["rule"]; v != "" {
		c.Rule = rule.Source(`"` + v + `"`)
	}
	if v := args["max"]; v != "" {
		a := w.limitAmount(v, c.Currency)
		c.Limits.Amount = &a
	}
	if v := args["min"]; v != "" {
		a := w.limitAmount(v, c.Currency)
		c.MinAmount = &a
	}
	if v := args["count"]; v != "" {
		var n int
		if _, err := fmt.Sscan(v, &n); err != nil {
			w.T.Fatal(err)
		}
		c.Limits.Count = &n
	}
	if v := args["span"]; v != "" {
		if _, err := fmt.Sscan(v, &c.Span.Length); err != nil {
			w.T.Fatal(err)
		}
		c.Span.Unit = control.Hours
	}
	if v := args["level"]; v != "" {
		c.Level = control.AccumulationLevel(v)
	}
	c.IncludeDeclined, c.IncludeFees = args["declines"] == "count", args["fees"] == "count"
	if args["refunds"] == "lower" {
		c.Refunds = control.RefundsDecrease
	}
	c.AdjustOnClearing = args["clearing"] != "ignore"
	if v := args["alert"]; v != "" {
		if _, err := fmt.Sscan(v, &c.AlertThreshold); err != nil {
			w.T.Fatal(err)
		}
	}
	if args["on"] == "alert" {
		c.OnExceed = control.ExceedAlerts
	}
	c.DeclineCode = args["de39"]
	kind, code, _ := strings.Cut(args["for"], "/")
	if kind == "" {
		kind = string(control.LinkGlobal)
	}
	link := control.Link{Type: control.LinkType(kind), Code: code, Priority: control.LinkPriority, IsActive: true}
	if _, _, err := control.VelocityChecks.Create(w.T.Context(), w.Controls, w.Caller, c, []control.Link{link}); err != nil {
		return err.Error()
	}
	return "ok"
}

// Limits shows how a card stands.
func (w *World) Limits(k *Card) string {
	all, err := w.Controls.CardLimits(w.T.Context(), w.Caller, k.Token)
	if err != nil {
		return err.Error()
	}
	var told []string
	for _, l := range all {
		text := l.Check.Code + ": " + l.Used.Amount.Decimal()
		if l.Limit.Amount != nil {
			text += " of " + l.Limit.Amount.Decimal()
		}
		text += fmt.Sprintf(" in %d", l.Used.Count)
		if l.Limit.Count != nil {
			text += fmt.Sprintf(" of %d", *l.Limit.Count)
		}
		told = append(told, text)
	}
	return strings.Join(told, "; ")
}

func (w *World) limitAmount(text string, c money.Currency) money.Amount {
	a, err := money.Parse(text, c)
	if err != nil {
		w.T.Fatalf("amount %q: %v", text, err)
	}
	return a
}
