package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api/platform"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/network"
	"github.com/sarraf-platform/sarraf/internal/notification"
	"github.com/sarraf-platform/sarraf/internal/personalization"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/vault"
	"github.com/sarraf-platform/sarraf/internal/wallet"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// core is the platform below its edges: what a command needs that listens to
// nobody.
type core struct {
	config          config.Config
	log             *slog.Logger
	clock           clock.Clock
	db              *db.DB
	hsm             *soft.Backend
	audit           *audit.Service
	access          *access.Service
	customers       *customer.Service
	programs        *program.Service
	controls        *control.Service
	fees            *fee.Service
	issuing         *issuing.Service
	ledger          *ledger.Service
	dues            *authorization.Collector
	personalization *personalization.Service
	vault           *vault.Service
	store           *vault.Store
	engine          *authorization.Engine
	queries         *authorization.Queries
	replays         *authorization.Replays
	replayJobs      *authorization.ReplayJobs
	turns           *authorization.Turns
	counterfactuals *authorization.Counterfactuals
	seals           *authorization.Seals
	clearing        *clearing.Service
	credits         *credit.Service
	webhooks        *webhook.Service
	notices         *notification.Service
	wallets         *wallet.Service
	metrics         *metrics
}

// readiness says what a command may do to a database that is not ready.
type readiness int

const (
	asItIs  readiness = iota // refuse a schema that is not current
	migrate                  // bring the schema up to date, make a root key when nothing needs one yet
	filling                  // refuse a schema that is not current; much is written that can be made anew
)

// traceSQL, when a test sets it, is told of all statements.
var traceSQL func(query string, args []any)

// openCore builds the core. The caller closes it.
func openCore(ctx context.Context, c config.Config, log *slog.Logger, r readiness) (_ *core, err error) {
	k := &core{config: c, log: log, clock: clock.System{}, metrics: newMetrics()}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.close())
		}
	}()
	if err := k.openDatabase(ctx, r); err != nil {
		return nil, err
	}
	if err := k.openHSM(ctx); err != nil {
		return nil, err
	}
	k.audit = audit.New(k.db, k.hsm, k.clock)
	k.access = access.New(k.db, k.hsm, k.clock)
	k.access.Rate = access.Rate{PerSecond: c.HTTP.ClientLimit, Burst: c.HTTP.ClientBurst}
	k.customers = customer.New(k.db, k.hsm, k.clock)
	k.programs = program.New(k.db, k.hsm, k.clock)
	k.controls = control.New(k.db, k.programs, k.customers, k.clock)
	k.controls.Log = log
	fee.IncludeIn(k.controls)
	k.issuing = issuing.New(k.db, k.hsm, k.clock, k.customers, k.programs)
	k.customers.Rules, k.customers.Cards, k.programs.Issued = k.programs, k.issuing, k.issuing
	k.access.Watcher = k.programs
	k.ledger = ledger.New(k.db, k.clock)
	k.dues = &authorization.Collector{DB: k.db, Clock: k.clock}
	k.ledger.Collector = k.dues
	k.vault = vault.New(k.db, k.hsm, k.clock)
	k.wallets = wallet.New(k.db, k.hsm, k.clock)
	k.store = vault.NewStore(k.db, k.hsm, k.clock)
	k.store.Issued = k.issuing
	k.personalization = personalization.New(k.db, k.hsm, k.programs, k.issuing, k.clock, log)
	k.personalization.Bureaus = bureauDirs{c.PersoDir, log}
	codes, err := network.LoadCodes()
	if err != nil {
		return nil, err
	}
	k.webhooks = webhook.New(k.db, k.hsm, k.clock, log)
	k.webhooks.Encoder, k.webhooks.Dialogue, k.webhooks.Loopback = eventBodies{}, platform.Dialogue{}, c.Webhook.AllowLoopback
	k.engine = authorization.NewEngine(ctx, k.db, k.hsm, k.programs, k.issuing, codes, k.clock, log, k.metrics,
		authorization.Config{
			Client: k.webhooks, Controls: k.controls, GroupMax: c.Network.GroupMax,
			Load: authorization.Load{WorkingMax: c.Network.WorkingMax, WaitingMax: c.Network.WaitingMax, AnswerWithin: c.Network.AnswerWithin},
		})
	k.turns = &authorization.Turns{DB: k.db, Clock: k.clock}
	k.replays = authorization.NewReplays(k.db, k.programs, k.controls, k.issuing)
	k.replayJobs = &authorization.ReplayJobs{Replays: k.replays, Clock: k.clock, Drafts: platform.Drafts{}}
	k.counterfactuals = authorization.NewCounterfactuals(k.db, k.programs, k.controls)
	k.queries, k.webhooks.Completer = authorization.NewQueries(k.db, k.counterfactuals, k.clock), k.counterfactuals
	k.fees = &fee.Service{
		DB: k.db, Programs: k.programs, Controls: k.controls, Cards: k.issuing, Usage: k.queries, Clock: k.clock,
		Charger: &authorization.CardCharges{DB: k.db, Programs: k.programs, Cards: k.issuing, Client: k.webhooks, Clock: k.clock},
	}
	k.issuing.Fees, k.programs.Taxed = k.fees, k.fees
	k.issuing.LastUse = k.queries
	k.issuing.Holds, k.issuing.Limits = k.queries, k.controls
	k.seals = &authorization.Seals{DB: k.db, Clock: k.clock}
	k.clearing = clearing.New(k.db, k.programs, k.issuing,
		&authorization.Limits{Controls: k.controls, Programs: k.programs, Cards: k.issuing}, k.clock)
	k.credits = &credit.Service{DB: k.db, Clock: k.clock, Customers: k.customers, Programs: k.programs, Cards: k.issuing, VirtualCardsMax: c.Credit.VirtualCardsMax}
	k.notices = notification.New(k.db, k.hsm, k.clock, log)
	k.notices.Recipients, k.issuing.PINs = k.issuing, k.notices
	k.access.Codes = signInCodes{k}
	k.notices.Hooks, k.webhooks.Messages = k.webhooks, k.notices
	if k.notices.SMS, k.notices.Email, err = openGateways(c.Notification); err != nil {
		return nil, err
	}
	if r == migrate {
		return k, k.checkRootKey(ctx)
	}
	return k, nil
}

