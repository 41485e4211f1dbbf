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
	return withCore(ctx, c, log, func(k *core) error {
		version, err := k.store.LoadBINTable(ctx, all)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "version %d, %d ranges\n", version, len(all))
		return err
	})
}

// AddPartnerMerchant lets the merchant of a client share the cards of a partner.
func AddPartnerMerchant(ctx context.Context, c config.Config, log *slog.Logger, clientID, identity string) error {
	return withClient(ctx, c, log, clientID, func(k *core, found access.Client, caller access.Caller) error {
		return k.store.AddPartnerMerchant(ctx, caller, identity, found.ID)
	})
}
