// Package clock is the only place that asks what time it is. Services that
// decide when are given a [Clock]; pure functions take the time as a value.
//
// Inside, times are UTC with microsecond precision, the finest that both
// database engines keep. A tenant's time zone matters only in [Date]. The time
// zone database is embedded, so that a bare machine knows Europe/Istanbul.
package clock

import (
	"sync"
	"time"
	_ "time/tzdata" // zones on a machine that has none
)

// Clock tells the time, in UTC and truncated to the microsecond. It is safe
// for concurrent use.
type Clock interface{ Now() time.Time }

// System is the machine's clock. The monotonic reading is dropped, so times
// compare as they were stored.
type System struct{}

// Now returns the current time.
func (System) Now() time.Time { return exact(time.Now()) }

// Fake is a clock that moves only when told, for tests and simulations. Use
// NewFake. It is safe for concurrent use.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake returns a clock that stands at t.
func NewFake(t time.Time) *Fake { return &Fake{now: exact(t)} }

// Now returns the time the clock stands at.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Set puts the clock at t, forwards or backwards.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = exact(t)
}

// Advance moves the clock by d.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = exact(f.now.Add(d))
}

// Micros returns t as microseconds since 1970-01-01 UTC, the form of every
// time in the database.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// FromMicros is the inverse of Micros; the time is in UTC.
func FromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

func exact(t time.Time) time.Time { return t.Round(0).UTC().Truncate(time.Microsecond) }
