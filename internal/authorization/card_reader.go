package authorization

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// cardReader finds cards by their numbers, those of several requests in one
// transaction: whatever arrived while the reads before it were under way. It is safe
// for concurrent use.
type cardReader struct {
	cards Cards
	log   *slog.Logger
	in    chan *reading
	ended sync.WaitGroup
}

// reading is one number that is looked for.
type reading struct {
	number issuing.PANIndex
	cards  []issuing.CardOnNetwork
	err    error
	done   chan struct{}
	// claimed is set by whoever comes first: a reader who takes it into a group, or
	// the request that does not wait any longer.
	claimed atomic.Bool
}

// How many read at the same time, and how many numbers at most in one transaction.
// More readers would share the same work out in smaller pieces.
const (
	readers    = 2
	readingMax = 256
)

// newCardReader starts a reader, which close ends. ctx should not end: a group belongs
// to no request.
func newCardReader(ctx context.Context, cards Cards, log *slog.Logger) *cardReader {
	r := &cardReader{cards: cards, log: log, in: make(chan *reading, 4*readingMax)}
	take := func(one *reading) bool { return one.claimed.CompareAndSwap(false, true) }
	for range readers {
		r.ended.Go(func() { inGroups(r.in, readingMax, take, func(group []*reading) { r.readAll(ctx, group) }) })
	}
	return r
}

// close ends the reader. No read may be running or be called afterwards.
func (r *cardReader) close() {
	close(r.in)
	r.ended.Wait()
}

// read returns the cards of a number as they are at some moment of the call, newest
// first. Others may hold the same slice: it must not be changed.
func (r *cardReader) read(ctx context.Context, tenant access.TenantID, p pan.PAN) ([]issuing.CardOnNetwork, error) {
	number, err := r.cards.IndexOf(ctx, tenant, p)
	if err != nil {
		return nil, err
	}
	one := &reading{number: number, done: make(chan struct{})}
	select {
	case r.in <- one:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-one.done:
		return one.cards, one.err
	case <-ctx.Done():
		one.claimed.Store(true) // if nobody has taken it, nobody will
		return nil, ctx.Err()
	}
}

// readAll reads a group. A panic is met again by whoever caused it, alone.
func (r *cardReader) readAll(ctx context.Context, group []*reading) {
	numbers := make([]issuing.PANIndex, len(group))
	for i, one := range group {
		numbers[i] = one.number
	}
	found, err := r.lookUp(ctx, numbers)
	if errors.Is(err, errPanicked) && len(group) > 1 {
		for i := range group {
			r.readAll(ctx, group[i:i+1])
		}
		return
	}
	for i, one := range group {
		switch {
		case err != nil:
			one.err = err
		case found[i].Err != nil:
			one.err = found[i].Err
		default:
			one.cards = found[i].Cards
		}
		close(one.done)
	}
}

// errPanicked says that a broken invariant was met: it must cost one request, not the
// process.
var errPanicked = errors.New("reading cards panicked")

func (r *cardReader) lookUp(ctx context.Context, numbers []issuing.PANIndex) (found []issuing.CardsOfNumber, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("reading cards panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanicked, p)
		}
	}()
	return r.cards.CardsAt(ctx, numbers)
}
