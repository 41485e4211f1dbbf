package ledger

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// DueHolds returns up to n open holds of the pass whose time has passed,
// unlocked: open a book on their accounts before changing them.
func DueHolds(ctx context.Context, tx db.Tx, p access.Pass, n int) ([]Hold, error) {
	var w db.Where
	w.And("is_open AND expires_at <= ?", clock.Micros(p.Now))
	p.Narrow(&w, "tenant_id")
	return db.Collect(ctx, tx, scanHold,
		"SELECT "+holdColumns+" FROM hold WHERE "+w.SQL()+" ORDER BY expires_at, id LIMIT "+w.Bind(n), w.Args()...)
}

// OpenHolds returns up to n open holds in the order of their identifiers, after
// the one with this text.
func OpenHolds(ctx context.Context, tx db.Tx, after string, n int) ([]Hold, error) {
	return db.Collect(ctx, tx, scanHold,
		"SELECT "+holdColumns+" FROM hold WHERE is_open AND id > $1 ORDER BY id LIMIT $2", after, n)
}
