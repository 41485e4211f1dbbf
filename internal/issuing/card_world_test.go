package issuing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// cardWorld is a sandbox tenant with a BIN, a product for each form, and a
// customer.
type cardWorld struct {
	*Service
	clock  *clock.Fake
	access *access.Service
	caller access.Caller
	tenant access.Tenant
}

const (
	plasticProduct = "PLASTIC"
	virtualProduct = "VIRTUAL"
)

func newCardWorld(t testing.TB, d *db.DB) *cardWorld {
	t.Helper()
	backend, err := soft.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	now := clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	customers, programs := customer.New(d, backend, now), program.New(d, backend, now)
	w := &cardWorld{Service: New(d, backend, now, customers, programs), clock: now, access: access.New(d, backend, now)}
	customers.Rules, customers.Cards, programs.Issued = programs, w, w
	w.tenant, w.caller = w.newTenant(t, "Sarraf Test", true)
	w.define(t, w.caller, "979206")
	return w
}

func (w *cardWorld) newTenant(t testing.TB, name string, sandbox bool) (access.Tenant, access.Caller) {
	t.Helper()
	tenant, _, err := w.access.CreateTenant(t.Context(), access.NewTenant{Name: name, Sandbox: sandbox})
	if err != nil {
		t.Fatal(err)
	}
	c := access.System(tenant)
	c.Client, c.Channel = "sc_test", access.ChannelAPI
	return tenant, c
}

// define gives the caller's tenant a BIN, a range, two products and customer 1.
func (w *cardWorld) define(t testing.TB, c access.Caller, bin string) {
	t.Helper()
	ctx := t.Context()
	_, err := w.programs.CreateBIN(ctx, c, program.BIN{
		BIN: bin, Brand: program.BrandTroy, Network: program.NetworkTroy, CardType: program.Prepaid, Currency: money.MustCurrency("TRY"),
		Country: country.Must("TR"), PANLength: 16, KeySetCode: "SET" + bin, Status: program.RecordActive,
	})
	if err != nil {
		t.Fatalf("create BIN: %v", err)
	}
	zeros := 15 - len(bin)
	_, err = w.programs.CreateRange(ctx, c, program.BINRange{
		Code: "RANGE", Name: "Range", BIN: bin, Start: bin + fmt.Sprintf("%0*d", zeros, 0), End: bin + fmt.Sprintf("%0*d", zeros, 999_999),
		Generation: program.RandomPAN, AlertThresholdPercent: 85, Status: program.RecordActive,
	})
	if err != nil {
		t.Fatalf("create range: %v", err)
	}
	for code, forms := range map[string][]program.FormFactor{
		plasticProduct: {program.PhysicalCard, program.DigitalFirst}, virtualProduct: {program.Virtual},
	} {
		p := program.NewProduct(code)
		p.Name, p.BINRangeCode, p.CardType, p.Currency = "Product "+code, "RANGE", program.Prepaid, money.MustCurrency("TRY")
		p.FormFactors, p.ValidityMonths, p.ServiceCode, p.MaxCardsPerCustomer, p.MaxChildCards = forms, 60, "221", 0, 2
		if code == plasticProduct {
			p.Plastics = []program.Plastic{{
				Code: "STD", CardArtCode: "BLUE", PlasticCode: "P01", PersoVendorCode: "BUREAU", EmbossType: program.FlatPrinted,
				Line1MaxLength: 24, Line2MaxLength: 24, IsDefault: true, IsActive: true,
			}}
		}
		if _, err := w.programs.CreateProduct(ctx, c, p); err != nil {
			t.Fatalf("create product: %v", err)
		}
	}
	w.addCustomer(t, c, "1", "10000000146")
}

