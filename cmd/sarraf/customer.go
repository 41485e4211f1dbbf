package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newCustomer() *cobra.Command {
	c := &cobra.Command{
		Use:   "customer",
		Short: "Work with how customers sign in",
		Long: `A customer signs in at the pages of the family openbanking with its number, a
password and a one-time password, to consent to what a client asks, and to revoke
what was consented to. Six attempts without a sign-in lock it for half an hour.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCustomerCredential(), newCustomerConsents())
	return c
}

var (
	errCustomersTenant = usageError{errors.New("a customer belongs to a --tenant")}
	errRemoveOrSet     = usageError{errors.New("a password is set (--password-file) or taken away (--remove)")}
)

func newCustomerCredential() *cobra.Command {
	c := &cobra.Command{
		Use:   "credential --tenant ID NO",
		Short: "Let a customer sign in, or no more",
		Long: `Gives a customer a password, or replaces it: that unlocks the customer and ends its
sessions. Without --password-file one is made up and printed this once. A password
has 12 to 128 characters, letters and digits among them. --remove takes it away.
Consents stay as they are.

The one-time password goes to the customer's phone, or by e-mail to who has none;
that of a sandbox is always 000000.

Exit codes: 0 it holds; 1 there is no such customer, or the password will not do.`,
		Example: `  sarraf customer credential --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 1000000017
  sarraf customer credential --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 1000000017 --remove`,
		Args: arguments("NO", 1, 1),
	}
	tenant := addTenant(c)
	file, asJSON := addPasswordFile(c), addJSON(c)
	remove := c.Flags().Bool("remove", false, "take the password away")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case *tenant == "":
			return errCustomersTenant
		case *remove && *file != "":
			return errRemoveOrSet
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		if *remove {
			return app.RemoveCustomerCredential(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0])
		}
		return app.SetCustomerCredential(c.Context(), l.Config, log, c.InOrStdin(), c.OutOrStdout(), *tenant, args[0], *file, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newCustomerConsents() *cobra.Command {
	c := &cobra.Command{
		Use:   "consents --tenant ID NO",
		Short: "Show what a customer has consented to",
		Long: `Prints the consents of a customer that hold, the newest first. "credit consent
--revoke" ends one.

Exit codes: 0 they are shown; 1 there is no such customer.`,
		Example: `  sarraf customer consents --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 1000000017`,
		Args:    arguments("NO", 1, 1),
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *tenant == "" {
			return errCustomersTenant
		}
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		return app.ListConsents(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], *asJSON)
	}
	addSettings(c, storage)
	return c
}
