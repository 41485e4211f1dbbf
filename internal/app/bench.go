package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// ErrUsage says that a command was asked for something that cannot be.
var ErrUsage = errors.New("wrong usage")

// startBench starts a platform to be measured: as it is configured, or in a new
// temporary directory when nothing says where its data are. What bounds the
// requests of one client does not hold. stop ends it.
func startBench(ctx context.Context, l config.Loaded, log *slog.Logger) (_ *Platform, stop func() error, err error) {
	collectLess() // as serve does
	c := l.Config
	remove := func() error { return nil }
	if !l.IsSet("data") && !l.IsSet("db") {
		dir, err := os.MkdirTemp("", "sarraf-bench-")
		if err != nil {
			return nil, nil, fmt.Errorf("make temporary directory: %w", err)
		}
		remove = func() error { return os.RemoveAll(dir) }
		c.KeepIn(dir)
		log = slog.New(quieter{log.Handler(), slog.LevelError})
	}
	c.HTTP.RateLimit, c.HTTP.ClientLimit = 0, 0
	c.Job.PersoInterval = 24 * time.Hour // no bureau makes these cards
	c.HTTP.Addr, c.Network.Addr = "127.0.0.1:0", "127.0.0.1:0"
	p, err := Start(ctx, c, log)
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return p, func() error { return errors.Join(p.Stop(), remove()) }, nil
}

// bench is the world of a benchmark: cards, and links that use them.
type bench struct {
	platform *Platform
	options  BenchOptions
	bank     *tenantBank
	acquirer *sim.Acquirer
	terminal *sim.Terminal
	cards    []*sim.Card
	links    []*sim.Link
}

func newBench(ctx context.Context, p *Platform, o BenchOptions) (_ *bench, err error) {
	b := &bench{platform: p, options: o, cards: make([]*sim.Card, o.Cards)}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	bank, err := openBank(ctx, p, "Bench Bank")
	if err != nil {
		return nil, err
	}
	b.bank = bank
	customer, err := bank.OpenCustomer(ctx, "Ada", "Deniz", "+905321234567")
	if err != nil {
		return nil, err
	}
	var making errgroup.Group
	making.SetLimit(4)
	for i := range b.cards {
		making.Go(func() error {
			card, err := bank.Issue(ctx, customer, demoPIN)
			if err != nil {
				return err
			}
			b.cards[i] = card.Card
			_, err = bank.Load(ctx, card.Account, "10000000.00", fmt.Sprintf("bench-%d", i))
			return err
		})
	}
	if err := making.Wait(); err != nil {
		return nil, err
	}
	if b.acquirer, err = sim.NewAcquirer("410627", clock.System{}, sim.Random(0)); err != nil {
		return nil, err
	}
	b.terminal = &sim.Terminal{
		Acquirer: b.acquirer, ID: "BENCH001", Merchant: "BENCH0000000001", Name: "Bench", City: "Istanbul",
		Country: country.Must("TR"), MCC: "5411", Zone: time.UTC, Type: 0x22,
	}
	for range o.Connections {
		link, err := dialLink(ctx, p, b.acquirer)
		if err != nil {
			return nil, err
		}
		b.links = append(b.links, link)
	}
	return b, nil
}

func (b *bench) close() {
	for _, l := range b.links {
		l.Close()
	}
}
