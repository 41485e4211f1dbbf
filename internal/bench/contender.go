package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/config"
)

// contender is one platform with its worlds, of which rounds are kept.
type contender struct {
	engine                       string
	spread, hotCard, hotMerchant *world    // the latter two may be missing
	raw                          *raw      // may be missing
	max, card, merchant, limit   []float64 // requests a second
	crypto, groups               []float64 // of the maximum
	p99, commit                  []float64 // at half the maximum, in milliseconds
	latency                      *hdrhistogram.Histogram
	stop                         func() error
}

// comparePlatforms measures the maximum on each engine, with pgbench and the raw
// program between, and the latency at half of it.
func (r *comparing) comparePlatforms(ctx context.Context) (err error) {
	var all []*contender
	defer func() {
		for _, k := range all {
			err = errors.Join(err, k.close())
		}
	}()
	for _, c := range r.configs {
		k, err := r.openContender(ctx, c)
		if k != nil {
			all = append(all, k)
		}
		if err != nil {
			return err
		}
	}
	var reference *pgbench
	if server := r.configs[len(r.configs)-1]; isServer(server) {
		r.progress.prepare("pgbench")
		reference, err = openPGBench(ctx, server.DB, pgbenchOptions{clients: 32, threads: 2, scale: r.options.Scale, duration: r.options.Duration})
		if err != nil {
			return err
		}
	}
	if reference != nil {
		defer func() { err = errors.Join(err, reference.close(context.WithoutCancel(ctx))) }()
		r.PGBench = reference.options.String()
	}
	tps, err := r.takeTurns(ctx, all, reference)
	if err != nil {
		return err
	}
	if r.options.wants(partLatency) {
		if err := r.measureLatency(ctx, all); err != nil {
			return err
		}
	}
	r.tell(all, tps)
	return nil
}

// openContender starts a platform on the engine of c: on SQLite with everything in a
// directory of its own. What was started is returned whatever happens.
func (r *comparing) openContender(ctx context.Context, c config.Config) (*contender, error) {
	remove := func() error { return nil }
	if !isServer(c) {
		dir, empty, err := temporaryDir()
		if err != nil {
			return nil, err
		}
		c.KeepIn(dir)
		remove = empty
	}
	p, stop, err := startAs(ctx, c, r.log, remove)
	if err != nil {
		return nil, err
	}
	k := &contender{engine: p.DB.Engine().String(), stop: stop, latency: hdrhistogram.New(1, 120_000_000, 3)}
	if err := r.describe(ctx, p); err != nil {
		return k, err
	}
	for i, world := range []struct {
		b                    **world
		hotCard, hotMerchant bool
	}{{&k.spread, false, false}, {&k.hotCard, true, false}, {&k.hotMerchant, false, true}} {
		o := r.options.authorize()
		if o.HotCard, o.HotMerchant, o.acquirer = world.hotCard, world.hotMerchant, i; i > 0 {
			if !r.options.wants(partHot) {
				break
			}
			o.Cards = max(o.Connections, min(o.Cards, 1000))
		}
		r.progress.prepare(fmt.Sprintf("%d cards on %s", o.Cards, k.engine))
		if *world.b, err = newWorld(ctx, p, o); err != nil {
			return k, fmt.Errorf("prepare %s: %w", k.engine, err)
		}
		if err := (*world.b).useEach(ctx); err != nil {
			return k, err
		}
	}
	if r.options.wants(partRaw) {
		r.progress.prepare("a recording on " + k.engine)
		if k.raw, err = openRaw(ctx, c, r.log, r.options.authorize()); err != nil {
			return k, err
		}
	}
	return k, nil
}

func (k *contender) close() (err error) {
	for _, w := range []*world{k.spread, k.hotCard, k.hotMerchant} {
		if w != nil {
			w.close()
		}
	}
	if k.raw != nil {
		err = k.raw.close()
	}
	return errors.Join(err, k.stop())
}

