package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// ErrUsage says that a command was asked for something that cannot be.
var ErrUsage = errors.New("wrong usage")

// startBench starts a platform to be measured: as it is configured, or in a new
// temporary directory when nothing says where its data are. What bounds the
// requests of one client does not hold. stop ends it.
func startBench(ctx context.Context, l config.Loaded, log *slog.Logger) (_ *Platform, stop func() error, err error) {
	c := l.Config
	remove := func() error { return nil }
	if !l.IsSet("data") && !l.IsSet("db") {
		var dir string
		if dir, remove, err = temporaryDir(); err != nil {
			return nil, nil, err
		}
		c.KeepIn(dir)
		log = slog.New(quieter{log.Handler(), slog.LevelError})
	}
	return startBenchAs(ctx, c, log, remove)
}

// temporaryDir is a new directory and what removes it.
func temporaryDir() (dir string, remove func() error, err error) {
	if dir, err = os.MkdirTemp("", "sarraf-bench-"); err != nil {
		return "", nil, fmt.Errorf("make temporary directory: %w", err)
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}

// startBenchAs starts a platform as it is configured; remove is called when it has
// ended.
func startBenchAs(ctx context.Context, c config.Config, log *slog.Logger, remove func() error) (_ *Platform, stop func() error, err error) {
	collectLess() // as serve does
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
	platform  *Platform
	options   BenchOptions
	bank      *tenantBank
	acquirer  *sim.Acquirer
	terminals []*sim.Terminal
	cards     []*sim.Card
	accounts  []string // their numbers
	links     []*sim.Link
}

func newBench(ctx context.Context, p *Platform, o BenchOptions) (_ *bench, err error) {
	b := &bench{platform: p, options: o, cards: make([]*sim.Card, o.Cards), accounts: make([]string, o.Cards)}
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
	if o.Controls {
		if err := b.control(ctx); err != nil {
			return nil, fmt.Errorf("define controls: %w", err)
		}
	}
	if err := b.issue(ctx); err != nil {
		return nil, err
	}
	if err := b.openShops(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// issue makes the cards and puts money on their accounts.
func (b *bench) issue(ctx context.Context) error {
	if b.options.HotCard {
		if err := b.issueOnOne(ctx); err != nil {
			return err
		}
		return workOff(ctx, b.platform.core)
	}
	tenant, err := b.platform.access.TenantByID(ctx, b.bank.tenant)
	if err != nil {
		return err
	}
	caller, k := access.System(tenant), b.platform.core
	const together = 100
	for first := 0; first < len(b.cards); first += together {
		made, err := cardMaker{k, caller}.make(ctx, first, min(first+together, len(b.cards)))
		if err != nil {
			return err
		}
		var reading errgroup.Group
		reading.SetLimit(4)
		for i, c := range made {
			b.accounts[first+i] = c.Issuance.AccountNo
			reading.Go(func() (err error) {
				b.cards[first+i], err = readCard(ctx, k, caller, c.Card.Token)
				return err
			})
		}
		if err := reading.Wait(); err != nil {
			return err
		}
	}
	// Now, lest it be done beside what is measured.
	return workOff(ctx, k)
}

// issueOnOne makes cards that all spend from one account.
func (b *bench) issueOnOne(ctx context.Context) error {
	customer, err := b.bank.OpenCustomer(ctx, "Ada", "Deniz", "+905321234567")
	if err != nil {
		return err
	}
	issuer := b.bank.Bank.On("9000000000000001")
	var making errgroup.Group
	making.SetLimit(4)
	for i := range b.cards {
		making.Go(func() error {
			card, err := issuer.Issue(ctx, customer, demoPIN)
			if err != nil {
				return err
			}
			b.cards[i], b.accounts[i] = card.Card, card.Account
			_, err = b.bank.Load(ctx, card.Account, "10000000.00", fmt.Sprintf("bench-%d", i))
			return err
		})
	}
	return making.Wait()
}

// openShops opens the terminals and the links over which they ask.
func (b *bench) openShops(ctx context.Context) (err error) {
	if b.acquirer, err = sim.NewAcquirer(strconv.Itoa(410627+b.options.acquirer), clock.System{}, sim.Random(0)); err != nil {
		return err
	}
	shops := 100
	if b.options.HotMerchant {
		shops = 1
	}
	b.terminals = benchTerminals(b.acquirer, shops)
	for range b.options.Connections {
		link, err := dialLink(ctx, b.platform, b.acquirer)
		if err != nil {
			return err
		}
		b.links = append(b.links, link)
	}
	return nil
}

// benchTerminals are those of so many shops.
func benchTerminals(a *sim.Acquirer, shops int) (all []*sim.Terminal) {
	for i := range shops {
		all = append(all, &sim.Terminal{
			Acquirer: a, ID: fmt.Sprintf("BENCH%03d", i), Merchant: fmt.Sprintf("BENCH%010d", i), Name: "Bench", City: "Istanbul",
			Country: country.Must("TR"), MCC: "5411", Zone: time.UTC, Type: 0x22,
		})
	}
	return all
}

// control defines what holds for every purchase of a full authorization, and that its
// event is written.
func (b *bench) control(ctx context.Context) error {
	define := func(path string, body map[string]any) error {
		_, err := b.bank.Call(ctx, http.MethodPost, path, body, nil)
		return err
	}
	err := define("/api/v1/system/tenant/issuing-attribute", map[string]any{
		"balanceMode": "Internal", "taxRates": []map[string]any{{"taxType": "Bsmv", "rate": 15, "effectiveFrom": "2020-01-01"}},
	})
	for _, c := range []struct {
		path string
		body map[string]any
	}{
		{"velocity-control", map[string]any{"code": "DAY", "period": "Day", "currencyCode": "TRY", "maxAmount": 9000000, "maxCount": 1000000}},
		{"velocity-control", map[string]any{"code": "WEEK", "period": "Week", "currencyCode": "TRY", "maxAmount": 9000000}},
		{"velocity-control", map[string]any{"code": "MONTH", "period": "Month", "maxCount": 1000000, "rule": "transaction.mcc!='7995'"}},
		{"authorization-control", map[string]any{"code": "GAMBLING", "action": "Decline", "rule": "transaction.mcc == '7995'"}},
		{"authorization-control", map[string]any{
			"code": "ABROAD", "action": "Decline", "rule": `merchant.country != 'TR' && transaction.billingAmount > decimal("5000")`,
		}},
		{"fee-management/transaction", map[string]any{
			"code": "FEE", "currencyCode": "TRY", "additionalAmountType": "TransactionFee", "calculationType": "Rate", "rate": 1,
			"taxes": []map[string]any{{"taxType": "Bsmv"}},
		}},
	} {
		c.body["name"], c.body["links"] = c.body["code"], []map[string]any{{"linkType": "Global"}}
		if err == nil {
			err = define("/api/v1/issuing/"+c.path, c.body)
		}
	}
	if err != nil {
		return err
	}
	// Somebody wants to hear of each; nobody is called, which is no part of it.
	return b.platform.db.InTx(ctx, func(tx db.Tx) error {
		return outbox.ChangeInterest(ctx, tx, b.bank.tenant.String(), func() (outbox.Interest, error) {
			return outbox.Interest{authorization.EventAuthorized}, nil
		})
	})
}

func (b *bench) close() {
	for _, l := range b.links {
		l.Close()
	}
}
