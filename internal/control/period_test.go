package control

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

var testClock = clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestWindowAt_followsTheTenantsCalendar(t *testing.T) {
	istanbul, berlin := Calendar{zone(t, "Europe/Istanbul"), time.Monday}, Calendar{zone(t, "Europe/Berlin"), time.Sunday}
	for name, c := range map[string]struct {
		calendar       Calendar
		period         Period
		at, start, end string
	}{
		"day":              {istanbul, PerDay, "2026-03-30T22:30:00Z", "2026-03-30T21:00:00Z", "2026-03-31T21:00:00Z"},
		"week from Monday": {istanbul, PerWeek, "2026-04-05T12:00:00Z", "2026-03-29T21:00:00Z", "2026-04-05T21:00:00Z"},
		"week from Sunday": {berlin, PerWeek, "2026-04-05T12:00:00Z", "2026-04-04T22:00:00Z", "2026-04-11T22:00:00Z"},
		"month":            {istanbul, PerMonth, "2026-03-31T20:59:59Z", "2026-02-28T21:00:00Z", "2026-03-31T21:00:00Z"},
		"quarter":          {istanbul, PerQuarter, "2026-03-31T21:00:00Z", "2026-03-31T21:00:00Z", "2026-06-30T21:00:00Z"},
		"year":             {istanbul, PerYear, "2026-12-31T21:00:00Z", "2026-12-31T21:00:00Z", "2027-12-31T21:00:00Z"},
		"hour":             {istanbul, PerHour, "2026-03-31T09:59:59Z", "2026-03-31T09:00:00Z", "2026-03-31T10:00:00Z"},
		// The day on which the clocks go forward has 23 hours, the other 25.
		"short day":   {berlin, PerDay, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		"long day":    {berlin, PerDay, "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		"hour twice":  {berlin, PerHour, "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"},
		"and earlier": {berlin, PerHour, "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
		"lifetime":    {istanbul, PerLifetime, "2026-03-31T09:00:00Z", "1970-01-01T00:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			w := c.calendar.windowAt(c.period, Span{}, at)
			end := ""
			if !w.End.IsZero() {
				end = w.End.Format(time.RFC3339)
			}
			if w.Start.Format(time.RFC3339) != c.start || end != c.end {
				t.Errorf("from %s to %s, want from %s to %s", w.Start.Format(time.RFC3339), end, c.start, c.end)
			}
		})
	}
}

// Windows of a period follow one another without a gap, and every moment lies in
// the one it is given.
func TestWindowAt_leavesNoGap(t *testing.T) {
	zones := []*time.Location{zone(t, "Europe/Istanbul"), zone(t, "Europe/Berlin"), zone(t, "America/Sao_Paulo"), zone(t, "Asia/Kolkata")}
	rapid.Check(t, func(t *rapid.T) {
		c := Calendar{rapid.SampledFrom(zones).Draw(t, "zone"), time.Weekday(rapid.IntRange(0, 6).Draw(t, "week start"))}
		p := rapid.SampledFrom([]Period{PerHour, PerDay, PerWeek, PerMonth, PerQuarter, PerYear}).Draw(t, "period")
		at := time.UnixMicro(rapid.Int64Range(0, 4_000_000_000_000_000).Draw(t, "at")).UTC()
		w := c.windowAt(p, Span{}, at)
		if !w.Contains(at) {
			t.Fatalf("%s is not in its window %v", at, w)
		}
		if next := c.windowAt(p, Span{}, w.End); next.Start != w.End {
			t.Fatalf("after %v comes %v", w, next)
		}
		if again := c.windowAt(p, Span{}, w.Start); again != w {
			t.Fatalf("%v begins in %v", w, again)
		}
	})
}
