package authorizationtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// SetTax makes a tax have a rate in percent from the first day of the world's
// year on.
func (w *World) SetTax(t fee.TaxType, percent string) {
	w.T.Helper()
	rate := rateOf(w, percent)
	w.SetAttributes(func(a *program.Attributes) {
		a.TaxRates = slices.DeleteFunc(a.TaxRates, func(r program.TaxRate) bool { return r.TaxType == string(t) })
		a.TaxRates = append(a.TaxRates, program.TaxRate{TaxType: string(t), Rate: rate, EffectiveFrom: "2026-01-01"})
	})
}

func rateOf(w *World, percent string) money.Rate {
	n, err := strconv.ParseFloat(percent, 64) // of tests: few digits
	must(w.T, err)
	return money.Rate(n*10_000 + 0.5)
}

// Markup is "currencies=EUR,USD rate=2": the tenant's mark-up on conversions from
// these currencies, in place of what it had. Without currencies there is none.
func (w *World) Markup(args map[string]string) error {
	w.T.Helper()
	v := program.DefaultConversion()
	if codes := args["currencies"]; codes != "" {
		m := program.Markup{Group: "Abroad", Rate: rateOf(w, args["rate"])}
		for _, code := range strings.Split(codes, ",") {
			m.Currencies = append(m.Currencies, money.MustCurrency(code))
		}
		v.Markups = []program.Markup{m}
	}
	_, err := w.Programs.SetCurrencyConversion(w.T.Context(), w.Caller, v, "")
	return err
}

// Fee is "code=POS rate=1 min=5.00 taxes=Bsmv for=Product/P1 of=Purchase": a fee on
// transactions, and what it is linked to.
func (w *World) Fee(args map[string]string) error {
	w.T.Helper()
	f := fee.NewOnTransaction(args["code"])
	f.Name, f.Currency = args["code"], money.MustCurrency("TRY")
	amount := func(name string) *money.Amount {
		if args[name] == "" {
			return nil
		}
		a, err := money.Parse(args[name], f.Currency)
		must(w.T, err)
		return &a
	}
	f.Fixed, f.Min, f.Max, f.FreeAmount = amount("fixed"), amount("min"), amount("max"), amount("free-amount")
	if v := args["rate"]; v != "" {
		r := rateOf(w, v)
		f.Rate = &r
	}
	switch {
	case args["tiers"] != "":
		f.Calculation = fee.Tiered
		w.tiers(&f, args["tiers"])
	case args["how"] != "":
		f.Calculation = fee.Calculation(args["how"])
	case f.Fixed != nil && f.Rate != nil:
		f.Calculation = fee.FixedPlusRate
	case f.Rate != nil:
		f.Calculation = fee.ByRate
	default:
		f.Calculation = fee.Fixed
	}
	if v := args["free"]; v != "" {
		n, err := strconv.Atoi(v)
		must(w.T, err)
		f.FreeCount = n
	}
	if args["free"] != "" || args["free-amount"] != "" {
		f.FreePeriod = control.PerMonth
	}
	for _, t := range strings.FieldsFunc(args["taxes"], func(r rune) bool { return r == ',' }) {
		name, how, _ := strings.Cut(t, ":")
		f.Taxes = append(f.Taxes, fee.TaxUse{Type: fee.TaxType(name), IsIncluded: how == "included"})
	}
	for name, to := range map[string]*string{"group": &f.Group, "type": (*string)(&f.Type), "base": (*string)(&f.Base), "timing": (*string)(&f.Timing)} {
		if v := args[name]; v != "" {
			*to = v
		}
	}
	f.OnDeclined, f.RefundOnRefund, f.RefundOnReversal = args["declined"] == "yes", args["refund"] == "yes", args["reversal"] != "keep"
	if v := args["of"]; v != "" {
		f.Criteria.TransactionCodes = strings.Split(v, ",")
	}
	kind, code, _ := strings.Cut(args["for"], "/")
	if kind == "" {
		kind = string(control.LinkGlobal)
	}
	link := control.Link{Type: control.LinkType(kind), Code: code, Priority: control.LinkPriority, IsActive: true}
	_, _, err := fee.TransactionFees.Create(w.T.Context(), w.Controls, w.Caller, f, []control.Link{link})
	return err
}

// tiers are "0:1000.00:1:0;1000.00::0.5:2.00": from, to, rate in percent, fixed.
func (w *World) tiers(f *fee.OnTransaction, text string) {
	for _, row := range strings.Split(text, ";") {
		p := strings.Split(row, ":")
		at := func(i int) money.Amount {
			a, err := money.Parse(p[i], f.Currency)
			must(w.T, err)
			return a
		}
		t := fee.Tier{From: at(0), Rate: rateOf(w, p[2]), Fixed: at(3)}
		if p[1] != "" {
			to := at(1)
			t.To = &to
		}
		f.Tiers = append(f.Tiers, t)
	}
}

// TellAdditional shows additional amounts, a line for each.
func TellAdditional(all []fee.Additional) string {
	if len(all) == 0 {
		return "nothing besides"
	}
	var lines []string
	for _, a := range all {
		text := string(a.Type) + " " + a.Code + " " + a.Charge.Fee.Decimal()
		for _, t := range a.Charge.Taxes {
			text += " + " + string(t.Type) + " " + t.Amount.Decimal()
		}
		if !a.IsDebit {
			text += " back"
		}
		if a.IsPending {
			text += " pending"
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// Earned shows what was earned by fees and is owed on them as taxes.
func (w *World) Earned() string {
	rows, err := w.Ledger.TrialBalance(w.T.Context(), w.Caller.Tenant)
	must(w.T, err)
	var told []string
	for _, r := range rows {
		if net, err := r.Credit.Sub(r.Debit); err == nil && (r.Kind == ledger.Income || strings.HasPrefix(r.Code, "L.TAX.")) {
			told = append(told, r.Code+" "+net.Decimal())
		}
	}
	if len(told) == 0 {
		return "nothing"
	}
	return strings.Join(told, "; ")
}
