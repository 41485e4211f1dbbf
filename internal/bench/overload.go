package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// OverloadOptions say how a platform is overloaded.
type OverloadOptions struct {
	AuthorizeOptions
	// Times is how many times what was measured arrives.
	Times float64
	// Probe is how long the maximum is measured.
	Probe time.Duration
}

// overloadResult is what became of a platform to which too much came.
type overloadResult struct {
	Engine       string  `json:"engine"`
	Connections  int     `json:"connections"`
	Cards        int     `json:"cards"`
	MaxPerSecond float64 `json:"maximumPerSecond"`
	Rate         float64 `json:"rate"`
	Seconds      float64 `json:"seconds"`
	// AnswerWithin is how long a request may wait before it is refused.
	AnswerWithin float64          `json:"answerWithinSeconds"`
	Decided      overloadAnswers  `json:"decided"`
	Refused      overloadAnswers  `json:"refused"`
	Codes        map[string]int64 `json:"responseCodes"`
	Late         int64            `json:"late"` // beyond the deadline and a second
	Unanswered   int64            `json:"unanswered"`
	Heap         overloadHeap     `json:"heapMB"`
	Recovery     float64          `json:"recoverySeconds"`
	Recovered    bool             `json:"recovered"`
}

// overloadAnswers are those of one kind.
type overloadAnswers struct {
	Answers   int64   `json:"answers"`
	PerSecond float64 `json:"perSecond"`
	Latency   latency `json:"latencyMs"`
}

// overloadHeap is what lives in the memory of the process, with the load in it: at rest,
// after a first short overload, which queues and maps keep the room of, and after the
// one that counts; at the most, during that, garbage is with it.
type overloadHeap struct {
	Rest   float64 `json:"rest"`
	Before float64 `json:"before"`
	Most   float64 `json:"most"`
	After  float64 `json:"after"`
}

const (
	// overloadFirst is what part of an overload a first one takes: memory that does not
	// come back grows in the second, which is so much longer.
	overloadFirst = 6
	// recoveryMax is how long a platform may take until it is as before.
	recoveryMax = 5 * time.Second
	// recoveryRow is how many purchases in a row must be as fast as before.
	recoveryRow = 10
	// refusedCode is that of a request which nothing was done about.
	refusedCode = "91"
)

