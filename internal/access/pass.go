package access

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Pass is one look for what has become due: among all tenants that go by the
// clock, or at one whose business time is ahead of it. A job that looks at many
// tenants at once makes one pass after the other (ADR 0020).
type Pass struct {
	Tenant TenantID  // zero: all tenants that are not ahead
	Now    time.Time // what their business calls now
}

// PassOf is the look at one tenant.
func PassOf(t Tenant, k clock.Clock) Pass { return Pass{t.ID, t.Now(k)} }

// Passes returns the looks that cover every tenant.
func Passes(ctx context.Context, d *db.DB, k clock.Clock) ([]Pass, error) {
	all := []Pass{{Now: clock.RealNow(k).Time()}}
	err := d.View(ctx, func(tx db.Tx) error {
		ahead, err := tenantsAhead(ctx, tx)
		for _, t := range ahead {
			all = append(all, PassOf(t, k))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read tenants that are ahead: %w", err)
	}
	return all, nil
}

// EachPass runs look for every pass and adds up what it returns. What fails in
// one holds up no other; the first failure is returned in the end.
func EachPass(ctx context.Context, d *db.DB, k clock.Clock, look func(Pass) (int, error)) (done int, err error) {
	passes, err := Passes(ctx, d, k)
	if err != nil {
		return 0, err
	}
	for _, p := range passes {
		n, failure := look(p)
		done += n
		if err == nil {
			err = failure
		}
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
	}
	return done, err
}
