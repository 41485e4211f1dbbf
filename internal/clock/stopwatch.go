package clock

import "time"

// Stopwatch measures how long something takes, by the machine's monotonic
// clock: it is right when the wall clock is set meanwhile, and tells nothing
// about what time it is. It is for metrics and for how fast work is done, never for
// what is decided.
type Stopwatch struct{ start time.Time }

// StartStopwatch returns a stopwatch that starts now.
func StartStopwatch() Stopwatch { return Stopwatch{start: time.Now()} }

// Elapsed returns the time since the start. It is safe for concurrent use.
func (s Stopwatch) Elapsed() time.Duration { return time.Since(s.start) }
