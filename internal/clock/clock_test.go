package clock_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestSystem_isUTCInMicroseconds(t *testing.T) {
	now := clock.System{}.Now()
	if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		t.Errorf("got %v", now)
	}
	if got := clock.FromMicros(clock.Micros(now)); got != now {
		t.Errorf("stored and read again: got %v, want %v", got, now)
	}
}

func TestFake_movesOnlyWhenTold(t *testing.T) {
	start := time.Date(2026, 11, 21, 12, 0, 0, 1_999, zone(t, "Europe/Istanbul"))
	f := clock.NewFake(start)
	if got, want := f.Now(), time.Date(2026, 11, 21, 9, 0, 0, 1_000, time.UTC); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	f.Advance(time.Hour)
	if got, want := f.Now(), time.Date(2026, 11, 21, 10, 0, 0, 1_000, time.UTC); got != want {
		t.Errorf("advanced: got %v, want %v", got, want)
	}
	f.Set(start.Add(-time.Hour))
	if got, want := f.Now(), time.Date(2026, 11, 21, 8, 0, 0, 1_000, time.UTC); got != want {
		t.Errorf("set: got %v, want %v", got, want)
	}
}

func TestFake_isSafeForConcurrentUse(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := clock.NewFake(start)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				f.Advance(time.Second)
				f.Now()
			}
		})
	}
	wg.Wait()
	if got, want := f.Now(), start.Add(800*time.Second); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDateOf_theDayDependsOnTheZone(t *testing.T) {
	istanbul := zone(t, "Europe/Istanbul")
	late := time.Date(2026, 11, 20, 21, 30, 0, 0, time.UTC)
	if got, want := clock.DateOf(late, istanbul).String(), "2026-11-21"; got != want {
		t.Errorf("Istanbul: got %s, want %s", got, want)
	}
	if got, want := clock.DateOf(late, time.UTC).String(), "2026-11-20"; got != want {
		t.Errorf("UTC: got %s, want %s", got, want)
	}
}

func TestDate_in(t *testing.T) {
	tests := []struct{ date, zone, want string }{
		{"2026-11-21", "Europe/Istanbul", "2026-11-20T21:00:00Z"},
		// Until 2016 Turkey had winter time.
		{"2015-01-10", "Europe/Istanbul", "2015-01-09T22:00:00Z"},
		{"2015-07-10", "Europe/Istanbul", "2015-07-09T21:00:00Z"},
		// A midnight that never was: clocks went from 00:00 to 01:00.
		{"2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z"},
		{"2026-11-21", "UTC", "2026-11-21T00:00:00Z"},
	}
	for _, tt := range tests {
		d, err := clock.ParseDate(tt.date)
		if err != nil {
			t.Fatal(err)
		}
		begin := d.In(zone(t, tt.zone))
		if got := begin.Format(time.RFC3339); got != tt.want {
			t.Errorf("%s in %s: got %s, want %s", tt.date, tt.zone, got, tt.want)
		}
	}
}

func TestDate_beginsWhereItSays(t *testing.T) {
	zones := []*time.Location{time.UTC, zone(t, "Europe/Istanbul"), zone(t, "America/Sao_Paulo"), zone(t, "Asia/Beirut"), zone(t, "Pacific/Auckland")}
	rapid.Check(t, func(t *rapid.T) {
		loc := rapid.SampledFrom(zones).Draw(t, "zone")
		d := clock.Date{Year: 1990, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 25_000).Draw(t, "day"))
		begin := d.In(loc)
		if got := clock.DateOf(begin, loc); got != d {
			t.Fatalf("begins on %s, want %s", got, d)
		}
		if got := clock.DateOf(begin.Add(-time.Microsecond), loc); !got.Before(d) {
			t.Fatalf("the moment before it is on %s, want earlier than %s", got, d)
		}
	})
}

