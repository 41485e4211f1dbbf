package authorization

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// shedCount counts what a door refuses, by why.
type shedCount struct {
	mu  sync.Mutex
	all map[string]int
}

func (*shedCount) Stages(*Times)              {}
func (*shedCount) Decided(Flow, Outcome)      {}
func (*shedCount) Group(int, clock.Stopwatch) {}

func (s *shedCount) Shed(message, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]int{}
	}
	s.all[message+" "+why]++
}

func (s *shedCount) of(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[what]
}

// join has somebody come to a door, and returns when he stands in his row.
func join(t *testing.T, d *door, flow Flow, then func()) {
	t.Helper()
	length := func() int {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.rows[rowOf(flow)].Len()
	}
	before := length()
	go func() {
		if err := d.enter(t.Context(), flow); err == nil {
			then()
		}
	}()
	for length() == before {
		time.Sleep(time.Millisecond)
	}
}

func TestDoor_letsFactsInBeforeRequests(t *testing.T) {
	d := newDoor(Load{WorkingMax: 1, AnswerWithin: time.Minute}, &shedCount{}, slog.New(slog.DiscardHandler))
	if err := d.enter(t.Context(), AuthorizationRequest); err != nil {
		t.Fatal(err)
	}
	in := make(chan string)
	for _, who := range []struct {
		name string
		flow Flow
	}{{"first request", AuthorizationRequest}, {"second request", FinancialRequest}, {"reversal", ReversalRequest}, {"advice", FinancialAdvice}} {
		join(t, d, who.flow, func() { in <- who.name })
	}
	for _, want := range []string{"reversal", "advice", "first request", "second request"} {
		d.leave()
		if got := <-in; got != want {
			t.Errorf("the %s came in, want the %s", got, want)
		}
	}
	d.leave()
	if d.inside != 0 || d.rows[rowFacts].Len()+d.rows[rowRequests].Len() != 0 {
		t.Errorf("%d are still inside", d.inside)
	}
}

func TestDoor_refusesWhoWouldComeTooLate(t *testing.T) {
	var log bytes.Buffer
	var shed shedCount
	const within = 300 * time.Millisecond
	d := newDoor(Load{WorkingMax: 2, WaitingMax: 3, AnswerWithin: within}, &shed, slog.New(slog.NewTextHandler(&log, nil)))
	for range 2 { // who never leaves
		if err := d.enter(t.Context(), AuthorizationRequest); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		join(t, d, AuthorizationRequest, func() { t.Error("there was no room") })
	}
	watch := clock.StartStopwatch()
	for range 100 {
		if err := d.enter(t.Context(), AuthorizationRequest); !errors.Is(err, ErrOverloaded) {
			t.Fatalf("got %v", err)
		}
	}
	if took := watch.Elapsed(); took > within {
		t.Errorf("to refuse 100 took %v", took)
	}
	if n := shed.of("request full"); n != 100 {
		t.Errorf("%d were refused since the row is full, want 100", n)
	}
	for shed.of("request waited") < 3 {
		time.Sleep(time.Millisecond)
	}
	if took := watch.Elapsed(); took < within-50*time.Millisecond {
		t.Errorf("those in the row were refused after %v", took)
	}
	// Nobody has left for so long that nobody is expected to.
	time.Sleep(paceWindow)
	watch = clock.StartStopwatch()
	if err := d.enter(t.Context(), ReversalAdvice); !errors.Is(err, ErrOverloaded) || watch.Elapsed() > within/2 {
		t.Errorf("got %v after %v", err, watch.Elapsed())
	}
	if n := shed.of("reversal expected"); n != 1 {
		t.Errorf("%d reversals were refused as too late, want 1", n)
	}
	if n := strings.Count(log.String(), "load shed"); n < 1 || n > 3 {
		t.Errorf("%d lines were logged in less than two seconds", n)
	}
	d.leave()
	if err := d.enter(t.Context(), AuthorizationRequest); err != nil {
		t.Errorf("right after there is room: %v", err)
	}
}

func TestDoor_whoStopsWaitingLeavesTheRow(t *testing.T) {
	d := newDoor(Load{WorkingMax: 1, AnswerWithin: time.Minute}, &shedCount{}, slog.New(slog.DiscardHandler))
	if err := d.enter(t.Context(), AuthorizationRequest); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := d.enter(ctx, AuthorizationRequest); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	d.leave()
	if d.inside != 0 || d.rows[rowRequests].Len() != 0 {
		t.Errorf("%d inside, %d wait", d.inside, d.rows[rowRequests].Len())
	}
}

// What is expected follows what was measured: nothing at first, then the pace of
// those who left while others waited.
func TestPace_isThatOfThoseWhoLeft(t *testing.T) {
	var p pace
	if p.takes(1000) != 0 {
		t.Error("something is expected before anything was measured")
	}
	p.begin()
	for p.isKnown = false; !p.isKnown; time.Sleep(5 * time.Millisecond) {
		p.count()
	}
	if n := p.perSecond; n < 20 || n > 201 {
		t.Errorf("one every 5 ms is a pace of %.0f a second", n)
	}
	if got, want := p.takes(int(p.perSecond)), time.Second; got < want/2 || got > want*2 {
		t.Errorf("as many as leave in a second take %v", got)
	}
}
