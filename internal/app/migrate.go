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
	k := &core{config: c, log: log}
	if err := k.openDatabase(ctx, migrate); err != nil {
		if k.db != nil {
			k.db.Close()
		}
		return err
	}
	defer k.db.Close()
	version, _, err := k.db.SchemaVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if asJSON {
		return printJSON(w, map[string]any{
			"database": config.HideSecrets(c.DB), "engine": k.db.Engine().String(), "version": version,
		})
	}
	_, err = fmt.Fprintf(w, "%s is at schema version %d, the newest this program knows\n", config.HideSecrets(c.DB), version)
	return err
}
