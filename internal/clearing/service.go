package clearing

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Programs finds whose BIN a card number has. It is program.Service.
type Programs interface {
	Route(ctx context.Context, p pan.PAN) (*program.Configuration, program.BIN, bool, error)
}

// Cards finds the cards of a number. It is issuing.Service.
type Cards interface {
	CardsByPAN(ctx context.Context, tenant access.TenantID, p pan.PAN) ([]issuing.CardOnNetwork, error)
}

// Service imports clearing files. It is safe for concurrent use.
type Service struct {
	db       *db.DB
	programs Programs
	cards    Cards
	limits   *authorization.Limits
	clock    clock.Clock
}

// New returns the service on an open database, which counts what it posts under
// limits.
func New(d *db.DB, programs Programs, cards Cards, limits *authorization.Limits, c clock.Clock) *Service {
	return &Service{db: d, programs: programs, cards: cards, limits: limits, clock: c}
}
