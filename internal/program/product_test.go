package program

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func TestProduct_codesStayTakenAndUseProtects(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		h.program(c, "979206")
		if _, err := h.CreateGroup(ctx, c, Group{Code: "RETAIL", Name: "Retail", IsActive: true}); err != nil {
			t.Fatal(err)
		}
		p := testProduct("P2", "R1")
		p.GroupCode = "RETAIL"
		if _, err := h.CreateProduct(ctx, c, p); err != nil {
			t.Fatal(err)
		}
		err := h.DeleteGroup(ctx, c, "RETAIL")
		wantFault(t, err, "product_group_in_use")
		if f, _ := fault.As(err); f != nil {
			if diff := cmp.Diff(map[string]int{"products": 1}, f.Params["usedBy"]); diff != "" {
				t.Errorf("usedBy (-want +got):\n%s", diff)
			}
		}
		wantFault(t, h.DeleteProduct(ctx, h.other, "P2"), "product_not_found")
		if err := h.DeleteProduct(ctx, c, "P2"); err != nil {
			t.Fatal(err)
		}
		_, err = h.Product(ctx, c, "P2")
		wantFault(t, err, "product_not_found")
		_, err = h.CreateProduct(ctx, c, p)
		wantFault(t, err, "product_already_exists")
		if err := h.DeleteGroup(ctx, c, "RETAIL"); err != nil {
			t.Fatal(err)
		}
		_, err = h.CreateGroup(ctx, c, Group{Code: "RETAIL", Name: "Retail"})
		wantFault(t, err, "product_group_already_exists")
		p.Code = "P3"
		_, err = h.CreateProduct(ctx, c, p)
		wantFault(t, err, "product_group_not_found")
	})
}