// Overload measures the maximum, sends a multiple of it, and prints what
// became of that and how soon the platform was as before. It returns [app.ErrNotWell]
// when a request got no answer or another one than an approval or 91, or when the
// platform did not recover.
func Overload(ctx context.Context, l config.Loaded, log *slog.Logger, w io.Writer, o OverloadOptions) (err error) {
	if o.Cards < o.Connections {
		return fmt.Errorf("%w: a card is used by one connection at a time, so %d connections need as many cards", app.ErrUsage, o.Connections)
	}
	p, stop, err := start(ctx, l, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	r, err := measureOverload(ctx, p, o)
	if err != nil {
		return err
	}
	if err := r.print(w, o.JSON); err != nil {
		return err
	}
	if !r.isWell() {
		return app.ErrNotWell
	}
	return nil
}

// measureOverload measures the maximum of p, sends a multiple of it, and waits until it
// is as before.
func measureOverload(ctx context.Context, p *app.Platform, o OverloadOptions) (*overloadResult, error) {
	probe := o.AuthorizeOptions
	probe.Duration = o.Probe
	w, err := newWorld(ctx, p, probe)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	defer w.close()
	most, err := w.measure(ctx)
	if err != nil {
		return nil, fmt.Errorf("measure the maximum: %w", err)
	}
	if most.PerSecond <= 0 {
		return nil, fmt.Errorf("measure the maximum: nothing was answered in %v", o.Probe)
	}
	r := &overloadResult{
		Engine: most.Engine, Connections: o.Connections, Cards: o.Cards, MaxPerSecond: most.PerSecond,
		Rate: o.Times * most.PerSecond, AnswerWithin: p.Config.Network.AnswerWithin.Seconds(), Codes: map[string]int64{},
	}
	w.options.Rate, w.options.Arrivals = r.Rate, PoissonArrivals
	fast := max(50*time.Millisecond, time.Duration(most.Latency.P99*float64(time.Millisecond)))
	rest := heapMB(true)
	first := *r
	first.Codes = map[string]int64{}
	for _, turn := range []struct {
		r    *overloadResult
		long time.Duration
	}{{&first, o.Duration / overloadFirst}, {r, o.Duration}} {
		w.options.Duration = turn.long
		if err := w.overload(ctx, turn.r); err != nil {
			return nil, err
		}
		if err := w.recover(ctx, turn.r, fast); err != nil {
			return nil, err
		}
	}
	// What went wrong in the first one counts.
	r.Late, r.Unanswered, r.Recovered = r.Late+first.Late, r.Unanswered+first.Unanswered, r.Recovered && first.Recovered
	r.Heap.Rest, r.Heap.After = rest, heapMB(true)
	return r, nil
}

// isWell says that every request was approved or refused, and that the platform
// recovered.
func (r *overloadResult) isWell() bool {
	return r.Unanswered == 0 && r.Recovered && r.Codes["00"]+r.Codes[refusedCode] == r.Decided.Answers+r.Refused.Answers
}

// compareOverload overloads a platform on each engine, once: what is asked is whether
// it bears it, not how much.
func (r *comparing) compareOverload(ctx context.Context) error {
	for _, c := range r.configs {
		err := r.onScratch(ctx, c, "overload", func(p *app.Platform) error { return r.compareOverloadOn(ctx, p) })
		if err != nil {
			return fmt.Errorf("overload: %w", err)
		}
	}
	return nil
}

func (r *comparing) compareOverloadOn(ctx context.Context, p *app.Platform) error {
	engine, o := p.DB.Engine().String(), r.options.authorize()
	o.Cards = max(o.Connections, min(o.Cards, 10_000))
	r.progress.step("overload on "+engine, o.WarmUp+o.Duration+r.options.Overload)
	probe := o.Duration
	o.Duration = r.options.Overload
	found, err := measureOverload(ctx, p, OverloadOptions{AuthorizeOptions: o, Times: 3, Probe: probe})
	if err != nil {
		return err
	}
	on := " on " + engine
	answers := found.Decided.Answers + found.Refused.Answers
	// An answer that is neither an approval nor a refusal is none.
	wrong := found.Late + found.Unanswered + answers - found.Codes["00"] - found.Codes[refusedCode]
	m := r.row("overload: late or unanswered" + on)
	all := float64(answers + found.Unanswered)
	m.Value, m.Ratio = some(float64(wrong)), some(float64(wrong)/max(1, all))
	m.Note = fmt.Sprintf("%.0f/s arrived for %.0f s: %.0f/s decided in %.0f ms (p99), %.0f/s refused in %.0f ms (p99)", found.Rate, found.Seconds,
		found.Decided.PerSecond, found.Decided.Latency.P99, found.Refused.PerSecond, found.Refused.Latency.P99)
	r.row("overload: recovery" + on).Value = some(found.Recovery)
	m = r.row("overload: memory after" + on)
	m.Value, m.Ratio = some(found.Heap.After), some(found.Heap.After/max(1, found.Heap.Before))
	m.Note = fmt.Sprintf("what lives of platform and load: %.1f MB at rest, %.1f after a first overload of %.0f s, %.0f MB with garbage at most",
		found.Heap.Rest, found.Heap.Before, found.Seconds/overloadFirst, found.Heap.Most)
	return nil
}

// overload sends at the rate of r, and counts.
func (w *world) overload(ctx context.Context, r *overloadResult) error {
	r.Heap.Before = heapMB(true)
	deadline := w.platform.Config.Network.AnswerWithin + time.Second
	decided, refused := newTally(), newTally()
	count := func(answer *iso8583.Message, took time.Duration) {
		code := answer.Text(iso8583.ResponseCode)
		r.Codes[code]++
		if took > deadline {
			r.Late++
		}
		if code == refusedCode {
			refused.count(answer, took)
		} else {
			decided.count(answer, took)
		}
	}
	loading, stop := context.WithTimeout(ctx, w.options.Duration)
	defer stop()
	var watching sync.WaitGroup
	var most atomic.Int64
	watching.Go(func() {
		for loading.Err() == nil {
			most.Store(max(most.Load(), int64(heapMB(false)*1000)))
			wait(loading, 200*time.Millisecond)
		}
	})
	watch, all := clock.StartStopwatch(), newTally()
	err := w.sendOpenTo(loading, all, func() bool { return true }, count)
	r.Seconds = min(watch.Elapsed(), w.options.Duration).Seconds()
	stop()
	watching.Wait()
	r.Heap.Most, r.Unanswered = float64(most.Load())/1000, all.unanswered
	r.Decided, r.Refused = decided.answers(r.Seconds), refused.answers(r.Seconds)
	if err == nil {
		err = ctx.Err()
	}
	return err
}

func (t *tally) answers(seconds float64) overloadAnswers {
	n := t.micros.TotalCount()
	return overloadAnswers{Answers: n, PerSecond: float64(n) / seconds, Latency: latencyOf(t.micros)}
}

func latencyOf(h *hdrhistogram.Histogram) latency {
	ms := func(micros int64) float64 { return float64(micros) / 1000 }
	return latency{
		Mean: h.Mean() / 1000, P50: ms(h.ValueAtQuantile(50)), P95: ms(h.ValueAtQuantile(95)),
		P99: ms(h.ValueAtQuantile(99)), P999: ms(h.ValueAtQuantile(99.9)), Max: ms(h.Max()),
	}
}

// recover asks until purchases are approved as fast as before, one after another.
func (w *world) recover(ctx context.Context, r *overloadResult, fast time.Duration) error {
	watch := clock.StartStopwatch()
	for n, row := 0, 0; row < recoveryRow; n++ {
		if watch.Elapsed() > 4*recoveryMax {
			r.Recovery = watch.Elapsed().Seconds()
			return nil
		}
		request, err := w.use(n)
		if err != nil {
			return err
		}
		answer, took, err := w.links[n%len(w.links)].Ask(ctx, request.Message)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, sim.ErrNoAnswer), err == nil && (answer.Text(iso8583.ResponseCode) != "00" || took > fast):
			row = 0
		case err != nil:
			return err
		default:
			row++
		}
	}
	r.Recovery = watch.Elapsed().Seconds()
	r.Recovered = r.Recovery <= recoveryMax.Seconds()
	return nil
}

