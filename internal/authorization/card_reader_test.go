package authorization

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// cardsAsTold are found as a test says.
type cardsAsTold struct {
	Cards
	calls atomic.Int64
	at    func(numbers []issuing.PANIndex) ([]issuing.CardsOfNumber, error)
}

func (s *cardsAsTold) IndexOf(ctx context.Context, tenant access.TenantID, p pan.PAN) (issuing.PANIndex, error) {
	return issuing.PANIndex{Hash: p.Reveal()}, nil
}

func (s *cardsAsTold) CardsAt(_ context.Context, numbers []issuing.PANIndex) ([]issuing.CardsOfNumber, error) {
	s.calls.Add(1)
	return s.at(numbers)
}

func number(t *testing.T, n int) pan.PAN {
	t.Helper()
	for d := range 10 {
		if p, err := pan.Parse(fmt.Sprintf("979200%09d%d", n, d)); err == nil {
			return p
		}
	}
	t.Fatal("no number")
	return pan.PAN{}
}

// A card whose reading panics costs its own request, and neither those beside it nor
// the process.
func TestCardReader_outlivesAPanic(t *testing.T) {
	bad := number(t, 7)
	begun := make(chan struct{})
	s := &cardsAsTold{at: func(n []issuing.PANIndex) ([]issuing.CardsOfNumber, error) {
		<-begun
		if slices.ContainsFunc(n, func(p issuing.PANIndex) bool { return p.Hash == bad.Reveal() }) {
			panic("broken invariant")
		}
		return make([]issuing.CardsOfNumber, len(n)), nil
	}}
	r := newCardReader(context.WithoutCancel(t.Context()), s, slog.New(slog.DiscardHandler))
	defer r.close()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := r.read(t.Context(), access.TenantID{}, number(t, i)); (err != nil) != (i == 7) {
				t.Errorf("card %d: %v", i, err)
			}
		})
	}
	close(begun)
	all.Wait()
}

// Who has stopped waiting is not read for any more: when the database is away, the
// backlog of those who left must not hold up those who come when it is back.
func TestCardReader_leavesOutWhoHasLeft(t *testing.T) {
	const each = 20 * time.Millisecond
	var down atomic.Bool
	down.Store(true)
	s := &cardsAsTold{}
	s.at = func(n []issuing.PANIndex) ([]issuing.CardsOfNumber, error) {
		if down.Load() {
			time.Sleep(each) // a connection that is refused, or times out
			return nil, errors.New("the database is away")
		}
		return make([]issuing.CardsOfNumber, len(n)), nil
	}
	r := newCardReader(context.WithoutCancel(t.Context()), s, slog.New(slog.DiscardHandler))
	defer r.close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*each)
	defer cancel()
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() { r.read(ctx, access.TenantID{}, number(t, i)) })
	}
	all.Wait() // nobody waits any more
	time.Sleep(4 * each)
	before := s.calls.Load()
	time.Sleep(10 * each)
	if again := s.calls.Load() - before; again > 2 {
		t.Errorf("%d reads in %v for requests that have all been given up", again, 10*each)
	}
	late := time.Now()
	lateCtx, end := context.WithTimeout(t.Context(), 50*each)
	defer end()
	if _, err := r.read(lateCtx, access.TenantID{}, number(t, 5000)); errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a new request waited %v behind those who left", time.Since(late))
	}
	down.Store(false)
}
