package bench

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Arrivals is how requests come that wait for no answer.
type Arrivals string

// The ways in which they come, each so many a second on average.
const (
	PoissonArrivals Arrivals = "poisson" // as those of many who know nothing of each other
	FixedArrivals   Arrivals = "fixed"   // at equal distances
)

// gap is the time to the next arrival.
func (a Arrivals) gap(rate float64) time.Duration {
	mean := float64(time.Second) / rate
	if a == FixedArrivals {
		return time.Duration(mean)
	}
	var b [8]byte
	rand.Read(b[:])
	u := float64(binary.BigEndian.Uint64(b[:])>>11+1) / (1 << 53) // above 0, at most 1
	return time.Duration(mean * -math.Log(u))
}

// sendOpen sends a request at each arrival until ctx ends, whatever became of those
// before, and waits for the answers. What takes part has counting on when it
// arrives, and is counted from then on: a request that had to wait for the load
// itself has waited, too.
func (w *world) sendOpen(ctx context.Context, t *tally, counting func() bool) error {
	return w.sendOpenTo(ctx, t, counting, t.count)
}

// sendOpenTo is sendOpen with another way to count answers; what is called is
// called by one at a time.
func (w *world) sendOpenTo(ctx context.Context, t *tally, counting func() bool, count func(answer *iso8583.Message, took time.Duration)) error {
	var asking sync.WaitGroup
	var mu sync.Mutex
	var failed error
	defer asking.Wait()
	watch, due := clock.StartStopwatch(), time.Duration(0)
	for n := 0; ctx.Err() == nil; n++ {
		r, err := w.use(n)
		if err != nil {
			return err
		}
		due += w.options.Arrivals.gap(w.options.Rate)
		wait(ctx, due-watch.Elapsed())
		mu.Lock()
		err = failed
		mu.Unlock()
		if ctx.Err() != nil || err != nil {
			asking.Wait()
			return err
		}
		counts, arrived, link := counting(), due, w.links[n%len(w.links)]
		asking.Go(func() {
			// An answer is waited for after the end, too: who gives up hides what is slow.
			answer, _, err := link.Ask(context.WithoutCancel(ctx), r.Message)
			took := watch.Elapsed() - arrived
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, sim.ErrNoAnswer):
				if counts {
					t.unanswered++
				}
			case err != nil:
				failed = err
			case counts:
				count(answer, took)
			}
		})
	}
	return nil
}

// wait returns after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