// checkRootKey opens something that was sealed under the root key, so that a
// wrong one is found at the start and not by the first customer.
func (k *core) checkRootKey(ctx context.Context) error {
	if _, err := k.access.JWKS(ctx); errors.Is(err, hsm.ErrIntegrity) {
		return fmt.Errorf("the root key is not the one under which %s was sealed: %w", config.HideSecrets(k.config.DB), err)
	} else if err != nil {
		return err
	}
	return nil
}

// close ends what openCore began, in reverse.
func (k *core) close() error {
	var errs []error
	if k.engine != nil {
		k.engine.Close()
	}
	if k.webhooks != nil {
		k.webhooks.Wait()
	}
	if k.hsm != nil {
		errs = append(errs, k.hsm.Close())
	}
	if k.db != nil {
		errs = append(errs, k.db.Close())
	}
	return errors.Join(errs...)
}

func (k *core) openDatabase(ctx context.Context, r readiness) error {
	if r == migrate {
		if err := os.MkdirAll(k.config.Data, 0o700); err != nil {
			return fmt.Errorf("make data directory: %w", err)
		}
	}
	d, err := db.Open(ctx, k.config.DB, db.Options{MustExist: r != migrate, Hasty: r == filling, Log: k.log, Trace: traceSQL})
	if errors.Is(err, fs.ErrNotExist) && r != migrate {
		return fmt.Errorf("open database %s: %w: \"sarraf serve\" or \"sarraf migrate\" makes a new one",
			config.HideSecrets(k.config.DB), err)
	}
	if err != nil {
		return fmt.Errorf("open database %s: %w", config.HideSecrets(k.config.DB), err)
	}
	k.db = d
	if r == migrate {
		applied, err := d.Migrate(ctx)
		if err != nil {
			return err
		}
		if len(applied) > 0 {
			k.log.Info("schema brought up to date", "engine", d.Engine().String(), "version", slices.Max(applied))
		}
		return nil
	}
	applied, newest, err := d.SchemaVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if applied != newest {
		return fmt.Errorf("the schema of %s is at version %d and this program needs %d: run \"sarraf migrate\"",
			config.HideSecrets(k.config.DB), applied, newest)
	}
	return nil
}

// openHSM opens the software HSM. A root key that is not there is made, as
// long as nothing in the database was sealed under another one.
func (k *core) openHSM(ctx context.Context) error {
	c := soft.Config{
		RootKeyFile:    k.config.RootKeyFile,
		PassphraseFile: k.config.RootPassphraseFile,
		ParametersFile: filepath.Join(k.config.Data, "root.parameters"),
	}
	place := c.RootKeyFile
	if c.PassphraseFile != "" {
		place = c.ParametersFile
	}
	fresh := false
	if _, err := os.Stat(place); errors.Is(err, fs.ErrNotExist) {
		tenants, err := access.New(k.db, nil, k.clock).Tenants(ctx)
		if err != nil {
			return fmt.Errorf("look for tenants: %w", err)
		}
		if len(tenants) > 0 {
			return fmt.Errorf("there is no root key at %s, and the database holds what another one sealed", place)
		}
		if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
			return fmt.Errorf("make directory of the root key: %w", err)
		}
		c.Create, fresh = true, true
	}
	backend, err := soft.Open(c)
	if err != nil {
		return fmt.Errorf("open HSM: %w", err)
	}
	k.hsm = backend
	if fresh && c.PassphraseFile == "" {
		k.log.Warn("made a root key for development: whoever reads the file reads the cards", "file", place)
	}
	return nil
}
