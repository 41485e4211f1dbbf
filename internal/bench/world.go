package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// start starts a platform to be measured: as it is configured, or in a new
// temporary directory when nothing says where its data are. What bounds the
// requests of one client does not hold. stop ends it.
func start(ctx context.Context, l config.Loaded, log *slog.Logger) (_ *app.Platform, stop func() error, err error) {
	c := l.Config
	remove := func() error { return nil }
	if !l.IsSet("data") && !l.IsSet("db") {
		var dir string
		if dir, remove, err = temporaryDir(); err != nil {
			return nil, nil, err
		}
		c.KeepIn(dir)
		log = app.Quieter(log)
	}
	return startAs(ctx, c, log, remove)
}

// temporaryDir is a new directory and what removes it.
func temporaryDir() (dir string, remove func() error, err error) {
	if dir, err = os.MkdirTemp("", "sarraf-bench-"); err != nil {
		return "", nil, fmt.Errorf("make temporary directory: %w", err)
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}

// startAs starts a platform as it is configured; remove is called when it has
// ended.
func startAs(ctx context.Context, c config.Config, log *slog.Logger, remove func() error) (_ *app.Platform, stop func() error, err error) {
	p, err := startTraced(ctx, c, log, nil)
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return p, func() error { return errors.Join(p.Stop(), remove()) }, nil
}

// startTraced starts a platform whose statements a test wants to hear of; trace may
// be nil.
func startTraced(ctx context.Context, c config.Config, log *slog.Logger, trace func(query string, args []any)) (*app.Platform, error) {
	app.CollectLess() // as serve does
	c.HTTP.RateLimit, c.HTTP.ClientLimit = 0, 0
	c.Job.PersoInterval = 24 * time.Hour // no bureau makes these cards
	c.Network.EchoInterval = time.Hour   // links are silent while what they are compared with is prepared
	c.HTTP.Addr, c.Network.Addr = "127.0.0.1:0", "127.0.0.1:0"
	return app.StartTraced(ctx, c, log, trace)
}

// world is what is measured with: cards, and links that use them.
type world struct {
	platform  *app.Platform
	options   AuthorizeOptions
	bank      *app.TenantBank
	acquirer  *sim.Acquirer
	terminals []*sim.Terminal
	cards     []*sim.Card
	accounts  []string // their numbers
	links     []*sim.Link
	next      sync.Map // of each link, by its number: which of the cards it uses next
}

func newWorld(ctx context.Context, p *app.Platform, o AuthorizeOptions) (_ *world, err error) {
	w := &world{platform: p, options: o, cards: make([]*sim.Card, o.Cards), accounts: make([]string, o.Cards)}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	bank, err := p.OpenBank(ctx, "Bench Bank")
	if err != nil {
		return nil, err
	}
	w.bank = bank
	if o.Controls {
		if err := w.control(ctx); err != nil {
			return nil, fmt.Errorf("define controls: %w", err)
		}
	}
	if err := w.issue(ctx); err != nil {
		return nil, err
	}
	if err := w.openShops(ctx); err != nil {
		return nil, err
	}
	return w, nil
}

// issue makes the cards and puts money on their accounts.
func (w *world) issue(ctx context.Context) error {
	if w.options.HotCard {
		if err := w.issueOnOne(ctx); err != nil {
			return err
		}
		return workOff(ctx, w.platform.Core)
	}
	tenant, err := w.platform.Access.TenantByID(ctx, w.bank.Tenant)
	if err != nil {
		return err
	}
	caller, k := access.System(tenant), w.platform.Core
	const together = 100
	for first := 0; first < len(w.cards); first += together {
		made, err := cardMaker{k, caller}.make(ctx, first, min(first+together, len(w.cards)))
		if err != nil {
			return err
		}
		var reading errgroup.Group
		reading.SetLimit(4)
		for i, c := range made {
			w.accounts[first+i] = c.Issuance.AccountNo
			reading.Go(func() (err error) {
				w.cards[first+i], err = readCard(ctx, k, caller, c.Card.Token)
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
func (w *world) issueOnOne(ctx context.Context) error {
	customer, err := w.bank.OpenCustomer(ctx, "Ada", "Deniz", "+905321234567")
	if err != nil {
		return err
	}
	issuer := w.bank.Bank.On("9000000000000001")
	const unusedPIN = "7392" // chip purchases ask for none
	var making errgroup.Group
	making.SetLimit(4)
	for i := range w.cards {
		making.Go(func() error {
			card, err := issuer.Issue(ctx, customer, unusedPIN)
			if err != nil {
				return err
			}
			w.cards[i], w.accounts[i] = card.Card, card.Account
			_, err = w.bank.Load(ctx, card.Account, "10000000.00", fmt.Sprintf("bench-%d", i))
			return err
		})
	}
	return making.Wait()
}

// openShops opens the terminals and the links over which they ask.
func (w *world) openShops(ctx context.Context) (err error) {
	if w.acquirer, err = sim.NewAcquirer(strconv.Itoa(410627+w.options.acquirer), clock.System{}, sim.Random(0)); err != nil {
		return err
	}
	shops := 100
	if w.options.HotMerchant {
		shops = 1
	}
	w.terminals = terminalsOf(w.acquirer, shops)
	for range w.options.Connections {
		link, err := w.platform.Dial(ctx, w.acquirer)
		if err != nil {
			return err
		}
		w.links = append(w.links, link)
	}
	return nil
}

// terminalsOf are those of so many shops.
func terminalsOf(a *sim.Acquirer, shops int) (all []*sim.Terminal) {
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
func (w *world) control(ctx context.Context) error {
	define := func(path string, body map[string]any) error {
		_, err := w.bank.Call(ctx, http.MethodPost, path, body, nil)
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
	return w.platform.DB.InTx(ctx, func(tx db.Tx) error {
		return outbox.ChangeInterest(ctx, tx, w.bank.Tenant.String(), func() (outbox.Interest, error) {
			return outbox.Interest{authorization.EventAuthorized}, nil
		})
	})
}

func (w *world) close() {
	for _, l := range w.links {
		l.Close()
	}
}
