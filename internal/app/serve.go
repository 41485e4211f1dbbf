package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/sarraf-platform/sarraf/internal/config"
)

// Serve runs the platform until ctx ends, then drains it.
func Serve(ctx context.Context, c config.Config, log *slog.Logger) error {
	CollectLess()
	p, err := Start(ctx, c, log)
	if err != nil {
		return err
	}
	log.Info("serving", "api", p.APIURL(), "network", p.NetworkAddr(), "engine", p.DB.Engine().String(),
		"database", config.HideSecrets(c.DB), "version", ReadBuild().Version)
	select {
	case <-ctx.Done():
		log.Info("draining", "at_most", c.DrainTimeout)
	case err = <-p.Failed():
		log.Error("a part ended", "error", err)
	}
	err = errors.Join(err, p.Stop())
	if err == nil {
		log.Info("ended")
	}
	return err
}

// CollectLess lets the heap grow to three times what lives on it, not twice, before
// garbage is collected: what lives is 20 to 50 MB, and a payment leaves 100 kB behind.
// Beyond that, memory goes that 400 MiB must hold with the caches of SQLite. GOGC in
// the environment goes before. Whoever serves, or measures that, calls it once.
func CollectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
}
