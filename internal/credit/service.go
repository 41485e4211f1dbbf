package credit

import (
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Service is what this package does. It is safe for concurrent use.
type Service struct {
	DB        *db.DB
	Clock     clock.Clock
	Customers *customer.Service
	Programs  *program.Service
	Cards     *issuing.Service
	// VirtualCardsMax is how many virtual cards a main card may have in force; 0 is five.
	VirtualCardsMax int
}
