package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newBench() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure the platform",
		Long:  `Benchmarks drive the real server through its own doors.`,
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newBenchAuthorize())
	return c
}

func newBenchAuthorize() *cobra.Command {
	c := &cobra.Command{
		Use:   "authorize",
		Short: "Measure authorizations over ISO 8583",
		Long: `Starts the platform, makes cards, and sends chip purchases with a valid
cryptogram over TCP. Each connection has one request in flight and sends the
next when the answer is there (a closed loop), so the figures are what so many
links see, and no promise about more of them.

It prints throughput, the percentiles of the time from sending to the answer,
the time each stage of a decision took, and how durable an answer was when it
was sent. On PostgreSQL it also runs pgbench (TPC-B, prepared statements, as
many clients) on the same server, when it finds it: the ratio of the two says
more than either on another machine.

Exit codes: 0 it was measured; 1 a request was not approved or got no answer.`,
		Example: `  sarraf bench authorize --connections 32 --duration 30s
  sarraf bench authorize --db postgres://sarraf@localhost/bench --cards 5000 --json`,
		Args: noArguments,
	}
	var o app.BenchOptions
	c.Flags().IntVar(&o.Connections, "connections", 16, "connections, each with one request in flight")
	c.Flags().DurationVar(&o.Duration, "duration", 10*time.Second, "how long to measure")
	c.Flags().DurationVar(&o.WarmUp, "warm-up", 2*time.Second, "how long to run before measuring")
	c.Flags().IntVar(&o.Cards, "cards", 500, "cards that are used in turn")
	c.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if o.Connections < 1 || o.Cards < 1 || o.Duration <= 0 || o.WarmUp < 0 {
			return usageError{errors.New("connections, cards and duration must be above zero")}
		}
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		return app.BenchAuthorize(c.Context(), l, log, c.OutOrStdout(), o)
	}
	addSettings(c, all)
	return c
}
