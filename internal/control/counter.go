package control

import (
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// CounterKey names what a velocity control adds up: the counter of a control or
// limit group, for one subject, in one window.
type CounterKey struct {
	Tenant  access.TenantID
	Counter string
	Subject string
	Start   int64 // of the window, in microseconds; 0 for a span and a lifetime
}

// String is the key in one text, the subject before the counter.
func (k CounterKey) String() string {
	return k.Tenant.String() + "/" + k.Subject + "/" + k.Counter + "/" + strconv.FormatInt(k.Start, 10)
}

// mayHaveEndedBy reports whether the window may have ended by a moment, in
// microseconds: by the least that its period lasts, wherever the clocks go forward.
func (k CounterKey) mayHaveEndedBy(at int64) bool {
	parts := strings.Split(k.Counter, "/")
	period := Period("")
	switch {
	case k.Start == 0:
		return false // it never ends, or is added up
	case k.level() != "":
		period = Period(parts[3])
	case len(parts) > 2:
		period = Period(parts[2]) // of a fee
	}
	return k.Start+(period.shortest()-3*time.Hour).Microseconds() <= at
}

// counter is the name under which a control adds up. A generation is a new
// counter: what was counted before does not fit any more. What is counted, and
// over what, is part of the name, and for a limit group who began to: so one that
// is made again of other checks never adds to what the former ones counted.
func (c *VelocityCheck) counter() string {
	name := "check/" + c.Code + "/"
	if c.LimitGroup != "" {
		name = "group/" + c.LimitGroup + "/" + c.Founder + "."
	}
	period := string(c.Period)
	if c.Period == PerSpan {
		period = strconv.Itoa(c.Span.Length) + string(c.Span.Unit)
	}
	return name + strconv.Itoa(c.Generation) + "/" + period + "/" + string(c.Level) + "/" + c.Currency.Code()
}

// CountsWith reports whether a check adds to what another, or another version of
// it, has counted.
func (c VelocityCheck) CountsWith(o VelocityCheck) bool { return c.counter() == o.counter() }

// key is the counter of the control for s at a moment, and its window.
func (c *VelocityCheck) key(tenant access.TenantID, s Subject, calendar Calendar, at time.Time) (CounterKey, Window) {
	w := calendar.windowAt(c.Period, c.Span, at)
	k := CounterKey{Tenant: tenant, Counter: c.counter(), Subject: s.counted(c.Level), Start: w.Start.UnixMicro()}
	if c.Period == PerSpan {
		k.Start = 0
	}
	return k, w
}

// Usage is what was used of a limit.
type Usage struct {
	Amount money.Amount
	Count  int
}
