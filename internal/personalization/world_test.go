package personalization

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// world is a sandbox tenant with a product of plastic and a customer, and a
// shelf on which files for bureaus are laid.
type world struct {
	*Service
	t      testing.TB
	clock  *clock.Fake
	audit  *audit.Service
	vault  *vault.Service
	tenant access.Tenant
	caller access.Caller
	shelf  *shelf
}

// shelf keeps files in memory as a disk would: what is prepared stays prepared
// until it is delivered once.
type shelf struct {
	prepared  map[string]File
	delivered []File
	// before is called when a file is about to be prepared, after when it was.
	before, after func()
	broken        error
}

func (s *shelf) Prepare(_ context.Context, f File) (Prepared, error) {
	if s.before != nil {
		s.before()
	}
	if s.broken != nil {
		return Prepared{}, s.broken
	}
	digest := sha256.Sum256([]byte(f.ID))
	if _, err := f.Authenticate(digest); err != nil {
		return Prepared{}, err
	}
	place := fmt.Sprintf("%s.%d", f.ID, len(s.prepared))
	s.prepared[place] = f
	if s.after != nil {
		s.after()
	}
	return Prepared{Tenant: f.Tenant, Vendor: f.Vendor, FileID: f.ID, Place: place, Digest: fmt.Sprintf("%x", digest)}, nil
}

func (s *shelf) Deliver(_ context.Context, p Prepared) error {
	if s.broken != nil {
		return s.broken
	}
	if f, found := s.prepared[p.Place]; found {
		s.delivered = append(s.delivered, f)
		delete(s.prepared, p.Place)
	}
	return nil
}

func (s *shelf) Discard(_ context.Context, p Prepared) error {
	delete(s.prepared, p.Place)
	return nil
}

// cardsIn counts how often each card stands in a delivered file.
func (s *shelf) cardsIn() map[string]int {
	n := map[string]int{}
	for _, f := range s.delivered {
		for _, c := range f.Cards {
			n[c.Plastic.Card.Token]++
		}
	}
	return n
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	now := clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	customers, programs := customer.New(d, backend, now), program.New(d, backend, now)
	cards := issuing.New(d, backend, now, customers, programs)
	customers.Rules, customers.Cards, programs.Issued = programs, cards, cards
	w := &world{
		Service: New(d, backend, programs, cards, now, slog.New(slog.DiscardHandler)), t: t, clock: now,
		audit: audit.New(d, backend, now), vault: vault.New(d, backend, now), shelf: &shelf{prepared: map[string]File{}},
	}
	w.Bureaus = w.shelf
	tenant, _, err := access.New(d, backend, now).CreateTenant(t.Context(), access.NewTenant{Name: "Sarraf Test", Sandbox: true})
	if err != nil {
		t.Fatal(err)
	}
	w.tenant, w.caller = tenant, access.System(tenant)
	w.caller.Client, w.caller.Channel = "sc_test", access.ChannelAPI
	w.define(programs)
	_, err = customers.Create(t.Context(), w.caller, customer.Customer{
		No: "1", Type: customer.Individual, KYCLevel: customer.KYCVerified,
		Profile: customer.Profile{
			Name: "Ada", Surname: "Deniz", BirthDate: clock.Date{Year: 1991, Month: 4, Day: 12}, Nationality: country.Must("TR"), Language: "tr",
		},
		Identifications: []customer.Identification{{Type: customer.TCKN, Number: "10000000146"}},
		Communications:  []customer.Communication{{Type: customer.MobilePhone, Value: "+905321234567", IsPreferred: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) define(programs *program.Service) {
	w.t.Helper()
	ctx, lira := w.t.Context(), money.MustCurrency("TRY")
	_, err := programs.CreateBIN(ctx, w.caller, program.BIN{
		BIN: "979206", Brand: program.BrandTroy, Network: program.NetworkTroy, CardType: program.Prepaid, Currency: lira,
		Country: country.Must("TR"), PANLength: 16, KeySetCode: "SET", Status: program.RecordActive,
	})
	if err == nil {
		_, err = programs.CreateRange(ctx, w.caller, program.BINRange{
			Code: "RANGE", Name: "Range", BIN: "979206", Start: "979206000000000", End: "979206000999999",
			Generation: program.RandomPAN, AlertThresholdPercent: 85, Status: program.RecordActive,
		})
	}
	if err == nil {
		p := program.NewProduct("PLASTIC")
		p.Name, p.BINRangeCode, p.CardType, p.Currency = "Plastic", "RANGE", program.Prepaid, lira
		p.FormFactors, p.ValidityMonths, p.ServiceCode, p.MaxCardsPerCustomer = []program.FormFactor{program.PhysicalCard}, 60, "221", 0
		p.ChipProfile, p.RequireDelivery = "CVN18-PIN", true
		p.Plastics = []program.Plastic{{
			Code: "STD", CardArtCode: "BLUE", PlasticCode: "P01", PersoVendorCode: "BUREAU", EmbossType: program.FlatPrinted,
			Line1MaxLength: 24, Line2MaxLength: 24, IsDefault: true, IsActive: true, DeliveryMethods: []program.DeliveryMethod{program.ByBranch},
		}}
		_, err = programs.CreateProduct(ctx, w.caller, p)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// order issues a card that is to be made.
func (w *world) order() issuing.Card {
	w.t.Helper()
	made, err := w.Issuing.IssueCard(w.t.Context(), w.caller, issuing.NewCard{CustomerNo: "1", ProductCode: "PLASTIC", BranchCode: "0001"})
	if err != nil {
		w.t.Fatal(err)
	}
	return made.Card
}

// share gives the bureau a key, and returns it as we keep it.
func (w *world) share() hsm.KeyRef {
	w.t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		w.t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		w.t.Fatal(err)
	}
	shared, err := w.vault.ShareBureauKey(w.t.Context(), w.tenant.ID, "BUREAU", base64.StdEncoding.EncodeToString(der))
	if err != nil {
		w.t.Fatal(err)
	}
	return shared.Key.Ref
}

func (w *world) run() Summary {
	w.t.Helper()
	m, err := w.Run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *world) plastic(token string) (issuing.Card, Production) {
	w.t.Helper()
	card, p, err := w.ProductionOf(w.t.Context(), w.caller, token, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return card, p
}

// at wants a plastic in two statuses.
func (w *world) at(token string, perso issuing.PersoStatus, shipment issuing.ShipmentStatus) {
	w.t.Helper()
	card, _ := w.plastic(token)
	if card.Physical.PersoStatus != perso || card.Physical.ShipmentStatus != shipment {
		w.t.Errorf("production is %s and shipment %s, want %s and %s", card.Physical.PersoStatus, card.Physical.ShipmentStatus, perso, shipment)
	}
}

var eventNo int

// tell sends an event that happened now.
func (w *world) tell(about About, token, status string) error {
	eventNo++
	_, err := w.Record(w.t.Context(), w.caller, Event{
		About: about, Vendor: "BUREAU", ID: fmt.Sprintf("E%d", eventNo), CardToken: token, Status: status, At: w.clock.Now(),
	})
	return err
}

// tellAll sends events that must all be taken.
func (w *world) tellAll(about About, token string, statuses ...string) {
	w.t.Helper()
	for _, status := range statuses {
		w.clock.Advance(time.Minute)
		if err := w.tell(about, token, status); err != nil {
			w.t.Fatalf("%s: %v", status, err)
		}
	}
}

func wantCode(t testing.TB, err error, code fault.Code) *fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	return f
}
