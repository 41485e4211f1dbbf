package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/config"
)

// GrowthOptions say how a platform with much in its database is compared with one
// that has little.
type GrowthOptions struct {
	Small          int // cards of the small world, which has no stored authorizations
	Cards          int // of the big one
	Authorizations int // that it has stored
	Rounds         int // in which the two take turns
	Connections    int
	Duration       time.Duration // of one measurement, and of the load on serve
	WarmUp         time.Duration // before it
	// Keep is a directory in which both worlds stay, to be measured again; empty
	// makes them anew and removes them.
	Keep string
	JSON bool
}

// What growth may cost.
const (
	growthFloor     = 0.8 // of the throughput of the small world
	growthMemoryMax = 400 // MiB of serve
	growthReadyMax  = time.Second
)

// GrowthResult is what growth costs. Both worlds were measured in alternating
// rounds.
type GrowthResult struct {
	Engine      string            `json:"engine"`
	Durability  map[string]string `json:"durability"`
	CPUs        int               `json:"cpus"`
	Connections int               `json:"connections"`
	Seconds     float64           `json:"secondsOfARound"`
	Small       GrowthWorld       `json:"small"`
	Big         GrowthWorld       `json:"big"`
	// Ratio is the throughput of the big world to that of the small one.
	Ratio float64     `json:"ratio"`
	Floor float64     `json:"floor"`
	Serve GrowthServe `json:"serve"`
}

// GrowthWorld is a database with cards, and how many full authorizations a second
// were made on it.
type GrowthWorld struct {
	Cards          int       `json:"cards"`
	Authorizations int       `json:"storedAuthorizations"` // before the rounds
	Bytes          int64     `json:"bytes"`                // before the rounds
	PerSecond      float64   `json:"perSecond"`            // median of the rounds
	Rounds         []float64 `json:"rounds"`
	P99            float64   `json:"p99Ms"`       // likewise
	CommitP50      float64   `json:"commitP50Ms"` // of a group, likewise
	// JobSeconds is how long it took after the start until each job had run once. They
	// run beside payments, and were waited for before the rounds.
	JobSeconds float64 `json:"jobSeconds"`
	// Fill says how it was filled; nil when it was there already.
	Fill *GrowthFill `json:"fill,omitempty"`
}

// GrowthFill is how fast it was filled, however often that was interrupted, and what
// it takes on disk.
type GrowthFill struct {
	CardsPerSecond          float64 `json:"cardsPerSecond"`
	AuthorizationsPerSecond float64 `json:"authorizationsPerSecond"`
	BytesOfCard             float64 `json:"bytesOfCard"`
	BytesOfAuthorization    float64 `json:"bytesOfAuthorization"`
}

// GrowthServe is serve on the big world.
type GrowthServe struct {
	ReadySeconds float64 `json:"readySeconds"` // from its start until /readyz answers 200
	Payments     int64   `json:"payments"`     // that went through it before its memory was read
	// Memory is what it has in memory, as the system sees it, and MemoryMost the most
	// it ever had, in MiB; 0 where the system does not tell.
	Memory     float64 `json:"memoryMiB"`
	MemoryMost float64 `json:"memoryMostMiB"`
	Binary     float64 `json:"binaryMiB"`
}

// cardsOf is how many cards of a world the rounds need: those that could pay in them, so
// that in the big one none pays a second time.
func (o *GrowthOptions) cardsOf(g *growthWorld) int {
	const fastest = 5000 // payments a second
	most := float64(o.Rounds) * (o.WarmUp + o.Duration).Seconds() * fastest
	return max(o.Connections, min(g.Cards, int(most)))
}

// Growth measures what growth costs and prints it. It returns [app.ErrNotWell] when
// a request was not approved.
func Growth(ctx context.Context, l config.Loaded, log *slog.Logger, w, progress io.Writer, o GrowthOptions) error {
	r, err := MeasureGrowth(ctx, l, log, progress, o)
	if err != nil {
		return err
	}
	return r.print(w, o.JSON)
}

// MeasureGrowth makes a small world and a big one, measures the full authorization
// on both in alternating rounds, and then serve on the big one. On SQLite each has a
// directory of its own, on PostgreSQL a schema of the configured database. What it
// does, which can take an hour, it tells progress.
func MeasureGrowth(ctx context.Context, l config.Loaded, log *slog.Logger, progress io.Writer, o GrowthOptions) (_ *GrowthResult, err error) {
	if o.Small < o.Connections || o.Cards < o.Connections {
		return nil, fmt.Errorf("%w: a card is used by one connection at a time, so %d connections need as many cards", app.ErrUsage, o.Connections)
	}
	log = app.Quieter(log)
	place, remove, err := growthPlace(l, o.Keep)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	tell := &growthProgress{w: progress}
	small := &growthWorld{name: "small", GrowthWorld: GrowthWorld{Cards: o.Small}}
	big := &growthWorld{name: "big", GrowthWorld: GrowthWorld{Cards: o.Cards, Authorizations: o.Authorizations}}
	for _, g := range []*growthWorld{small, big} {
		g.log, g.tell, g.keeps = log, tell, o.Keep != ""
		defer func() { err = errors.Join(err, g.end(context.WithoutCancel(ctx))) }()
		if err := g.prepare(ctx, l, place); err != nil {
			return nil, fmt.Errorf("fill the %s world: %w", g.name, err)
		}
	}
	r := &GrowthResult{CPUs: runtime.NumCPU(), Connections: o.Connections, Seconds: o.Duration.Seconds(), Floor: growthFloor}
	if err := r.takeTurns(ctx, []*growthWorld{small, big}, o); err != nil {
		return nil, err
	}
	r.Small, r.Big = small.GrowthWorld, big.GrowthWorld
	r.Ratio = r.Big.PerSecond / r.Small.PerSecond
	tell.say("starting serve on the big world")
	if r.Serve, err = big.serve(ctx, o); err != nil {
		return nil, fmt.Errorf("serve the big world: %w", err)
	}
	return r, nil
}

