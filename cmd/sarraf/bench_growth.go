package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/bench"
)

func newBenchGrowth() *cobra.Command {
	c := &cobra.Command{
		Use:   "growth",
		Short: "Measure what a large database costs",
		Long: `Makes a small world of cards without stored authorizations, and a big one with
many of both, and measures the full authorization ("bench authorize --controls")
on them in rounds in which they take turns. The cards of a round are in no order.
Then it starts "serve" on the big world as a process of its own: how long until
it is ready, and how much memory it has after payments went through it.

On SQLite each world has a directory of its own: below --keep, else in a new one
below --data, else in a temporary one. On PostgreSQL each has a schema of its own
in the database of --db; the directory keeps the root key. Where the disk has no
room for it, it says so before it begins. Each authorization takes some 5 kB on
SQLite.

Filling takes most of the time: progress is told on standard error. The cards are
issued by the use cases that issue all cards, many in a transaction; the
authorizations are decided by the engine, over its listener, in groups of up to
1024, as any other is. Only the disk is not waited for. With --keep both worlds
stay: the next run with the same numbers measures them again, or goes on filling
where this one was interrupted. "sarraf verify --data DIR/big" looks after one on
SQLite.

Exit codes: 0 it was measured; 1 a request was not approved or got no answer.`,
		Example: `  sarraf bench growth --keep /var/tmp/growth
  sarraf bench growth --cards 1000 --authorizations 5000 --small 300 --connections 32 --duration 1s
  sarraf bench growth --db postgres://sarraf@localhost/bench --json`,
		Args: noArguments,
	}
	var o bench.GrowthOptions
	c.Flags().IntVar(&o.Small, "small", 10_000, "cards of the small world")
	c.Flags().IntVar(&o.Cards, "cards", 1_000_000, "cards of the big world")
	c.Flags().IntVar(&o.Authorizations, "authorizations", 10_000_000, "authorizations that the big world has stored")
	c.Flags().IntVar(&o.Rounds, "rounds", 5, "rounds, of which the medians are told")
	c.Flags().IntVar(&o.Connections, "connections", 256, "connections, each with one request in flight")
	c.Flags().DurationVar(&o.Duration, "duration", 10*time.Second, "how long each world is measured in a round")
	c.Flags().DurationVar(&o.WarmUp, "warm-up", 3*time.Second, "how long each runs before that")
	c.Flags().StringVar(&o.Keep, "keep", "", "`directory` in which both worlds stay, to be measured again")
	c.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if o.Small < 1 || o.Cards < 1 || o.Authorizations < 0 || o.Rounds < 1 || o.Connections < 1 || o.Duration <= 0 || o.WarmUp < 0 {
			return usageError{errors.New("cards, rounds, connections and duration must be above zero")}
		}
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		return bench.Growth(c.Context(), l, log, c.OutOrStdout(), c.ErrOrStderr(), o)
	}
	addSettings(c, all)
	return c
}
