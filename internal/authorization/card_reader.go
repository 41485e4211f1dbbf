package authorization

import (
	"context"
	"sync"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// cardReader finds cards by their numbers, those of several requests in one
// transaction: whatever arrived while the reads before it were under way. It is safe
// for concurrent use.
type cardReader struct {
	cards Cards
	in    chan *reading
	ended sync.WaitGroup
}

// reading is one number that is looked for.
type reading struct {
	number issuing.PANIndex
	cards  []issuing.CardOnNetwork
	err    error
	done   chan struct{}
}

// How many read at the same time, and how many numbers at most in one transaction.
// More readers would share the same work out in smaller pieces.
const (
	readers    = 2
	readingMax = 256
)

// newCardReader starts a reader, which close ends. Of ctx only the values are used.
func newCardReader(ctx context.Context, cards Cards) *cardReader {
	r := &cardReader{cards: cards, in: make(chan *reading, 4*readingMax)}
	ctx = context.WithoutCancel(ctx)
	all := func(*reading) bool { return true }
	for range readers {
		r.ended.Go(func() { inGroups(r.in, readingMax, all, func(group []*reading) { r.readAll(ctx, group) }) })
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
		return nil, ctx.Err()
	}
}

// readAll reads a group; when that fails, one after the other, so that a card which
// cannot be read harms only its own request.
func (r *cardReader) readAll(ctx context.Context, group []*reading) {
	numbers := make([]issuing.PANIndex, len(group))
	for i, one := range group {
		numbers[i] = one.number
	}
	found, err := r.cards.CardsAt(ctx, numbers)
	for i, one := range group {
		switch {
		case err == nil:
			one.cards = found[i]
		case len(group) == 1:
			one.err = err
		default:
			if alone, err := r.cards.CardsAt(ctx, numbers[i:i+1]); err != nil {
				one.err = err
			} else {
				one.cards = alone[0]
			}
		}
		close(one.done)
	}
}
