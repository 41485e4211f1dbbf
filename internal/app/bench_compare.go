package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// CompareOptions say how everything is measured in one go.
type CompareOptions struct {
	Rounds      int // everything takes turns so often
	Duration    time.Duration
	WarmUp      time.Duration
	Connections int
	Cards       int
	Scale       int // of pgbench
	JSON        bool
	Write       string // the document whose measured part is written; empty for none
}

// comparison is the table, with what it was measured on.
type comparison struct {
	Machine  machine           `json:"machine"`
	At       time.Time         `json:"at"`
	Command  string            `json:"command"`
	Settings map[string]string `json:"settings"` // by engine: its version and what makes it durable
	PGBench  string            `json:"pgbench,omitempty"`
	Measures []measure         `json:"measures"`
	pictures []picture
}

// measure is one row. Without a Value it was not measured.
type measure struct {
	Name    string   `json:"measure"`
	Value   *float64 `json:"value"`
	Unit    string   `json:"unit,omitempty"`
	Ratio   *float64 `json:"ratio"`
	Against string   `json:"against,omitempty"` // what the ratio is to
	Floor   *float64 `json:"floor"`             // of the ratio
	Aim     *float64 `json:"aim"`
	AtMost  bool     `json:"atMost,omitempty"` // floor and aim are bounds from above
	Note    string   `json:"note,omitempty"`
}

// verdict says how a row stands.
func (m measure) verdict() string {
	switch {
	case m.Value == nil && m.Ratio == nil:
		return "not measured"
	case m.Floor == nil:
		return "stated"
	case m.Ratio == nil:
		return "ratio not measured"
	}
	meets := func(bound float64) bool { return *m.Ratio >= bound != m.AtMost || *m.Ratio == bound }
	switch {
	case m.Aim != nil && meets(*m.Aim):
		return "aim met"
	case meets(*m.Floor):
		return "floor met"
	}
	return "below the floor"
}

// contender is one platform with its worlds, of which rounds are kept.
type contender struct {
	engine                       string
	spread, hotCard, hotMerchant *bench
	max, card, merchant          []float64 // answers a second
	crypto                       []float64
	p99, commit                  []float64 // at half the maximum, in milliseconds
	latency                      *hdrhistogram.Histogram
	stop                         func() error
}

// BenchCompare measures everything that can be measured in one go, in rounds in
// which all take turns, and prints the table. What it cannot measure it says.
func BenchCompare(ctx context.Context, l config.Loaded, log *slog.Logger, w io.Writer, o CompareOptions) (err error) {
	if o.Cards < o.Connections {
		return fmt.Errorf("%w: a card is used by one connection at a time, so %d connections need as many cards", ErrUsage, o.Connections)
	}
	log = slog.New(quieter{log.Handler(), slog.LevelError})
	c := &comparison{Machine: readMachine(), At: clock.System{}.Now().UTC(), Command: o.command(l), Settings: map[string]string{}}
	codec, err := measureCodec(ctx, BenchCPUOptions{Rounds: o.Rounds, Duration: min(o.Duration, time.Second)})
	if err != nil {
		return err
	}
	crypto, err := measureCrypto(ctx, BenchCPUOptions{Rounds: o.Rounds, Duration: min(o.Duration, time.Second)})
	if err != nil {
		return err
	}
	contenders, err := openContenders(ctx, l, log, o, c.Settings)
	defer func() {
		for _, k := range contenders {
			err = errors.Join(err, k.close())
		}
	}()
	if err != nil {
		return err
	}
	var reference *pgbench
	if isPostgres(l) {
		if reference, err = openPGBench(ctx, l.Config.DB, pgbenchOptions{clients: 32, threads: 2, scale: o.Scale, duration: o.Duration}); err != nil {
			return err
		}
	}
	if reference != nil {
		defer func() { err = errors.Join(err, reference.close(context.WithoutCancel(ctx))) }()
		c.PGBench = reference.options.String()
	}
	tps, err := takeTurns(ctx, contenders, reference, o.Rounds)
	if err != nil {
		return err
	}
	c.tell(contenders, tps, codec, crypto)
	if o.Write != "" {
		if err := c.write(o.Write); err != nil {
			return err
		}
	}
	return c.print(w, o.JSON)
}

func isPostgres(l config.Loaded) bool { return strings.HasPrefix(l.Config.DB, "postgres") }

