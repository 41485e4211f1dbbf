package program

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

func mustPAN(t testing.TB, body string) pan.PAN {
	t.Helper()
	p, err := pan.Parse(body + string(pan.CheckDigit(body)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestConfiguration_holdsAllThatWasDefined(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		want := h.program(h.main, "979206")
		cfg, err := h.Configuration(t.Context(), h.main.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := cfg.Product("P1")
		if !ok {
			t.Fatal("the product is missing")
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(money.Amount{}, money.Currency{})); diff != "" {
			t.Errorf("product read back (-want +got):\n%s", diff)
		}
		b, ok := cfg.BINOf(got)
		if !ok || b.BIN != "979206" {
			t.Errorf("BIN of the product: got %q, want 979206", b.BIN)
		}
		keys, ok := cfg.KeysOf(b)
		if !ok {
			t.Fatal("the BIN has no key set")
		}
		for _, slot := range keySlots {
			ref := *slot.at(&keys)
			if ref.IsZero() || !ref.Test || ref.Usage != slot.spec.Usage || ref.Version != "01" {
				t.Errorf("%s: got %v, want a test key of usage %s and version 01", slot.name, ref, slot.spec.Usage)
			}
		}
		if len(cfg.Hash) != 64 {
			t.Errorf("got hash %q, want 64 digits", cfg.Hash)
		}
	})
}

func TestConfiguration_keysOfAProductionTenantAreNoTestKeys(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	h.program(h.production, "979206")
	cfg, err := h.Configuration(t.Context(), h.production.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	keys := cfg.Keys["BIN-979206"]
	if keys.CVK.IsZero() || keys.CVK.Test {
		t.Errorf("got %v, want a key without test mark", keys.CVK)
	}
	if _, err := h.HSM.RevealKey(t.Context(), keys.CVK); err == nil {
		t.Error("a production key was revealed")
	}
}

// Every change of what decisions depend on must raise the version, change the
// hash, and be seen at once on the node that made it.
func TestConfiguration_everyChangeRaisesTheVersion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		h.program(c, "979206")
		steps := []struct {
			name string
			do   func() error
		}{
			{"BIN", func() error {
				b := testBIN("979206")
				b.SponsorName = "Bank"
				_, err := h.UpdateBIN(ctx, c, b, "")
				return err
			}},
			{"range", func() error {
				r := testRange("R1", "979206")
				r.Name = "renamed"
				_, err := h.UpdateRange(ctx, c, r, "")
				return err
			}},
			{"group", func() error {
				_, err := h.CreateGroup(ctx, c, Group{Code: "RETAIL", Name: "Retail", IsActive: true})
				return err
			}},
			{"product", func() error {
				p := testProduct("P1", "R1")
				p.GroupCode = "RETAIL"
				_, err := h.UpdateProduct(ctx, c, ProductChange{Product: p})
				return err
			}},
			{"contactless limit", func() error {
				_, err := h.SetContactlessLimit(ctx, c, "P1", ContactlessLimit{Transaction: money.Must(100_000, "TRY")})
				return err
			}},
			{"attributes", func() error {
				a := DefaultAttributes(money.MustCurrency("TRY"), true)
				a.WeekStart = time.Sunday
				_, err := h.CreateAttributes(ctx, c, a)
				return err
			}},
			{"tenant", func() error {
				_, err := h.access.UpdateTenant(ctx, c, access.TenantChange{
					Name: "Main", InstitutionType: "Bank", TimeZone: "Europe/London", Language: "en", DefaultCurrency: "TRY",
				})
				return err
			}},
			{"deletion", func() error { return h.DeleteProduct(ctx, c, "P1") }},
			{"deletion of the group", func() error { return h.DeleteGroup(ctx, c, "RETAIL") }},
		}
		before, err := h.Configuration(ctx, c.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			after, err := h.Configuration(ctx, c.Tenant)
			if err != nil {
				t.Fatal(err)
			}
			if after.Version <= before.Version || after.Hash == before.Hash {
				t.Errorf("%s: version %d → %d, hash changed: %t; want a higher version and another hash",
					step.name, before.Version, after.Version, after.Hash != before.Hash)
			}
			before = after
		}
	})
}

