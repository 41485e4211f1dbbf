package clock

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// ErrDate says that a text is not a day of the calendar in the form
// YYYY-MM-DD. It does not quote the text.
var ErrDate = errors.New("not a date of the form YYYY-MM-DD")

// Date is a day of the calendar without a time or a zone: a business date, a
// date of birth. It is comparable; the zero Date is no day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day it is at t in loc.
func DateOf(t time.Time, loc *time.Location) Date {
	y, m, d := t.In(loc).Date()
	return Date{y, m, d}
}

// ParseDate reads exactly YYYY-MM-DD, and only days that exist in the years
// 0001 to 9999.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return Date{}, ErrDate
	}
	return DateOf(t, time.UTC), nil
}

// String returns YYYY-MM-DD; empty for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// IsZero reports whether d is no day.
func (d Date) IsZero() bool { return d == Date{} }

// AddDays returns the day n days later, or earlier when n is negative.
func (d Date) AddDays(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC), time.UTC)
}

// AddMonths returns the same day n months later, or the last day of that month
// when it is shorter: one month after January 31 is February 28 or 29.
func (d Date) AddMonths(n int) Date {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return Date{first.Year(), first.Month(), min(d.Day, last)}
}

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool {
	if d.Year != e.Year {
		return d.Year < e.Year
	}
	if d.Month != e.Month {
		return d.Month < e.Month
	}
	return d.Day < e.Day
}

// In returns the moment the day begins in loc. Where the clocks skip midnight
// it is the first moment that exists.
func (d Date) In(loc *time.Location) time.Time {
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
	if before := DateOf(t, loc); before.Before(d) {
		// time.Date may resolve a skipped midnight to the evening before.
		_, end := t.ZoneBounds()
		t = end
	}
	return t.UTC()
}

// Scan reads a TEXT column of the form YYYY-MM-DD; NULL becomes the zero Date.
func (d *Date) Scan(src any) error {
	var text string
	switch v := src.(type) {
	case nil:
		*d = Date{}
		return nil
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return fmt.Errorf("scan date: column holds %T", src)
	}
	parsed, err := ParseDate(text)
	if err != nil {
		return fmt.Errorf("scan date: %w", err)
	}
	*d = parsed
	return nil
}

// Value is the text YYYY-MM-DD, and NULL for the zero Date.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.String(), nil
}

// DaysSince counts the days from e to d; it is negative when e is later.
func (d Date) DaysSince(e Date) int {
	seconds := func(x Date) int64 { return time.Date(x.Year, x.Month, x.Day, 0, 0, 0, 0, time.UTC).Unix() }
	return int((seconds(d) - seconds(e)) / (24 * 60 * 60))
}
