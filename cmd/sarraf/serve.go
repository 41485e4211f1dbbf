package main

import (
	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newServe() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the platform",
		Long: `Opens the database, brings its schema up to date and serves the API and the
ISO 8583 listener until it gets SIGTERM or an interrupt.

It then drains: it says on /readyz that it is not ready, takes no new
connections and no new requests, finishes and answers what it accepted, and
ends. A second signal ends it at once; nothing durable is lost by that, and
senders who got no answer repeat or reverse.

When there is no root key yet, a new one is written to root_key_file. That is
for development: whoever reads the file reads the cards.`,
		Example: `  sarraf serve
  sarraf serve --db postgres://sarraf@db.internal/sarraf --log-format json
  SARRAF_CONFIG=/etc/sarraf.yaml sarraf serve`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			l, log, err := prepare(c)
			if err != nil {
				return err
			}
			return app.Serve(c.Context(), l.Config, log)
		},
	}
	addSettings(c, all)
	return c
}

func newMigrate() *cobra.Command {
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the schema of the database up to date",
		Long: `Applies the migrations that the database lacks and tells which. It does nothing
when there are none, and is safe to run beside others. "serve" and "demo" do
the same when they start.`,
		Example: `  sarraf migrate --db postgres://sarraf@db.internal/sarraf`,
		Args:    noArguments,
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.Migrate(c.Context(), l.Config, log, c.OutOrStdout(), *asJSON)
	}
	addSettings(c, storage)
	return c
}
