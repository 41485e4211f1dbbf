package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/network"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// What filling does at once.
const (
	fillCards          = 500    // made in one transaction
	fillAuthorizations = 20_000 // decided before they are sealed and told of
	fillInFlight       = 2048
	fillGroup          = 1024 // decided in one transaction
	fillLinks          = 8
	// fillAcquirer is the acquirer of what is stored: none that is measured has its
	// messages.
	fillAcquirer = 9
)

// Bytes on disk as they were measured, by which room is looked for before any of it
// is filled. The settled ones of a run are measured and told.
const (
	bytesOfCard          = 10_500
	bytesOfAuthorization = 5_000
)

// filler fills a world: it is the platform without its edges, whose commits wait for
// no disk. Cards come from the use cases that issue them, many in a transaction;
// authorizations from the engine, over the listener, in groups as large as there are
// messages: each is decided, and leaves what any other does.
type filler struct {
	*app.Core
	world  *growthWorld
	caller access.Caller
}

// growthSpent is what filling took so far, and what room: what was interrupted goes on
// from there. Of what was killed the last, uncounted part is in neither number.
type growthSpent struct {
	Cards                int     `json:"cards"` // made in CardSeconds
	CardSeconds          float64 `json:"cardSeconds"`
	Authorizations       int     `json:"authorizations"` // in AuthorizationSeconds
	AuthorizationSeconds float64 `json:"authorizationSeconds"`
	Empty                int64   `json:"emptyBytes"`     // of the database before the first card
	WithCards            int64   `json:"withCardsBytes"` // after the last; 0 before that
}

// fill makes the cards of the world that there are not yet, and lets them pay until
// there are enough authorizations.
func (g *growthWorld) fill(ctx context.Context, stored int) error {
	if err := g.checkRoom(stored); err != nil {
		return err
	}
	c := g.config
	c.Network.Addr, c.Network.WorkingMax, c.Network.AnswerWithin = "127.0.0.1:0", 2*fillInFlight, time.Minute
	c.Network.GroupMax = fillGroup
	return app.WithCore(ctx, c, g.log, app.Filling, func(k *app.Core) error { return g.fillOn(ctx, k, stored) })
}

// fillOn does so on a core whose commits wait for no disk.
func (g *growthWorld) fillOn(ctx context.Context, k *app.Core, stored int) (err error) {
	f := &filler{Core: k, world: g}
	if f.caller, err = g.caller(ctx, k); err != nil {
		return err
	}
	spent := &g.note.Spent
	if spent.Empty == 0 {
		if spent.Empty, err = k.DB.Size(ctx); err != nil {
			return err
		}
		if err := g.writeNote(); err != nil {
			return err
		}
	}
	if err := f.makeCards(ctx); err != nil {
		return fmt.Errorf("make cards: %w", err)
	}
	if spent.WithCards == 0 {
		if spent.WithCards, err = k.DB.Size(ctx); err != nil {
			return err
		}
		if err := g.writeNote(); err != nil {
			return err
		}
	}
	if stored < g.Authorizations {
		if err := f.authorize(ctx, stored); err != nil {
			return fmt.Errorf("authorize: %w", err)
		}
	}
	// Who was killed may have left something of the last part.
	if _, err := f.Seals.SealAll(ctx); err != nil {
		return err
	}
	if err := workOff(ctx, k); err != nil {
		return err
	}
	full, err := k.DB.Size(ctx)
	if err != nil {
		return err
	}
	g.Fill = &GrowthFill{
		CardsPerSecond:          perSecond(spent.Cards, spent.CardSeconds),
		AuthorizationsPerSecond: perSecond(spent.Authorizations, spent.AuthorizationSeconds),
		BytesOfCard:             float64(spent.WithCards-spent.Empty) / float64(g.Cards),
	}
	if g.Authorizations > 0 {
		g.Fill.BytesOfAuthorization = float64(full-spent.WithCards) / float64(g.Authorizations)
	}
	return nil
}

func perSecond(n int, seconds float64) float64 {
	if n == 0 {
		return 0
	}
	return float64(n) / seconds
}

// freeBytes is how much room there is for a directory, if that is known.
var freeBytes = freeOnDisk

// checkRoom refuses what the disk has no room for, where that can be known.
func (g *growthWorld) checkRoom(stored int) error {
	need := int64(g.Cards-len(g.tokens))*bytesOfCard + int64(max(0, g.Authorizations-stored))*bytesOfAuthorization
	g.tell.say("filling the %s world takes about %d MB", g.name, need/1e6)
	if g.schema != "" {
		return nil // what the server has left it does not tell
	}
	free, known := freeBytes(g.dir)
	if known && free < need+need/10 {
		return fmt.Errorf("%w: %s has room for %d MB, and about %d MB are needed", app.ErrUsage, g.dir, free/1e6, (need+need/10)/1e6)
	}
	return nil
}

// makeCards issues the cards and puts money on their accounts. Who is told of it is
// told before the next ones come.
func (f *filler) makeCards(ctx context.Context) error {
	g := f.world
	spent := &g.note.Spent
	for len(g.tokens) < g.Cards {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		watch := clock.StartStopwatch()
		first := len(g.tokens)
		made, err := cardMaker{f.Core, f.caller}.make(ctx, first, min(first+fillCards, g.Cards))
		if err != nil {
			return err
		}
		for _, c := range made {
			g.tokens = append(g.tokens, c.Card.Token)
		}
		if err := workOff(ctx, f.Core); err != nil {
			return err
		}
		spent.Cards += len(made)
		spent.CardSeconds += watch.Elapsed().Seconds()
		if err := g.writeNote(); err != nil {
			return err
		}
		g.tell.every("cards of the "+g.name+" world", len(g.tokens), g.Cards)
	}
	return nil
}

