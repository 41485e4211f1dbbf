package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// node is one of several that serve the same database.
type node struct {
	api, network string
	stop         func() error
}

// startNode starts a node as a process of this program.
func startNode(ctx context.Context, c config.Config) (n *node, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := listenAtUnused(ctx, &c); err != nil {
		return nil, err
	}
	child, _, err := startServe(program, c)
	if err != nil {
		return nil, err
	}
	if err := child.await(ctx, "http://"+c.HTTP.Addr+"/readyz"); err != nil {
		return nil, errors.Join(err, child.end())
	}
	return &node{"http://" + c.HTTP.Addr, c.Network.Addr, child.end}, nil
}

// nodes is the world of two nodes: links to the first, and as many to both.
type nodes struct {
	*world
	first, second *node
	one, both     []*sim.Link
}

// compareNodes measures two nodes on one PostgreSQL beside one of them, and checks
// afterwards that they lost nothing.
func (r *comparing) compareNodes(ctx context.Context) (err error) {
	server := r.configs[len(r.configs)-1]
	if !isServer(server) {
		return nil
	}
	own, remove, err := scratchOf(ctx, server, "nodes")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	r.progress.prepare("two nodes")
	w, stop, err := r.openNodes(ctx, own)
	stop = sync.OnceValue(stop)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return fmt.Errorf("two nodes: %w", err)
	}
	var one, two, busyOne, busyTwo []float64
	for round := range r.options.Rounds {
		for _, turn := range []struct {
			name       string
			links      []*sim.Link
			made, busy *[]float64
		}{{"one node", w.one, &one, &busyOne}, {"two nodes", w.both, &two, &busyTwo}} {
			r.progress.round(round, r.options.Rounds, turn.name, r.options.WarmUp+r.options.Duration)
			w.links = turn.links
			var perSecond float64
			share, err := busyWhile(func() (err error) {
				perSecond, err = w.throughput(ctx)
				return err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", turn.name, err)
			}
			*turn.made, *turn.busy = append(*turn.made, perSecond), append(*turn.busy, share)
		}
	}
	repeats, err := w.check(ctx)
	if err != nil {
		return fmt.Errorf("two nodes: %w", err)
	}
	if err := stop(); err != nil {
		return err
	}
	if err := verifyAll(ctx, own, r.log); err != nil {
		return fmt.Errorf("two nodes: %w", err)
	}
	m := r.row("two nodes on postgres")
	m.Value, m.Ratio = some(two...), ratioOf(two, one)
	m.Note = fmt.Sprintf("all processors busy for %.0f %% of the time with one and %.0f %% with two, load and database included; every invariant holds, and %d repeats to the other node were told the first answer",
		100*median(busyOne), 100*median(busyTwo), repeats)
	return nil
}

// openNodes makes the cards, starts both nodes and connects to them. stop ends what
// was begun, whatever happened.
func (r *comparing) openNodes(ctx context.Context, c config.Config) (w *nodes, stop func() error, err error) {
	w = &nodes{}
	stop = func() (err error) {
		for _, l := range slices.Concat(w.one, w.both) {
			l.Close()
		}
		for _, n := range []*node{w.first, w.second} {
			if n != nil {
				err = errors.Join(err, n.stop())
			}
		}
		return err
	}
	p, end, err := startAs(ctx, c, r.log, func() error { return nil })
	if err != nil {
		return w, stop, err
	}
	o := r.options.authorize()
	o.Connections = 0 // there is nobody to connect to yet
	if err = r.describe(ctx, p); err == nil {
		w.world, err = newWorld(ctx, p, o)
	}
	if err = errors.Join(err, end()); err != nil {
		return w, stop, err
	}
	if w.first, err = startNode(ctx, c); err != nil {
		return w, stop, err
	}
	if w.second, err = startNode(ctx, c); err != nil {
		return w, stop, err
	}
	framing, err := iso8583.ParseFraming(c.Network.Framing)
	if err != nil {
		return w, stop, err
	}
	for i := range r.options.Connections {
		for _, to := range []struct {
			links *[]*sim.Link
			node  *node
		}{{&w.one, w.first}, {&w.both, []*node{w.first, w.second}[i%2]}} {
			link, err := sim.Dial(ctx, to.node.network, sim.LinkOptions{Dialect: w.acquirer.Dialect, Framing: framing})
			if err != nil {
				return w, stop, err
			}
			*to.links = append(*to.links, link)
		}
	}
	w.links = w.both
	return w, stop, w.useEach(ctx)
}