// growthPlace is the directory of the worlds, with what removes it.
func growthPlace(l config.Loaded, keep string) (place string, remove func() error, err error) {
	if keep != "" {
		if err := os.MkdirAll(keep, 0o700); err != nil {
			return "", nil, fmt.Errorf("make directory to keep: %w", err)
		}
		return keep, func() error { return nil }, nil
	}
	parent := ""
	if l.IsSet("data") {
		if parent = l.Config.Data; parent != "" {
			if err := os.MkdirAll(parent, 0o700); err != nil {
				return "", nil, fmt.Errorf("make data directory: %w", err)
			}
		}
	}
	place, err = os.MkdirTemp(parent, "sarraf-growth-")
	if err != nil {
		return "", nil, fmt.Errorf("make temporary directory: %w", err)
	}
	return place, func() error { return os.RemoveAll(place) }, nil
}

// takeTurns measures the worlds, another one first in each round, and lets the
// platforms end.
func (r *GrowthResult) takeTurns(ctx context.Context, worlds []*growthWorld, o GrowthOptions) (err error) {
	for i, g := range worlds {
		if err := g.open(ctx, AuthorizeOptions{
			Connections: o.Connections, Cards: o.cardsOf(g), Duration: o.Duration, WarmUp: o.WarmUp, Controls: true, acquirer: i,
		}); err != nil {
			return fmt.Errorf("open the %s world: %w", g.name, err)
		}
	}
	var p99, commit [2][]float64
	for round := range o.Rounds {
		for turn := range worlds {
			i := (turn + round) % len(worlds)
			g := worlds[i]
			one, err := g.world.measureWhole(ctx)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return fmt.Errorf("measure the %s world: %w", g.name, err)
			}
			g.tell.say("round %d of %d, %s world: %.0f a second", round+1, o.Rounds, g.name, one.PerSecond)
			g.Rounds = append(g.Rounds, one.PerSecond)
			p99[i], commit[i] = append(p99[i], one.Latency.P99), append(commit[i], one.GroupCommit.P50)
			r.Engine, r.Durability = one.Engine, one.Durability
		}
	}
	for i, g := range worlds {
		g.PerSecond, g.P99, g.CommitP50 = median(g.Rounds), median(p99[i]), median(commit[i])
		err = errors.Join(err, g.close())
	}
	return err
}

func (r *GrowthResult) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return app.PrintJSON(w, r)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "Growth on %s: full authorizations over ISO 8583, %d connections, %d CPUs shared by platform, database and load\n",
		r.Engine, r.Connections, r.CPUs)
	fmt.Fprintf(&out, "durability  ")
	for _, name := range slices.Sorted(maps.Keys(r.Durability)) {
		fmt.Fprintf(&out, " %s=%s", name, r.Durability[name])
	}
	fmt.Fprintf(&out, "\n\n")
	for _, g := range []struct {
		name string
		GrowthWorld
	}{{"small", r.Small}, {"big", r.Big}} {
		fmt.Fprintf(&out, "%-6s       %d cards, %d stored authorizations, %.0f MB: %.0f a second (median of %d rounds of %.0f s), p99 %.1f ms, commit of a group %.2f ms\n",
			g.name, g.Cards, g.Authorizations, float64(g.Bytes)/1e6, g.PerSecond, len(g.Rounds), r.Seconds, g.P99, g.CommitP50)
		fmt.Fprintf(&out, "  jobs       had all run once %.1f s after the start\n", g.JobSeconds)
		if f := g.Fill; f != nil {
			fmt.Fprintf(&out, "  filled     %.0f cards a second, %.0f bytes each", f.CardsPerSecond, f.BytesOfCard)
			if g.Authorizations > 0 {
				fmt.Fprintf(&out, "; %.0f authorizations a second, %.0f bytes each", f.AuthorizationsPerSecond, f.BytesOfAuthorization)
			}
			fmt.Fprintln(&out)
		}
	}
	fmt.Fprintf(&out, "ratio        %.3f of the small world's throughput; floor %.2f: %s\n\n", r.Ratio, r.Floor, met(r.Ratio >= r.Floor))
	s := r.Serve
	fmt.Fprintf(&out, "serve        ready after %.3f s; at most %.0f s: %s\n", s.ReadySeconds, growthReadyMax.Seconds(), met(s.ReadySeconds <= growthReadyMax.Seconds()))
	if s.Memory > 0 {
		fmt.Fprintf(&out, "memory       %.0f MiB after %d payments, %.0f MiB at most; at most %d MiB: %s\n", s.Memory, s.Payments, s.MemoryMost, growthMemoryMax,
			met(s.MemoryMost <= growthMemoryMax))
	}
	fmt.Fprintf(&out, "binary       %.1f MiB\n", s.Binary)
	_, err := w.Write(out.Bytes())
	return err
}

func met(is bool) string {
	if is {
		return "met"
	}
	return "not met"
}

// schemaName is a name for the schema of a world; nobody else has it.
func schemaName(world string) string {
	return "sarraf_growth_" + world + "_" + strings.ToLower(rand.Text()[:10])
}

// binaryMiB is the size of this program.
func binaryMiB(program string) (float64, error) {
	st, err := os.Stat(filepath.Clean(program))
	if err != nil {
		return 0, fmt.Errorf("size of the program: %w", err)
	}
	return float64(st.Size()) / (1 << 20), nil
}
