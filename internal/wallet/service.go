package wallet

import (
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// Service is what this package does. It is safe for concurrent use.
type Service struct {
	db    *db.DB
	hsm   hsm.Sealing
	clock clock.Clock
}

// New returns a service on this database and security module.
func New(d *db.DB, h hsm.Sealing, c clock.Clock) *Service { return &Service{d, h, c} }
