package fee_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// What is told of fees is only what is proven: that others of the group are charged
// in their place, that they can never apply, and that they are tied to no card.
func TestLint_tellsFeesThatAreNeverCharged(t *testing.T) {
	global := func(priority int) control.Link {
		return control.Link{Type: control.LinkGlobal, Priority: priority, IsActive: true}
	}
	with := func(f fee.OnTransaction, change func(*fee.OnTransaction)) fee.OnTransaction { change(&f); return f }
	first := flat("FIRST", "CASH", 100)
	second := with(flat("SECOND", "CASH", 200), func(f *fee.OnTransaction) { f.Criteria.MCCs = []string{"6011"} })
	ends := today.Add(time.Hour)
	for name, tt := range map[string]struct {
		first, second fee.OnTransaction
		one, two      []control.Link
		want          string
	}{
		"as specific, and asked before": {first, second, []control.Link{global(1)}, []control.Link{global(2)}, "SECOND shadowed FIRST"},
		"asked after":                   {first, second, []control.Link{global(2)}, []control.Link{global(1)}, ""},
		"of two that nobody orders":     {first, second, []control.Link{global(1)}, []control.Link{global(1)}, ""},
		"of another group":              {flat("FIRST", "MORE", 100), second, []control.Link{global(1)}, []control.Link{global(2)}, ""},
		"of another currency": {with(first, func(f *fee.OnTransaction) { f.Currency, f.Fixed = money.MustCurrency("EUR"), ptr(money.Must(1, "EUR")) }), second,
			[]control.Link{global(1)}, []control.Link{global(2)}, ""},
		"for less":             {with(first, func(f *fee.OnTransaction) { f.Criteria.MCCs = []string{"6010"} }), second, []control.Link{global(1)}, []control.Link{global(2)}, ""},
		"for a while":          {with(first, func(f *fee.OnTransaction) { f.EndsAt = &ends }), second, []control.Link{global(1)}, []control.Link{global(2)}, ""},
		"an exemption from it": {flat("FIRST", "CASH", 0), second, []control.Link{global(1)}, []control.Link{global(2)}, "SECOND shadowed FIRST"},
		"tied to nothing":      {first, second, []control.Link{global(1)}, nil, "SECOND unlinked"},
		"for nothing": {first, with(second, func(f *fee.OnTransaction) { f.Rule = `"transaction.mcc == '5411'"` }),
			[]control.Link{global(2)}, []control.Link{global(1)}, "SECOND never_true"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newTariff(t, dbtest.SQLite(t))
			for _, d := range []struct {
				fee   fee.OnTransaction
				links []control.Link
			}{{tt.first, tt.one}, {tt.second, tt.two}} {
				if _, _, err := fee.TransactionFees.Create(t.Context(), f.controls, f.caller, d.fee, d.links); err != nil {
					t.Fatal(err)
				}
			}
			found, err := f.controls.Lint(t.Context(), f.caller)
			if err != nil || found.Checked != 2 {
				t.Fatalf("%d checked, %v", found.Checked, err)
			}
			var got []string
			for _, x := range found.All {
				got = append(got, strings.Join(append([]string{x.Code, string(x.What)}, x.By...), " "))
				if x.What == "shadowed" && len(x.Example) == 0 {
					t.Errorf("%s has no example", x.Code)
				}
			}
			if !slices.Equal(got, strings.FieldsFunc(tt.want, func(r rune) bool { return r == ',' })) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			clerk := f.caller
			clerk.Permissions = access.PermissionsOf(access.IssuingAuthorizationControl)
			if found, err := f.controls.Lint(t.Context(), clerk); err != nil || found.Checked != 0 || len(found.All) > 0 {
				t.Errorf("who may not see fees is told %+v, %v", found, err)
			}
		})
	}
}