// heapMB is what the heap of this process takes; what lives on it, when garbage is
// collected first.
func heapMB(collect bool) float64 {
	var m runtime.MemStats
	if collect {
		runtime.GC()
		runtime.GC() // what pools had is given up by the second
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / 1e6
	}
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse) / 1e6
}

func (r *overloadResult) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return app.PrintJSON(w, r)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "Overload on %s: %d connections, %d cards, platform and load in one process\n", r.Engine, r.Connections, r.Cards)
	fmt.Fprintf(&out, "maximum      %.0f a second (closed loop)\n", r.MaxPerSecond)
	fmt.Fprintf(&out, "load         %.0f a second (open loop) for %.1f s\n", r.Rate, r.Seconds)
	for _, row := range []struct {
		name string
		overloadAnswers
	}{{"decided ", r.Decided}, {"refused ", r.Refused}} {
		fmt.Fprintf(&out, "%s     %.0f a second (%d); ms: p50 %.2f   p95 %.2f   p99 %.2f   max %.2f\n",
			row.name, row.PerSecond, row.Answers, row.Latency.P50, row.Latency.P95, row.Latency.P99, row.Latency.Max)
	}
	fmt.Fprintf(&out, "late         %d (after %.0f s and a second more)   unanswered: %d\n", r.Late, r.AnswerWithin, r.Unanswered)
	fmt.Fprintf(&out, "heap MB      at rest %.1f   after a first overload %.1f   most, with garbage, %.0f   after %.1f\n", r.Heap.Rest, r.Heap.Before, r.Heap.Most, r.Heap.After)
	fmt.Fprintf(&out, "recovery     %.2f s until %d purchases in a row were as fast as before\n", r.Recovery, recoveryRow)
	_, err := w.Write(out.Bytes())
	return err
}
