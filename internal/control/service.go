package control

import (
	"sync"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Service is what this package does. It is safe for concurrent use.
type Service struct {
	DB       *db.DB
	Programs *program.Service
	Clock    clock.Clock

	kept sync.Map // access.TenantID → *Snapshot
}

// New returns a service on this database, whose tenants' configuration versions
// programs raises.
func New(d *db.DB, programs *program.Service, c clock.Clock) *Service {
	return &Service{DB: d, Programs: programs, Clock: c}
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
