package control

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Schedule says at which times of the week something holds, in the tenant's zone.
// The zero one is always.
type Schedule struct {
	// Days are those on which it begins; none is every day.
	Days []time.Weekday
	// From and To are within the day, From included and To not; nil is all day. One
	// that ends no later than it begins ends on the next day.
	From, To *TimeOfDay
}

// TimeOfDay is what clocks show, in seconds since midnight.
type TimeOfDay int

const secondsPerDay = 24 * 60 * 60

// ErrTimeOfDay says that a text is no time of the day.
var ErrTimeOfDay = errors.New("not a time of the form HH:MM or HH:MM:SS")

// ParseTimeOfDay reads HH:MM or HH:MM:SS.
func ParseTimeOfDay(text string) (TimeOfDay, error) {
	for _, form := range []string{"15:04", time.TimeOnly} {
		if t, err := time.Parse(form, text); err == nil && len(text) == len(form) && t.Nanosecond() == 0 {
			return TimeOfDay(t.Hour()*3600 + t.Minute()*60 + t.Second()), nil
		}
	}
	return 0, ErrTimeOfDay
}

// String is HH:MM, with seconds where there are some.
func (t TimeOfDay) String() string {
	text := fmt.Sprintf("%02d:%02d", t/3600, t/60%60)
	if t%60 != 0 {
		text += fmt.Sprintf(":%02d", t%60)
	}
	return text
}

// IsZero reports whether it holds always.
func (s Schedule) IsZero() bool { return len(s.Days) == 0 && s.From == nil && s.To == nil }

func (s Schedule) check(v *fault.Checks) {
	for i, d := range s.Days {
		v.Is("schedule.daysOfWeek", d >= time.Sunday && d <= time.Saturday && !slices.Contains(s.Days[:i], d), "not_a_value", "must be days of the week, each once")
	}
	v.Is("schedule.to", (s.From == nil) == (s.To == nil), "out_of_order", "must be there with from, and only then")
	for name, t := range map[string]*TimeOfDay{"schedule.from": s.From, "schedule.to": s.To} {
		v.Is(name, t == nil || *t >= 0 && *t < secondsPerDay, "out_of_range", "must be a time of the day")
	}
	v.Is("schedule.to", s.From == nil || s.To == nil || *s.From != *s.To, "window_of_zero", "must differ from from")
}

// around returns the span of time in which the schedule holds at a moment, or, if
// it does not, the next one. A zero end is further away than a week, and so are
// both of the zero schedule.
func (s Schedule) around(at time.Time, zone *time.Location) (from, until time.Time) {
	if s.IsZero() {
		return time.Time{}, time.Time{}
	}
	today := clock.DateOf(at, zone)
	for n := -1; n <= 15; n++ {
		begins, ends, holds := s.on(today.AddDays(n), zone)
		switch {
		case !holds:
		case !until.IsZero() && !begins.After(until):
			until = ends // without a gap
		case until.After(at):
			return from, until
		default:
			from, until = begins, ends
		}
	}
	if until.Sub(at) > 8*24*time.Hour {
		until = time.Time{} // every day and all day
	}
	return from, until
}

// on is the span that begins on a day.
func (s Schedule) on(day clock.Date, zone *time.Location) (from, until time.Time, holds bool) {
	next := day.AddDays(1)
	weekday := time.Date(day.Year, day.Month, day.Day, 12, 0, 0, 0, time.UTC).Weekday()
	if len(s.Days) > 0 && !slices.Contains(s.Days, weekday) {
		return from, until, false
	}
	if s.From == nil || s.To == nil {
		return day.In(zone), next.In(zone), true
	}
	if *s.To > *s.From {
		next = day
	}
	from, _ = timesOf(day, *s.From, zone)
	_, until = timesOf(next, *s.To, zone)
	return from, until, true
}

const halfDay = 12 * time.Hour

// timesOf is when clocks in a zone first and last show a time on a day: two moments
// where they are put back over it. Where they are put forward over it, it is both
// times the moment of that.
func timesOf(day clock.Date, at TimeOfDay, zone *time.Location) (first, last time.Time) {
	shown := time.Date(day.Year, day.Month, day.Day, 0, 0, int(at), 0, time.UTC)
	about := time.Date(day.Year, day.Month, day.Day, 0, 0, int(at), 0, zone)
	var found []time.Time
	for _, near := range []time.Time{about.Add(-halfDay), about.Add(halfDay)} { // before a change, and after it
		_, offset := near.Zone()
		t := shown.Add(-time.Duration(offset) * time.Second).In(zone)
		if _, is := t.Zone(); is == offset {
			found = append(found, t)
		}
	}
	if len(found) == 0 {
		change, _ := about.Add(halfDay).ZoneBounds()
		return change, change
	}
	return found[0], found[len(found)-1]
}