func (w *cardWorld) addCustomer(t testing.TB, c access.Caller, no, tckn string) {
	t.Helper()
	_, err := w.customers.Create(t.Context(), c, customer.Customer{
		No: no, Type: customer.Individual, KYCLevel: customer.KYCVerified,
		Profile: customer.Profile{
			Name: "Ayşe", Surname: "Yılmaz", BirthDate: clock.Date{Year: 1991, Month: 4, Day: 12},
			Nationality: country.Must("TR"), Language: "tr",
		},
		Identifications: []customer.Identification{{Type: customer.TCKN, Number: tckn}},
		Communications:  []customer.Communication{{Type: customer.MobilePhone, Value: "+905321234567", IsPreferred: true}},
		Addresses: []customer.Address{{
			Type: customer.HomeAddress, Country: country.Must("TR"), CityCode: "34", TownName: "Kadıköy", Lines: [4]string{"Moda Cad. 1"}, IsDefault: true,
		}},
	})
	if err != nil {
		t.Fatalf("create customer: %v", err)
	}
}

// issue issues a virtual card of customer 1 whose number does not end in one of
// the PINs that tests choose.
func (w *cardWorld) issue(t testing.TB) IssuedCard {
	t.Helper()
	for {
		c := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct})
		if !strings.Contains("7392 8274 3917", c.Card.LastFour) {
			return c
		}
	}
}

var blockFormats = map[PINForm]hsm.PINFormat{ISO0Block: hsm.ISO0, ISO1Block: hsm.ISO1, ISO3Block: hsm.ISO3, ISO4Block: hsm.ISO4}

// wrongPIN is a block that no key of ours made, so that it is no card's PIN, not
// even by a collision of verification values.
func wrongPIN() PINInput {
	return PINInput{Block: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Form: ISO0Block, Member: "pinBlock"}
}

func (w *cardWorld) issueWith(t testing.TB, in NewCard) IssuedCard {
	t.Helper()
	out, err := w.IssueCard(t.Context(), w.caller, in)
	if err != nil {
		t.Fatalf("issue card: %v", err)
	}
	return out
}

func (w *cardWorld) reveal(t testing.TB, token string) ClearCard {
	t.Helper()
	out, err := w.RevealCard(t.Context(), w.caller, token, 0)
	if err != nil {
		t.Fatalf("reveal card: %v", err)
	}
	return out
}

func clearPIN(digits string) PINInput {
	return PINInput{Member: "encryptedPin", Clear: secret.FromString(digits)}
}

// pinBlockOf is a PIN block of format under the BIN's own ZPK, as a terminal
// would make it.
func (w *cardWorld) pinBlockOf(t testing.TB, token string, form PINForm, digits string) PINInput {
	t.Helper()
	u, err := w.openForUse(t.Context(), w.caller, token, 0)
	if err != nil {
		t.Fatal(err)
	}
	key := u.keys.ZPK
	if form == ISO4Block {
		key = u.keys.ZPKAES
	}
	block, err := w.HSM.EncodePIN(t.Context(), key, blockFormats[form], w.reveal(t, token).Number, secret.FromString(digits))
	if err != nil {
		t.Fatal(err)
	}
	return PINInput{Block: block, Form: form, Member: "pinBlock"}
}

func wantCode(t testing.TB, err error, code fault.Code) *fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	return f
}

// forceStatus puts a card into a status whatever the rules say.
func (w *cardWorld) forceStatus(t testing.TB, card Card, s CardStatus) {
	t.Helper()
	err := w.DB.InTx(t.Context(), func(tx db.Tx) error {
		now, _, err := readCardByID(t.Context(), tx, card.Tenant, card.ID)
		if err != nil || now.Status == s {
			return err
		}
		_, err = moveCard(t.Context(), tx, card.Tenant, card.ID, now.Status, StatusChange{Status: s, Reason: OtherReason, ChangedAt: w.clock.Now()})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// numberOf opens the number of a card.
func (w *cardWorld) numberOf(t testing.TB, c Card) pan.PAN {
	t.Helper()
	p, err := w.openPAN(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return p
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
