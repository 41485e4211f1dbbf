package control

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// Period is the time over which a velocity control adds up.
type Period string

// The periods. Those from Hour to Year follow the calendar of the tenant's zone.
const (
	PerTransaction Period = "Transaction" // nothing is added up
	PerHour        Period = "Hour"
	PerDay         Period = "Day"
	PerWeek        Period = "Week"
	PerMonth       Period = "Month"
	PerQuarter     Period = "Quarter"
	PerYear        Period = "Year"
	PerLifetime    Period = "Lifetime" // of what is counted
	PerSpan        Period = "Rolling"  // the [Span] that ends at each transaction
)

// Periods lists all periods, in the order of the contract.
func Periods() []Period {
	return []Period{PerTransaction, PerHour, PerDay, PerWeek, PerMonth, PerQuarter, PerYear, PerLifetime, PerSpan}
}

// shortest is how long the windows of a period last at least, but for some hours
// that clocks go forward.
func (p Period) shortest() time.Duration {
	const day = 24 * time.Hour
	switch p {
	case PerDay:
		return day
	case PerWeek:
		return 7 * day
	case PerMonth:
		return 28 * day
	case PerQuarter:
		return 90 * day
	case PerYear:
		return 365 * day
	}
	return 0
}

// SpanUnit is what the length of a [Span] counts.
type SpanUnit string

// The units. A day of a span has 24 hours, whatever the clocks do.
const (
	Minutes SpanUnit = "Minute"
	Hours   SpanUnit = "Hour"
	Days    SpanUnit = "Day"
)

// SpanUnits lists all units.
func SpanUnits() []SpanUnit { return []SpanUnit{Minutes, Hours, Days} }

// Span is the length of a rolling window; zero for every other period.
type Span struct {
	Length int
	Unit   SpanUnit
}

// Duration returns the span as a duration.
func (s Span) Duration() time.Duration {
	unit := map[SpanUnit]time.Duration{Minutes: time.Minute, Hours: time.Hour, Days: 24 * time.Hour}[s.Unit]
	return time.Duration(s.Length) * unit
}

// Calendar is where a tenant's periods begin.
type Calendar struct {
	Zone      *time.Location
	WeekStart time.Weekday
}

// Window is a stretch of time from Start up to, but not including, End. A zero
// End is none.
type Window struct{ Start, End time.Time }

// Contains reports whether at lies in the window.
func (w Window) Contains(at time.Time) bool {
	return !at.Before(w.Start) && (w.End.IsZero() || at.Before(w.End))
}

// WindowAt returns the window of a calendar period that at lies in.
func (c Calendar) WindowAt(p Period, at time.Time) Window { return c.windowAt(p, Span{}, at) }

// windowAt returns the window that at lies in. That of a transaction and of a
// lifetime begins at 1970, so that they have one name for ever; that of a span
// is a new one each moment, and does not contain the moment it begins behind.
func (c Calendar) windowAt(p Period, span Span, at time.Time) Window {
	local := at.In(c.Zone)
	y, m, d := local.Date()
	switch p {
	case PerHour:
		// The hour that is there twice in autumn is two windows.
		start := at.Add(-time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second -
			time.Duration(local.Nanosecond()))
		return Window{start.UTC(), start.Add(time.Hour).UTC()}
	case PerDay:
		return c.days(y, m, d, y, m, d+1)
	case PerWeek:
		back := (int(local.Weekday()) - int(c.WeekStart) + 7) % 7
		return c.days(y, m, d-back, y, m, d-back+7)
	case PerMonth:
		return c.days(y, m, 1, y, m+1, 1)
	case PerQuarter:
		first := (m-1)/3*3 + 1
		return c.days(y, first, 1, y, first+3, 1)
	case PerYear:
		return c.days(y, 1, 1, y+1, 1, 1)
	case PerSpan:
		return Window{Start: at.Add(-span.Duration() + time.Microsecond).UTC()}
	}
	return Window{Start: time.UnixMicro(0).UTC()}
}

// days is from the beginning of one day to the beginning of another; parts out
// of range carry over, as in [time.Date].
func (c Calendar) days(y int, m time.Month, d, toY int, toM time.Month, toD int) Window {
	begin := func(y int, m time.Month, d int) time.Time {
		return clock.DateOf(time.Date(y, m, d, 0, 0, 0, 0, time.UTC), time.UTC).In(c.Zone)
	}
	return Window{begin(y, m, d), begin(toY, toM, toD)}
}
