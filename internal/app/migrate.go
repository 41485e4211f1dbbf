package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/sarraf-platform/sarraf/internal/config"
)

// Migrate brings the schema up to date and tells what it applied.
func Migrate(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, asJSON bool) error {
	k := &Core{Config: c, Log: log}
	if err := k.openDatabase(ctx, Migrating, nil); err != nil {
		if k.DB != nil {
			k.DB.Close()
		}
		return err
	}
	defer k.DB.Close()
	version, _, err := k.DB.SchemaVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if asJSON {
		return PrintJSON(w, map[string]any{
			"database": config.HideSecrets(c.DB), "engine": k.DB.Engine().String(), "version": version,
		})
	}
	_, err = fmt.Fprintf(w, "%s is at schema version %d, the newest this program knows\n", config.HideSecrets(c.DB), version)
	return err
}
