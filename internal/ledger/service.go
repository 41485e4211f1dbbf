package ledger

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Service holds the use cases on accounts. It is safe for concurrent use.
type Service struct {
	db    *db.DB
	clock clock.Clock
	// Collector takes what an account owes of the money that comes to it. Nil is
	// nobody.
	Collector Collector
}

// Collector takes what an account owes, such as fees that it could not bear, of
// money that has come to it.
type Collector interface {
	// Collect posts to the book of a transaction in which money came to an account.
	// What keep keeps is written after the book.
	Collect(ctx context.Context, tx db.Tx, b *Book, account AccountID, on clock.Date, at time.Time) (keep func() error, err error)
}

// New returns the service on an open database.
func New(d *db.DB, c clock.Clock) *Service { return &Service{db: d, clock: c} }
