package main

import (
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
