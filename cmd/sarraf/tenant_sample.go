package main

import (
	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newTenantSample() *cobra.Command {
	c := &cobra.Command{
		Use:   "sample ID [FAMILY]...",
		Short: "Give a sandbox tenant what the samples of other systems name",
		Long: `Makes samples of the families that are named, or of all of them:

  ewallet      the account 565663432432 with the wallet 4853534863917, and the POS
               type fastpay_pos_123
  cardstore    two cards of RelationalId1 sample-customer, of the tenant's own merchant
  payers       five payment customers of each client of the family
  openbanking  a customer who can sign in, with a credit card (CardID 20090 in a tenant
               that has no other) and an additional one, which were used at home and
               abroad, a statement, a payment, and a consent for each client of the
               family. For the statement the tenant's time is moved to the day after
               the term ends: no other family moves it.

What is there stays; a password is printed once.

Exit codes: 0 it is there; 1 there is no such tenant, or it is no sandbox.`,
		Example: `  sarraf tenant sample 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11
  sarraf tenant sample 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 payers cardstore --json`,
		Args: arguments("ID", 1, 0),
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.MakeSamples(c.Context(), l.Config, log, c.OutOrStdout(), args[0], args[1:], *asJSON)
	}
	addSettings(c, storage)
	return c
}