func TestConfiguration_refusedChangesLeaveTheVersion(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	h.program(h.main, "979206")
	before, err := h.Configuration(t.Context(), h.main.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.CreateProduct(t.Context(), h.main, testProduct("P1", "R1"))
	wantFault(t, err, "product_already_exists")
	after, err := h.Configuration(t.Context(), h.main.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	if after.Version != before.Version || after.Hash != before.Hash {
		t.Errorf("got version %d, want %d", after.Version, before.Version)
	}
}

func TestConfiguration_uncommittedChangesNeverEnterTheCache(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.program(h.main, "979206")
		undo := context.Canceled
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			ctx := db.WithTx(t.Context(), tx)
			if _, err := h.CreateGroup(ctx, h.main, Group{Code: "G", Name: "G", IsActive: true}); err != nil {
				t.Fatal(err)
			}
			cfg, err := h.Configuration(ctx, h.main.Tenant)
			if err != nil {
				t.Fatal(err)
			}
			if _, found := cfg.Groups["G"]; found {
				t.Error("the committed configuration shows an uncommitted group")
			}
			mine, err := h.ConfigurationIn(ctx, tx, h.main.Tenant)
			if err != nil {
				t.Fatal(err)
			}
			if _, found := mine.Groups["G"]; !found {
				t.Error("the transaction does not see its own group")
			}
			return undo
		})
		if err != undo {
			t.Fatal(err)
		}
		cfg, err := h.Configuration(t.Context(), h.main.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		if _, found := cfg.Groups["G"]; found {
			t.Error("a group that was rolled back is in the configuration")
		}
	})
}

func TestCache_doesNotKeepWhatWasLoadedBeforeForget(t *testing.T) {
	var c cache
	old := &Configuration{Tenant: access.Tenant{}, Version: 1}
	generation := c.generation()
	c.forget(access.TenantID{}, 0)
	c.keep(old, generation)
	if c.configuration(access.TenantID{}) != nil {
		t.Error("a snapshot loaded before forget was kept")
	}
	c.keep(old, c.generation())
	if c.configuration(access.TenantID{}) != old {
		t.Error("a fresh snapshot was not kept")
	}
	c.forget(access.TenantID{}, 2)
	c.keep(old, c.generation()) // its transaction began before version 2
	if c.configuration(access.TenantID{}) != nil {
		t.Error("a snapshot from before the last change was kept")
	}
	c.keep(&Configuration{Version: 2}, c.generation())
	if c.configuration(access.TenantID{}) == nil {
		t.Error("the snapshot of the last change was not kept")
	}
}

// Between a change that joined a transaction and its commit others still see,
// and may keep, what was before.
func TestConfiguration_isForgottenWhenTheOutermostTransactionIsCommitted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.program(h.main, "979206")
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			ctx := db.WithTx(t.Context(), tx)
			if _, err := h.CreateGroup(ctx, h.main, Group{Code: "G", Name: "G", IsActive: true}); err != nil {
				return err
			}
			if _, err := h.ConfigurationIn(ctx, tx, h.main.Tenant); err != nil {
				return err
			}
			_, err := h.Configuration(t.Context(), h.main.Tenant)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if h.cache.configuration(h.main.Tenant) != nil {
			t.Error("a snapshot survived the commit of a change")
		}
		cfg, err := h.Configuration(t.Context(), h.main.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		if _, found := cfg.Groups["G"]; !found {
			t.Error("the change is not seen after its commit")
		}
	})
}

// A view that began before a change sees what was before, and keeps it to itself.
func TestConfiguration_ofAnOlderViewIsNotKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.program(h.main, "979206")
		err := d.View(t.Context(), func(tx db.Tx) error {
			if _, err := ConfigurationVersions(t.Context(), tx, []access.TenantID{h.main.Tenant}); err != nil {
				return err
			}
			if _, err := h.CreateGroup(t.Context(), h.main, Group{Code: "G", Name: "G", IsActive: true}); err != nil {
				return err
			}
			cfg, err := h.ConfigurationIn(t.Context(), tx, h.main.Tenant)
			if err == nil && len(cfg.Groups) != 0 {
				t.Error("the view sees a later change")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if h.cache.configuration(h.main.Tenant) != nil {
			t.Error("the snapshot from before the change was kept")
		}
	})
}

