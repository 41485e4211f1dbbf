package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// scratchOf is a configuration on an empty database of its own: a schema beside the
// tables of the PostgreSQL database that c names, else a file.
func scratchOf(ctx context.Context, c config.Config, name string) (own config.Config, remove func() error, err error) {
	dir, empty, err := temporaryDir()
	if err != nil {
		return c, nil, err
	}
	own = c
	own.KeepIn(dir)
	if !isServer(c) {
		return own, empty, nil
	}
	schema := "sarraf_bench_" + name + "_" + strings.ToLower(rand.Text()[:10]) // nobody else has it
	if own.DB, err = db.MakeSchema(ctx, c.DB, schema); err != nil {
		return c, nil, errors.Join(err, empty())
	}
	return own, func() error {
		return errors.Join(db.DropSchema(context.WithoutCancel(ctx), c.DB, schema), empty())
	}, nil
}

// onScratch has f measure a platform that runs as c says, on an empty database of its
// own, which is gone afterwards.
func (r *comparing) onScratch(ctx context.Context, c config.Config, name string, f func(p *app.Platform) error) (err error) {
	own, remove, err := scratchOf(ctx, c, name)
	if err != nil {
		return err
	}
	p, stop, err := startAs(ctx, own, r.log, remove)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := r.describe(ctx, p); err != nil {
		return err
	}
	return f(p)
}
