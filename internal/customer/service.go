package customer

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// Service is what this package does. It is safe for concurrent use.
type Service struct {
	DB    *db.DB
	HSM   hsm.Sealing
	Clock clock.Clock

	// Rules and Cards are set before the first use.
	Rules Rules
	Cards Cards

	persons persons
}

// New returns a service on this database and security module.
func New(d *db.DB, h hsm.Sealing, c clock.Clock) *Service {
	return &Service{DB: d, HSM: h, Clock: c}
}

func (s *Service) tenant(ctx context.Context, c access.Caller) (t access.Tenant, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		t, err = access.MustTenant(ctx, tx, c.Tenant)
		return err
	})
	return t, err
}
