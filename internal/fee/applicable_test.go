package fee_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

var today = time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)

// tariff is a tenant with fees on transactions.
type tariff struct {
	t        testing.TB
	controls *control.Service
	caller   access.Caller
}

func newTariff(t testing.TB, d *db.DB) *tariff {
	t.Helper()
	backend, err := soft.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	now := clock.NewFake(today)
	programs := program.New(d, backend, now)
	tenants := access.New(d, backend, now)
	tenants.Watcher = programs
	tenant, _, err := tenants.CreateTenant(t.Context(), access.NewTenant{Name: "Main", Sandbox: true})
	if err != nil {
		t.Fatal(err)
	}
	f := &tariff{t, control.New(d, programs, customer.New(d, backend, now), now), access.System(tenant)}
	fee.IncludeIn(f.controls)
	return f
}

// flat is a fee of a group that costs so much, whatever it is on.
func flat(code, group string, minor int64) fee.OnTransaction {
	f := fee.NewOnTransaction(code)
	f.Name, f.Group, f.Currency, f.Calculation, f.Fixed = code, group, money.MustCurrency("TRY"), fee.Fixed, ptr(try(minor))
	return f
}

func (f *tariff) define(fees ...fee.OnTransaction) {
	f.t.Helper()
	for _, d := range fees {
		if _, _, err := fee.TransactionFees.Create(f.t.Context(), f.controls, f.caller, d, nil); err != nil {
			f.t.Fatalf("%s: %v", d.Code, err)
		}
	}
}

