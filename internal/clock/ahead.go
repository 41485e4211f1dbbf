package clock

import "time"

// There are two kinds of time (ADR 0020), and the types keep them apart. What a
// tenant's business goes by is a plain [time.Time] and is asked of [Ahead]. What
// must be true whatever a sandbox calls today is a [Real]: audit, events,
// identifiers, leases, the life of keys and messages.

// Ahead is how far the business time of a tenant is ahead of the clock: nothing,
// or more in a sandbox that was moved. It is never negative.
type Ahead time.Duration

// Now returns what the tenant's business calls now.
func (a Ahead) Now(c Clock) time.Time { return a.At(RealNow(c)) }

// At returns what the tenant's business calls a moment of real time.
func (a Ahead) At(r Real) time.Time { return r.t.Add(time.Duration(a)) }

// Real returns when a moment of the tenant's business really is.
func (a Ahead) Real(business time.Time) Real { return Real{business.Add(-time.Duration(a))} }

// Real is a moment of real time. The zero Real is no moment.
type Real struct{ t time.Time }

// RealNow returns the clock's time.
func RealNow(c Clock) Real { return Real{c.Now()} }

// RealAt says that t is real time: a moment that was stored as such, or that was
// read from the clock by somebody who has no other.
func RealAt(t time.Time) Real { return Real{t} }

// Time returns the moment, for what keeps or compares real time.
func (r Real) Time() time.Time { return r.t }