// takeTurns measures the maximum, with pgbench and the raw program between. It
// returns what pgbench made.
func (r *comparing) takeTurns(ctx context.Context, all []*contender, reference *pgbench) (tps []float64, err error) {
	turn := r.options.WarmUp + r.options.Duration
	for round := range r.options.Rounds {
		if reference != nil {
			r.progress.round(round, r.options.Rounds, "pgbench", r.options.Duration)
			result, err := reference.run(ctx)
			if err != nil {
				return nil, err
			}
			tps = append(tps, result.PerSecond)
		}
		for _, k := range all {
			for _, world := range []struct {
				name string
				b    *world
				into *[]float64
			}{{"authorizations", k.spread, &k.max}, {"one hot card", k.hotCard, &k.card}, {"one hot merchant", k.hotMerchant, &k.merchant}} {
				if world.b == nil {
					continue
				}
				r.progress.round(round, r.options.Rounds, world.name+" on "+k.engine, turn)
				result, err := world.b.measureWhole(ctx)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", k.engine, err)
				}
				*world.into = append(*world.into, result.PerSecond)
				if world.b != k.spread {
					continue
				}
				k.groups = append(k.groups, result.GroupMean)
				if result.CPU != nil {
					k.crypto = append(k.crypto, result.CPU.Crypto)
				}
			}
			if k.raw == nil {
				continue
			}
			r.progress.round(round, r.options.Rounds, "the raw limit of "+k.engine, turn)
			limit, err := k.raw.throughput(ctx, r.options.WarmUp, r.options.Duration)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k.engine, err)
			}
			k.limit = append(k.limit, limit)
		}
	}
	return tps, nil
}

// measureLatency measures at half the maximum, in an open loop.
func (r *comparing) measureLatency(ctx context.Context, all []*contender) error {
	for round := range r.options.Rounds {
		for _, k := range all {
			r.progress.round(round, r.options.Rounds, "half the maximum on "+k.engine, r.options.WarmUp+r.options.Duration)
			k.spread.options.Rate = median(k.max) / 2
			result, err := k.spread.measureWhole(ctx)
			if err != nil {
				return fmt.Errorf("%s at half the maximum: %w", k.engine, err)
			}
			k.p99, k.commit = append(k.p99, result.Latency.P99), append(k.commit, result.GroupCommit.P50)
			k.latency.Merge(result.micros)
		}
	}
	return nil
}

// tell fills the rows.
func (r *comparing) tell(all []*contender, tps []float64) {
	reference := r.row("pgbench, TPC-B")
	reference.Value, reference.Note = some(tps...), r.PGBench
	for _, k := range all {
		for _, told := range []struct {
			name         string
			value, ratio *float64
		}{
			{"authorizations", some(k.max...), ratioOf(k.max, tps)},
			{"of the raw limit", some(k.limit...), ratioOf(k.max, k.limit)},
			{"p99 at half the maximum", some(k.p99...), ratioOf(k.p99, k.commit)},
			{"one hot card", some(k.card...), ratioOf(k.card, k.max)},
			{"one hot merchant", some(k.merchant...), ratioOf(k.merchant, k.max)},
			{"share of cryptography", nil, some(k.crypto...)},
		} {
			m := r.row(told.name + " on " + k.engine)
			m.Value, m.Ratio = told.value, told.ratio
		}
		if k.raw != nil {
			r.row("of the raw limit on " + k.engine).Note = fmt.Sprintf("%d recorded groups of %.1f requests on average; those measured had %.1f",
				len(k.raw.groups), k.raw.groupMean(), median(k.groups))
		}
		if k.latency.TotalCount() > 0 {
			r.pictures = append(r.pictures, picture{k.engine, "Latency at half the maximum on " + k.engine, k.latency})
		}
	}
}

// measureWhole is measure, of which everything must have been approved.
func (w *world) measureWhole(ctx context.Context) (*authorizeResult, error) {
	r, err := w.measure(ctx)
	if err == nil && (r.Unanswered > 0 || r.Answers == 0 || r.Codes["00"] != r.Answers) {
		err = fmt.Errorf("%w: not everything was approved: %v, %d unanswered", app.ErrNotWell, r.Codes, r.Unanswered)
	}
	return r, err
}
