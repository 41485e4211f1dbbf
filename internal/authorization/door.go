package authorization

import (
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// ErrOverloaded is returned when a message would not be decided in time, or was
// not. Nothing was kept; the network sees 91, and what carries a fact comes again.
var ErrOverloaded = fault.New(fault.Unavailable, "overloaded", "there is more to do than can be done in time; try again")

// Load bounds what is done at the same time, on all links together. The zero
// value of a member is its default.
type Load struct {
	// WorkingMax bounds the messages that are worked on. Those whose client is
	// being asked are not counted. Default 1024.
	WorkingMax int
	// WaitingMax bounds the requests that wait to be worked on, and again the
	// reversals and advices, which are let in before them. Default 4096.
	WaitingMax int
	// AnswerWithin is how long a message may take to be decided. It is refused where
	// that has passed, and at once where more than half of it is to be expected.
	// Default 3 s.
	AnswerWithin time.Duration
}

func (l Load) withDefaults() Load {
	if l.WorkingMax <= 0 {
		l.WorkingMax = 1024
	}
	if l.WaitingMax <= 0 {
		l.WaitingMax = 4096
	}
	if l.AnswerWithin <= 0 {
		l.AnswerWithin = 3 * time.Second
	}
	return l
}

// Why a message was refused, for metrics.
const (
	shedFull     = "full"     // too many wait already
	shedExpected = "expected" // its turn would come too late
	shedWaited   = "waited"   // its turn did not come in time
	shedUndone   = "undone"   // it had its turn, and no commit took it up in time
)

// door lets messages in, so many at a time. Who comes on top waits in one of two
// rows, or is refused before anything is read for him: an answer that comes too
// late is work for nothing, and the sender has long given up.
type door struct {
	Load
	observe Observer
	log     *slog.Logger

	mu     sync.Mutex
	inside int
	rows   [2]*list.List // of chan struct{}, closed when its turn has come: facts, requests
	pace   pace
	told   clock.Stopwatch // since the log was told what was refused
	shed   int             // not told yet
}

// Rows of a door. What has already happened goes before what is still to be
// decided: it changes what there is to spend, and its sender never stops sending.
const (
	rowFacts = iota
	rowRequests
)

func newDoor(l Load, o Observer, log *slog.Logger) *door {
	return &door{Load: l.withDefaults(), observe: o, log: log, rows: [2]*list.List{list.New(), list.New()}}
}

func rowOf(f Flow) int {
	if f.IsReversal() || f.IsAdvice() {
		return rowFacts
	}
	return rowRequests
}

// enter returns when the message of a flow may be worked on. Whoever gets no
// error calls leave when that is done.
func (d *door) enter(ctx context.Context, flow Flow) error {
	row := rowOf(flow)
	d.mu.Lock()
	if d.inside < d.WorkingMax {
		d.admit()
		d.mu.Unlock()
		return nil
	}
	if why := d.refuses(row); why != "" {
		d.mu.Unlock()
		return d.refuse(flow, why)
	}
	turn := make(chan struct{})
	place := d.rows[row].PushBack(turn)
	d.mu.Unlock()
	patience := time.NewTimer(d.AnswerWithin)
	defer patience.Stop()
	var err error
	select {
	case <-turn:
		return nil
	case <-patience.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	d.mu.Lock()
	select {
	case <-turn: // at the same moment
		d.mu.Unlock()
		return nil
	default:
	}
	d.rows[row].Remove(place)
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return d.refuse(flow, shedWaited)
}

// admit counts one more inside. From the last place on the pace is measured.
func (d *door) admit() {
	d.inside++
	if d.inside == d.WorkingMax && !d.pace.measures {
		d.pace.begin()
	}
}

// refuses says why nobody may join a row; empty when he may.
func (d *door) refuses(row int) string {
	before := d.inside + d.rows[rowFacts].Len()
	if row == rowRequests {
		before += d.rows[rowRequests].Len()
	}
	switch {
	case d.rows[row].Len() >= d.WaitingMax:
		return shedFull
	case d.pace.takes(before+1) > d.AnswerWithin/2:
		// At the limit every other one would wait all his time and be refused then: what
		// is expected is not what comes.
		return shedExpected
	}
	return ""
}

// leave gives the place of one who is done to whoever is next.
func (d *door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pace.count()
	for _, row := range d.rows {
		if first := row.Front(); first != nil {
			close(row.Remove(first).(chan struct{}))
			return
		}
	}
	d.inside--
	d.pace.measures = false // nobody waits: the pace is that of the senders
}

// refuse counts a message that is not worked on, and tells the log at most once a
// second.
func (d *door) refuse(flow Flow, why string) error {
	d.observe.Shed(flow.kind(), why)
	d.mu.Lock()
	d.shed++
	n, first := d.shed, d.told == clock.Stopwatch{}
	tells := first || d.told.Elapsed() >= time.Second
	if tells {
		d.told, d.shed = clock.StartStopwatch(), 0
	}
	inside, facts, requests := d.inside, d.rows[rowFacts].Len(), d.rows[rowRequests].Len()
	d.mu.Unlock()
	if tells {
		d.log.Warn("load shed", "messages", n, "why", why, "working", inside, "waiting_facts", facts, "waiting_requests", requests)
	}
	return fmt.Errorf("%s: %w", why, ErrOverloaded)
}

// kind is what metrics call the messages of a flow.
func (f Flow) kind() string {
	switch {
	case f.IsReversal():
		return "reversal"
	case f.IsAdvice():
		return "advice"
	}
	return "request"
}

// pace is how many leave in a second while all places are taken: what the platform
// can do, here and now.
type pace struct {
	measures  bool
	isKnown   bool
	perSecond float64
	window    clock.Stopwatch
	left      int // in the window
}

// paceWindow is how long leaving is counted for one measurement. Groups leave at
// once, so it spans some.
const paceWindow = 500 * time.Millisecond

func (p *pace) begin() { p.measures, p.left, p.window = true, 0, clock.StartStopwatch() }

func (p *pace) count() {
	if p.measures {
		p.left++
		p.roll()
	}
}

// roll ends a window that is over. A new measurement counts as much as all before
// it: after a second or two an old pace, or a standstill, is forgotten.
func (p *pace) roll() {
	took := p.window.Elapsed()
	if !p.measures || took < paceWindow {
		return
	}
	now := float64(p.left) / took.Seconds()
	if p.isKnown {
		now = (p.perSecond + now) / 2
	}
	p.perSecond, p.isKnown = now, true
	p.begin()
}

// takes is how long it takes until n have left; nothing while that is not known.
func (p *pace) takes(n int) time.Duration {
	p.roll()
	if !p.isKnown {
		return 0
	}
	seconds := float64(n) / max(p.perSecond, 0.001)
	return time.Duration(min(seconds, 3600) * float64(time.Second))
}

type asideKey struct{}

// WhenSetAside returns a context with which [Engine.Authorize] calls f, at most
// once, when the answer begins to wait for a client's system. From then on the
// message waits without doing anything, and should hold no place that others need.
func WhenSetAside(ctx context.Context, f func()) context.Context {
	return context.WithValue(ctx, asideKey{}, f)
}

// SetAside tells whoever wants to know, see [WhenSetAside].
func SetAside(ctx context.Context) {
	if f, ok := ctx.Value(asideKey{}).(func()); ok {
		f()
	}
}