// now is what the tenant has defined.
func (f *tariff) now() (k *control.Snapshot, cfg *program.Configuration) {
	f.t.Helper()
	cfg, err := f.controls.Programs.Configuration(f.t.Context(), f.caller.Tenant)
	if err == nil {
		k, err = f.controls.Snapshot(f.t.Context(), f.caller.Tenant, cfg.Version)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return k, cfg
}

func codesOf(all []fee.Applied) []string {
	codes := make([]string, len(all))
	for i, a := range all {
		codes[i] = a.Code
	}
	return codes
}

// Of each group one fee applies: the most specific of those that select the
// transaction. It is found here the long way.
func TestApplicable_isTheMostSpecificOfEachGroup(t *testing.T) {
	f := newTariff(t, dbtest.SQLite(t))
	var fees []fee.OnTransaction
	for i := range 12 {
		d := flat(fmt.Sprintf("F%02d", i), fmt.Sprintf("G%d", i%3), int64(i)*100)
		if i%4 == 1 {
			d.Criteria.MCCs = []string{"5411"}
		}
		if i%4 == 2 {
			d.Rule = `"transaction.mcc != '5411'"`
		}
		if i == 11 {
			d.IsActive = false
		}
		if i == 10 {
			ended := today
			d.EndsAt = &ended
		}
		if i == 9 {
			d.Currency, d.Fixed = money.MustCurrency("EUR"), ptr(money.Must(1, "EUR"))
		}
		fees = append(fees, d)
	}
	f.define(fees...)
	k, cfg := f.now()
	issuance := id.New[issuing.Issuance](today)
	subject := control.Subject{Issuance: issuance, Segment: "VIP", Product: "GOLD", Group: "CARDS", BINRange: "RANGE", BIN: "979206"}
	targets := map[control.LinkType][]string{
		control.LinkGlobal: {""}, control.LinkBIN: {"979206", "979207"}, control.LinkBINRange: {"RANGE", "OTHER"},
		control.LinkProductGroup: {"CARDS", "OTHER"}, control.LinkProduct: {"GOLD", "BLUE"}, control.LinkSegment: {"VIP", "STAFF"},
		control.LinkCard: {issuance.String(), id.New[issuing.Issuance](today).String()},
	}
	rapid.Check(t, func(t *rapid.T) {
		var links []control.Link
		for range rapid.IntRange(0, 25).Draw(t, "links") {
			l := control.Link{
				Kind: control.TransactionFee, Parent: rapid.SampledFrom(fees).Draw(t, "fee").Code,
				Type:     rapid.SampledFrom([]control.LinkType{"Global", "Bin", "BinRange", "ProductGroup", "Product", "Segment", "Card"}).Draw(t, "type"),
				Priority: rapid.IntRange(1, 3).Draw(t, "priority"), IsActive: rapid.IntRange(0, 4).Draw(t, "active") > 0,
			}
			l.Target = rapid.SampledFrom(targets[l.Type]).Draw(t, "target")
			l.Code = l.Target
			l.CreatedAt = today.Add(-time.Duration(len(links)) * time.Minute)
			if rapid.IntRange(0, 4).Draw(t, "ended") == 0 {
				ended := today
				l.EndsAt = &ended
			}
			isTwice := slices.ContainsFunc(links, func(o control.Link) bool {
				return o.Parent == l.Parent && o.Type == l.Type && o.Target == l.Target
			})
			if !isTwice {
				links = append(links, l)
			}
		}
		mcc := rapid.SampledFrom([]string{"5411", "6011"}).Draw(t, "mcc")
		facts := &rule.Facts{}
		facts.SetText(rule.TransactionMCC, mcc)
		o := &control.Occasion{Tenant: f.caller.Tenant, Subject: subject, Links: control.NewLinks(links), Facts: facts, At: today}

		var want []string
		for _, group := range []string{"G0", "G1", "G2"} {
			var of []control.Link
			for _, l := range links {
				n := slices.IndexFunc(fees, func(d fee.OnTransaction) bool { return d.Code == l.Parent })
				selects := n%4 == 0 || n%4 == 3 || n%4 == 1 && mcc == "5411" || n%4 == 2 && mcc != "5411"
				if fees[n].Group == group && n < 9 && selects && l.IsActive && l.EndsAt == nil && l.Target == targets[l.Type][0] {
					of = append(of, l)
				}
			}
			if len(of) > 0 {
				want = append(want, slices.MinFunc(of, func(a, b control.Link) int {
					return cmp.Or(b.Type.Specificity()-a.Type.Specificity(), a.Priority-b.Priority, b.CreatedAt.Compare(a.CreatedAt))
				}).Parent)
			}
		}
		slices.Sort(want)
		got := fee.Applicable(k, o, cfg, money.MustCurrency("TRY"), whatever)
		if !slices.Equal(codesOf(got), want) {
			t.Fatalf("of %+v with %s: got %v, want %v", links, mcc, codesOf(got), want)
		}
	})
}

// The rate of a tax is that of the day in the tenant's zone; before the first
// there is none.
func TestApplicable_takesTheTaxOfTheDay(t *testing.T) {
	f := newTariff(t, dbtest.SQLite(t))
	a := program.DefaultAttributes(money.MustCurrency("TRY"), true)
	for _, r := range []struct {
		tax, from string
		percents  int64
	}{{"Bsmv", "2026-04-01", 15}, {"Bsmv", "2026-01-01", 10}, {"Kdv", "2026-03-31", 20}, {"Bsmv", "2026-07-01", 0}} {
		a.TaxRates = append(a.TaxRates, program.TaxRate{TaxType: r.tax, Rate: money.Rate(r.percents) * percent, EffectiveFrom: r.from})
	}
	if _, err := f.controls.Programs.CreateAttributes(t.Context(), f.caller, a); err != nil {
		t.Fatal(err)
	}
	d := flat("FEE", "FEE", 1000)
	d.Taxes = []fee.TaxUse{{Type: fee.BSMV, IsIncluded: true}, {Type: fee.KDV}}
	f.define(d)
	k, cfg := f.now()
	links := control.NewLinks([]control.Link{{Kind: control.TransactionFee, Parent: "FEE", Type: control.LinkGlobal, IsActive: true}})
	for at, want := range map[string][]fee.Tax{
		"2025-12-31T20:59:59Z": nil,
		"2025-12-31T21:00:00Z": {{Type: fee.BSMV, Rate: 10 * percent, IsIncluded: true}}, // midnight in Istanbul
		"2026-03-31T20:59:59Z": {{Type: fee.BSMV, Rate: 10 * percent, IsIncluded: true}, {Type: fee.KDV, Rate: 20 * percent}},
		"2026-03-31T21:00:00Z": {{Type: fee.BSMV, Rate: 15 * percent, IsIncluded: true}, {Type: fee.KDV, Rate: 20 * percent}},
		"2026-08-01T00:00:00Z": {{Type: fee.BSMV, IsIncluded: true}, {Type: fee.KDV, Rate: 20 * percent}},
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		got := fee.Applicable(k, &control.Occasion{Links: links, Facts: &rule.Facts{}, At: moment}, cfg, money.MustCurrency("TRY"), whatever)
		if len(got) != 1 || !slices.Equal(got[0].Terms.Taxes, want) {
			t.Errorf("at %s: got %+v, want %v", at, got, want)
		}
	}
}

// What was defined is read as it was defined.
func TestTransactionFees_areKeptWhole(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newTariff(t, d)
		a := program.DefaultAttributes(money.MustCurrency("TRY"), true)
		a.TaxRates = []program.TaxRate{{TaxType: "Kkdf", Rate: 15 * percent, EffectiveFrom: "2026-01-01"}}
		if _, err := f.controls.Programs.CreateAttributes(t.Context(), f.caller, a); err != nil {
			t.Fatal(err)
		}
		in := fee.NewOnTransaction("WHOLE")
		starts := today.Add(time.Hour)
		in.Name, in.Description, in.StartsAt, in.Group, in.Type = "Whole", "All of it", &starts, "GROUP", fee.CashAdvanceFee
		in.Currency, in.Calculation = money.MustCurrency("KWD"), fee.Tiered
		amount := func(minor int64) money.Amount { return money.Must(minor, "KWD") }
		in.Tiers = []fee.Tier{
			{From: amount(0), To: ptr(amount(1000)), Rate: percent, Fixed: amount(5)}, {From: amount(1000), Rate: 125, Fixed: amount(0)},
		}
		in.Min, in.Max, in.Base = ptr(amount(1)), ptr(amount(999)), fee.CashbackAmount
		in.FreeCount, in.FreeAmount, in.FreePeriod = 3, ptr(amount(5000)), control.PerYear
		in.OnDeclined, in.RefundOnReversal, in.RefundOnRefund = true, false, true
		in.Criteria.MCCs, in.Rule, in.Taxes = []string{"6011"}, `"merchant.country == 'TR'"`, []fee.TaxUse{{Type: fee.KKDF, IsIncluded: true}}
		in.AccountingCode, in.StatementText = "7101", "ATM"
		f.define(in)
		got, err := fee.TransactionFees.Named(t.Context(), f.controls, f.caller, "WHOLE")
		if err != nil {
			t.Fatal(err)
		}
		in.Version, in.Record = 1, got.Record
		if is, want := fmt.Sprintf("%+v", flattened(got)), fmt.Sprintf("%+v", flattened(in)); is != want {
			t.Errorf("got\n%s, want\n%s", is, want)
		}
	})
}