// authorize lets the cards pay, one after another, from the payment after those that
// are stored on. It seals what was decided and tells whoever is to be told of it.
func (f *filler) authorize(ctx context.Context, stored int) (err error) {
	g := f.world
	spent := &g.note.Spent
	p, stop, err := f.openDoor(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	for done := stored; done < g.Authorizations; {
		watch := clock.StartStopwatch()
		some := min(fillAuthorizations, g.Authorizations-done)
		if err := p.pay(ctx, done, done+some); err != nil {
			return err
		}
		done += some
		// Nothing is in flight: no decision can come any more that has a smaller name.
		if _, err := f.Seals.SealAll(ctx); err != nil {
			return err
		}
		if err := workOff(ctx, f.Core); err != nil {
			return err
		}
		spent.Authorizations += some
		spent.AuthorizationSeconds += watch.Elapsed().Seconds()
		if err := g.writeNote(); err != nil {
			return err
		}
	}
	return nil
}

// tills let the cards of a world pay.
type tills struct {
	*filler
	terminals []*sim.Terminal
	links     []*sim.Link
}

// openDoor listens for messages and opens links.
func (f *filler) openDoor(ctx context.Context) (_ *tills, stop func() error, err error) {
	a, err := sim.NewAcquirer(strconv.Itoa(410627+fillAcquirer), clock.System{}, sim.Random(0))
	if err != nil {
		return nil, nil, err
	}
	server, framing, err := f.ListenNetwork(f.Config.Network.Addr)
	if err != nil {
		return nil, nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(context.WithoutCancel(ctx)) }()
	p := &tills{filler: f, terminals: terminalsOf(a, 100)}
	stop = func() error { return errors.Join(p.close(), closeDoor(context.WithoutCancel(ctx), server), <-ended) }
	for range fillLinks {
		link, err := sim.Dial(ctx, server.Addr().String(), sim.LinkOptions{Dialect: a.Dialect, Framing: framing, Timeout: 2 * time.Minute})
		if err != nil {
			return nil, nil, errors.Join(err, stop())
		}
		p.links = append(p.links, link)
	}
	return p, stop, nil
}

func closeDoor(ctx context.Context, s *network.Server) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return s.Shutdown(ctx)
}

func (p *tills) close() (err error) {
	for _, l := range p.links {
		err = errors.Join(err, l.Close())
	}
	return err
}

// pay makes the payments from first up to end, as many at a time as there are cards,
// and returns when all are approved.
func (p *tills) pay(ctx context.Context, first, end int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g := p.world
	var done atomic.Int64
	done.Store(int64(first))
	var paying sync.WaitGroup
	at := min(fillInFlight, g.Cards)
	for i := range at {
		paying.Go(func() {
			for n := range turns(first, end, g.Cards, i, at) {
				if ctx.Err() != nil {
					return
				}
				if err := p.payOnce(ctx, p.links[i%len(p.links)], n); err != nil {
					cancel(fmt.Errorf("payment %d: %w", n, err))
					return
				}
				g.tell.every("authorizations of the "+g.name+" world", int(done.Add(1)), g.Authorizations)
			}
		})
	}
	paying.Wait()
	return context.Cause(ctx)
}

// turns are the payments from first up to end that are one of several payers' to
// make: all payments of a card are the same one's, so that its counter rises.
func turns(first, end, cards, payer, payers int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for turn := first / cards; turn*cards < end; turn++ {
			for card := payer; card < cards; card += payers {
				if n := turn*cards + card; n >= first && (n >= end || !yield(n)) {
					return
				}
			}
		}
	}
}

// payOnce is the n-th payment, which must be approved.
func (p *tills) payOnce(ctx context.Context, link *sim.Link, n int) (err error) {
	g := p.world
	i := n % len(g.cards)
	if g.cards[i] == nil {
		if g.cards[i], err = readCard(ctx, p.Core, p.caller, g.tokens[i]); err != nil {
			return err
		}
	}
	r, err := p.terminals[n%len(p.terminals)].Use(g.cards[i], sim.Payment{Amount: price, Entry: sim.Chip})
	if err != nil {
		return err
	}
	answer, _, err := link.Ask(ctx, r.Message)
	if err != nil {
		return err
	}
	if code := answer.Text(iso8583.ResponseCode); code != "00" {
		return fmt.Errorf("%w: answered %s", app.ErrNotWell, code)
	}
	return nil
}

// growthProgress tells, from time to time, how far something is.
type growthProgress struct {
	w io.Writer

	mu    sync.Mutex
	what  string
	begun clock.Stopwatch
	told  time.Duration
	first int
}

// progressInterval is how often it is told.
var progressInterval = 5 * time.Second

func (p *growthProgress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, format+"\n", args...)
}

// every tells of done of all, when it has not done so for a while.
func (p *growthProgress) every(what string, done, all int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.what != what {
		p.what, p.begun, p.told, p.first = what, clock.StartStopwatch(), 0, done
		return
	}
	took := p.begun.Elapsed()
	if done == p.first || took-p.told < progressInterval && done < all {
		return
	}
	p.told = took
	rate := float64(done-p.first) / took.Seconds()
	left := time.Duration(float64(all-done) / rate * float64(time.Second))
	fmt.Fprintf(p.w, "%s: %d of %d, %.0f a second, %s left\n", what, done, all, rate, left.Round(time.Second))
}
