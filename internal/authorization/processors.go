package authorization

import (
	"runtime"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// processors are the places at which requests compute beside the lanes: as many as
// there are processors that the lanes leave. All wait for a lane, and a lane that
// comes back from the disk gets a processor after whoever was ready before it: without
// places, all those whom its last group has answered and who come again. Nil bounds
// nothing.
type processors chan struct{}

// newProcessors returns the places beside so many lanes: one at least. On PostgreSQL
// nothing is bounded: its lanes wait for the server most of the time, and what they leave
// would not be used.
func newProcessors(e db.Engine, lanes int) processors {
	if e != db.SQLite {
		return nil
	}
	return make(processors, max(1, runtime.GOMAXPROCS(0)-lanes))
}

// compute calls f at a place, and returns how long it waited for one. f must wait for
// nothing: no lock, no database, no other place. So a place is free again within a
// fraction of a millisecond, and who waits for one need not be able to give up.
func (p processors) compute(f func()) (waited time.Duration) {
	if p != nil {
		watch := clock.StartStopwatch()
		p <- struct{}{}
		waited = watch.Elapsed()
		defer func() { <-p }()
	}
	f()
	return waited
}
