package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/cardstore"
	"github.com/sarraf-platform/sarraf/internal/api/ewallet"
	"github.com/sarraf-platform/sarraf/internal/api/openbanking"
	"github.com/sarraf-platform/sarraf/internal/api/payers"
	"github.com/sarraf-platform/sarraf/internal/api/platform"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/network"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Platform is the running whole.
type Platform struct {
	*Core
	tester *tester
	ready  atomic.Bool
	parts  []part // in the order in which they were started
	failed chan error
	end    sync.Once
	ended  error

	jobsBegun sync.WaitGroup // until each job has run once

	apiAddr, networkAddr net.Addr
	familyAddrs          map[access.Family]net.Addr // of those with an address of their own
}

// part is something that runs until it is stopped.
type part struct {
	name string
	// stop ends it: nothing new is taken, what was accepted is finished. When
	// ctx ends first, it is broken off.
	stop func(ctx context.Context) error
}

// Start builds the platform and starts it. It serves when Start returns. The caller
// stops it.
func Start(ctx context.Context, c config.Config, log *slog.Logger) (*Platform, error) {
	return StartTraced(ctx, c, log, nil)
}

// StartTraced is [Start] for tests: trace, unless it is nil, is told of all
// statements, as that of [db.Options] is.
func StartTraced(ctx context.Context, c config.Config, log *slog.Logger, trace func(query string, args []any)) (_ *Platform, err error) {
	k, err := openCore(ctx, c, log, Migrating, trace)
	if err != nil {
		return nil, err
	}
	p := &Platform{Core: k, failed: make(chan error, 8)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Stop())
		}
	}()
	if p.tester, err = newTester(k); err != nil {
		return nil, err
	}
	p.startJobs()
	p.startEvents()
	if err := p.startHTTP(ctx); err != nil {
		return nil, err
	}
	if err := p.startNetwork(ctx); err != nil {
		return nil, err
	}
	p.ready.Store(true)
	return p, nil
}

// Failed tells when a part ended that nobody stopped.
func (p *Platform) Failed() <-chan error { return p.failed }

// APIURL is where the API is served.
func (p *Platform) APIURL() string { return "http://" + p.apiAddr.String() }

// NetworkAddr is where ISO 8583 links connect.
func (p *Platform) NetworkAddr() string { return p.networkAddr.String() }

// AwaitJobs waits until each of the background jobs has run once since the start.
// When ctx ends first, it returns its error.
func (p *Platform) AwaitJobs(ctx context.Context) error { return waitFor(ctx, &p.jobsBegun) }

// Stop drains and ends the platform: all parts side by side, within the drain
// time-out, then what they stood on. Calling it again does nothing.
func (p *Platform) Stop() error {
	p.end.Do(func() { p.ended = p.stop() })
	return p.ended
}

func (p *Platform) stop() error {
	p.ready.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), p.Config.DrainTimeout)
	defer cancel()
	errs := make([]error, len(p.parts))
	var stopping sync.WaitGroup
	for i, part := range p.parts {
		stopping.Go(func() {
			if err := part.stop(ctx); err != nil {
				errs[i] = fmt.Errorf("stop %s: %w", part.name, err)
			}
		})
	}
	stopping.Wait()
	return errors.Join(append(errs, p.close())...)
}

// nonameInterval is how often orders of noname cards are looked for.
const nonameInterval = time.Second

// startJobs runs the background work, each job at its interval.
func (p *Platform) startJobs() {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, j := range p.jobs() {
		run := j.run
		p.jobsBegun.Add(1)
		begun := sync.OnceFunc(p.jobsBegun.Done)
		j.run = func(ctx context.Context) (int, error) {
			defer begun()
			return run(ctx)
		}
		running.Go(func() { p.repeat(ctx, j) })
	}
	p.parts = append(p.parts, part{"jobs", func(stop context.Context) error {
		cancel()
		return waitFor(stop, &running)
	}})
}

// job is work that is done again and again. Its steps are transactions of
// their own, so that it can be broken off between them.
type job struct {
	name  string
	every time.Duration
	run   func(ctx context.Context) (done int, err error)
}

