package ledger

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// DueHolds returns up to n open holds whose time has passed at now, unlocked:
// open a book on their accounts before changing them.
func DueHolds(ctx context.Context, tx db.Tx, now time.Time, n int) ([]Hold, error) {
	return db.Collect(ctx, tx, scanHold,
		"SELECT "+holdColumns+" FROM hold WHERE is_open AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2", clock.Micros(now), n)
}

// OpenHolds returns up to n open holds in the order of their identifiers, after
// the one with this text.
func OpenHolds(ctx context.Context, tx db.Tx, after string, n int) ([]Hold, error) {
	return db.Collect(ctx, tx, scanHold,
		"SELECT "+holdColumns+" FROM hold WHERE is_open AND id > $1 ORDER BY id LIMIT $2", after, n)
}
