package audit

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

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
	// Stream CardStream with cards or issuances selects all that was done to
	// them: what the stream of policies shows of them is in it, too.
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

// Tenants returns the tenants that have a chain, in their order.
func Tenants(ctx context.Context, tx db.Tx) ([]string, error) {
	all, err := heads(ctx, tx)
	tenants := make([]string, len(all))
	for i, h := range all {
		tenants[i] = h.tenant
	}
	return tenants, err
}

// ActsAfter returns at most n entries of one stream of a tenant that stand after
// a position, in the order of the chain.
func ActsAfter(ctx context.Context, tx db.Tx, tenant string, s Stream, position int64, n int) ([]Entry, error) {
	return streamAfter(ctx, tx, tenant, s, position, n)
}

// List returns the page of a tenant's entries that f selects and how many it
// selects, counted up to 10,001. Cards, issuances, a product and the time lead
// to entries; where the other filters find little in more than 200,000 of those,
// the list is refused.
func (s *Service) List(ctx context.Context, tenant string, f Filter) (page []Entry, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		page, total, err = findEntries(ctx, tx, tenant, f)
		return err
	})
	return page, total, err
}