func TestRoute_findsTheLongestBINAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		p := mustPAN(t, "979206120000000")
		if _, _, found, err := h.Route(t.Context(), p); err != nil || found {
			t.Fatalf("got found %t (%v), want nothing before there is a BIN", found, err)
		}
		h.program(h.main, "979206")
		cfg, b, found, err := h.Route(t.Context(), p)
		if err != nil || !found || b.BIN != "979206" || cfg.Tenant.ID != h.main.Tenant {
			t.Fatalf("got BIN %q (%t, %v), want 979206 of main", b.BIN, found, err)
		}
		if _, err := h.CreateBIN(t.Context(), h.main, testBIN("97920612")); err != nil {
			t.Fatal(err)
		}
		if _, b, _, _ = h.Route(t.Context(), p); b.BIN != "97920612" {
			t.Errorf("got BIN %q, want the longer 97920612", b.BIN)
		}
		// Another node has an older snapshot and learns of the new BIN alone.
		node := New(d, h.HSM, h.time)
		if _, err := node.Configuration(t.Context(), h.main.Tenant); err != nil {
			t.Fatal(err)
		}
		if _, err := h.CreateBIN(t.Context(), h.main, testBIN("411111")); err != nil {
			t.Fatal(err)
		}
		if _, b, found, err := node.Route(t.Context(), mustPAN(t, "411111000000000")); err != nil || !found || b.BIN != "411111" {
			t.Errorf("got BIN %q (%t, %v) on the other node, want 411111", b.BIN, found, err)
		}
	})
}

func TestCreateBIN_neverOverlapsAnotherTenants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx := t.Context()
		for _, b := range []string{"979206", "45454545"} {
			if _, err := h.CreateBIN(ctx, h.main, testBIN(b)); err != nil {
				t.Fatal(err)
			}
		}
		for _, b := range []string{"979206", "97920612", "45454545", "454545"} {
			_, err := h.CreateBIN(ctx, h.other, testBIN(b))
			wantFault(t, err, "bin_taken")
			if err != nil && strings.Contains(err.Error(), h.main.Tenant.String()) {
				t.Errorf("the refusal of %s names the tenant", b)
			}
		}
		_, err := h.CreateBIN(ctx, h.main, testBIN("979206"))
		wantFault(t, err, "bin_already_exists")
		for c, b := range map[string]access.Caller{"45454546": h.other, "97920699": h.main} {
			if _, err := h.CreateBIN(ctx, b, testBIN(c)); err != nil {
				t.Errorf("BIN %s beside the others: %v", c, err)
			}
		}
		_, err = h.BIN(ctx, h.other, "979206")
		wantFault(t, err, "bin_not_found")
	})
}

func TestCreateBIN_atTheSameMomentGoesToOneTenant(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, c := range []access.Caller{h.main, h.other} {
			bin := []string{"979206", "97920612"}[i]
			wg.Go(func() { _, errs[i] = h.CreateBIN(t.Context(), c, testBIN(bin)) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("got %v and %v, want one of them to win", errs[0], errs[1])
		}
	})
}

func TestBIN_withoutADigitIsRefused(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	for _, bad := range []string{"", "97920", "9792061", "97920a", "979206123"} {
		_, err := h.CreateBIN(t.Context(), h.main, testBIN(bad))
		wantFault(t, err, "validation_error")
	}
}

func TestRange_overlapsAreRefusedAndEndsOnlyGrow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		if _, err := h.CreateBIN(ctx, c, testBIN("979206")); err != nil {
			t.Fatal(err)
		}
		part := func(code, from, to string) BINRange {
			return BINRange{Code: code, Name: code, BIN: "979206", Start: "979206" + from, End: "979206" + to}
		}
		r, err := h.CreateRange(ctx, c, part("A", "000000000", "000000999"))
		if err != nil {
			t.Fatal(err)
		}
		if r.Capacity() != 1000 || r.Generation != RandomPAN || r.AlertThresholdPercent != 85 {
			t.Errorf("got capacity %d, %s, %d; want 1000, Random, 85", r.Capacity(), r.Generation, r.AlertThresholdPercent)
		}
		for _, overlapping := range []BINRange{
			part("B", "000000999", "000001999"), part("B", "000000000", "000000000"), part("B", "000000500", "000000600"),
		} {
			_, err := h.CreateRange(ctx, c, overlapping)
			wantFault(t, err, "bin_range_overlap")
		}
		if _, err := h.CreateRange(ctx, c, part("B", "000001000", "000001999")); err != nil {
			t.Fatal(err)
		}
		_, err = h.UpdateRange(ctx, c, part("A", "000000000", "000000998"), "")
		wantFault(t, err, "bin_range_shrink_not_allowed")
		_, err = h.UpdateRange(ctx, c, part("A", "000000000", "000001000"), "")
		wantFault(t, err, "bin_range_overlap")
		if r, err = h.UpdateRange(ctx, c, part("B", "000001000", "000002999"), ""); err != nil || r.Capacity() != 2000 {
			t.Errorf("got capacity %d (%v), want 2000", r.Capacity(), err)
		}
		_, err = h.UpdateRange(ctx, c, part("B", "000001000", "000002999"), "stale")
		wantFault(t, err, "concurrency_conflict")
		_, err = h.CreateRange(ctx, c, part("A", "000009000", "000009999"))
		wantFault(t, err, "bin_range_already_exists")
		for _, bad := range []BINRange{
			part("C", "00000900", "00000999"), {Code: "C", Name: "C", BIN: "979206", Start: "111111000000000", End: "111111000000001"},
			part("C", "000009999", "000009000"), {Code: "c", Name: "", BIN: "979206", Start: "x", End: "y"},
		} {
			_, err := h.CreateRange(ctx, c, bad)
			wantFault(t, err, "validation_error")
		}
		_, err = h.CreateRange(ctx, h.other, part("A", "000000000", "000000999"))
		wantFault(t, err, "bin_not_found")
		_, err = h.UpdateRange(ctx, h.other, part("A", "000000000", "000000999"), "")
		wantFault(t, err, "bin_range_not_found")
	})
}

