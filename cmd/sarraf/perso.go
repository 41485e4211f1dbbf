package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newPerso() *cobra.Command {
	c := &cobra.Command{
		Use:   "perso",
		Short: "Order cards from card bureaus",
		Long: `Plastics that were requested through the API are ordered from the bureau that
their product names, in files (docs/personalization-file.md) which lie under
perso_dir, in a directory for each tenant and bureau: orders in out, to be taken;
reports of the bureau are put into in. "serve" does it by itself.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPersoRun(), newPersoList(), newPersoShow(), newPersoKey())
	return c
}

// persoStorage are the settings of commands that touch the files, too.
func persoStorage() []string { return append([]string{"perso_dir"}, storage...) }

func newPersoRun() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Take reports in and order what is to be made, now",
		Long: `Does once what "serve" does at every job.perso_interval: takes in the reports that
lie ready, begins productions anew that failed for a reason that may have
passed, orders what was requested, and cancels cards whose plastic was destroyed
long enough ago. It works while "serve" runs on the same database.

Exit codes: 0 it is done; 1 something could not be done, and will be tried again.`,
		Example: `  sarraf perso run
  sarraf perso run --json`,
		Args: noArguments,
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.RunPersonalization(c.Context(), l.Config, log, c.OutOrStdout(), *asJSON)
	}
	addSettings(c, persoStorage())
	return c
}

func newPersoList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "Show the files of orders made last",
		Long: `Prints the last 200 files of orders, newest first, with how far they are: Queued,
Written, Sent, or Empty when every card of one was cancelled before.

Exit code: 0.`,
		Example: `  sarraf perso list`,
		Args:    noArguments,
	}
	tenant := c.Flags().String("tenant", "", "only those of the tenant with this `id`")
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ListBatches(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newPersoShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "Show a file of orders and what became of each",
		Long: `Prints the orders of a file, named by its file name without extension or by the
identifier of its batch, with how far production and shipment of each are. It
shows no card data.

Exit codes: 0 it is shown; 1 there is no such file.`,
		Example: `  sarraf perso show BUREAU1-20261121-000017`,
		Args:    arguments("FILE", 1, 1),
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ShowBatch(c.Context(), l.Config, log, c.OutOrStdout(), args[0], *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newPersoKey() *cobra.Command {
	c := &cobra.Command{
		Use:   "key --tenant ID --vendor CODE FILE",
		Short: "Share a transport key with a card bureau",
		Long: `Makes the key under which files for a bureau stand, and prints it encrypted to the
bureau's RSA public key in FILE (SPKI, as PEM or DER, 2048 to 8192 bits), with its
id and check value. Compare the fingerprint with what the bureau reads out from
its own copy before you hand it over:

  openssl pkey -pubin -in public.pem -outform DER | sha256sum

"-" reads standard input. Doing so again makes a newer key; reports under the
older one are still taken. Without a key nothing is ordered from a bureau: its
cards fail, and are begun anew once there is one.

Exit codes: 0 the key is shared; 1 the public key will not do, or there is no such
tenant.`,
		Example: `  sarraf perso key --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --vendor BUREAU1 public.pem`,
		Args:    arguments("FILE", 1, 1),
	}
	var in app.Bureau
	c.Flags().StringVar(&in.Tenant, "tenant", "", "`id` of the tenant that has the cards made (required)")
	c.Flags().StringVar(&in.Vendor, "vendor", "", "`code` of the bureau, as products name it (required)")
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if in.Tenant == "" || in.Vendor == "" {
			return usageError{errors.New("a bureau belongs to a --tenant and has a --vendor code")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ShareBureauKey(c.Context(), l.Config, log, c.InOrStdin(), c.OutOrStdout(), in, args[0], *asJSON)
	}
	addSettings(c, storage)
	return c
}
