package db

import (
	"database/sql"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// MicrosOrNull is how a time stands in a BIGINT column that may be NULL: the zero
// time is NULL.
func MicrosOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return clock.Micros(t)
}

// IntoTime scans a BIGINT of microseconds into to; NULL becomes the zero time.
func IntoTime(to *time.Time) sql.Scanner { return (*moment)(to) }

type moment time.Time

// Scan implements [sql.Scanner].
func (m *moment) Scan(src any) error {
	var n sql.NullInt64
	if err := n.Scan(src); err != nil {
		return err
	}
	*m = moment{}
	if n.Valid {
		*m = moment(clock.FromMicros(n.Int64))
	}
	return nil
}
