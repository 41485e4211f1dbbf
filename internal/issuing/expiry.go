package issuing

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// ErrExpiry says that a text is not a month in the form YYYY-MM.
var ErrExpiry = errors.New("not a month of the form YYYY-MM")

// Expiry is the month a card expires in: it is valid through the last moment
// of that month in the tenant's zone. It is comparable; the zero Expiry is no
// month.
type Expiry struct {
	Year  int
	Month time.Month
}

// ParseExpiry reads exactly YYYY-MM, in the years 2000 to 2099.
func ParseExpiry(s string) (Expiry, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil || t.Year() < 2000 || t.Year() > 2099 {
		return Expiry{}, ErrExpiry
	}
	return Expiry{t.Year(), t.Month()}, nil
}

// ExpiryAfter is the month that lies n months after the one of d.
func ExpiryAfter(d clock.Date, n int) Expiry {
	later := clock.Date{Year: d.Year, Month: d.Month, Day: 1}.AddMonths(n)
	return Expiry{later.Year, later.Month}
}

// IsZero reports whether e is no month.
func (e Expiry) IsZero() bool { return e == Expiry{} }

// String returns YYYY-MM, which sorts like the months; empty for no month.
func (e Expiry) String() string {
	if e.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", e.Year, int(e.Month))
}

// YYMM is the form of networks and card values (ISO 8583, DE14).
func (e Expiry) YYMM() string { return fmt.Sprintf("%02d%02d", e.Year%100, int(e.Month)) }

// MMYY is the form people read on the plastic, without the stroke.
func (e Expiry) MMYY() string { return fmt.Sprintf("%02d%02d", int(e.Month), e.Year%100) }

// Before reports whether e is an earlier month than f.
func (e Expiry) Before(f Expiry) bool {
	return e.Year < f.Year || e.Year == f.Year && e.Month < f.Month
}

// PassedAt reports whether the month is over at now in zone.
func (e Expiry) PassedAt(now time.Time, zone *time.Location) bool {
	d := clock.DateOf(now, zone)
	return e.Before(Expiry{d.Year, d.Month})
}

// Scan reads a TEXT column of the form YYYY-MM.
func (e *Expiry) Scan(src any) error {
	var text string
	switch v := src.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return fmt.Errorf("scan expiry: column holds %T", src)
	}
	parsed, err := ParseExpiry(text)
	if err != nil {
		return fmt.Errorf("scan expiry: %w", err)
	}
	*e = parsed
	return nil
}

// Value is the text YYYY-MM.
func (e Expiry) Value() (driver.Value, error) { return e.String(), nil }
