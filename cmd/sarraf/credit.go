package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newCredit() *cobra.Command {
	c := &cobra.Command{
		Use:   "credit",
		Short: "Work with credit accounts",
		Long: `A credit account has a limit that all its cards share, and goes by the terms of its
product: the day of its cut, rates, minimum payments. Cards are issued on it by
its number (accountNo of POST /api/v1/issuing/card), supplementary ones by their
main card. A payment onto it is an adjustment of its account. Every night its days
end: interest accrues, terms end with a statement.

All of it works while "serve" runs on the same database.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCreditTerms(), newCreditOpen(), newCreditShow(), newCreditLimit(), newCreditShare(), newCreditStatement(), newCreditConsent())
	return c
}

func newCreditTerms() *cobra.Command {
	c := &cobra.Command{
		Use:   "terms --tenant ID PRODUCT [FILE]",
		Short: "Show or define what the accounts of a product go by",
		Long: `Prints the terms of a product, or defines them as FILE says ("-" is standard input)
where one is named or --default is given. A line is a name and its values:

  cut DAY DAYS                               of the month; from it to the due date
  minimum SHARE SHARE LIMIT BOOL             up to a limit and beyond; whether what is over the limit is due
  cash SHARE                                 of the limit
  missed COUNT COUNT                         minimum payments that block cash, and all
  points SHARE                               of purchases
  rates FROM UPTO CONTRACTUAL LATE CASH      monthly, for a term debt up to so much (0: any)
  taxes FROM KKDF BSMV                       on interest
  holiday DATE                               on which nothing is due

Shares and rates are millionths (35000 is 3.5 %), limits minor units, and "-" is a
date before all. Once accounts go by the terms, only rates and taxes from a later
day and holidays after the present term may be added, at the end of their lists.

Exit codes: 0 they are shown, or hold; 1 there are none, or these will not do.`,
		Example: `  sarraf credit terms --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 CLASSIC --default
  sarraf credit terms --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 CLASSIC terms.txt`,
		Args: arguments("PRODUCT [FILE]", 1, 2),
	}
	tenant := addTenant(c)
	usual := c.Flags().Bool("default", false, "define the usual terms")
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		switch {
		case *usual && len(args) == 2:
			return usageError{errDefaultOrFile}
		case len(args) == 2:
			return app.SetCreditTerms(c.Context(), l.Config, log, c.InOrStdin(), c.OutOrStdout(), *tenant, args[0], args[1])
		case *usual:
			return app.SetCreditTerms(c.Context(), l.Config, log, c.InOrStdin(), c.OutOrStdout(), *tenant, args[0], "")
		}
		return app.ShowCreditTerms(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0])
	}
	addSettings(c, storage)
	return c
}

var (
	errConsent       = errors.New("a consent is between a --client and a --customer, or one to --revoke")
	errDefaultOrFile = errors.New("terms are the usual ones (--default) or those of a file")
	errPDFOfOne      = errors.New("--pdf writes the statement of a DATE")
	errNextAlone     = errors.New("--next follows an AMOUNT")
)

func newCreditOpen() *cobra.Command {
	c := &cobra.Command{
		Use:   "open --tenant ID --customer NO --product CODE --limit AMOUNT",
		Short: "Open a credit account for a customer",
		Long: `Opens a credit account that goes by the terms of a product of credit cards, and
prints it. Cards are issued on it by its number.

Exit codes: 0 it is open; 1 there is no such customer or product, or the product
has no terms.`,
		Example: `  sarraf credit open --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --customer 1000000017 --product CLASSIC --limit 25000`,
		Args:    noArguments,
	}
	tenant := addTenant(c)
	var in app.NewCredit
	c.Flags().StringVar(&in.CustomerNo, "customer", "", "`number` of the customer (required)")
	c.Flags().StringVar(&in.ProductCode, "product", "", "`code` of the product (required)")
	c.Flags().StringVar(&in.Limit, "limit", "", "the `amount` that may be owed (required)")
	c.Flags().StringVar(&in.AccountNo, "account", "", "`number` of the account; one is drawn where none is given")
	c.Flags().StringVar(&in.BranchCode, "branch-code", "", "the branch's `code`, four digits")
	c.Flags().StringVar(&in.BranchName, "branch-name", "", "the branch's `name`")
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.OpenCredit(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, in, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newCreditShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show --tenant ID ACCOUNT",
		Short: "Show a credit account",
		Long: `Prints what is owed on a credit account, of what, what is left of its limit, what is
due, and for how long a minimum payment was not made.

Exit codes: 0 it is shown; 1 there is no such account.`,
		Example: `  sarraf credit show --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 4711000000000001`,
		Args:    arguments("ACCOUNT", 1, 1),
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		return app.ShowCredit(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newCreditLimit() *cobra.Command {
	c := &cobra.Command{
		Use:   "limit --tenant ID ACCOUNT AMOUNT",
		Short: "Give a credit account another limit",
		Long: `Changes the limit of a credit account from the next authorization on. What is owed
or held beyond it stays so, and is due with the next minimum payment where the
terms say so.

Exit codes: 0 the limit holds; 1 there is no such account, or the amount will not do.`,
		Example: `  sarraf credit limit --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 4711000000000001 30000`,
		Args:    arguments("ACCOUNT AMOUNT", 2, 2),
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.SetCreditLimit(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], args[1], *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newCreditShare() *cobra.Command {
	c := &cobra.Command{
		Use:   "share --tenant ID CARD [AMOUNT]",
		Short: "Limit what a supplementary card may spend",
		Long: `Limits what the supplementary or virtual card with a token may spend of the limit it
shares until the next statement; without an amount it may spend all of it again.

Exit codes: 0 it holds; 1 there is no such card, or it is a main card.`,
		Example: `  sarraf credit share --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 9792061f5a3c0041 750 --next 0`,
		Args:    arguments("CARD [AMOUNT]", 1, 2),
	}
	tenant := addTenant(c)
	var in app.CreditShare
	c.Flags().StringVar(&in.Next, "next", "", "the `amount` after the next statement")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 2 {
			in.Limit = args[1]
		} else if in.Next != "" {
			return usageError{errNextAlone}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ShareCredit(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], in)
	}
	addSettings(c, storage)
	return c
}

func newCreditStatement() *cobra.Command {
	c := &cobra.Command{
		Use:   "statement --tenant ID ACCOUNT [DATE]",
		Short: "Show the statements of a credit account",
		Long: `Lists the statements of a credit account, the newest first, or prints the one that
was cut on a date, with its lines; with --pdf it is written into a file that was
not there, in the language of the tenant.

Exit codes: 0 they are shown; 1 there is no such account or statement; 2 the date
is none.`,
		Example: `  sarraf credit statement --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 4711000000000001
  sarraf credit statement --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 4711000000000001 2031-03-14 --json
  sarraf credit statement --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 4711000000000001 2031-03-14 --pdf march.pdf`,
		Args: arguments("ACCOUNT [DATE]", 1, 2),
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	pdf := c.Flags().String("pdf", "", "write the statement of the date into this `file`")
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		switch {
		case len(args) == 1 && *pdf != "":
			return usageError{errPDFOfOne}
		case len(args) == 1:
			return app.ListStatements(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], *asJSON)
		}
		return app.ShowStatement(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], args[1], *pdf, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newCreditConsent() *cobra.Command {
	c := &cobra.Command{
		Use:   "consent --tenant ID (--client ID --customer NO | --revoke CONSENT)",
		Short: "Let a client look after a customer's credit cards",
		Long: `Notes that a customer lets a client of the family openbanking look after credit
cards, and prints the number of the consent: the client shows it as consentId of
grant_type b2b_credentials. --revoke ends a consent, and its tokens at once.

Exit codes: 0 it is noted, or revoked; 1 there is no such client, customer or consent.`,
		Example: `  sarraf credit consent --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --client sc_3f6c2f0e7a9b4d51 --customer 1000000017
  sarraf credit consent --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --revoke 5b1f6d0e2c7a4b7e9a550d2f3c1e8a77`,
		Args: noArguments,
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	client := c.Flags().String("client", "", "`ID` of the API client, as \"tenant create\" printed it")
	customer := c.Flags().String("customer", "", "`number` of the customer")
	revoke := c.Flags().String("revoke", "", "`number` of the consent that ends")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if (*revoke == "") == (*client == "" || *customer == "") {
			return usageError{errConsent}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		if *revoke != "" {
			return app.RevokeConsent(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *revoke)
		}
		return app.GrantConsent(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *client, *customer, *asJSON)
	}
	addSettings(c, storage)
	return c
}
