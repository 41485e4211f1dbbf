package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// AuthorizeOptions say what is measured.
type AuthorizeOptions struct {
	Connections int
	Duration    time.Duration
	WarmUp      time.Duration
	Cards       int
	JSON        bool
	// Rate is how many requests arrive a second, however fast they are answered;
	// zero lets each connection send the next when it was answered.
	Rate     float64
	Arrivals Arrivals // when there is a rate
	// Controls puts three velocity windows, two authorization controls with rules and
	// a fee with tax on every purchase.
	Controls bool
	// HotCard lets all cards spend from one account, HotMerchant lets all be used in
	// one shop instead of in a hundred.
	HotCard, HotMerchant bool
	// NoPGBench leaves pgbench out.
	NoPGBench bool

	acquirer int // tells apart those of one platform, whose messages must differ
}

// authorizeResult is what was measured.
type authorizeResult struct {
	Engine      string            `json:"engine"`
	Durability  map[string]string `json:"durability"`
	CPUs        int               `json:"cpus"`
	Loop        string            `json:"loop"`
	Rate        float64           `json:"rate,omitempty"`
	Controls    bool              `json:"controls"`
	Spread      string            `json:"spread"`
	Connections int               `json:"connections"`
	Cards       int               `json:"cards"`
	Seconds     float64           `json:"seconds"`
	Answers     int64             `json:"answers"`
	PerSecond   float64           `json:"perSecond"`
	Latency     latency           `json:"latencyMs"`
	Codes       map[string]int64  `json:"responseCodes"`
	Unanswered  int64             `json:"unanswered"`
	Stages      []stageRow        `json:"stages"`
	GroupMean   float64           `json:"groupMean"`
	GroupCommit stageRow          `json:"groupCommit"`
	CPU         *cpuShares        `json:"cpuShares,omitempty"`
	PGBench     *pgbenchResult    `json:"pgbench,omitempty"`

	micros *hdrhistogram.Histogram // the latencies
}