// What is checked: so many cards are used over both nodes at once, so often by each of
// so many links.
const (
	checkCards = 4
	checkLinks = 4
	checkTimes = 24
)

// check uses a few cards over both nodes at once, and every third message goes to both
// at the same moment. What left the accounts must be what was approved, and whoever
// repeats a message at the other node must get the first answer. It returns how many
// repeats there were.
func (w *nodes) check(ctx context.Context) (repeats int, err error) {
	c := &nodeCheck{nodes: w, approved: map[*sim.Card]int64{}}
	client, err := sim.SignIn(ctx, w.first.api, w.bank.ClientID, w.bank.ClientSecret)
	if err != nil {
		return 0, fmt.Errorf("sign in: %w", err)
	}
	var before []int64
	for i := range w.checked() {
		left, err := posted(ctx, client, w.accounts[i])
		if err != nil {
			return 0, err
		}
		before = append(before, left)
	}
	// One purchase alone tells what one costs.
	if err := c.ask(ctx, w.both[0], w.both[0], 0, false); err != nil {
		return 0, err
	}
	left, err := posted(ctx, client, w.accounts[0])
	if err != nil {
		return 0, err
	}
	cost := before[0] - left
	failed := make(chan error, checkLinks*checkTimes)
	var asking sync.WaitGroup
	for i := range min(checkLinks, len(w.both)) {
		asking.Go(func() {
			for n := range checkTimes {
				if err := c.ask(ctx, w.both[i], w.both[(i+1)%len(w.both)], (i+n)%w.checked(), n%3 == 0); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	asking.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
	}
	for i := range w.checked() {
		left, err := posted(ctx, client, w.accounts[i])
		if err != nil {
			return 0, err
		}
		if want := before[i] - cost*c.approved[w.cards[i]]; left != want || cost <= 0 {
			return 0, fmt.Errorf("%w: %d are on an account, and %d must be after %d purchases", app.ErrNotWell, left, want, c.approved[w.cards[i]])
		}
	}
	return c.repeats, nil
}

func (w *nodes) checked() int { return min(checkCards, len(w.cards)) }

// nodeCheck counts what two nodes answered.
type nodeCheck struct {
	*nodes
	mu       sync.Mutex
	approved map[*sim.Card]int64
	repeats  int
}

// ask buys with a card over one link, at once, and the same over another one when it
// is to be repeated: both must be told the same.
func (c *nodeCheck) ask(ctx context.Context, here, there *sim.Link, card int, repeat bool) error {
	r, err := c.terminals[0].Use(c.cards[card], sim.Payment{MTI: iso8583.FinancialRequest, Amount: price, Entry: sim.Chip})
	if err != nil {
		return err
	}
	var again *iso8583.Message
	var failed error
	var asking sync.WaitGroup
	if repeat {
		asking.Go(func() { again, _, failed = there.Ask(ctx, sim.Repeat(r.Message)) })
	}
	answer, _, err := here.Ask(ctx, r.Message)
	asking.Wait()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	tell := func(m *iso8583.Message) string {
		return m.Text(iso8583.ResponseCode) + " " + m.TrimmedText(iso8583.AuthorizationCode)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if again != nil {
		if c.repeats++; tell(again) != tell(answer) {
			return fmt.Errorf("%w: one node answered %q, and the other %q", app.ErrNotWell, tell(answer), tell(again))
		}
	}
	if answer.Text(iso8583.ResponseCode) == "00" {
		c.approved[c.cards[card]]++
	}
	return nil
}

// posted is what is posted on an account, in minor units.
func posted(ctx context.Context, client *sim.Client, account string) (minor int64, err error) {
	var got struct{ Posted json.Number }
	if _, err := client.Call(ctx, http.MethodGet, "/api/v1/issuing/account/"+account, nil, &got); err != nil {
		return 0, fmt.Errorf("read account: %w", err)
	}
	whole, part, _ := strings.Cut(got.Posted.String(), ".")
	if _, err := fmt.Sscan(whole+(part + "00")[:2], &minor); err != nil {
		return 0, fmt.Errorf("read account: %w", err)
	}
	return minor, nil
}

// verifyAll checks every invariant of a database.
func verifyAll(ctx context.Context, c config.Config, log *slog.Logger) error {
	return app.WithCore(ctx, c, log, app.AsItIs, func(k *app.Core) error {
		all, err := k.Verify(ctx)
		for _, v := range all {
			if v.Broken > 0 {
				err = errors.Join(err, fmt.Errorf("%w: %s: %d broken, as %v", app.ErrNotWell, v.Name, v.Broken, v.Examples))
			}
		}
		return err
	})
}