// takePAN allocates a number in a transaction of its own.
func (h *house) takePAN(code string) (p pan.PAN, err error) {
	err = h.DB.InTx(h.t.Context(), func(tx db.Tx) error {
		cfg, err := h.ConfigurationIn(h.t.Context(), tx, h.main.Tenant)
		if err != nil {
			return err
		}
		p, err = AllocatePAN(h.t.Context(), tx, cfg, code, clock.RealNow(h.time), func(pan.PAN) (bool, error) { return false, nil })
		return err
	})
	return p, err
}

func TestAllocatePAN_sequentialGivesEachNumberOnceAndEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		if _, err := h.CreateBIN(t.Context(), h.main, testBIN("97920612")); err != nil {
			t.Fatal(err)
		}
		r := BINRange{Code: "S", Name: "S", BIN: "97920612", Start: "979206120000998", End: "979206120001003", Generation: SequentialPAN}
		if _, err := h.CreateRange(t.Context(), h.main, r); err != nil {
			t.Fatal(err)
		}
		for i := range 6 {
			p, err := h.takePAN("S")
			if err != nil {
				t.Fatal(err)
			}
			if want := mustPAN(t, []string{
				"979206120000998", "979206120000999", "979206120001000", "979206120001001", "979206120001002", "979206120001003",
			}[i]); p != want {
				t.Errorf("number %d: got %v, want %v", i, p, want)
			}
		}
		_, err := h.takePAN("S")
		wantFault(t, err, "bin_range_exhausted")
		all, err := h.Ranges(t.Context(), h.main, "", "")
		if err != nil || len(all) != 1 || all[0].UsedCount != 6 || all[0].Remaining() != 0 || all[0].UsagePercent() != 100 {
			t.Errorf("got %+v (%v), want six of six used", all, err)
		}
	})
}

func TestAllocatePAN_passiveRangesGiveNothing(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	h.program(h.main, "979206")
	r := testRange("R1", "979206")
	r.Status = RecordPassive
	if _, err := h.UpdateRange(t.Context(), h.main, r, ""); err != nil {
		t.Fatal(err)
	}
	_, err := h.takePAN("R1")
	wantFault(t, err, "bin_range_passive")
	_, err = h.takePAN("NONE")
	wantFault(t, err, "bin_range_not_found")
}

func TestAllocatePAN_randomNumbersAreValidAndInsideTheRange(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	if _, err := h.CreateBIN(t.Context(), h.main, testBIN("979206")); err != nil {
		t.Fatal(err)
	}
	next := 0
	rapid.Check(t, func(rt *rapid.T) {
		next++
		size := rapid.IntRange(1, 5000).Draw(rt, "size")
		r := BINRange{Code: "R" + itoa(next), Name: "r", BIN: "979206", Start: "979206" + pad(next*10_000), End: "979206" + pad(next*10_000+size-1)}
		if _, err := h.CreateRange(t.Context(), h.main, r); err != nil {
			rt.Fatal(err)
		}
		p, err := h.takePAN(r.Code)
		if err != nil {
			rt.Fatal(err)
		}
		body := p.Reveal()[:15]
		if !p.ValidLuhn() || body < r.Start || body > r.End {
			rt.Fatalf("%v is not of the range or has a wrong check digit", p)
		}
	})
}

func itoa(n int) string { return strings.TrimLeft(pad(n), "0") }

func pad(n int) string {
	s := "000000000"
	digits := []byte(s)
	for i := len(digits) - 1; n > 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return string(digits)
}

