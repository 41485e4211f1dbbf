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

// Core is the platform below its edges: what a command needs that listens to
// nobody. It is built whole; its fields are for reading only. Its services are safe
// for concurrent use until it is closed, which whoever opened it does.
type Core struct {
	Config          config.Config
	Log             *slog.Logger
	Clock           clock.Clock
	DB              *db.DB
	HSM             *soft.Backend
	Audit           *audit.Service
	Access          *access.Service
	Customers       *customer.Service
	Programs        *program.Service
	Controls        *control.Service
	Fees            *fee.Service
	Issuing         *issuing.Service
	Ledger          *ledger.Service
	Dues            *authorization.Collector
	Personalization *personalization.Service
	Vault           *vault.Service
	Store           *vault.Store
	Engine          *authorization.Engine
	Queries         *authorization.Queries
	Replays         *authorization.Replays
	ReplayJobs      *authorization.ReplayJobs
	Turns           *authorization.Turns
	Counterfactuals *authorization.Counterfactuals
	Seals           *authorization.Seals
	Clearing        *clearing.Service
	Credits         *credit.Service
	Webhooks        *webhook.Service
	Notices         *notification.Service
	Wallets         *wallet.Service
	Metrics         *Metrics
}

// Readiness says what may be done to a database that is not ready.
type Readiness int

// What may be done to a database.
const (
	AsItIs    Readiness = iota // refuse a schema that is not current
	Migrating                  // bring the schema up to date, make a root key when nothing needs one yet
	Filling                    // refuse a schema that is not current; much is written that can be made anew
)

// WithCore builds the core, runs f and closes it, whatever f returns. When f returns,
// nothing of the core may be in use any more.
func WithCore(ctx context.Context, c config.Config, log *slog.Logger, r Readiness, f func(*Core) error) (err error) {
	k, err := openCore(ctx, c, log, r, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.close()) }()
	return f(k)
}

// openCore builds the core. The caller closes it. trace may be nil; see [StartTraced].
func openCore(ctx context.Context, c config.Config, log *slog.Logger, r Readiness, trace func(query string, args []any)) (_ *Core, err error) {
	k := &Core{Config: c, Log: log, Clock: clock.System{}, Metrics: NewMetrics()}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.close())
		}
	}()
	if err := k.openDatabase(ctx, r, trace); err != nil {
		return nil, err
	}
	if err := k.openHSM(ctx); err != nil {
		return nil, err
	}
	k.Audit = audit.New(k.DB, k.HSM, k.Clock)
	k.Access = access.New(k.DB, k.HSM, k.Clock)
	k.Access.Rate = access.Rate{PerSecond: c.HTTP.ClientLimit, Burst: c.HTTP.ClientBurst}
	k.Customers = customer.New(k.DB, k.HSM, k.Clock)
	k.Programs = program.New(k.DB, k.HSM, k.Clock)
	k.Controls = control.New(k.DB, k.Programs, k.Customers, k.Clock)
	k.Controls.Log = log
	fee.IncludeIn(k.Controls)
	k.Issuing = issuing.New(k.DB, k.HSM, k.Clock, k.Customers, k.Programs)
	k.Customers.Rules, k.Customers.Cards, k.Programs.Issued = k.Programs, k.Issuing, k.Issuing
	k.Access.Watcher = k.Programs
	k.Ledger = ledger.New(k.DB, k.Clock)
	k.Dues = &authorization.Collector{DB: k.DB, Clock: k.Clock}
	k.Ledger.Collector = k.Dues
	k.Vault = vault.New(k.DB, k.HSM, k.Clock)
	k.Wallets = wallet.New(k.DB, k.HSM, k.Clock)
	k.Store = vault.NewStore(k.DB, k.HSM, k.Clock)
	k.Store.Issued = k.Issuing
	k.Personalization = personalization.New(k.DB, k.HSM, k.Programs, k.Issuing, k.Clock, log)
	k.Personalization.Bureaus = bureauDirs{c.PersoDir, log}
	codes, err := network.LoadCodes()
	if err != nil {
		return nil, err
	}
	k.Webhooks = webhook.New(k.DB, k.HSM, k.Clock, log)
	k.Webhooks.Encoder, k.Webhooks.Dialogue, k.Webhooks.Loopback = eventBodies{}, platform.Dialogue{}, c.Webhook.AllowLoopback
	k.Engine = authorization.NewEngine(ctx, k.DB, k.HSM, k.Programs, k.Issuing, codes, k.Clock, log, k.Metrics,
		authorization.Config{
			Client: k.Webhooks, Controls: k.Controls, GroupMax: c.Network.GroupMax,
			Load: authorization.Load{WorkingMax: c.Network.WorkingMax, WaitingMax: c.Network.WaitingMax, AnswerWithin: c.Network.AnswerWithin},
		})
	k.Turns = &authorization.Turns{DB: k.DB, Clock: k.Clock}
	k.Replays = authorization.NewReplays(k.DB, k.Programs, k.Controls, k.Issuing)
	k.ReplayJobs = &authorization.ReplayJobs{Replays: k.Replays, Clock: k.Clock, Drafts: platform.Drafts{}}
	k.Counterfactuals = authorization.NewCounterfactuals(k.DB, k.Programs, k.Controls)
	k.Queries, k.Webhooks.Completer = authorization.NewQueries(k.DB, k.Counterfactuals, k.Clock), k.Counterfactuals
	k.Fees = &fee.Service{
		DB: k.DB, Programs: k.Programs, Controls: k.Controls, Cards: k.Issuing, Usage: k.Queries, Clock: k.Clock,
		Charger: &authorization.CardCharges{DB: k.DB, Programs: k.Programs, Cards: k.Issuing, Client: k.Webhooks, Clock: k.Clock},
	}
	k.Issuing.Fees, k.Programs.Taxed = k.Fees, k.Fees
	k.Issuing.LastUse = k.Queries
	k.Issuing.Holds, k.Issuing.Limits = k.Queries, k.Controls
	k.Seals = &authorization.Seals{DB: k.DB, Clock: k.Clock}
	k.Clearing = clearing.New(k.DB, k.Programs, k.Issuing,
		&authorization.Limits{Controls: k.Controls, Programs: k.Programs, Cards: k.Issuing}, k.Clock)
	k.Credits = &credit.Service{DB: k.DB, Clock: k.Clock, Customers: k.Customers, Programs: k.Programs, Cards: k.Issuing, VirtualCardsMax: c.Credit.VirtualCardsMax}
	k.Notices = notification.New(k.DB, k.HSM, k.Clock, log)
	k.Notices.Recipients, k.Issuing.PINs = k.Issuing, k.Notices
	k.Access.Codes = signInCodes{k}
	k.Notices.Hooks, k.Webhooks.Messages = k.Webhooks, k.Notices
	if k.Notices.SMS, k.Notices.Email, err = openGateways(c.Notification); err != nil {
		return nil, err
	}
	if r == Migrating {
		return k, k.checkRootKey(ctx)
	}
	return k, nil
}

