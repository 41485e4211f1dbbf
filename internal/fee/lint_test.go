package fee_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/customer"
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

// What is free and never exceeded, and tiers that no payment reaches, are told; and
// nothing where a limit may let pass what is charged.
func TestLint_tellsWhatLimitsLeaveOfFees(t *testing.T) {
	type house struct {
		fee   fee.OnTransaction
		limit control.VelocityCheck
		to    control.Link // of the limit
	}
	n := func(v int) *int { return &v }
	for name, tt := range map[string]struct {
		is   func(h *house)
		want string
	}{
		"a number as high as a limit": {func(*house) {}, "never_exceeded freeCount LIMIT"},
		"one less":                    {func(h *house) { h.fee.FreeCount = 2 }, ""},
		"a limit of days, in a month": {func(h *house) { h.limit.Period, h.fee.FreeCount = control.PerDay, 93 }, "never_exceeded freeCount LIMIT"},
		"one less than days allow":    {func(h *house) { h.limit.Period, h.fee.FreeCount = control.PerDay, 92 }, ""},
		"a limit of a year":           {func(h *house) { h.limit.Period = control.PerYear }, "never_exceeded freeCount LIMIT"},
		"a limit that only alerts":    {func(h *house) { h.limit.OnExceed = control.ExceedAlerts }, ""},
		"a limit of each plastic":     {func(h *house) { h.limit.Level = control.CountCard }, ""},
		"a limit of each customer":    {func(h *house) { h.limit.Level = control.CountCustomer }, ""},
		"a limit of something else":   {func(h *house) { h.limit.Criteria.MCCs = []string{"6011"} }, ""},
		"a limit of one segment": {func(h *house) {
			h.to = control.Link{Type: control.LinkSegment, Code: "VIP", Priority: 1, IsActive: true}
		}, ""},
		"a limit that ends":        {func(h *house) { h.limit.EndsAt = new(today.Add(time.Hour)) }, ""},
		"a fee for inquiries, too": {func(h *house) { h.fee.Criteria.TransactionCodes = []string{"CashWithdrawal", "BalanceInquiry"} }, ""},
		"a fee for declines":       {func(h *house) { h.fee.OnDeclined = true }, ""},
		"a fee that is over":       {func(h *house) { h.fee.EndsAt = new(today) }, ""},
		"an amount that may be exceeded": {func(h *house) {
			h.fee.FreeCount, h.fee.FreeAmount, h.limit.Currency = 0, ptr(try(100_00)), money.MustCurrency("TRY")
			h.limit.Limits, h.limit.AdjustOnClearing = control.Limits{Amount: ptr(try(100_01))}, false
		}, ""},
		"an amount": {func(h *house) {
			h.fee.FreeCount, h.fee.FreeAmount, h.limit.Currency = 0, ptr(try(100_00)), money.MustCurrency("TRY")
			h.limit.Limits, h.limit.AdjustOnClearing = control.Limits{Amount: ptr(try(100_00))}, false
		}, "never_exceeded freeAmount LIMIT"},
		"an amount, and a limit that clearing lowers": {func(h *house) {
			h.fee.FreeCount, h.fee.FreeAmount, h.limit.Currency = 0, ptr(try(100_00)), money.MustCurrency("TRY")
			h.limit.Limits = control.Limits{Amount: ptr(try(100_00))}
		}, ""},
		"an amount of another currency": {func(h *house) {
			h.fee.FreeCount, h.fee.FreeAmount, h.limit.Currency = 0, ptr(try(100_00)), money.MustCurrency("EUR")
			h.limit.Limits, h.limit.AdjustOnClearing = control.Limits{Amount: ptr(money.Must(100_00, "EUR"))}, false
		}, ""},
		"a tier above a limit": {func(h *house) { inTiers(&h.fee, &h.limit, 50_00, 100_01, 100_00) }, "never_reached tiers[2] LIMIT"},
		"a tier at a limit":    {func(h *house) { inTiers(&h.fee, &h.limit, 50_00, 100_00, 100_00) }, ""},
		"a tier above a limit of large amounts only": {func(h *house) {
			inTiers(&h.fee, &h.limit, 50_00, 100_01, 100_00)
			h.limit.Criteria.MinAmount = "60"
		}, "never_reached tiers[2] LIMIT"},
		"a tier above a limit of larger amounts": {func(h *house) {
			inTiers(&h.fee, &h.limit, 50_00, 100_01, 100_00)
			h.limit.Criteria.MinAmount = "100.02"
		}, ""},
		"a tier on cash handed out": {func(h *house) {
			inTiers(&h.fee, &h.limit, 50_00, 100_01, 100_00)
			h.fee.Base = fee.CashbackAmount
		}, ""},
		"a tier of a fee for declines": {func(h *house) {
			inTiers(&h.fee, &h.limit, 50_00, 100_01, 100_00)
			h.fee.OnDeclined = true
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			global := control.Link{Type: control.LinkGlobal, Priority: 1, IsActive: true}
			h := house{flat("FEE", "FEE", 100), control.NewVelocityCheck("LIMIT"), global}
			h.fee.FreeCount, h.fee.FreePeriod = 3, control.PerMonth
			h.limit.Name, h.limit.Period, h.limit.Limits = "Limit", control.PerMonth, control.Limits{Count: n(3)}
			tt.is(&h)
			if h.fee.FreeCount == 0 && h.fee.FreeAmount == nil {
				h.fee.FreePeriod = ""
			}
			f := newTariff(t, dbtest.SQLite(t))
			if h.to.Type == control.LinkSegment {
				if _, err := f.controls.Customers.CreateSegment(t.Context(), f.caller, customer.Segment{Code: "VIP", Name: "VIP", IsActive: true}); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := fee.TransactionFees.Create(t.Context(), f.controls, f.caller, h.fee, []control.Link{global}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := control.VelocityChecks.Create(t.Context(), f.controls, f.caller, h.limit, []control.Link{h.to}); err != nil {
				t.Fatal(err)
			}
			found, err := f.controls.Lint(t.Context(), f.caller)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, x := range found.All {
				got = append(got, strings.Join(append([]string{string(x.What), x.Path}, x.By...), " "))
				if x.Code != "FEE" || x.Link.Type != control.LinkGlobal || len(x.Example) == 0 {
					t.Errorf("found %+v", x)
				}
			}
			if text := strings.Join(got, ", "); text != tt.want {
				t.Errorf("found %q, want %q", text, tt.want)
			}
			clerk := f.caller
			clerk.Permissions = access.PermissionsOf(access.IssuingFee)
			if found, err := f.controls.Lint(t.Context(), clerk); err != nil || len(found.All) > 0 {
				t.Errorf("who may not see limits is told %+v, %v", found, err)
			}
		})
	}
}

// inTiers gives a fee three tiers, nothing of it free, and a limit of one payment.
func inTiers(f *fee.OnTransaction, l *control.VelocityCheck, second, third, most int64) {
	f.FreeCount, f.Calculation, f.Fixed = 0, fee.Tiered, nil
	f.Tiers = []fee.Tier{
		{From: try(0), To: ptr(try(second)), Fixed: try(1)}, {From: try(second), To: ptr(try(third)), Fixed: try(2)}, {From: try(third), Fixed: try(3)},
	}
	l.Period, l.Currency, l.Limits = control.PerTransaction, money.MustCurrency("TRY"), control.Limits{Amount: ptr(try(most))}
}
