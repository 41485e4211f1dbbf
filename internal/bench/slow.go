package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sarraf-platform/sarraf/internal/app"
)

// slowAnswer is how long the client takes that owns its balances.
const slowAnswer = 200 * time.Millisecond

// compareSlow measures one tenant alone and beside another one, which owns its
// balances and takes its time. Of eight connections one is of the slow tenant.
func (r *comparing) compareSlow(ctx context.Context) error {
	for _, c := range r.configs {
		c.Webhook.AllowLoopback = true
		err := r.onScratch(ctx, c, "slow", func(p *app.Platform) error { return r.compareSlowOn(ctx, p) })
		if err != nil {
			return fmt.Errorf("a slow client: %w", err)
		}
	}
	return nil
}

func (r *comparing) compareSlowOn(ctx context.Context, p *app.Platform) error {
	engine := p.DB.Engine().String()
	r.progress.prepare("a slow client on " + engine)
	others, slow, asked, end, err := r.openSlow(ctx, p)
	defer end()
	if err != nil {
		return err
	}
	var alone, beside []float64
	turn := r.options.WarmUp + r.options.Duration
	for round := range r.options.Rounds {
		r.progress.round(round, r.options.Rounds, "without a slow client on "+engine, turn)
		perSecond, err := others.throughput(ctx)
		if err != nil {
			return err
		}
		alone = append(alone, perSecond)
		r.progress.round(round, r.options.Rounds, "beside a slow client on "+engine, turn)
		l := slow.startLoad(ctx)
		l.counting.Store(true)
		perSecond, err = others.throughput(ctx)
		if _, failed := l.end(); err != nil || failed != nil {
			return errors.Join(err, failed)
		}
		beside = append(beside, perSecond)
	}
	m := r.row("beside a client of 200 ms on " + engine)
	m.Value, m.Ratio = some(beside...), ratioOf(beside, alone)
	m.Note = fmt.Sprintf("%d connections beside %d, asked %d times", len(slow.links), len(others.links), asked.Load())
	return nil
}

// openSlow makes two tenants on p: one that is measured, and one whose balances are
// asked of a client that answers after 200 ms. end ends what was begun, whatever
// happened.
func (r *comparing) openSlow(ctx context.Context, p *app.Platform) (others, slow *world, asked *atomic.Int64, end func(), err error) {
	asked, end = new(atomic.Int64), func() {}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, nil, end, fmt.Errorf("listen for the client: %w", err)
	}
	hook := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		asked.Add(1)
		// What cannot be read or written is found as a missing answer.
		_, _ = io.Copy(io.Discard, in.Body)
		wait(in.Context(), slowAnswer)
		_, _ = io.WriteString(w, `{"approved": true}`)
	}), ReadHeaderTimeout: time.Minute}
	go func() { _ = hook.Serve(listener) }()
	var worlds []*world
	end = func() {
		for _, w := range worlds {
			w.close()
		}
		_ = hook.Close() // nobody waits for it any more
	}
	for i := range 2 {
		o := r.options.authorize()
		if o.acquirer = i; i > 0 {
			o.Controls, o.Connections = false, max(1, o.Connections/7)
			o.Cards = o.Connections
		}
		w, err := newWorld(ctx, p, o)
		if err != nil {
			return nil, nil, nil, end, err
		}
		worlds = append(worlds, w)
	}
	others, slow = worlds[0], worlds[1]
	if err := others.useEach(ctx); err != nil {
		return nil, nil, nil, end, err
	}
	for path, body := range map[string]map[string]any{
		"issuing/webhook":                 {"webHookType": "Authorization", "name": "Slow", "url": "http://" + listener.Addr().String(), "timeoutMs": 5000},
		"system/tenant/issuing-attribute": {"balanceMode": "External"},
	} {
		if _, err := slow.bank.Call(ctx, http.MethodPost, "/api/v1/"+path, body, nil); err != nil {
			return nil, nil, nil, end, err
		}
	}
	return others, slow, asked, end, slow.useEach(ctx)
}