func TestProduct_cardsFixCurrencyAndDeletion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		p := h.program(c, "979206")
		err := d.InTx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO issuance (id, tenant_id, issuance_no, product_code, account_id, account_no,
				digital_slip_type, auto_renewal, policies, current_card_id, concurrency_stamp, created_at, updated_at)
				VALUES ('iss_test', $1, '9000000000000017', 'P1', 'a', 'a', 'PaperAlways', 'Enabled', '[]', 'c', 's', 1, 1)`, c.Tenant)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = h.DeleteProduct(ctx, c, "P1")
		wantFault(t, err, "product_in_use")
		euro := p
		euro.Currency, euro.ContactlessEnabled, euro.ContactlessLimit = money.MustCurrency("EUR"), false, nil
		_, err = h.UpdateProduct(ctx, c, ProductChange{Product: euro})
		wantFault(t, err, "product_currency_fixed")
		if _, err := h.CreateBIN(ctx, c, testBIN("979207")); err != nil {
			t.Fatal(err)
		}
		if _, err := h.CreateRange(ctx, c, testRange("R2", "979207")); err != nil {
			t.Fatal(err)
		}
		p.BINRangeCode = "R2"
		_, err = h.UpdateProduct(ctx, c, ProductChange{Product: p})
		wantFault(t, err, "product_bin_range_fixed")
		if _, err := h.UpdateProduct(ctx, c, ProductChange{Product: p, ApplyToNewCards: true}); err != nil {
			t.Error(err)
		}
		b := testBIN("979207")
		b.CardType = Debit
		_, err = h.UpdateBIN(ctx, c, b, "")
		wantFault(t, err, "bin_in_use")
	})
}

func TestProduct_tellsWhatDoesNotFit(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	ctx, c := t.Context(), h.main
	h.program(c, "979206")
	if _, err := h.CreateGroup(ctx, c, Group{Code: "OLD", Name: "Old"}); err != nil {
		t.Fatal(err)
	}
	for code, change := range map[fault.Code]func(p *Product){
		"product_group_passive":       func(p *Product) { p.GroupCode = "OLD" },
		"bin_range_not_found":         func(p *Product) { p.BINRangeCode = "NONE" },
		"product_card_type_mismatch":  func(p *Product) { p.CardType = Credit },
		"invalid_service_code":        func(p *Product) { p.ServiceCode = "321" },
		"contactless_limit_above_cap": func(p *Product) { p.ContactlessLimit.Transaction = money.Must(250_001, "TRY") },
		access.CodeInvalid:            func(p *Product) { p.ValidityMonths = 121 },
	} {
		p := testProduct("X", "R1")
		change(&p)
		_, err := h.CreateProduct(ctx, c, p)
		wantFault(t, err, code)
	}
	for field, change := range map[string]func(p *Product){
		"code":                          func(p *Product) { p.Code = "x y" },
		"name":                          func(p *Product) { p.Name = "" },
		"currencyCode":                  func(p *Product) { p.Currency = money.Currency{} },
		"customerTypes":                 func(p *Product) { p.CustomerTypes = nil },
		"allowedFormFactors":            func(p *Product) { p.FormFactors = nil },
		"allowedFormFactors[1]":         func(p *Product) { p.FormFactors = []FormFactor{Virtual, Virtual} },
		"pinLength":                     func(p *Product) { p.PINLength = 7 },
		"pinTryLimit":                   func(p *Product) { p.PINTryLimit = 0 },
		"initialStatusVirtual":          func(p *Product) { p.InitialStatusVirtual = "Blocked" },
		"contactlessLimit":              func(p *Product) { p.ContactlessLimit = nil },
		"contactlessLimit.currencyCode": func(p *Product) { p.ContactlessLimit.Transaction = money.Must(1, "EUR") },
		"physicals":                     func(p *Product) { p.Plastics = nil },
		"physicals[0].line1MaxLength":   func(p *Product) { p.Plastics[0].Line1MaxLength = 30 },
		"policies[0].policyType":        func(p *Product) { p.Policies = []Policy{{Type: "Everything"}} },
	} {
		p := testProduct("X", "R1")
		change(&p)
		_, err := h.CreateProduct(ctx, c, p)
		wantFault(t, err, access.CodeInvalid)
		if f, ok := fault.As(err); !ok || len(f.Fields) == 0 || f.Fields[0].Name != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestServiceCode_isThreeDigitsOfTheStandard(t *testing.T) {
	n := 0
	for i := range 1000 {
		if validServiceCode(fmt.Sprintf("%03d", i)) {
			n++
		}
	}
	if n != 6*3*8 {
		t.Errorf("got %d valid service codes, want 144", n)
	}
	for _, good := range []string{"201", "221", "601", "101", "226"} {
		if !validServiceCode(good) {
			t.Errorf("%s is refused", good)
		}
	}
}

func TestProducts_areListedByWhatIsAsked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		h.program(c, "979206")
		for code, name := range map[string]string{"TROY_STD": "Işıklı Kart", "TROY_GOLD": "Altın Kart"} {
			p := testProduct(code, "R1")
			p.Name = name
			if code == "TROY_GOLD" {
				p.Status = RecordPassive
			}
			if _, err := h.CreateProduct(ctx, c, p); err != nil {
				t.Fatal(err)
			}
		}
		for name, q := range map[string]struct {
			filter ProductFilter
			want   string
		}{
			"all":      {ProductFilter{}, "P1 TROY_GOLD TROY_STD"},
			"folded":   {ProductFilter{Text: "ISIKLI"}, "TROY_STD"},
			"code":     {ProductFilter{Text: "troy"}, "TROY_GOLD TROY_STD"},
			"inside":   {ProductFilter{Text: "sikli"}, ""},
			"status":   {ProductFilter{Status: RecordPassive}, "TROY_GOLD"},
			"range":    {ProductFilter{BINRangeCode: "R9"}, ""},
			"cardType": {ProductFilter{CardType: Prepaid, Page: list.Page{Sort: []list.SortKey{{Name: "code", Descending: true}}}}, "TROY_STD TROY_GOLD P1"},
		} {
			q.filter.Limit = 10
			page, total, err := h.Products(ctx, c, q.filter)
			var got []string
			for _, p := range page {
				got = append(got, p.Code)
			}
			if err != nil || strings.Join(got, " ") != q.want || total != len(got) {
				t.Errorf("%s: got %v of %d (%v), want %s", name, got, total, err, q.want)
			}
		}
		if page, total, err := h.Products(ctx, c, ProductFilter{Page: list.Page{Skip: 1, Limit: 1}}); err != nil || total != 3 || len(page) != 1 {
			t.Errorf("got %d of %d (%v), want one of three", len(page), total, err)
		}
	})
}

func TestAttributes_areOneDocumentWithDefaults(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		a, err := h.Attributes(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		if want := (HoldExpiryDays{7, 30, 30, 1}); a.HoldExpiryDays != want || a.BalanceMode != BalanceInternal || !a.AllowClearSensitive ||
			a.MaxContactlessLimit == nil || a.MaxContactlessLimit.Minor() != 250_000 {
			t.Errorf("defaults: got %+v", a)
		}
		_, err = h.UpdateAttributes(ctx, c, a, "")
		wantFault(t, err, "issuing_attribute_not_found")
		daily := money.Must(100_00, "TRY")
		a.StandIn = StandInPolicy{Action: StandInApproveUpTo, AmountPerTransaction: &daily, AmountPerDay: &daily, MCCExclusions: []string{"7995"}}
		a.MaxContactlessLimit, a.TaxRates = nil, []TaxRate{{TaxType: "Bsmv", Rate: 150_000, EffectiveFrom: "2026-01-01"}}
		a.ClearingTolerances.RefundAlert = &daily
		a.ClientTimeout, a.ResponseCodeMap = 900*time.Millisecond, map[string]string{"CardLost": "41"}
		made, err := h.CreateAttributes(ctx, c, a)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.CreateAttributes(ctx, c, a)
		wantFault(t, err, "issuing_attribute_already_exists")
		read, err := h.Attributes(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(made, read, cmp.AllowUnexported(money.Amount{}, money.Currency{})); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
		read.UniqueMobilePhone = true
		if _, err := h.UpdateAttributes(ctx, c, read, read.ConcurrencyStamp); err != nil {
			t.Fatal(err)
		}
		_, err = h.UpdateAttributes(ctx, c, read, made.ConcurrencyStamp)
		wantFault(t, err, access.CodeConcurrency)
		_, err = h.CreateAttributes(ctx, h.production, a)
		wantFault(t, err, "sandbox_only")
		p, err := h.Attributes(ctx, h.production)
		if err != nil || p.AllowClearSensitive {
			t.Errorf("production: got %t (%v), want no clear data", p.AllowClearSensitive, err)
		}
		a.DigitalSlipRetentionMonths, a.SettlementCutOff = 5, "25:00"
		_, err = h.UpdateAttributes(ctx, c, a, "")
		wantFault(t, err, access.CodeInvalid)
	})
}

// PostgreSQL refuses a NUL in a text; a caller must see that there is no such
// thing, not that we failed.
func TestKeys_withControlCharactersNameNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		h.program(c, "979206")
		const bad = "P1\x00"
		_, err := h.Product(ctx, c, bad)
		wantFault(t, err, "product_not_found")
		_, err = h.BIN(ctx, c, bad)
		wantFault(t, err, "bin_not_found")
		wantFault(t, h.DeleteGroup(ctx, c, bad), "product_group_not_found")
		_, err = h.CreateRange(ctx, c, testRange("R2", "97920\x00"))
		wantFault(t, err, "bin_not_found")
		if _, total, err := h.Products(ctx, c, ProductFilter{Text: bad, GroupCode: bad, Page: list.Page{Limit: 1}}); err != nil || total != 0 {
			t.Errorf("got %d products (%v), want none", total, err)
		}
	})
}

func TestCodes_areNamedOnce(t *testing.T) {
	seen := map[fault.Code]bool{}
	for _, c := range Codes {
		if seen[c] {
			t.Errorf("%s is there twice", c)
		}
		seen[c] = true
	}
}