// checkRootKey opens something that was sealed under the root key, so that a
// wrong one is found at the start and not by the first customer.
func (k *Core) checkRootKey(ctx context.Context) error {
	if _, err := k.Access.JWKS(ctx); errors.Is(err, hsm.ErrIntegrity) {
		return fmt.Errorf("the root key is not the one under which %s was sealed: %w", config.HideSecrets(k.Config.DB), err)
	} else if err != nil {
		return err
	}
	return nil
}

// close ends what openCore began, in reverse.
func (k *Core) close() error {
	var errs []error
	if k.Engine != nil {
		k.Engine.Close()
	}
	if k.Webhooks != nil {
		k.Webhooks.Wait()
	}
	if k.HSM != nil {
		errs = append(errs, k.HSM.Close())
	}
	if k.DB != nil {
		errs = append(errs, k.DB.Close())
	}
	return errors.Join(errs...)
}

func (k *Core) openDatabase(ctx context.Context, r Readiness, trace func(query string, args []any)) error {
	if r == Migrating {
		if err := os.MkdirAll(k.Config.Data, 0o700); err != nil {
			return fmt.Errorf("make data directory: %w", err)
		}
	}
	d, err := db.Open(ctx, k.Config.DB, db.Options{MustExist: r != Migrating, Hasty: r == Filling, Log: k.Log, Trace: trace})
	if errors.Is(err, fs.ErrNotExist) && r != Migrating {
		return fmt.Errorf("open database %s: %w: \"sarraf serve\" or \"sarraf migrate\" makes a new one",
			config.HideSecrets(k.Config.DB), err)
	}
	if err != nil {
		return fmt.Errorf("open database %s: %w", config.HideSecrets(k.Config.DB), err)
	}
	k.DB = d
	if r == Migrating {
		applied, err := d.Migrate(ctx)
		if err != nil {
			return err
		}
		if len(applied) > 0 {
			k.Log.Info("schema brought up to date", "engine", d.Engine().String(), "version", slices.Max(applied))
		}
		return nil
	}
	applied, newest, err := d.SchemaVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if applied != newest {
		return fmt.Errorf("the schema of %s is at version %d and this program needs %d: run \"sarraf migrate\"",
			config.HideSecrets(k.Config.DB), applied, newest)
	}
	return nil
}

// openHSM opens the software HSM. A root key that is not there is made, as
// long as nothing in the database was sealed under another one.
func (k *Core) openHSM(ctx context.Context) error {
	c := soft.Config{
		RootKeyFile:    k.Config.RootKeyFile,
		PassphraseFile: k.Config.RootPassphraseFile,
		ParametersFile: filepath.Join(k.Config.Data, "root.parameters"),
	}
	place := c.RootKeyFile
	if c.PassphraseFile != "" {
		place = c.ParametersFile
	}
	fresh := false
	if _, err := os.Stat(place); errors.Is(err, fs.ErrNotExist) {
		tenants, err := access.New(k.DB, nil, k.Clock).Tenants(ctx)
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
	k.HSM = backend
	if fresh && c.PassphraseFile == "" {
		k.Log.Warn("made a root key for development: whoever reads the file reads the cards", "file", place)
	}
	return nil
}