// command is what was asked for, without the address of a database.
func (o CompareOptions) command(l config.Loaded) string {
	text := fmt.Sprintf("sarraf bench compare --rounds %d --duration %s --warm-up %s --connections %d --cards %d", o.Rounds, o.Duration, o.WarmUp, o.Connections, o.Cards)
	if isPostgres(l) {
		text += " --db postgres://…"
	}
	return text
}

// openContenders starts a platform on SQLite and, when there is a server, one on
// that. What was started is returned whatever happens.
func openContenders(ctx context.Context, l config.Loaded, log *slog.Logger, o CompareOptions, settings map[string]string) ([]*contender, error) {
	var all []*contender
	dsns := []string{""}
	if isPostgres(l) {
		dsns = append(dsns, l.Config.DB)
	}
	for _, dsn := range dsns {
		own, remove := l.Config, func() error { return nil }
		if dsn == "" {
			dir, err := os.MkdirTemp("", "sarraf-bench-")
			if err != nil {
				return all, fmt.Errorf("make temporary directory: %w", err)
			}
			own.KeepIn(dir)
			remove = func() error { return os.RemoveAll(dir) }
		}
		p, stop, err := startBenchAs(ctx, own, log, remove)
		if err != nil {
			return all, err
		}
		k := &contender{engine: p.db.Engine().String(), stop: stop, latency: hdrhistogram.New(1, 120_000_000, 3)}
		all = append(all, k)
		if settings[k.engine], err = describeEngine(ctx, p.db); err != nil {
			return all, err
		}
		base := BenchOptions{Connections: o.Connections, Cards: o.Cards, Duration: o.Duration, WarmUp: o.WarmUp, Controls: true, Arrivals: PoissonArrivals}
		for i, world := range []struct {
			b                    **bench
			hotCard, hotMerchant bool
		}{{&k.spread, false, false}, {&k.hotCard, true, false}, {&k.hotMerchant, false, true}} {
			o := base
			o.HotCard, o.HotMerchant, o.acquirer = world.hotCard, world.hotMerchant, i
			if o.HotCard || o.HotMerchant {
				o.Cards = max(o.Connections, min(o.Cards, 1000))
			}
			if *world.b, err = newBench(ctx, p, o); err != nil {
				return all, fmt.Errorf("prepare %s: %w", k.engine, err)
			}
		}
	}
	return all, nil
}

func (k *contender) close() error {
	for _, b := range []*bench{k.spread, k.hotCard, k.hotMerchant} {
		if b != nil {
			b.close()
		}
	}
	return k.stop()
}

// takeTurns measures the maximum, with pgbench between, and then the latency at
// half of it. It returns what pgbench made.
func takeTurns(ctx context.Context, all []*contender, reference *pgbench, rounds int) (tps []float64, err error) {
	for range rounds {
		if reference != nil {
			r, err := reference.run(ctx)
			if err != nil {
				return nil, err
			}
			tps = append(tps, r.PerSecond)
		}
		for _, k := range all {
			for _, world := range []struct {
				b    *bench
				into *[]float64
			}{{k.spread, &k.max}, {k.hotCard, &k.card}, {k.hotMerchant, &k.merchant}} {
				r, err := world.b.measureWhole(ctx)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", k.engine, err)
				}
				*world.into = append(*world.into, r.PerSecond)
				if world.b == k.spread && r.CPU != nil {
					k.crypto = append(k.crypto, r.CPU.Crypto)
				}
			}
		}
	}
	for range rounds {
		for _, k := range all {
			k.spread.options.Rate = median(k.max) / 2
			r, err := k.spread.measureWhole(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s at half the maximum: %w", k.engine, err)
			}
			k.p99, k.commit = append(k.p99, r.Latency.P99), append(k.commit, r.GroupCommit.P50)
			k.latency.Merge(r.micros)
		}
	}
	return tps, nil
}

// measureWhole is measure, of which everything must have been approved.
func (b *bench) measureWhole(ctx context.Context) (*benchResult, error) {
	r, err := b.measure(ctx)
	if err == nil && (r.Unanswered > 0 || r.Answers == 0 || r.Codes["00"] != r.Answers) {
		err = fmt.Errorf("%w: not everything was approved: %v, %d unanswered", ErrNotWell, r.Codes, r.Unanswered)
	}
	return r, err
}

// some is a number that was measured; of nothing it is none.
func some(all ...float64) *float64 {
	if len(all) == 0 {
		return nil
	}
	m := median(all)
	return &m
}

func ratioOf(a, b []float64) *float64 {
	if len(a) == 0 || len(b) == 0 || median(b) == 0 {
		return nil
	}
	return some(median(a) / median(b))
}

