package main

import (
	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newClearing() *cobra.Command {
	c := &cobra.Command{
		Use:   "clearing",
		Short: "Work with clearing files",
		Long:  `Clearing is the exchange of records that turns authorizations into postings.`,
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	load := &cobra.Command{
		Use:   "import FILE",
		Short: "Import a clearing file",
		Long: `Reads a clearing file (docs/clearing-file.md), checks it against its trailer and
posts all of it in one transaction, or nothing. A file whose content was
imported before is refused: importing twice posts once. "-" reads standard
input.

It prints what became of the records: matched, matched with a difference,
forced, refunds, suspense. It works while "serve" runs on the same database.

Exit codes: 0 the file is posted; 1 it is refused and nothing changed.`,
		Example: `  sarraf clearing import 2026-11-21.jsonl
  sarraf clearing import --json - < 2026-11-21.jsonl`,
		Args: arguments("FILE", 1, 1),
	}
	var in app.ClearingFile
	load.Flags().StringVar(&in.Tenant, "tenant", "", "`id` of the tenant into whose suspense account records of BINs that nobody has go, instead of refusing the file")
	asJSON := addJSON(load)
	load.RunE = func(c *cobra.Command, args []string) error {
		in.Path = args[0]
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ImportClearing(c.Context(), l.Config, log, c.InOrStdin(), c.OutOrStdout(), in, *asJSON)
	}
	addSettings(load, storage)
	exceptions := &cobra.Command{
		Use:   "exceptions",
		Short: "Work with clearing records that a person must look at",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	exceptions.AddCommand(newExceptionsList())
	c.AddCommand(load, exceptions)
	return c
}

func newExceptionsList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list --tenant ID",
		Short: "Show the exceptions that are not closed",
		Long: `Prints the clearing records of a tenant that a person must look at, oldest first:
why, in which line of which file, and the transaction that the record became, for
"sarraf explain"; a record in the suspense account is none. It shows no card data.

Exit codes: 0 they are shown; 1 there is no such tenant.`,
		Example: `  sarraf clearing exceptions list --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --limit 20`,
		Args:    noArguments,
	}
	tenant := c.Flags().String("tenant", "", "`id` of the tenant whose exceptions they are (required)")
	page := addPage(c)
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ListExceptions(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *page, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newVerify() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Prove that books, holds, limits and decisions are right",
		Long: `Checks every invariant of the ledger, of the holds above it, of what was used of
limits, of clearing files, of the recorded decisions – each decision is computed
again from what was recorded – and of the audit chain, and prints each with how
much it looked at and how much broke it. It changes nothing and works while
"serve" runs on the same database.

Exit codes: 0 everything holds; 1 something is broken.`,
		Example: `  sarraf verify
  sarraf verify --db postgres://sarraf@db.internal/sarraf --json`,
		Args: noArguments,
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.Verify(c.Context(), l.Config, log, c.OutOrStdout(), *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newExplain() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain TRANSACTION_ID",
		Short: "Tell why a transaction was approved or declined",
		Long: `Prints the trace of a decision: every check that ran, in order, with what it
looked at, how it ended and why, the configuration it ran under, and what
became of the money. It shows no card data.

Exit codes: 0 it is explained; 1 there is no such transaction.`,
		Example: `  sarraf explain 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11`,
		Args:    arguments("TRANSACTION_ID", 1, 1),
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.Explain(c.Context(), l.Config, log, c.OutOrStdout(), args[0], *asJSON)
	}
	addSettings(c, storage)
	return c
}