// latency is the time from sending, or from the intended arrival, to the
// answer, in milliseconds.
type latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// stageRow is one stage of an authorization, in milliseconds. Percentiles are
// read off a histogram and good to its buckets.
type stageRow struct {
	Name string  `json:"stage"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
}

// Authorize measures chip purchases over the real listener and prints the
// result. It returns [app.ErrNotWell] when a request was not approved or got no
// answer.
func Authorize(ctx context.Context, l config.Loaded, log *slog.Logger, out io.Writer, o AuthorizeOptions) (err error) {
	if o.Cards < o.Connections && o.Rate == 0 {
		return fmt.Errorf("%w: a card is used by one connection at a time, so %d connections need as many cards", app.ErrUsage, o.Connections)
	}
	p, stop, err := start(ctx, l, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	w, err := newWorld(ctx, p, o)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer w.close()
	result, err := w.measure(ctx)
	if err != nil {
		return err
	}
	if !o.NoPGBench {
		if result.PGBench, err = runPGBench(ctx, p.Config.DB, o); err != nil {
			log.Warn("pgbench was not measured", "error", err)
		}
	}
	if err := result.print(out, o.JSON); err != nil {
		return err
	}
	if result.Unanswered > 0 || result.Codes["00"] != result.Answers {
		return app.ErrNotWell
	}
	return nil
}

// tally is what one connection counted.
type tally struct {
	micros     *hdrhistogram.Histogram
	codes      map[string]int64
	unanswered int64
}

func newTally() *tally {
	return &tally{micros: hdrhistogram.New(1, 120_000_000, 3), codes: map[string]int64{}}
}

func (t *tally) count(answer *iso8583.Message, took time.Duration) {
	t.codes[answer.Text(iso8583.ResponseCode)]++
	// The histogram is wide enough for any time-out.
	_ = t.micros.RecordValue(max(1, took.Microseconds()))
}

// measure lets the load run: warm-up first, then what is counted.
func (w *world) measure(ctx context.Context) (*authorizeResult, error) {
	var counting atomic.Bool
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	var tallies []*tally
	failed := make(chan error, len(w.links))
	drive := func(load func(t *tally) error) {
		t := newTally()
		tallies = append(tallies, t)
		running.Go(func() {
			if err := load(t); err != nil {
				failed <- err
				cancel()
			}
		})
	}
	if w.options.Rate > 0 {
		drive(func(t *tally) error { return w.sendOpen(ctx, t, counting.Load) })
	} else {
		for i, link := range w.links {
			drive(func(t *tally) error { return w.drive(ctx, link, i, t, &counting) })
		}
	}
	wait(ctx, w.options.WarmUp)
	before, err := readStages(w.platform.Metrics)
	if err != nil {
		return nil, err
	}
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	watch := clock.StartStopwatch()
	counting.Store(true)
	wait(ctx, w.options.Duration)
	counting.Store(false)
	took := watch.Elapsed()
	pprof.StopCPUProfile()
	after, err := readStages(w.platform.Metrics)
	if err != nil {
		return nil, err
	}
	cancel()
	running.Wait()
	select {
	case err := <-failed:
		return nil, err
	default:
	}
	r, err := w.sum(context.WithoutCancel(ctx), tallies, took, after.since(before))
	if err != nil {
		return nil, err
	}
	// Below a second there are too few samples to say anything.
	if shares, err := sharesOf(profile.Bytes()); err != nil {
		return nil, err
	} else if shares != nil && shares.Seconds >= 1 {
		r.CPU = shares
	}
	return r, nil
}

// price is what each purchase costs.
var price = money.Must(100, "TRY")

// use is the next purchase, the n-th of all.
func (w *world) use(n int) (*sim.Request, error) {
	return w.terminals[n%len(w.terminals)].Use(w.cards[n%len(w.cards)], sim.Payment{Amount: price, Entry: sim.Chip})
}

// drive uses the cards that belong to connection i, one after another, from where it
// was when it ended the last time: cards that are always the same ones would be in
// memory, however many there are.
func (w *world) drive(ctx context.Context, link *sim.Link, i int, t *tally, counting *atomic.Bool) error {
	// Whole turns keep a card with its connection.
	turn := len(w.cards) / len(w.links) * len(w.links)
	n := i
	if last, ok := w.next.Load(i); ok {
		n = last.(int)
	}
	defer func() { w.next.Store(i, n) }()
	for ; ctx.Err() == nil; n += len(w.links) {
		if n >= turn {
			n = i
		}
		r, err := w.use(n)
		if err != nil {
			return err
		}
		answer, took, err := link.Ask(ctx, r.Message)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, sim.ErrNoAnswer):
			t.unanswered++
			continue
		case err != nil:
			return err
		}
		if counting.Load() {
			t.count(answer, took)
		}
	}
	return nil
}

func (o AuthorizeOptions) loop() string {
	if o.Rate > 0 {
		return fmt.Sprintf("open, %.0f arrivals a second (%s)", o.Rate, o.Arrivals)
	}
	return "closed, one request in flight on each connection"
}

func (o AuthorizeOptions) spread() string {
	cards, shops := "an account for each card", "100 merchants"
	if o.HotCard {
		cards = "one account for all cards"
	}
	if o.HotMerchant {
		shops = "one merchant"
	}
	return cards + ", " + shops
}

func (w *world) sum(ctx context.Context, tallies []*tally, took time.Duration, stages stageTimes) (*authorizeResult, error) {
	all := hdrhistogram.New(1, 120_000_000, 3)
	r := &authorizeResult{
		Engine: w.platform.DB.Engine().String(), Durability: map[string]string{}, CPUs: runtime.NumCPU(),
		Loop: w.options.loop(), Rate: w.options.Rate, Controls: w.options.Controls, Spread: w.options.spread(), Connections: len(w.links), Cards: len(w.cards),
		Seconds: took.Seconds(), Codes: map[string]int64{},
	}
	for _, t := range tallies {
		all.Merge(t.micros)
		r.Unanswered += t.unanswered
		for code, n := range t.codes {
			r.Codes[code] += n
			r.Answers += n
		}
	}
	r.micros = all
	r.PerSecond = float64(r.Answers) / took.Seconds()
	r.Latency = latencyOf(all)
	r.Stages, r.GroupMean, r.GroupCommit = stages.rows(), stages.groupMean(), stages[groupCommits].row("group")
	settings, err := w.platform.DB.Durability(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range settings {
		r.Durability[s.Name] = s.Value
	}
	return r, nil
}

func (r *authorizeResult) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return app.PrintJSON(w, r)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "Chip purchases over ISO 8583 on %s, %d CPUs shared by platform, database and load\n", r.Engine, r.CPUs)
	fmt.Fprintf(&out, "loop         %s: %d connections, %d cards\n", r.Loop, r.Connections, r.Cards)
	controls := "none"
	if r.Controls {
		controls = "three velocity windows, two authorization controls with rules, one fee with tax"
	}
	fmt.Fprintf(&out, "spread       %s\ncontrols     %s\n", r.Spread, controls)
	fmt.Fprintf(&out, "durability  ")
	for _, name := range slices.Sorted(maps.Keys(r.Durability)) {
		fmt.Fprintf(&out, " %s=%s", name, r.Durability[name])
	}
	fmt.Fprintf(&out, "\n\nthroughput   %.0f answers a second (%d in %.1f s)\n", r.PerSecond, r.Answers, r.Seconds)
	fmt.Fprintf(&out, "latency ms   mean %.2f   p50 %.2f   p95 %.2f   p99 %.2f   p99.9 %.2f   max %.2f\n",
		r.Latency.Mean, r.Latency.P50, r.Latency.P95, r.Latency.P99, r.Latency.P999, r.Latency.Max)
	fmt.Fprintf(&out, "answers     ")
	for _, code := range slices.Sorted(maps.Keys(r.Codes)) {
		fmt.Fprintf(&out, " %s: %d", code, r.Codes[code])
	}
	fmt.Fprintf(&out, "   unanswered: %d\n\n", r.Unanswered)
	t := tabwriter.NewWriter(&out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "stage\tmean ms\tp50\tp99\t")
	for _, s := range r.Stages {
		fmt.Fprintf(t, "%s\t%.3f\t%.3f\t%.3f\t\n", s.Name, s.Mean, s.P50, s.P99)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&out, "requests in one commit: %.1f on average; time of one: median %.3f ms, p99 %.3f ms\n", r.GroupMean, r.GroupCommit.P50, r.GroupCommit.P99)
	if r.GroupCommit.P50 > 0 {
		fmt.Fprintf(&out, "p99 of the latency is %.1f times the median time of one commit\n", r.Latency.P99/r.GroupCommit.P50)
	}
	if r.CPU != nil {
		fmt.Fprintf(&out, "cryptography: %.1f %% of the CPU time of the platform's process without the load, which took %.1f %% of it\n", 100*r.CPU.Crypto, 100*r.CPU.Load)
	}
	if b := r.PGBench; b != nil {
		fmt.Fprintf(&out, "\npgbench on the same server (%s): %.0f transactions a second, mean %.2f ms\nratio to pgbench: %.2f\n",
			b.Options, b.PerSecond, b.LatencyMS, r.PerSecond/b.PerSecond)
	}
	_, err := w.Write(out.Bytes())
	return err
}
