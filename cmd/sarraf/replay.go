package main

import (
	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newReplay() *cobra.Command {
	c := &cobra.Command{
		Use:   "replay --from TIME --to TIME [--with FILE]",
		Short: "Decide again what was decided, under another configuration",
		Long: `Reads stored authorizations in their order and decides each again: under what was
recorded with it, or under the draft in FILE, which holds arrays of the requests
of the API – velocityControls, authorizationControls, transactionFees, lists. An
object of the draft takes the place of the one of its code ("isActive: false"
takes it away); everything else stays as recorded. See docs/replay.md.

It prints every transaction that would have been decided otherwise, and the
totals. The same decisions give the same output, byte by byte; how far it is goes
to standard error. It changes nothing and works while "serve" runs on the same
database.

Exit codes: 0 it is replayed; 1 it could not be; 2 the draft or the times are
wrong.`,
		Example: `  sarraf replay --from 2026-11-01 --to 2026-11-21
  sarraf replay --from 2026-11-01 --to 2026-11-21 --with draft.yaml --json
  sarraf replay --from 2026-11-21T09:00:00+03:00 --to 2026-11-21T10:00:00+03:00 --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11`,
		Args: noArguments,
	}
	var o app.ReplayOptions
	c.Flags().StringVar(&o.From, "from", "", "the first `time`: a day of the tenant's zone, or a moment (required)")
	c.Flags().StringVar(&o.To, "to", "", "the `time` before which it ends (required)")
	c.Flags().StringVar(&o.With, "with", "", "try the draft in this YAML or JSON `file`")
	c.Flags().StringVar(&o.Tenant, "tenant", "", "`id` of the tenant; without one all, one after another")
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		o.JSON = *asJSON
		return app.Replay(c.Context(), l.Config, log, c.OutOrStdout(), c.ErrOrStderr(), o)
	}
	addSettings(c, storage)
	return c
}
