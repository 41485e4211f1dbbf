package authorization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// inquiry looks for the counterfactual of one decision.
type inquiry struct {
	binder    // with what was read of the card's controls
	db        *db.DB
	record    *record
	decided   Decision
	cfg       *program.Configuration
	snapshot  *control.Snapshot // nil without controls
	overrides []control.Override
	links     control.Links
	spans     map[string][]control.SpanUse // of rolling windows, as far as they were read
}

// inquire reads what holds for the card of a decision; found is false when that
// is no longer what held when it was made.
func (c *Counterfactuals) inquire(ctx context.Context, r *record) (q *inquiry, found bool, err error) {
	q = &inquiry{db: c.db, record: r, decided: decide(&r.Request, &r.Facts, r.State), spans: map[string][]control.SpanUse{}}
	for range 2 {
		f := r.Facts
		if q.cfg, err = c.programs.Configuration(ctx, f.Tenant); err != nil {
			return nil, false, fmt.Errorf("read configuration: %w", err)
		}
		if q.snapshot, err = c.configure(ctx, &f, q.cfg); err != nil {
			return nil, false, fmt.Errorf("read controls: %w", err)
		}
		if found = f.ConfigurationHash == r.Facts.ConfigurationHash; found {
			break
		}
		c.programs.Forget(f.Tenant) // another node may have decided under a newer one
	}
	if !found {
		return nil, false, nil
	}
	if q.snapshot != nil && !q.snapshot.IsEmpty() {
		if q.links, err = c.controls.LinksOf(ctx, q.snapshot, r.Facts.Tenant, r.Facts.subject()); err != nil {
			return nil, false, fmt.Errorf("read links: %w", err)
		}
		if q.overrides, err = c.controls.OverridesOf(ctx, r.Facts.Tenant, r.Facts.subject()); err != nil {
			return nil, false, err
		}
	}
	q.binder = binder{programs: c.programs, controls: &heldControls{c.controls, q.links, q.overrides}}
	found, err = q.isUnchanged(ctx)
	return q, found, err
}

// heldControls are the controls of one card, read once.
type heldControls struct {
	Controls
	links     control.Links
	overrides []control.Override
}

// LinksOf implements Controls.
func (h *heldControls) LinksOf(context.Context, *control.Snapshot, access.TenantID, control.Subject) (control.Links, error) {
	return h.links, nil
}

// Bounds implements Controls.
func (h *heldControls) Bounds(_ context.Context, k *control.Snapshot, o *control.Occasion) ([]control.Bound, error) {
	return k.BoundsWith(o, h.overrides), nil
}

// isUnchanged reports whether the same holds for the recorded request as did
// then: also what is set for single cards and customers, and the rates.
func (q *inquiry) isUnchanged(ctx context.Context) (bool, error) {
	again := *q.record
	if err := q.bindAgain(ctx, &again.Request, &again.Facts); err != nil {
		return false, err
	}
	was, is := &q.record.Facts, &again.Facts
	return len(is.Controls) == len(was.Controls) && len(is.Velocity) == len(was.Velocity) && len(is.Fees) == len(was.Fees) &&
		again.String() == q.record.String(), nil
}

// bindAgain finds what holds for a request that differs from the recorded one.
func (q *inquiry) bindAgain(ctx context.Context, req *Request, f *Facts) error {
	f.Controls, f.Velocity, f.Fees, f.AllowsFeeShortfall = nil, nil, nil, false
	return q.bind(ctx, req, f, q.cfg, q.snapshot)
}

// approves decides on a request and facts that differ from those recorded, and
// reports whether all of it is approved. What cannot be told is not.
func (q *inquiry) approves(ctx context.Context, req *Request, f Facts) (bool, error) {
	if err := q.bindAgain(ctx, req, &f); err != nil {
		return false, err
	}
	s := q.record.State
	s.Velocity = make([]VelocityState, len(f.Velocity))
	for i := range f.Velocity {
		used, known, err := q.used(ctx, &f, &f.Velocity[i])
		if !known || err != nil {
			return false, err
		}
		s.Velocity[i] = used
	}
	s.Fees = make([]FeeState, len(f.Fees))
	for i := range f.Fees {
		var known bool
		if s.Fees[i], known = q.freeUsed(&f, &f.Fees[i]); !known {
			return false, nil
		}
	}
	d := decide(req, &f, s)
	return d.Reason == Approved && d.Status != StatusPending && d.Outcome != OutcomeApprovedPartially, nil
}

// used is what would have been used under the counter of v, nothing having
// happened since the decision: of its window what was recorded, of a later one
// nothing, of a rolling one what has not left it. known is false for a window
// that the decision did not look at.
func (q *inquiry) used(ctx context.Context, f *Facts, v *VelocityFacts) (used VelocityState, known bool, err error) {
	switch {
	case !v.Counts:
		return used, true, nil
	case v.From.IsZero() && clock.FromMicros(v.Start).After(q.record.Facts.Now), v.From.After(q.record.Facts.Now):
		return used, true, nil // it had not begun
	}
	for i := range q.record.Facts.Velocity {
		was := &q.record.Facts.Velocity[i]
		if was.key(f.Tenant) != v.key(f.Tenant) {
			continue
		}
		if was.From.Equal(v.From) {
			return q.record.State.Velocity[i], true, nil
		}
		uses, whole, err := q.usesOf(ctx, was, q.record.State.Velocity[i])
		for _, u := range uses {
			if !u.At.Before(v.From) {
				used.Amount, used.Count = used.Amount+u.Amount, used.Count+u.Count
			}
		}
		return used, whole, err
	}
	return used, false, nil
}

// freeUsed is what would have cost nothing so far of a fee, as in used.
func (q *inquiry) freeUsed(f *Facts, v *FeeFacts) (used FeeState, known bool) {
	if v.Counter == "" || clock.FromMicros(v.Start).After(q.record.Facts.Now) {
		return used, true
	}
	for i := range q.record.Facts.Fees {
		if was := &q.record.Facts.Fees[i]; was.key(f.Tenant) == v.key(f.Tenant) {
			return q.record.State.Fees[i], true
		}
	}
	return used, false
}

// usesOf returns what made up a rolling window when the request was decided;
// whole is false when some of it was given back or has grown since.
func (q *inquiry) usesOf(ctx context.Context, v *VelocityFacts, sum VelocityState) (uses []control.SpanUse, whole bool, err error) {
	k := v.key(q.record.Facts.Tenant)
	all, read := q.spans[k.String()]
	if !read {
		err := q.db.View(ctx, func(tx db.Tx) (err error) {
			all, err = control.SpanUses(ctx, tx, k, v.From)
			return err
		})
		if err != nil {
			return nil, false, fmt.Errorf("read usage: %w", err)
		}
		q.spans[k.String()] = all
	}
	for _, u := range all {
		if !u.At.After(q.record.Facts.Now) && u.Transaction != q.record.Facts.Transaction.String() {
			uses = append(uses, u)
			sum.Amount, sum.Count = sum.Amount-u.Amount, sum.Count-u.Count
		}
	}
	return uses, sum == VelocityState{}, nil
}