func TestDate_arithmetic(t *testing.T) {
	tests := []struct {
		date         string
		days, months int
		want         string
	}{
		{"2026-01-31", 0, 1, "2026-02-28"},
		{"2028-01-31", 0, 1, "2028-02-29"},
		{"2026-03-31", 0, -1, "2026-02-28"},
		{"2026-11-30", 0, 3, "2027-02-28"},
		{"2026-12-15", 0, 1, "2027-01-15"},
		{"2026-01-15", 0, -13, "2024-12-15"},
		{"2026-02-28", 0, 12, "2027-02-28"},
		{"2026-12-31", 1, 0, "2027-01-01"},
		{"2026-03-01", -1, 0, "2026-02-28"},
		{"2026-03-29", 1, 0, "2026-03-30"}, // the night Europe loses an hour
	}
	for _, tt := range tests {
		d, err := clock.ParseDate(tt.date)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.AddMonths(tt.months).AddDays(tt.days).String(); got != tt.want {
			t.Errorf("%s %+d months %+d days: got %s, want %s", tt.date, tt.months, tt.days, got, tt.want)
		}
	}
}

func TestDate_orderAndStorageAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := clock.Date{Year: 2026, Month: 1, Day: 1}.AddDays(rapid.IntRange(-700_000, 2_000_000).Draw(t, "a"))
		b := a.AddDays(rapid.IntRange(-400, 400).Draw(t, "b"))
		if got, want := a.Before(b), a.String() < b.String(); got != want {
			t.Fatalf("%s before %s: got %v, want %v", a, b, got, want)
		}
		v, err := a.Value()
		if err != nil {
			t.Fatal(err)
		}
		var scanned clock.Date
		if err := scanned.Scan(v); err != nil || scanned != a {
			t.Fatalf("got %v, %v; want %v", scanned, err, a)
		}
	})
}

func TestDate_zeroIsNull(t *testing.T) {
	d := clock.Date{Year: 2026, Month: 1, Day: 1}
	if err := d.Scan(nil); err != nil || !d.IsZero() || d.String() != "" {
		t.Errorf("got %v, %v", d, err)
	}
	if v, err := d.Value(); v != nil || err != nil {
		t.Errorf("got %v, %v; want NULL", v, err)
	}
	if err := d.Scan(time.Time{}); err == nil {
		t.Error("a time was scanned as a date")
	}
}

func TestParseDate_refusesOtherForms(t *testing.T) {
	for _, s := range []string{"", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "26-01-01", "2026-01-01T00:00:00Z", "2026/01/01", "0000-01-01", " 2026-01-01", "-026-01-01"} {
		if d, err := clock.ParseDate(s); !errors.Is(err, clock.ErrDate) {
			t.Errorf("%q: got %v, %v", s, d, err)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	f.Add("2026-11-21")
	f.Add("2024-02-29")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := clock.ParseDate(s); err == nil && d.String() != s {
			t.Errorf("%q reads back as %q", s, d)
		}
	})
}

func ExampleDate_AddMonths() {
	d, err := clock.ParseDate("2026-01-31")
	if err != nil {
		panic(err)
	}
	fmt.Println(d.AddMonths(1), d.AddMonths(2))
	// Output: 2026-02-28 2026-03-31
}

func TestStopwatch_onlyGrows(t *testing.T) {
	s := clock.StartStopwatch()
	a := s.Elapsed()
	if b := s.Elapsed(); a < 0 || b < a {
		t.Errorf("got %v, then %v", a, b)
	}
}

func TestDate_daysSinceIsTheInverseOfAddDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := clock.Date{Year: 1970, Month: 1, Day: 1}.AddDays(rapid.IntRange(-700_000, 2_900_000).Draw(t, "day"))
		n := rapid.IntRange(-400_000, 400_000).Draw(t, "days")
		if got := d.AddDays(n).DaysSince(d); got != n {
			t.Fatalf("%s + %d: %d days", d, n, got)
		}
	})
}
