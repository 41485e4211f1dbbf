package issuing

import (
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Service is what this package does. It is safe for concurrent use.
type Service struct {
	DB    *db.DB
	HSM   hsm.Backend
	Clock clock.Clock
	// PINs sends PINs to cardholders; nil: nobody does.
	PINs PINSender
	// LastUse tells which cards are in use; nil for not asking.
	LastUse LastUse
	// Holds is set once, before use. Without it, the account alone tells whether
	// something of a card is open.
	Holds Holds
	// Limits is told whose card a noname card is; nil for nobody.
	Limits Limits
	// Fees is set once, before use; without it cards cost nothing.
	Fees Fees

	customers *customer.Service
	programs  *program.Service
}

// New returns a service on this database and security module, for these
// customers and under these programmes.
func New(d *db.DB, h hsm.Backend, c clock.Clock, customers *customer.Service, programs *program.Service) *Service {
	return &Service{DB: d, HSM: h, Clock: c, customers: customers, programs: programs}
}
