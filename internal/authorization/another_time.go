package authorization

import (
	"context"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// timeMax is how far another time may lie ahead, momentsMax how many moments are
// looked at.
const (
	timeMax    = 31 * 24 * time.Hour
	momentsMax = 256
)

// byTime looks for the first moment at which the request would be approved: one
// at which a window of a limit ends, or something begins or ceases to hold.
func (q *inquiry) byTime(ctx context.Context) (*Counterfactual, error) {
	if q.decided.Reason == InsufficientFunds {
		return nil, nil // no time brings money
	}
	moments, err := q.moments(ctx)
	if err != nil {
		return nil, err
	}
	for _, at := range moments[:min(len(moments), momentsMax)] {
		ok, err := q.approves(ctx, &q.record.Request, q.factsAt(at))
		if err != nil {
			return nil, err
		}
		if ok {
			return &Counterfactual{Change: AnotherTime, At: at}, nil
		}
	}
	return nil, nil
}

// moments are those after the decision at which another may be made, in order.
func (q *inquiry) moments(ctx context.Context) ([]time.Time, error) {
	now := q.record.Facts.Now
	last := now.Add(timeMax)
	var all []time.Time
	for i := range q.record.Facts.Velocity {
		v := &q.record.Facts.Velocity[i]
		if !v.Counts || v.Ends.IsZero() {
			continue
		}
		all = append(all, v.Ends)
		if v.From.IsZero() {
			continue
		}
		uses, _, err := q.usesOf(ctx, v, q.record.State.Velocity[i])
		if err != nil {
			return nil, err
		}
		for _, u := range uses {
			all = append(all, u.At.Add(v.Ends.Sub(now))) // when it has left the window
		}
	}
	if q.snapshot != nil && !q.snapshot.IsEmpty() {
		all = append(all, q.snapshot.Turns(q.occasion(), q.overrides, last)...)
	}
	all = slices.DeleteFunc(all, func(at time.Time) bool { return !at.After(now) || at.After(last) })
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal), nil
}

// factsAt are the facts of the decision at another time. The card and its
// settings stay as they were, but for what was due by then.
func (q *inquiry) factsAt(at time.Time) Facts {
	f := q.record.Facts
	f.Now, f.BusinessOn = at, clock.DateOf(at, q.cfg.Tenant.Zone)
	if month, err := time.Parse("0601", f.Card.ExpiryYYMM); err == nil {
		expires := issuing.Expiry{Year: 2000 + month.Year()%100, Month: month.Month()}
		f.Card.Expired = expires.PassedAt(at, q.cfg.Tenant.Zone)
	}
	return f
}

// occasion is what controls were asked about the recorded request.
func (q *inquiry) occasion() *control.Occasion {
	return q.record.Facts.occasion(&rule.Facts{}, &q.record.Request, q.calendar(), q.snapshot.Lists, q.links)
}

func (q *inquiry) calendar() control.Calendar {
	return control.Calendar{Zone: q.cfg.Tenant.Zone, WeekStart: q.cfg.Attributes.WeekStart}
}
