package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// LoadBINTable puts the BIN table of a file in the place of the one before; "-"
// is standard input.
func LoadBINTable(ctx context.Context, c config.Config, log *slog.Logger, stdin io.Reader, w io.Writer, path string) (err error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("open BIN table: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in = f
	}
	all, err := vault.ParseBINTable(in)
	if err != nil {
		return err
	}
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		version, err := k.Store.LoadBINTable(ctx, all)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "version %d, %d ranges\n", version, len(all))
		return err
	})
}

// CreateStoreMerchant makes a merchant of a tenant that keeps cards beside the
// tenant's own, and prints its keys this once.
func CreateStoreMerchant(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, name string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		var private, public access.Credentials
		err := k.DB.InTx(ctx, func(tx db.Tx) (err error) {
			if private, public, err = k.Access.CreateKeyPairs(ctx, tx, caller, name); err != nil {
				return err
			}
			return k.Store.SeparateMerchant(ctx, tx, caller, private.ClientID, public.ClientID)
		})
		if err != nil {
			return fmt.Errorf("create merchant: %w", err)
		}
		keys := showKeys(private, public)
		if asJSON {
			return PrintJSON(w, keys)
		}
		_, err = fmt.Fprintf(w, "apikeyprivate    %s\napiclientprivate %s\napikeypublic     %s\napiclientpublic  %s\n\nThe keys are shown this once.\n",
			keys.APIKeyPrivate, keys.APIClientPrivate, keys.APIKeyPublic, keys.APIClientPublic)
		return err
	})
}

// errNotOfStore refuses a client that keeps no cards.
var errNotOfStore = errors.New("the client is not one of stored cards")

// AddPartnerMerchant lets the merchant of a client share the cards of a partner.
func AddPartnerMerchant(ctx context.Context, c config.Config, log *slog.Logger, clientID, identity string) error {
	return withClient(ctx, c, log, clientID, func(k *Core, found access.Client, caller access.Caller) error {
		if found.Family != access.CardStore {
			return errNotOfStore
		}
		return k.Store.AddPartnerMerchant(ctx, caller, identity, found.ID)
	})
}
