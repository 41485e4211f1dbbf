package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/sarraf-platform/sarraf/internal/app"
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
	// Only are the parts that are measured, all of [CompareParts] without any; those of
	// Without are left out.
	Only, Without []string
	// Overload is how long too much arrives.
	Overload time.Duration
	// Growth are the sizes of its worlds, and where they stay; the rest is as above.
	Growth GrowthOptions
	// Checkout is a directory with the source of this program, for what is measured by
	// tests of it; empty for none.
	Checkout string
	Progress io.Writer // is told what is being measured; nil for nobody
	JSON     bool
	Write    string // the document whose measured part is written; empty for none
}

// The parts that can be chosen.
const (
	partCodec     = "codec"
	partCrypto    = "crypto"
	partRival     = "rival"
	partAuthorize = "authorize"
	partHot       = "hot"
	partLatency   = "latency"
	partRaw       = "raw"
	partNodes     = "two-nodes"
	partSlow      = "slow-client"
	partOverload  = "overload"
	partGrowth    = "growth"
)

// CompareParts are the parts that can be chosen or left out, in the order in which
// they are measured.
func CompareParts() []string {
	return []string{
		partCodec, partCrypto, partRival, partAuthorize, partHot, partRaw, partLatency, partNodes, partSlow, partOverload, partGrowth,
	}
}

// wants says whether one of these parts is measured.
func (o CompareOptions) wants(parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool {
		return (len(o.Only) == 0 || slices.Contains(o.Only, part)) && !slices.Contains(o.Without, part)
	})
}

