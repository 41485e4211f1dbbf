package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/bench"
)

func newBench() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure the platform",
		Long:  `Benchmarks drive the real server through its own doors.`,
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		newBenchAuthorize(), newBenchOverload(), newBenchCPU(benchCodec, bench.Codec), newBenchCPU(benchCrypto, bench.Crypto), newBenchCompare(), newBenchGrowth(),
	)
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

With --rate, requests arrive so many a second, whatever becomes of those before
(an open loop), at random distances as those of many terminals do, or at fixed
ones. A request is then timed from its intended arrival: what waits because the
platform, or the load, is late has waited.

--controls makes it the full authorization: three velocity windows, two
authorization controls with rules, and a fee with tax. --hot-card lets all cards
spend from one account, --hot-merchant lets all be used in one shop.

It prints throughput, the percentiles of the time from sending to the answer,
the time each stage of a decision and each commit took, the share of the CPU time
that went to cryptography, and how durable an answer was when it
was sent. On PostgreSQL it also runs pgbench (TPC-B, prepared statements, as
many clients) on the same server, when it finds it: the ratio of the two says
more than either on another machine.

Exit codes: 0 it was measured; 1 a request was not approved or got no answer.`,
		Example: `  sarraf bench authorize --connections 32 --duration 30s
  sarraf bench authorize --controls --rate 1500 --arrivals poisson
  sarraf bench authorize --db postgres://sarraf@localhost/bench --cards 5000 --json`,
		Args: noArguments,
	}
	var o bench.AuthorizeOptions
	c.Flags().IntVar(&o.Connections, "connections", 16, "connections, each with one request in flight")
	c.Flags().DurationVar(&o.Duration, "duration", 10*time.Second, "how long to measure")
	c.Flags().DurationVar(&o.WarmUp, "warm-up", 2*time.Second, "how long to run before measuring")
	c.Flags().IntVar(&o.Cards, "cards", 500, "cards that are used in turn")
	c.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	c.Flags().Float64Var(&o.Rate, "rate", 0, "requests that arrive in a second; 0 waits for answers instead")
	c.Flags().StringVar((*string)(&o.Arrivals), "arrivals", string(bench.PoissonArrivals), "with --rate: poisson or fixed")
	c.Flags().BoolVar(&o.Controls, "controls", false, "with limits, controls and a fee on every purchase")
	c.Flags().BoolVar(&o.HotCard, "hot-card", false, "all cards spend from one account")
	c.Flags().BoolVar(&o.HotMerchant, "hot-merchant", false, "all cards are used in one shop")
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case o.Connections < 1 || o.Cards < 1 || o.Duration <= 0 || o.WarmUp < 0 || o.Rate < 0:
			return usageError{errors.New("connections, cards and duration must be above zero")}
		case o.Arrivals != bench.PoissonArrivals && o.Arrivals != bench.FixedArrivals:
			return usageError{errors.New("arrivals are poisson or fixed")}
		}
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		return bench.Authorize(c.Context(), l, log, c.OutOrStdout(), o)
	}
	addSettings(c, all)
	return c
}

// benchCodec and benchCrypto are commands that only compute.
var (
	benchCodec = cobra.Command{
		Use:   "codec",
		Short: "Measure packing and unpacking ISO 8583",
		Long: `Packs and unpacks a full authorization request (0100) with track, PIN block and
chip data (DE55, tag by tag) in the generic dialect, on one core, without
network and database. It prints nanoseconds and allocations of each, medians of
rounds in which they take turns.`,
		Example: `  sarraf bench codec
  sarraf bench codec --rounds 9 --duration 1s --json`,
	}
	benchCrypto = cobra.Command{
		Use:   "crypto",
		Short: "Measure the cryptography of an authorization",
		Long: `Lets the soft HSM verify request cryptograms and make those of the answers
(ARQC+ARPC), verify card values (CVV) and PINs, on one core, without network and
database. It prints how often each can be done in a second, medians of rounds in
which they take turns.`,
		Example: `  sarraf bench crypto
  sarraf bench crypto --rounds 9 --duration 1s --json`,
	}
)

func newBenchCPU(of cobra.Command, run func(context.Context, io.Writer, bench.CPUOptions) error) *cobra.Command {
	c := &of
	c.Args = noArguments
	var o bench.CPUOptions
	c.Flags().IntVar(&o.Rounds, "rounds", 5, "rounds, of which the medians are printed")
	c.Flags().DurationVar(&o.Duration, "duration", 300*time.Millisecond, "how long each is measured in a round")
	c.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if o.Rounds < 1 || o.Duration <= 0 {
			return usageError{errors.New("rounds and duration must be above zero")}
		}
		return run(c.Context(), c.OutOrStdout(), o)
	}
	return c
}

