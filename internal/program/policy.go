package program

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/fault"
)

// IsTimed reports whether p starts or ends by itself.
func (p Policy) IsTimed() bool { return p.StartsAt != nil || p.EndsAt != nil }

// InForceAt reports whether at lies from the start of p up to its end.
func (p Policy) InForceAt(at time.Time) bool {
	return (p.StartsAt == nil || !at.Before(*p.StartsAt)) && (p.EndsAt == nil || at.Before(*p.EndsAt))
}

// CheckPeriod checks when a switch begins and ends.
func (p Policy) CheckPeriod(v *fault.Checks, at string) {
	v.Moment(at+"startDate", p.StartsAt)
	v.Moment(at+"endDate", p.EndsAt)
}
