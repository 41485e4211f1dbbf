package fee_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// A fee of any family needs a rate of each of its taxes on the day from which it
// may hold, and keeps it: it would be charged without the tax.
func TestTaxes_haveARateWhileAFeeNamesThem(t *testing.T) {
	b := newBank(t, dbtest.SQLite(t)) // BSMV since 1 January 2026
	today := clock.DateOf(b.Clock.Now(), b.tenant.Zone)
	rates := func(kdv clock.Date) {
		t.Helper()
		b.SetAttributes(func(a *program.Attributes) {
			a.TaxRates = append(a.TaxRates[:1], program.TaxRate{TaxType: "Kdv", Rate: 20 * percent, EffectiveFrom: kdv.String()})
		})
	}
	rates(today.AddDays(3))
	try := money.MustCurrency("TRY")
	amount := money.Must(100, "TRY")
	uses := []fee.TaxUse{{Type: fee.BSMV}, {Type: fee.KDV}}
	for name, create := range map[string]func(*time.Time) error{
		"transaction": func(from *time.Time) error {
			f := fee.NewOnTransaction("T")
			f.Name, f.Currency, f.Calculation, f.Fixed, f.Taxes, f.StartsAt = "T", try, fee.Fixed, &amount, uses, from
			_, _, err := fee.TransactionFees.Create(t.Context(), b.Controls, b.Caller, f, nil)
			return err
		},
		"issuance": func(from *time.Time) error {
			f := fee.NewOnIssuance("I")
			f.Name, f.Currency, f.Amount, f.Events, f.Taxes, f.StartsAt = "I", try, amount, []fee.Event{fee.FirstIssuance}, uses, from
			_, _, err := fee.IssuanceFees.Create(t.Context(), b.Controls, b.Caller, f, nil)
			return err
		},
		"annual": func(from *time.Time) error {
			f := fee.NewYearly("Y")
			f.Name, f.Currency, f.Amount, f.Taxes, f.StartsAt = "Y", try, amount, uses, from
			_, _, err := fee.AnnualFees.Create(t.Context(), b.Controls, b.Caller, f, nil)
			return err
		},
	} {
		if f, _ := fault.As(create(nil)); f == nil || len(f.Fields) != 1 || f.Fields[0].Name != "taxes[1].taxType" {
			t.Errorf("%s: refused with %+v", name, f)
		}
		then := today.AddDays(3).In(b.tenant.Zone)
		if err := create(&then); err != nil {
			t.Errorf("%s, from the day of the rate on: %v", name, err)
		}
	}

	// What holds from a day on needs no rate before it, but on it.
	update := func(change func(*program.Attributes)) error {
		a, err := b.Programs.Attributes(t.Context(), b.Caller)
		if err != nil {
			t.Fatal(err)
		}
		change(&a)
		_, err = b.Programs.UpdateAttributes(t.Context(), b.Caller, a, "")
		return err
	}
	for name, change := range map[string]func(*program.Attributes){
		"gone":     func(a *program.Attributes) { a.TaxRates = a.TaxRates[:1] },
		"too late": func(a *program.Attributes) { a.TaxRates[1].EffectiveFrom = today.AddDays(4).String() },
		"both":     func(a *program.Attributes) { a.TaxRates = nil },
	} {
		if f, _ := fault.As(update(change)); f == nil || f.Fields[0].Name != "taxRates" || f.Fields[0].Code != "in_use" {
			t.Errorf("%s: refused with %+v", name, f)
		}
	}
	if err := update(func(a *program.Attributes) { a.TaxRates[1].Rate = 0 }); err != nil {
		t.Errorf("a rate of nothing is a rate: %v", err)
	}
	if err := fee.TransactionFees.Delete(t.Context(), b.Controls, b.Caller, "T"); err != nil {
		t.Error(err)
	}
	if err := fee.IssuanceFees.Delete(t.Context(), b.Controls, b.Caller, "I"); err != nil {
		t.Error(err)
	}
	if err := fee.AnnualFees.Delete(t.Context(), b.Controls, b.Caller, "Y"); err != nil {
		t.Error(err)
	}
	if err := update(func(a *program.Attributes) { a.TaxRates = nil }); err != nil {
		t.Errorf("nothing names them any more: %v", err)
	}
}
