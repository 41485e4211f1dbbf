package fee_test

import (
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// What could not be saved cannot be drafted: a fee of another currency than that
// of the product which it is tied to in the draft, is tied to already, or through a
// card.
func TestDraft_feesFitTheirProducts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		card := b.NewCard("0.00")
		euros := func(code string) fee.Yearly {
			f := fee.NewYearly(code)
			f.Name, f.Currency, f.Amount = code, money.MustCurrency("EUR"), money.Must(100, "EUR")
			return f
		}
		b.yearly("TIED", to(control.LinkProduct, "P1"), nil)
		b.yearly("LOOSE", everything, nil)
		for name, drafted := range map[string]control.Drafted{
			"to its product":    fee.AnnualFees.Drafted("fees[0]", euros("NEW"), to(control.LinkProduct, "P1")),
			"through a card":    fee.AnnualFees.Drafted("fees[0]", euros("NEW"), to(control.LinkCard, card.Token)),
			"as before":         fee.AnnualFees.Drafted("fees[0]", euros("TIED"), nil),
			"as before, anyone": fee.AnnualFees.Drafted("fees[0]", euros("LOOSE"), nil),
			"to anyone":         fee.AnnualFees.Drafted("fees[0]", euros("NEW"), everything),
			"no more":           fee.AnnualFees.Drafted("fees[0]", euros("TIED"), []control.Link{}),
		} {
			_, err := b.Controls.DraftSnapshot(t.Context(), b.Caller, control.Draft{Objects: []control.Drafted{drafted}})
			fits := name == "to anyone" || name == "no more" || name == "as before, anyone"
			if f, _ := fault.As(err); (err == nil) != fits || !fits && (f == nil || f.Code != "fee_currency_mismatch" || len(f.Fields) != 1 || !strings.HasPrefix(f.Fields[0].Name, "fees[0]")) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
