package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/bench"
)

func newBenchOverload() *cobra.Command {
	c := &cobra.Command{
		Use:   "overload",
		Short: "Send more than can be done, and see what becomes of it",
		Long: `Measures how many chip purchases a second the platform decides (a closed loop, as
"bench authorize" does), then sends a multiple of that, whatever becomes of those
before (an open loop). It prints how many were decided and how many refused with
91, how fast each came, how much memory that took before, meanwhile and after,
and how long it took afterwards until ten purchases in a row were as fast as
before.

The load runs in the same process: what it costs is not left to the platform, and
its memory counts.

Exit codes: 0 every request was approved or refused, and the platform recovered
within five seconds; 1 otherwise.`,
		Example: `  sarraf bench overload --connections 64 --duration 60s
  sarraf bench overload --times 5 --db postgres://sarraf@localhost/bench --json`,
		Args: noArguments,
	}
	var o bench.OverloadOptions
	c.Flags().IntVar(&o.Connections, "connections", 64, "connections")
	c.Flags().DurationVar(&o.Duration, "duration", time.Minute, "how long to overload")
	c.Flags().DurationVar(&o.Probe, "probe", 10*time.Second, "how long to measure the maximum")
	c.Flags().DurationVar(&o.WarmUp, "warm-up", 2*time.Second, "how long to run before measuring")
	c.Flags().Float64Var(&o.Times, "times", 3, "how many times the maximum arrives")
	c.Flags().IntVar(&o.Cards, "cards", 500, "cards that are used in turn")
	c.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if o.Connections < 1 || o.Cards < 1 || o.Duration <= 0 || o.Probe <= 0 || o.WarmUp < 0 || o.Times <= 0 {
			return usageError{errors.New("connections, cards, durations and times must be above zero")}
		}
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		return bench.Overload(c.Context(), l, log, c.OutOrStdout(), o)
	}
	addSettings(c, all)
	return c
}
