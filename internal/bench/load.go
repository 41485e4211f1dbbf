package bench

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/clock"
)

// load is links that ask, each sending the next request when the last was answered.
type load struct {
	counting atomic.Bool
	cancel   context.CancelFunc
	running  sync.WaitGroup
	tallies  []*tally
	failed   chan error
}

// startLoad lets all links of b ask until it is ended.
func (w *world) startLoad(ctx context.Context) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{cancel: cancel, failed: make(chan error, len(w.links))}
	for i, link := range w.links {
		t := newTally()
		l.tallies = append(l.tallies, t)
		l.running.Go(func() {
			if err := w.drive(ctx, link, i, t, &l.counting); err != nil {
				l.failed <- err
				cancel()
			}
		})
	}
	return l
}

// end stops the load and returns how many requests were counted. All of them must
// have been approved.
func (l *load) end() (answers int64, err error) {
	l.cancel()
	l.running.Wait()
	select {
	case err := <-l.failed:
		return 0, err
	default:
	}
	codes, unanswered := map[string]int64{}, int64(0)
	for _, t := range l.tallies {
		unanswered += t.unanswered
		for code, n := range t.codes {
			codes[code] += n
			answers += n
		}
	}
	if unanswered > 0 || codes["00"] != answers {
		return 0, fmt.Errorf("%w: not everything was approved: %v, %d unanswered", app.ErrNotWell, codes, unanswered)
	}
	return answers, nil
}

// throughput is how many requests a second are approved, after the warm-up.
func (w *world) throughput(ctx context.Context) (perSecond float64, err error) {
	l := w.startLoad(ctx)
	wait(ctx, w.options.WarmUp)
	watch := clock.StartStopwatch()
	l.counting.Store(true)
	wait(ctx, w.options.Duration)
	l.counting.Store(false)
	took := watch.Elapsed()
	answers, err := l.end()
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && answers == 0 {
		err = fmt.Errorf("%w: nothing was answered in %v", app.ErrNotWell, w.options.Duration)
	}
	return float64(answers) / took.Seconds(), err
}

// useEach uses every card once: what the first use of a card leaves to do is not
// what is measured.
func (w *world) useEach(ctx context.Context) error {
	failed := make(chan error, len(w.links))
	var using sync.WaitGroup
	for i, link := range w.links {
		using.Go(func() {
			for n := i; n < len(w.cards); n += len(w.links) {
				r, err := w.use(n)
				if err == nil {
					_, _, err = link.Ask(ctx, r.Message)
				}
				if err != nil {
					failed <- fmt.Errorf("use each card: %w", err)
					return
				}
			}
		})
	}
	using.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// busy reads how long the processors of this machine worked and how long they had
// nothing to do, since it started, in ticks of any length; zero where that is not told.
func busy() (worked, idle float64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line) {
		ticks, err := strconv.ParseFloat(field, 64)
		switch {
		case err != nil || i > 8: // its name; guests, who are in the first
		case i == 4 || i == 5: // idle, and waiting for a disk
			idle += ticks
		default:
			worked += ticks
		}
	}
	return worked, idle
}

// busyWhile is the share of the processors' time in which they worked while f ran;
// zero where that is not told.
func busyWhile(f func() error) (share float64, err error) {
	worked, idle := busy()
	err = f()
	w, i := busy()
	if all := w - worked + i - idle; all > 0 {
		share = (w - worked) / all
	}
	return share, err
}