// tell makes the rows.
func (c *comparison) tell(all []*contender, tps []float64, codec, crypto *cpuResult) {
	bounds := map[string][2]float64{"postgres": {4, 6}, "sqlite": {2.5, 3.5}}
	add := func(m measure) { c.Measures = append(c.Measures, m) }
	add(measure{Name: "pgbench, TPC-B", Value: some(tps...), Unit: "transactions/s", Note: c.PGBench})
	for _, engine := range []string{"postgres", "sqlite"} {
		k := &contender{engine: engine}
		for _, one := range all {
			if one.engine == engine {
				k = one
			}
		}
		bound := bounds[engine]
		add(measure{
			Name: "authorizations on " + engine, Value: some(k.max...), Unit: "/s", Ratio: ratioOf(k.max, tps), Against: "pgbench",
			Floor: &bound[0], Aim: &bound[1],
		})
		add(measure{Name: "of the raw limit on " + engine, Against: "the same rows", Floor: some(0.6), Aim: some(0.75)})
		add(measure{
			Name: "p99 at half the maximum on " + engine, Value: some(k.p99...), Unit: "ms", Ratio: ratioOf(k.p99, k.commit),
			Against: "median commit of a group", Floor: some(5), AtMost: true,
		})
		add(measure{Name: "one hot card on " + engine, Value: some(k.card...), Unit: "/s", Ratio: ratioOf(k.card, k.max), Against: "spread out", Floor: some(0.5)})
		add(measure{Name: "one hot merchant on " + engine, Value: some(k.merchant...), Unit: "/s", Ratio: ratioOf(k.merchant, k.max), Against: "spread out", Floor: some(0.5)})
		add(measure{
			Name: "share of cryptography on " + engine, Ratio: some(k.crypto...), Against: "CPU of the process without the load", Floor: some(0.25), AtMost: true,
		})
		if len(k.max) > 0 {
			c.pictures = append(c.pictures, picture{engine, "Latency at half the maximum on " + engine, k.latency})
		}
	}
	for _, r := range []*cpuResult{codec, crypto} {
		for _, s := range r.Steps {
			note := fmt.Sprintf("%.0f allocations", s.Allocations)
			add(measure{Name: s.Name, Value: some(s.PerSecond), Unit: "/s per core", Note: note})
		}
	}
	for _, name := range []string{
		"codec against moov-io/iso8583", "growth to 1,000,000 cards", "memory after growth", "start-up after growth", "two nodes", "a client of 200 ms", "overload",
	} {
		add(measure{Name: name})
	}
}

func (c *comparison) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, c)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n%s\n", c.Machine, c.Command)
	for engine, text := range c.Settings {
		fmt.Fprintf(&out, "%s: %s\n", engine, text)
	}
	fmt.Fprintln(&out)
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "measure\tvalue\tratio\tto\tfloor\taim\t")
	for _, m := range c.Measures {
		fmt.Fprintln(t, strings.Join(m.cells(), "\t")+"\t")
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// cells are a row for people, its verdict last.
func (m measure) cells() []string {
	number := func(v *float64, unit string) string {
		switch {
		case v == nil:
			return ""
		case *v >= 100:
			return strings.TrimSpace(fmt.Sprintf("%.0f %s", *v, unit))
		}
		return strings.TrimSpace(fmt.Sprintf("%.3g %s", *v, unit))
	}
	value := number(m.Value, m.Unit)
	if m.Value == nil && m.Ratio == nil {
		return []string{m.Name, "not measured", "", m.Against, number(m.Floor, ""), number(m.Aim, ""), m.verdict()}
	}
	return []string{m.Name, value, number(m.Ratio, ""), m.Against, number(m.Floor, ""), number(m.Aim, ""), m.verdict()}
}

// describeEngine is the version of the database and what makes it durable.
func describeEngine(ctx context.Context, d *db.DB) (string, error) {
	text, err := d.Version(ctx)
	if err != nil {
		return "", err
	}
	settings, err := d.Durability(ctx)
	if err != nil {
		return "", err
	}
	for _, s := range settings {
		text += ", " + s.Name + "=" + s.Value
	}
	return text, nil
}

// picture is a histogram that is drawn.
type picture struct {
	name, title string
	micros      *hdrhistogram.Histogram
}

// file is where it lies beside document.
func (p picture) file(document string) string {
	base := filepath.Base(document)
	return strings.TrimSuffix(base, filepath.Ext(base)) + "-latency-" + p.name + ".svg"
}
