package control

import (
	"context"
	"log/slog"
	"sync"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Service is what this package does. It is safe for concurrent use.
type Service struct {
	DB        *db.DB
	Programs  *program.Service
	Customers *customer.Service
	Clock     clock.Clock
	Log       *slog.Logger // nil: none

	kinds []compilable // that a snapshot holds
	kept  sync.Map     // access.TenantID → *Snapshot
}

// New returns a service on this database, whose tenants' configuration versions
// programs raises.
func New(d *db.DB, programs *program.Service, customers *customer.Service, c clock.Clock) *Service {
	return &Service{DB: d, Programs: programs, Customers: customers, Clock: c, kinds: []compilable{&VelocityChecks, &AuthorizationChecks}} // ownKinds
}

// ownKinds is how many kinds are defined here. The others were included.
const ownKinds = 2

// Include makes definitions of another package part of every [Snapshot]. It is
// for the start, before the first is taken.
func (s *Service) Include(definitions compilable) { s.kinds = append(s.kinds, definitions) }

// change runs f in a transaction that raises the tenant's configuration
// version: what is decided from its commit on is decided under it.
func (s *Service) change(ctx context.Context, tenant access.TenantID, f func(tx db.Tx) error) error {
	return s.Programs.Change(ctx, tenant, f)
}

// keep stores k unless a newer one is kept.
func (s *Service) keep(tenant access.TenantID, k *Snapshot) {
	for {
		old, found := s.kept.LoadOrStore(tenant, k)
		if !found || old.(*Snapshot).Version >= k.Version || s.kept.CompareAndSwap(tenant, old, k) {
			return
		}
	}
}