// flattened takes the pointers out of a fee, for printing.
func flattened(f fee.OnTransaction) []any {
	all := []any{*f.StartsAt, *f.Min, *f.Max, *f.FreeAmount, *f.Tiers[0].To}
	f.StartsAt, f.Min, f.Max, f.FreeAmount, f.Tiers[0].To = nil, nil, nil, nil, nil
	return append(all, f)
}

// Tiers are taken when, and only when, every amount lies in exactly one.
func TestTransactionFees_tiersPartitionTheAmounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := flat("TIERED", "TIERED", 0)
		f.Calculation, f.Fixed = fee.Tiered, nil
		n := rapid.IntRange(1, 5).Draw(t, "tiers")
		bound := 0
		for i := range n {
			tier := fee.Tier{From: try(int64(bound + rapid.SampledFrom([]int{0, 0, 0, 0, 0, -1, 1}).Draw(t, "shift"))), Fixed: try(int64(i))}
			if tier.From.Sign() < 0 {
				tier.From = try(0)
			}
			bound += rapid.SampledFrom([]int{1, 2, 3, 3, 0}).Draw(t, "width")
			if hasEnd := i < n-1; hasEnd != (rapid.IntRange(0, 9).Draw(t, "end") == 0) {
				tier.To = ptr(try(int64(bound)))
			}
			f.Tiers = append(f.Tiers, tier)
		}
		holding := func(amount money.Amount) (n int) {
			for _, tier := range f.Tiers {
				if amount.Cmp(tier.From) >= 0 && (tier.To == nil || amount.Cmp(*tier.To) < 0) {
					n++
				}
			}
			return n
		}
		isPartition := slices.IsSortedFunc(f.Tiers, func(a, b fee.Tier) int { return a.From.Cmp(b.From) })
		for minor := range int64(30) {
			isPartition = isPartition && holding(try(minor)) == 1
		}
		isPartition = isPartition && !slices.ContainsFunc(f.Tiers, func(tier fee.Tier) bool { return tier.To != nil && tier.To.Cmp(tier.From) <= 0 })
		err := fee.TransactionFees.Check(f)
		if (err == nil) != isPartition {
			t.Fatalf("%+v: %v", f.Tiers, err)
		}
		if err != nil {
			return
		}
		terms := fee.Terms{Calculation: fee.Tiered, Fixed: try(0), Tiers: f.Tiers}
		for minor := range int64(30) {
			if _, err := terms.On(try(minor)); err != nil {
				t.Fatalf("%+v on %d: %v", f.Tiers, minor, err)
			}
		}
	})
}

// whatever says that a transaction has every amount that a fee may be on.
func whatever(fee.Base) bool { return true }
