package ledger

import (
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Service holds the use cases on accounts. It is safe for concurrent use.
type Service struct {
	db    *db.DB
	clock clock.Clock
}

// New returns the service on an open database.
func New(d *db.DB, c clock.Clock) *Service { return &Service{db: d, clock: c} }