// random tries every offset before it gives up.
func TestRandom_triesEveryOffset(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		capacity := rapid.Int64Range(1, 200).Draw(rt, "capacity")
		seen := map[int64]bool{}
		next := random(capacity)
		for {
			n, ok, err := next()
			if err != nil {
				rt.Fatal(err)
			}
			if !ok {
				break
			}
			if n < 0 || n >= capacity {
				rt.Fatalf("offset %d is outside 0 to %d", n, capacity-1)
			}
			seen[n] = true
		}
		if int64(len(seen)) != capacity {
			rt.Fatalf("tried %d of %d offsets", len(seen), capacity)
		}
	})
}

// The hash covers every member that decisions may depend on.
func TestHash_differsWhenAnythingDiffers(t *testing.T) {
	base := func() *Configuration {
		return &Configuration{
			Attributes: DefaultAttributes(money.MustCurrency("TRY"), true),
			BINs:       map[string]BIN{"979206": testBIN("979206")},
			Ranges:     map[string]BINRange{"R1": testRange("R1", "979206")},
			Groups:     map[string]Group{"G": {Code: "G", Name: "G"}},
			Products:   map[string]Product{"P1": testProduct("P1", "R1")},
			Keys:       map[string]KeySet{"K": {CVK: hsm.KeyRef{ID: "a", KCV: "112233"}}},
		}
	}
	want := base().hash()
	if got := base().hash(); got != want {
		t.Fatal("equal configurations have different hashes")
	}
	later := base()
	later.Version = 9
	b := later.BINs["979206"]
	b.ConcurrencyStamp, b.UpdatedAt = "x", time.Now()
	later.BINs["979206"] = b
	if later.hash() != want {
		t.Error("version, stamps and times must not count")
	}
	changes := map[string]func(c *Configuration){
		"attribute":  func(c *Configuration) { c.Attributes.HoldExpiryDays.ATM++ },
		"map":        func(c *Configuration) { c.Attributes.ResponseCodeMap = map[string]string{"A": "05"} },
		"nil amount": func(c *Configuration) { c.Attributes.MaxContactlessLimit = nil },
		"bin":        func(c *Configuration) { x := c.BINs["979206"]; x.ThreeDS = true; c.BINs["979206"] = x },
		"range":      func(c *Configuration) { x := c.Ranges["R1"]; x.Status = RecordPassive; c.Ranges["R1"] = x },
		"group":      func(c *Configuration) { c.Groups["H"] = Group{} },
		"limit":      func(c *Configuration) { x := c.Products["P1"]; x.ContactlessLimit = nil; c.Products["P1"] = x },
		"policy": func(c *Configuration) {
			x := c.Products["P1"]
			x.Policies = []Policy{{Type: PolicyRecurring}}
			c.Products["P1"] = x
		},
		"form factor": func(c *Configuration) {
			x := c.Products["P1"]
			x.FormFactors = []FormFactor{Virtual}
			c.Products["P1"] = x
		},
		"key":        func(c *Configuration) { c.Keys["K"] = KeySet{CVK: hsm.KeyRef{ID: "a", KCV: "112244"}} },
		"moved text": func(c *Configuration) { x := c.Groups["G"]; x.Name, x.Description = "", "G"; c.Groups["G"] = x },
		"tenant":     func(c *Configuration) { c.Tenant.Language = "en" },
		"mark-up": func(c *Configuration) {
			c.Conversion.Markups = []Markup{{Group: "Euro", Currencies: []money.Currency{money.MustCurrency("EUR")}, Rate: onePercent}}
		},
		"billing currency": func(c *Configuration) { c.Conversion.BillingCurrencies = []money.Currency{money.MustCurrency("TRY")} },
	}
	for name, change := range changes {
		c := base()
		change(c)
		if c.hash() == want {
			t.Errorf("%s: the hash stays", name)
		}
	}
}

// Decisions of the past name the configuration they ran under, so its encoding
// must not change without a new version byte.
func TestHash_isTheOneOfVersion2(t *testing.T) {
	c := &Configuration{
		Attributes: Attributes{BalanceMode: BalanceInternal, ResponseCodeMap: map[string]string{"CardLost": "41"}},
		Groups:     map[string]Group{"G": {Name: "Retail", IsActive: true}},
		Products:   map[string]Product{"P": {Name: "Plastic", FormFactors: []FormFactor{Virtual}}},
	}
	const want = "14ec60447f76c645bbc46332c4d2e3a11b216764171453a151122dc99360db0c"
	if got := c.hash(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