// sealInterval is how often decisions are sealed into the audit chains.
const sealInterval = time.Minute

// pendingInterval is how often transactions are looked for whose clients were
// asked by a process that did not come back.
const pendingInterval = 5 * time.Second

// resetInterval is how soon after midnight the tries of PINs are forgotten,
// where a tenant wants that.
const resetInterval = time.Minute

// replayInterval is how soon a replay that was asked for begins.
const replayInterval = 2 * time.Second

// usageInterval is how often what no limit counts any more is looked for, among all
// that was used.
const usageInterval = 24 * time.Hour

// temporaryInterval is how soon temporary cards are gone that are over.
const temporaryInterval = time.Minute

func (p *Platform) jobs() []job {
	return []job{
		{"sweep expired rows", p.Config.Job.SweepInterval, p.sweep},
		{"seal decisions", sealInterval, p.Seals.Seal},
		{"release expired holds", p.Config.Job.HoldExpiryInterval, p.Engine.Expire},
		{"conclude what clients were asked", pendingInterval, p.Engine.FinishPending},
		{"forget wrong PIN tries", resetInterval, p.Issuing.ResetTries},
		{"make noname cards", nonameInterval, p.Issuing.WorkNoname},
		{"cancel unlinked cards", p.Config.Job.SweepInterval, p.Issuing.CancelUnlinked},
		{"carry out what is due of cards", p.Config.Job.CardInterval, p.Issuing.CarryOutDue},
		{"expire cards", p.Config.Job.CardInterval, p.eachTenant(p.Issuing.Expire)},
		{"renew cards", p.Config.Job.CardInterval, p.eachTenant(p.Issuing.RenewAtNight)},
		{"charge fees that wait", p.Config.Job.CardInterval, p.eachTenant(p.Dues.CollectDue)},
		{"tell of expiring cards", p.Config.Job.CardInterval, p.eachTenant(p.Issuing.TellExpiring)},
		{"begin fee years of cards", p.Config.Job.CardInterval, p.eachTenant(p.Fees.BeginYears)},
		{"charge fees for cards", p.Config.Job.CardInterval, p.eachTenant(p.Fees.ChargeDue)},
		{"end days of credit accounts", p.Config.Job.CardInterval, p.eachTenant(p.Credits.RollDue)},
		{"settle payments of wallets", p.Config.Job.CardInterval, p.eachTenant(p.Wallets.Settle)},
		{"order cards from bureaus", p.Config.Job.PersoInterval, p.personalize},
		{"sweep usage of limits", usageInterval, p.Controls.SweepUsage},
		{"replay what was asked for", replayInterval, p.ReplayJobs.Work},
		{"forget temporary cards", temporaryInterval, p.Store.SweepTemporary},
	}
}

// eachTenant is a job that is done for one tenant after the other; what fails
// for one holds up no other.
func (p *Platform) eachTenant(run func(context.Context, access.Tenant) (int, error)) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		tenants, err := p.Access.Tenants(ctx)
		if err != nil {
			return 0, fmt.Errorf("list tenants: %w", err)
		}
		done := 0
		for _, t := range tenants {
			n, also := run(ctx, t)
			done, err = done+n, errors.Join(err, also)
		}
		return done, err
	}
}

// sweep deletes idempotency keys, refresh tokens, transport keys, slips, messages and
// what customers were told past their date.
func (p *Platform) sweep(ctx context.Context) (int, error) {
	rows, err := p.Access.Sweep(ctx)
	keys, also := p.Vault.Sweep(ctx)
	messages, again := p.Webhooks.Worker().Sweep(ctx) // of every topic
	told, too := p.Notices.Sweep(ctx)
	slips, finally := p.Engine.SweepSlips(ctx)
	limits, last := p.Controls.Sweep(ctx)
	replays, least := p.ReplayJobs.Sweep(ctx)
	return int(rows+keys+messages+told) + slips + limits + replays, errors.Join(err, also, again, too, finally, last, least)
}

