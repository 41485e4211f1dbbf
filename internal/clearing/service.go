package clearing

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// Cards finds whose a card number is. It is issuing.Service.
type Cards interface {
	Route(ctx context.Context, p pan.PAN) (*issuing.Configuration, issuing.BIN, bool, error)
	CardsByPAN(ctx context.Context, tenant access.TenantID, p pan.PAN) ([]issuing.CardOnNetwork, error)
}

// Service imports clearing files. It is safe for concurrent use.
type Service struct {
	db    *db.DB
	cards Cards
	clock clock.Clock
}

// New returns the service on an open database.
func New(d *db.DB, cards Cards, c clock.Clock) *Service {
	return &Service{db: d, cards: cards, clock: c}
}