func newBenchCompare() *cobra.Command {
	c := &cobra.Command{
		Use:   "compare",
		Short: "Measure everything in one go, side by side",
		Long: `Starts a platform on SQLite and, with --db postgres://…, one on that server, and
measures full authorizations on each, part by part:

  codec, crypto  what they take on one core
  rival          our codec beside moov-io/iso8583; takes the source (--checkout)
  authorize      the maximum, with pgbench (TPC-B, 32 clients) between
  hot            the same with all cards on one account, and with all in one shop
  raw            the same rows in the same groups, by a program that does nothing else
  latency        at half the maximum, in an open loop
  two-nodes      two nodes on one PostgreSQL, each a process, beside one
  slow-client    a tenant beside another one whose client takes 200 ms to answer
  overload       three times the maximum for --overload
  growth         a big database beside a small one, memory and start-up (--growth-…)

What is compared takes turns in rounds; figures are medians. --only and --without choose
parts, so that a long run can be done in pieces; what is not measured is called "not
measured". Progress goes to standard error.

--write puts the table with the machine, versions, settings and command into the
measured part of a document, and histograms as pictures (SVG) beside it; the rest
of the document stays as it is, and so do rows of parts that are not measured now.
A server is best an empty one: tenants that are made remain. Some parts have schemas
of their own, which they drop.

Exit codes: 0 it was measured; 1 a request was not approved or got no answer, or two
nodes lost something.`,
		Example: `  sarraf bench compare --cards 100000 --db postgres://sarraf@localhost/bench --write docs/performance.md
  sarraf bench compare --only raw,two-nodes --db postgres://sarraf@localhost/bench --write docs/performance.md
  sarraf bench compare --rounds 3 --duration 5s --connections 32 --cards 1000 --growth=false --json`,
		Args: noArguments,
	}
	var o bench.CompareOptions
	growth := addCompareFlags(c, &o)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if o.Rounds < 1 || o.Connections < 1 || o.Scale < 1 || o.Duration <= 0 || o.Overload <= 0 || o.WarmUp < 0 ||
			o.Growth.Small < 1 || o.Growth.Cards < 1 || o.Growth.Authorizations < 0 {
			return usageError{errors.New("rounds, connections, scale, durations and sizes must be above zero")}
		}
		if !*growth {
			o.Without = append(o.Without, "growth")
		}
		o.Progress = c.ErrOrStderr()
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		return bench.Compare(c.Context(), l, log, c.OutOrStdout(), o)
	}
	addSettings(c, all)
	return c
}

// addCompareFlags gives c the flags of a comparison, and returns whether growth is
// measured.
func addCompareFlags(c *cobra.Command, o *bench.CompareOptions) (growth *bool) {
	c.Flags().IntVar(&o.Rounds, "rounds", 5, "rounds, of which the medians are told")
	c.Flags().DurationVar(&o.Duration, "duration", 10*time.Second, "how long each is measured in a round")
	c.Flags().DurationVar(&o.WarmUp, "warm-up", 3*time.Second, "how long each runs before that")
	c.Flags().IntVar(&o.Connections, "connections", 256, "connections, each with one request in flight")
	c.Flags().IntVar(&o.Cards, "cards", 10_000, "cards that are used in turn")
	c.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	c.Flags().IntVar(&o.Scale, "scale", 50, "scale of pgbench")
	c.Flags().StringVar(&o.Write, "write", "", "document whose measured part is written")
	c.Flags().StringSliceVar(&o.Only, "only", nil, "measure only these `parts`")
	c.Flags().StringSliceVar(&o.Without, "without", nil, "leave out these `parts`")
	c.Flags().DurationVar(&o.Overload, "overload", time.Minute, "how long too much arrives")
	c.Flags().StringVar(&o.Checkout, "checkout", "", "`directory` with the source of this program, for the part rival")
	growth = c.Flags().Bool("growth", true, "measure growth; it fills a database first, which can take an hour")
	c.Flags().IntVar(&o.Growth.Small, "growth-small", 10_000, "cards of the small database")
	c.Flags().IntVar(&o.Growth.Cards, "growth-cards", 1_000_000, "cards of the big one")
	c.Flags().IntVar(&o.Growth.Authorizations, "growth-authorizations", 10_000_000, "authorizations that it has stored")
	c.Flags().StringVar(&o.Growth.Keep, "growth-keep", "", "`directory` in which both stay, to be measured again")
	return growth
}