func (p *Platform) repeat(ctx context.Context, j job) {
	tick := time.NewTicker(j.every)
	defer tick.Stop()
	for {
		done, err := j.run(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.Log.Error("job failed", "job", j.name, "error", err)
		case done > 0:
			p.Log.Info("job done", "job", j.name, "rows", done)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// waitFor waits until all have finished or ctx ends.
func waitFor(ctx context.Context, running *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// startHTTP serves the API: our own family, with the neighbours that share its
// address, and those with an address of their own.
func (p *Platform) startHTTP(ctx context.Context) (err error) {
	shared, apart := p.families()
	if p.apiAddr, err = p.serveHTTP(ctx, "API", p.Config.HTTP.Addr, p.handler(shared[0], shared[1:]...)); err != nil {
		return err
	}
	p.familyAddrs = map[access.Family]net.Addr{}
	for _, f := range apart {
		if p.familyAddrs[f.name], err = p.serveHTTP(ctx, "API of "+string(f.name), f.place, p.handler(f.alone())); err != nil {
			return err
		}
	}
	return nil
}

// serveHTTP serves a handler at an address.
func (p *Platform) serveHTTP(ctx context.Context, name, addr string, handler http.Handler) (net.Addr, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for the %s: %w", name, err)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: p.Config.HTTP.HeaderTimeout,
		ReadTimeout:       p.Config.HTTP.RequestTimeout,
		WriteTimeout:      2 * p.Config.HTTP.RequestTimeout, // it starts when the header was read
		IdleTimeout:       p.Config.HTTP.IdleTimeout,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(p.Log.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- fmt.Errorf("serve the %s: %w", name, err)
		}
	}()
	p.parts = append(p.parts, part{name, func(ctx context.Context) error {
		if err := server.Shutdown(ctx); err != nil {
			return errors.Join(err, server.Close())
		}
		return nil
	}})
	return listener.Addr(), nil
}

// neighbour is a family that is not our own.
type neighbour struct {
	name  access.Family
	place string // as the settings say
	// shared is the family beside our own; alone is the family where it is the only
	// one, so that it must bring what it shares else.
	shared, alone func() api.Family
}

// neighbours lists them. This is the one line that a new family needs here.
func (p *Platform) neighbours() []neighbour {
	return []neighbour{
		{access.OpenBanking, p.Config.Family.OpenBanking, p.openBankingFamily, p.openBankingFamily},
		{access.Payers, p.Config.Family.Payers, p.payersFamily, p.payersFamily},
		{access.CardStore, p.Config.Family.CardStore, p.cardStore, p.cardStore},
		{access.EWallet, p.Config.Family.EWallet, p.walletFamily, p.walletFamilyAlone},
	}
}

// walletFamily is the family of wallets.
func (p *Platform) walletFamily() api.Family {
	return ewallet.New(p.Access, p.Wallets, p.Clock).Family()
}

// walletFamilyAlone brings the token endpoint, which it shares with our own.
func (p *Platform) walletFamilyAlone() api.Family {
	f := p.walletFamily()
	mount, own := f.Mount, p.ownAPI()
	f.Mount = func(r chi.Router) {
		mount(r)
		own.MountToken(r)
	}
	return f
}

// openBankingFamily is the family of credit cards.
func (p *Platform) openBankingFamily() api.Family {
	return openbanking.New(openbanking.Services{
		Access: p.Access, Credit: p.Credits, Clock: p.Clock,
		TokenLimit: api.Limit{PerSecond: float64(p.Config.HTTP.TokenLimit), Burst: p.Config.HTTP.TokenBurst},
	}).Family()
}

// payersFamily is the family of payment customers.
func (p *Platform) payersFamily() api.Family {
	return payers.New(payers.Services{
		Access: p.Access, Customers: p.Customers, Clock: p.Clock, TokenStatus: p.Config.Family.PayersTokenStatus,
		TokenLimit: api.Limit{PerSecond: float64(p.Config.HTTP.TokenLimit), Burst: p.Config.HTTP.TokenBurst},
	}).Family()
}

// cardStore is the family of stored cards.
func (p *Platform) cardStore() api.Family {
	return cardstore.New(cardstore.Services{
		Access: p.Access, Store: p.Store, Clock: p.Clock, KeysStatus: p.Config.Family.CardStoreKeysStatus,
	}).Family()
}

// families returns those that answer at the address of the API, our own first,
// and those with an address of their own.
func (p *Platform) families() (shared []api.Family, apart []neighbour) {
	shared = []api.Family{p.ownFamily()}
	for _, n := range p.neighbours() {
		switch n.place {
		case config.Off:
		case config.Shared:
			shared = append(shared, n.shared())
		default:
			apart = append(apart, n)
		}
	}
	return shared, apart
}

// ownFamily is the family of our own contract.
func (p *Platform) ownFamily() api.Family { return p.ownAPI().Family() }

func (p *Platform) ownAPI() *platform.API {
	return platform.New(platform.Services{
		Access: p.Access, Audit: p.Audit, Vault: p.Vault, Customers: p.Customers, Programs: p.Programs, Controls: p.Controls, Fees: p.Fees, Replays: p.ReplayJobs, Issuing: p.Issuing,
		Personalization: p.Personalization, Ledger: p.Ledger, Transactions: p.Queries,
		Webhooks: p.Webhooks, Notices: p.Notices, Tester: p.tester, Calendar: calendar{p.Core}, Clock: p.Clock,
		TokenLimit: api.Limit{PerSecond: float64(p.Config.HTTP.TokenLimit), Burst: p.Config.HTTP.TokenBurst},
	}, ReadBuild().Version)
}

// handler builds what a server of the API serves.
func (p *Platform) handler(first api.Family, others ...api.Family) http.Handler {
	proxies, _ := api.ParseNetworks(p.Config.HTTP.TrustedProxies) // checked with the settings
	return api.NewRouter(api.Options{
		TrustedProxies: proxies,
		Log:            p.Log, Clock: p.Clock, Metrics: p.Metrics.Registry,
		Limit: api.Limit{PerSecond: float64(p.Config.HTTP.RateLimit), Burst: p.Config.HTTP.RateBurst},
		Ready: []api.Health{
			{Name: "serving", Check: p.checkServing},
			{Name: "database", Check: p.checkDatabase},
			{Name: "hsm", Check: p.HSM.Health},
		},
	}, first, others...)
}

var errNotServing = errors.New("starting or draining")

func (p *Platform) checkServing(context.Context) error {
	if !p.ready.Load() {
		return errNotServing
	}
	return nil
}

// checkDatabase asks for the schema, which also shows that it is reachable.
func (p *Platform) checkDatabase(ctx context.Context) error {
	applied, newest, err := p.DB.SchemaVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if applied != newest {
		return fmt.Errorf("the schema is at version %d and should be at %d", applied, newest)
	}
	return nil
}

// startNetwork serves ISO 8583.
func (p *Platform) startNetwork(ctx context.Context) error {
	server, framing, err := p.ListenNetwork(p.Config.Network.Addr)
	if err != nil {
		return err
	}
	p.networkAddr = server.Addr()
	p.tester.reach(server, framing)
	go func() {
		if err := server.Serve(context.WithoutCancel(ctx)); err != nil {
			p.failed <- fmt.Errorf("serve ISO 8583: %w", err)
		}
	}()
	p.parts = append(p.parts, part{"ISO 8583", server.Shutdown})
	return nil
}

// ListenNetwork listens for ISO 8583 links at addr, in the framing of the settings,
// which it returns. The caller lets the server serve, and shuts it down before the
// core is closed.
func (k *Core) ListenNetwork(addr string) (*network.Server, iso8583.Framing, error) {
	c := k.Config.Network
	framing, err := iso8583.ParseFraming(c.Framing)
	if err != nil {
		return nil, framing, err
	}
	dialect := "generic"
	if c.Framing == "len4ascii" {
		dialect = "generic-len4ascii"
	}
	server, err := network.Listen(network.Config{
		Addr: addr, Dialect: dialect, InFlightMax: c.InFlightMax, InFlightTotal: c.InFlightTotal, ConnectionsMax: c.ConnectionsMax,
		IdleTimeout: 2 * c.EchoInterval, StallTimeout: c.StallTimeout,
	}, k.Engine, k.Clock, k.Log, k.Metrics)
	return server, framing, err
}