// authorize is what one platform is measured with.
func (o CompareOptions) authorize() AuthorizeOptions {
	return AuthorizeOptions{Connections: o.Connections, Cards: o.Cards, Duration: o.Duration, WarmUp: o.WarmUp, Controls: true, Arrivals: PoissonArrivals}
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

// Compare measures everything that can be measured in one go, in rounds in
// which all take turns, and prints the table. What it does not measure it says.
func Compare(ctx context.Context, l config.Loaded, log *slog.Logger, w io.Writer, o CompareOptions) (err error) {
	if o.Cards < o.Connections {
		return fmt.Errorf("%w: a card is used by one connection at a time, so %d connections need as many cards", app.ErrUsage, o.Connections)
	}
	for _, part := range slices.Concat(o.Only, o.Without) {
		if !slices.Contains(CompareParts(), part) {
			return fmt.Errorf("%w: there is no part %q; there are %s", app.ErrUsage, part, strings.Join(CompareParts(), ", "))
		}
	}
	r := &comparing{
		options: o, configs: onEachEngine(l.Config), loaded: l, log: app.Quieter(log),
		comparison: &comparison{Machine: readMachine(), At: clock.System{}.Now().UTC(), Command: o.command(l), Settings: map[string]string{}, Measures: table()},
	}
	r.progress = newProgress(o.Progress, r.planned())
	for _, part := range []struct {
		names   []string
		measure func(context.Context) error
	}{
		{[]string{partCodec, partCrypto}, r.compareCPU},
		{[]string{partRival}, r.compareRival},
		{[]string{partAuthorize, partHot, partRaw, partLatency}, r.comparePlatforms},
		{[]string{partNodes}, r.compareNodes},
		{[]string{partSlow}, r.compareSlow},
		{[]string{partOverload}, r.compareOverload},
		{[]string{partGrowth}, r.compareGrowth},
	} {
		if !o.wants(part.names...) {
			continue
		}
		if err := part.measure(ctx); err != nil {
			return err
		}
	}
	r.progress.end()
	if o.Write != "" {
		if err := r.write(o.Write); err != nil {
			return err
		}
	}
	return r.print(w, o.JSON)
}

// comparing is a comparison that is being made.
type comparing struct {
	*comparison
	options  CompareOptions
	configs  []config.Config // SQLite, and the server if there is one
	loaded   config.Loaded
	log      *slog.Logger
	progress *progress
}

// onEachEngine is c on each engine: on SQLite, wherever that may lie, and on the
// PostgreSQL server that c names.
func onEachEngine(c config.Config) []config.Config {
	file := c
	file.DB = ""
	if isServer(c) {
		return []config.Config{file, c}
	}
	return []config.Config{file}
}

func isServer(c config.Config) bool { return strings.HasPrefix(c.DB, "postgres") }

// planned is how long everything is going to be measured, without what has to be
// prepared.
func (r *comparing) planned() (all time.Duration) {
	o, engines := r.options, time.Duration(len(r.configs))
	turn := time.Duration(o.Rounds) * (o.WarmUp + o.Duration)
	if o.wants(partAuthorize, partHot, partRaw, partLatency) {
		all += engines * turn
		if engines > 1 {
			all += time.Duration(o.Rounds) * o.Duration // pgbench
		}
	}
	for part, turns := range map[string]time.Duration{partHot: 2 * engines, partRaw: engines, partLatency: engines, partNodes: 2 * (engines - 1), partSlow: 2 * engines} {
		if o.wants(part) {
			all += turns * turn
		}
	}
	if o.wants(partGrowth) {
		all += 2 * turn
	}
	if o.wants(partOverload) {
		all += engines * (o.WarmUp + o.Duration + o.Overload)
	}
	return all
}

// compareCPU measures what only computes.
func (r *comparing) compareCPU(ctx context.Context) error {
	for _, part := range []struct {
		name    string
		measure func(context.Context, CPUOptions) (*cpuResult, error)
	}{{partCodec, measureCodec}, {partCrypto, measureCrypto}} {
		if !r.options.wants(part.name) {
			continue
		}
		r.progress.step(part.name, 0)
		result, err := part.measure(ctx, CPUOptions{Rounds: r.options.Rounds, Duration: min(r.options.Duration, time.Second)})
		if err != nil {
			return err
		}
		for _, s := range result.Steps {
			*r.row(s.Name) = measure{Name: s.Name, Value: &s.PerSecond, Unit: "/s per core", Note: fmt.Sprintf("%.0f allocations", s.Allocations)}
		}
	}
	return nil
}

func isPostgres(l config.Loaded) bool { return strings.HasPrefix(l.Config.DB, "postgres") }

// command is what was asked for, without the address of a database.
func (o CompareOptions) command(l config.Loaded) string {
	text := fmt.Sprintf("sarraf bench compare --rounds %d --duration %s --warm-up %s --connections %d --cards %d", o.Rounds, o.Duration, o.WarmUp, o.Connections, o.Cards)
	if o.wants(partOverload) {
		text += fmt.Sprintf(" --overload %s", o.Overload)
	}
	if o.wants(partGrowth) {
		text += fmt.Sprintf(" --growth-small %d --growth-cards %d --growth-authorizations %d", o.Growth.Small, o.Growth.Cards, o.Growth.Authorizations)
	}
	for _, parts := range []struct {
		flag  string
		names []string
	}{{"only", o.Only}, {"without", o.Without}} {
		if len(parts.names) > 0 {
			text += " --" + parts.flag + " " + strings.Join(parts.names, ",")
		}
	}
	if o.Checkout != "" {
		text += " --checkout …"
	}
	if isPostgres(l) {
		text += " --db postgres://…"
	}
	return text
}

func (c *comparison) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return app.PrintJSON(w, c)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n%s\n", c.Machine, c.Command)
	for engine, text := range c.Settings {
		fmt.Fprintf(&out, "%s: %s\n", engine, text)
	}
	fmt.Fprintln(&out)
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "measure\tvalue\tratio\tto\tfloor\taim\t\t")
	for _, m := range c.Measures {
		fmt.Fprintln(t, strings.Join(m.cells(), "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// describe keeps what p stores everything in.
func (r *comparing) describe(ctx context.Context, p *app.Platform) (err error) {
	r.Settings[p.DB.Engine().String()], err = describeEngine(ctx, p.DB)
	return err
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
