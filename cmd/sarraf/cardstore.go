package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newBIN() *cobra.Command {
	c := &cobra.Command{
		Use:   "bin",
		Short: "Work with what is known of BINs of any issuer",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	load := &cobra.Command{
		Use:   "load FILE",
		Short: "Load a BIN table",
		Long: `Reads a table of the form bin,bankId,bank,brandId,familyId,kindId,typeId, a range
of six or eight digits a line, and puts it whole in the place of the one before.
Without one, a small built-in table of Turkish ranges holds. "-" reads standard
input. It works while "serve" runs on the same database.

Exit codes: 0 the table holds; 1 it is refused and nothing changed.`,
		Example: `  sarraf bin load bins.csv`,
		Args:    arguments("FILE", 1, 1),
	}
	load.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.LoadBINTable(c.Context(), l.Config, log, c.InOrStdin(), c.OutOrStdout(), args[0])
	}
	addSettings(load, storage)
	c.AddCommand(load)
	return c
}

func newCardStore() *cobra.Command {
	c := &cobra.Command{
		Use:   "cardstore",
		Short: "Work with merchants that keep cards",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	partner := &cobra.Command{
		Use:   "partner CLIENT IDENTITY",
		Short: "Let the merchant of a client share the cards of a partner",
		Long: `A partner is a pool of stored cards. The merchant whose client is named sees it by
the partner's identity; a partner that is not there is made. Doing so again
changes nothing.

Exit codes: 0 it is done; 1 there is no such client.`,
		Example: `  sarraf cardstore partner sc_01k2x9y4m3w8e7c6b5a4z3y2x1 fleet-1`,
		Args:    arguments("CLIENT IDENTITY", 2, 2),
	}
	partner.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.AddPartnerMerchant(c.Context(), l.Config, log, args[0], args[1])
	}
	addSettings(partner, storage)
	c.AddCommand(newStoreMerchant(), partner)
	return c
}

func newStoreMerchant() *cobra.Command {
	c := &cobra.Command{
		Use:   "merchant --tenant ID --name NAME",
		Short: "Create a merchant that keeps cards",
		Long: `Creates a merchant beside the tenant's own, with two clients: one for its servers,
one for programs that anybody may look into. It sees no cards but its own and
those of its partners. The keys are printed this once and kept nowhere.

Exit codes: 0 it is created; 1 there is no such tenant, or a value will not do.`,
		Example: `  sarraf cardstore merchant --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --name "Insurer"`,
		Args:    noArguments,
	}
	tenant, name, asJSON := addTenant(c), c.Flags().String("name", "", "`name` of the merchant, for people (required)"), addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case *tenant == "":
			return usageError{errors.New("a merchant belongs to a --tenant")}
		case *name == "":
			return usageError{errors.New("a merchant needs a --name")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.CreateStoreMerchant(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *name, *asJSON)
	}
	addSettings(c, storage)
	return c
}
