package audit

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// countMax is up to where entries are counted.
const countMax = 10_000

// Service reads the record and proves it. It is safe for concurrent use.
type Service struct {
	DB    *db.DB
	Seal  Sealer // for checkpoints
	Clock clock.Clock
}

// New returns a service.
func New(d *db.DB, seal Sealer, c clock.Clock) *Service { return &Service{DB: d, Seal: seal, Clock: c} }

// Filter selects entries of one stream; empty members select all.
type Filter struct {
	Stream                 Stream
	From, To               time.Time // both inclusive
	EntityTypes, Actions   []string
	EntityKey, ProductCode string
	CardIDs, IssuanceIDs   []string
	Client, Channel, User  string
	Property               string // one that changed, letters and digits; name.timed counts as name

	Skip, Take  int
	OldestFirst bool
}

// List returns the page of a tenant's entries that f selects and how many it
// selects, counted up to 10,001.
func (s *Service) List(ctx context.Context, tenant string, f Filter) (page []Entry, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		page, total, err = findEntries(ctx, tx, tenant, f)
		return err
	})
	return page, total, err
}
