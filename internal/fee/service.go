package fee

import (
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Service orders and charges what cards cost besides what they pay. It is safe
// for concurrent use.
type Service struct {
	DB       *db.DB
	Programs *program.Service
	Controls *control.Service
	Cards    *issuing.Service
	Charger  Charger
	Usage    Usage
	Clock    clock.Clock
}

var _ issuing.Fees = (*Service)(nil)
