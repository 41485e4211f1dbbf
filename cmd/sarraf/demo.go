package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newDemo() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show the main job, end to end, as a story",
		Long: `Starts the platform, issues a card through its API and uses it: at a shop, with
a tap, on the web, at a cash machine, with the wrong PIN, with too little money,
blocked and unblocked, reversed in part and in full, and cleared at night. Every
message goes over TCP through the ISO 8583 listener, with cryptograms that the
simulated card really computes; every answer and every balance is checked
against what the story says.

It works in a new temporary directory unless --data, --db or a file says
otherwise; on a database that is kept, each run makes a tenant of its own. After
the story the platform stays up and the demo says how to go on by curl. When
one of the usual ports is taken, it takes a free one.

Exit codes: 0 the story went as told; 1 a step ended otherwise.`,
		Example: `  sarraf demo
  sarraf demo --once --json | jq .step
  sarraf demo --once --db postgres://sarraf@localhost/sarraf`,
		Args: noArguments,
	}
	var o app.DemoOptions
	c.Flags().BoolVar(&o.Once, "once", false, "end after the story")
	c.Flags().BoolVar(&o.JSON, "json", false, "print the steps as JSON lines")
	c.RunE = func(c *cobra.Command, _ []string) error {
		// The story is what matters; the log speaks up when something is wrong.
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		return app.Demo(c.Context(), l, log, c.OutOrStdout(), o)
	}
	addSettings(c, all)
	return c
}

func newBench() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure the platform",
		Long:  `Benchmarks drive the real server through its own doors.`,
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	authorize := &cobra.Command{
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
	authorize.Flags().IntVar(&o.Connections, "connections", 16, "connections, each with one request in flight")
	authorize.Flags().DurationVar(&o.Duration, "duration", 10*time.Second, "how long to measure")
	authorize.Flags().DurationVar(&o.WarmUp, "warm-up", 2*time.Second, "how long to run before measuring")
	authorize.Flags().IntVar(&o.Cards, "cards", 500, "cards that are used in turn")
	authorize.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	authorize.RunE = func(c *cobra.Command, _ []string) error {
		if o.Connections < 1 || o.Cards < 1 || o.Duration <= 0 || o.WarmUp < 0 {
			return usageError{errors.New("connections, cards and duration must be above zero")}
		}
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		return app.BenchAuthorize(c.Context(), l, log, c.OutOrStdout(), o)
	}
	addSettings(authorize, all)
	c.AddCommand(authorize)
	return c
}
