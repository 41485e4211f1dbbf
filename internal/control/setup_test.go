package control

import (
	"bytes"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// house is a service on a database of its own with two tenants.
type house struct {
	*Service
	t           testing.TB
	time        *clock.Fake
	db          *db.DB
	main, other access.Caller
}

func newHouse(t testing.TB, d *db.DB) *house {
	t.Helper()
	backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	now := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
	programs := program.New(d, backend, now)
	tenants := access.New(d, backend, now)
	tenants.Watcher = programs
	h := &house{Service: New(d, programs, customer.New(d, backend, now), now), t: t, time: now, db: d}
	for name, c := range map[string]*access.Caller{"Main": &h.main, "Other": &h.other} {
		tenant, _, err := tenants.CreateTenant(t.Context(), access.NewTenant{Name: name, Sandbox: true})
		if err != nil {
			t.Fatal(err)
		}
		*c = access.System(tenant)
	}
	return h
}

// node is the service of another node on the same database.
func (h *house) node() *Service {
	return New(h.db, program.New(h.db, h.Programs.HSM, h.time), h.Customers, h.time)
}

// defined defines a list of texts of the tenant main.
func (h *house) defined(code string, values ...string) NamedList {
	h.t.Helper()
	l, err := h.CreateList(h.t.Context(), h.main, NamedList{Code: code, Name: "List " + code, Type: StringValues, Values: values, IsActive: true})
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

// version is the configuration version of the tenant main.
func (h *house) version() (version int64) {
	h.t.Helper()
	err := h.db.View(h.t.Context(), func(tx db.Tx) error {
		versions, err := program.ConfigurationVersions(h.t.Context(), tx, []access.TenantID{h.main.Tenant})
		version = versions[h.main.Tenant]
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return version
}

// wantFault fails unless err is a fault with this code.
func wantFault(t testing.TB, err error, code fault.Code) *fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code {
		t.Errorf("got %v, want the fault %s", err, code)
		return &fault.Error{}
	}
	return f
}
