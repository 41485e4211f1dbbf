package customer

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// house is a service on a database of its own with three tenants: main and
// other are sandboxes, production is none. Nobody in it has a card.
type house struct {
	*Service
	t                       testing.TB
	time                    *clock.Fake
	access                  *access.Service
	main, other, production access.Caller

	uniquePhones bool // what the tenants decided
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
	h.Rules, h.Cards, h.access.Watcher = h, h, h
	h.main, h.other, h.production = h.tenantNamed("Main", true), h.tenantNamed("Other", true), h.tenantNamed("Production", false)
	return h
}

func (h *house) tenantNamed(name string, sandbox bool) access.Caller {
	h.t.Helper()
	tenant, _, err := h.access.CreateTenant(h.t.Context(), access.NewTenant{Name: name, Sandbox: sandbox})
	if err != nil {
		h.t.Fatal(err)
	}
	return access.System(tenant)
}

func (h *house) TenantChanged(context.Context, db.Tx, access.TenantID) error { return nil }

func (h *house) UniqueMobilePhone(context.Context, access.Caller) (bool, error) {
	return h.uniquePhones, nil
}

func (h *house) CardsOfCustomer(context.Context, db.Tx, access.TenantID, id.ID[Customer]) ([]Card, error) {
	return nil, nil
}

func (h *house) IssuancesPerCustomer(context.Context, db.Tx, access.TenantID, []id.ID[Customer]) (map[id.ID[Customer]]int, error) {
	return nil, nil
}

func (h *house) CardExists(context.Context, db.Tx, access.TenantID, string) error {
	return fault.New(fault.NotFound, "card_not_found", "there is no such card")
}

func (h *house) CardNoted(context.Context, db.Tx, access.Caller, string) error { return nil }

// masked is the caller without the right to see customers in clear.
func masked(c access.Caller) access.Caller {
	c.Permissions = access.PermissionsOf(access.IssuingCustomer)
	return c
}

// testCustomer is a person whose identification is tckn.
func testCustomer(name, surname, tckn string) Customer {
	return Customer{
		Type: Individual, KYCLevel: KYCBasic,
		Profile: Profile{
			Name: name, Surname: surname, BirthDate: clock.Date{Year: 1991, Month: 4, Day: 12}, Nationality: country.Must("TR"),
		},
		Identifications: []Identification{{Type: TCKN, Number: tckn}},
		Communications:  []Communication{{Type: MobilePhone, Value: "0532 123 45 67"}, {Type: Email, Value: "Ayse@example.com"}},
		Addresses: []Address{{
			Type: HomeAddress, CityCode: "34", TownName: "Besiktas", Lines: [4]string{"Test Sokak 1"},
		}},
	}
}

// wantFault fails unless err is a fault with this code.
func wantFault(t testing.TB, err error, code fault.Code) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code {
		t.Errorf("got %v, want the fault %s", err, code)
	}
}
