package fee_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Every member of a fee that began is there when it is read again, whatever stands
// in its texts.
func TestDue_readsBackWhatItWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return rapid.StringMatching(`[A-Za-z{\\\t|ğ ]{0,6}`).Draw(t, name) }
		amount := func(name string) money.Amount { return try(rapid.Int64Range(0, 1000).Draw(t, name)) }
		optional := func(name string) *money.Amount {
			if rapid.Bool().Draw(t, "has "+name) {
				return ptr(amount(name))
			}
			return nil
		}
		flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
		a := fee.Applied{
			Code: text("code"), Name: text("name"), Group: text("group"), Link: text("link"), Version: rapid.IntRange(0, 3).Draw(t, "version"),
			Type: fee.AmountType(text("type")), Base: fee.Base(text("base")), Timing: fee.Timing(text("timing")),
			OnDeclined: flag("declined"), RefundOnReversal: flag("reversal"), RefundOnRefund: flag("refund"),
			Terms: fee.Terms{
				Calculation: fee.Calculation(text("calculation")), Fixed: amount("fixed"), Rate: money.Rate(rapid.Int64Range(0, 9).Draw(t, "rate")),
				Min: optional("min"), Max: optional("max"),
			},
		}
		for range rapid.IntRange(0, 2).Draw(t, "tiers") {
			a.Terms.Tiers = append(a.Terms.Tiers, fee.Tier{From: amount("from"), To: optional("to"), Rate: 7, Fixed: amount("of tier")})
		}
		for range rapid.IntRange(0, 2).Draw(t, "taxes") {
			a.Terms.Taxes = append(a.Terms.Taxes, fee.Tax{Type: fee.TaxType(text("tax")), Rate: 15 * percent, IsIncluded: flag("included")})
		}
		if flag("free") {
			a.Free = &fee.Free{Count: rapid.IntRange(0, 2).Draw(t, "count"), Amount: optional("free amount"), Period: control.Period(text("period"))}
		}
		want := fee.NewDue(a)
		want.Most, want.StandsAlone = optional("most"), flag("alone")
		got, err := fee.ParseDue(want.Document())
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(money.Amount{}, want.Entry)); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

func FuzzParseDue(f *testing.F) {
	f.Add("1\tCASH\tCash\tG\tGlobal/\tTransactionFee\tBillingAmount\tAuthorization\tTRY\tRate\t1\t6\t\t10000\t500\t\t\t\t1\tBSMV\t150000")
	f.Add("1\tA\t\t\t\t\t\t\tTRY\tTiered\t\t16\t\t\t\t\t\t3\t\tMonth\t1\t0\t\t5")
	f.Add(`{"Code":"CASH","Currency":"TRY","Fixed":50,"Tiers":[{"From":0,"To":null}],"Free":{"Count":1,"Period":"Day"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		due, err := fee.ParseDue(text)
		if err != nil {
			return
		}
		if again, err := fee.ParseDue(due.Document()); err != nil || again.Document() != due.Document() {
			t.Errorf("not stable: %v", err)
		}
	})
}
