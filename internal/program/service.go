package program

import (
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// Service is what this package does. It is safe for concurrent use.
type Service struct {
	DB    *db.DB
	HSM   hsm.Backend
	Clock clock.Clock

	Issued Issued // is set before the first use, as is
	Taxed  Taxed  // nil: no taxes are charged

	cache cache
}

// New returns a service on this database and security module.
func New(d *db.DB, h hsm.Backend, c clock.Clock) *Service {
	return &Service{DB: d, HSM: h, Clock: c}
}
