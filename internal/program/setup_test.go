package program

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// house is a service on a database of its own with three tenants: main and
// other are sandboxes, production is none.
type house struct {
	*Service
	t                       testing.TB
	time                    *clock.Fake
	access                  *access.Service
	main, other, production access.Caller
}

func newHouse(t testing.TB, d *db.DB) *house {
	t.Helper()
	backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	now := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
	h := &house{Service: New(d, backend, now), t: t, time: now, access: access.New(d, backend, now)}
	h.Issued, h.access.Watcher = h, h
	h.main, h.other, h.production = h.tenantNamed("Main", true), h.tenantNamed("Other", true), h.tenantNamed("Production", false)
	return h
}

// IssuancesOfProduct counts what a test has put beside the products.
func (h *house) IssuancesOfProduct(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, _ int) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM issuance WHERE tenant_id = $1 AND product_code = $2`, tenant, code)
	return n, err
}

func (h *house) tenantNamed(name string, sandbox bool) access.Caller {
	h.t.Helper()
	tenant, _, err := h.access.CreateTenant(h.t.Context(), access.NewTenant{Name: name, Sandbox: sandbox})
	if err != nil {
		h.t.Fatal(err)
	}
	return access.System(tenant)
}

// testBIN is a BIN as a test would ask for it.
func testBIN(digits string) BIN {
	return BIN{BIN: digits, Brand: BrandTroy, CardType: Prepaid, CardLevel: LevelPrepaid}
}

// testRange is the whole of a BIN's card numbers of 16 digits.
func testRange(code, bin string) BINRange {
	zeros, nines := "000000000000000"[len(bin):], "999999999999999"[len(bin):]
	return BINRange{Code: code, Name: code, BIN: bin, Start: bin + zeros, End: bin + nines}
}

func testProduct(code, binRange string) Product {
	p := NewProduct(code)
	p.Name, p.BINRangeCode, p.CardType, p.Currency = "Product "+code, binRange, Prepaid, money.MustCurrency("TRY")
	p.FormFactors, p.ValidityMonths, p.ServiceCode, p.MaxCardsPerCustomer = []FormFactor{Virtual, PhysicalCard}, 60, "221", 0
	p.ContactlessEnabled = true
	cumulative, count := money.Must(500_000, "TRY"), 5
	p.ContactlessLimit = &ContactlessLimit{Transaction: money.Must(250_000, "TRY"), Cumulative: &cumulative, ConsecutiveCount: &count}
	p.Plastics = []Plastic{{
		Code: "STD", CardArtCode: "BLUE", PlasticCode: "P01", PersoVendorCode: "BUREAU1", Line1MaxLength: 26,
		EmbossType: FlatPrinted, IsDefault: true, IsActive: true,
	}}
	return p
}

// program defines BIN, range R1 and product P1 for a tenant.
func (h *house) program(c access.Caller, bin string) Product {
	h.t.Helper()
	if _, err := h.CreateBIN(h.t.Context(), c, testBIN(bin)); err != nil {
		h.t.Fatalf("create BIN: %v", err)
	}
	if _, err := h.CreateRange(h.t.Context(), c, testRange("R1", bin)); err != nil {
		h.t.Fatalf("create range: %v", err)
	}
	p, err := h.CreateProduct(h.t.Context(), c, testProduct("P1", "R1"))
	if err != nil {
		h.t.Fatalf("create product: %v", err)
	}
	return p
}

// wantFault fails unless err is a fault with this code.
func wantFault(t testing.TB, err error, code fault.Code) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code {
		t.Errorf("got %v, want the fault %s", err, code)
	}
}
