package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newTenant() *cobra.Command {
	c := &cobra.Command{
		Use:   "tenant",
		Short: "Work with tenants",
		Long:  `A tenant is an institution whose cards this platform runs: everything else belongs to one.`,
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	create := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Create a tenant and its first API client",
		Long: `Creates a tenant and an API client that may do everything for it, and prints
the identifier of the tenant and the credentials of the client. The secret is
printed this once and kept nowhere.

A sandbox tenant gets test keys and the testing API, which shows in clear what
a production tenant never shows. It cannot become a production tenant.

It works while "serve" runs on the same database.`,
		Example: `  sarraf tenant create --name "Anadolu Kart" --sandbox
  sarraf tenant create --name "Anadolu Kart" --json > credentials.json`,
		Args: noArguments,
	}
	var in app.NewTenant
	create.Flags().StringVar(&in.Name, "name", "", "`name` of the institution (required)")
	create.Flags().BoolVar(&in.Sandbox, "sandbox", false, "make a sandbox tenant, with test keys and the testing API")
	asJSON := addJSON(create)
	create.RunE = func(c *cobra.Command, _ []string) error {
		if in.Name == "" {
			return usageError{errors.New("a tenant needs a --name")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.CreateTenant(c.Context(), l.Config, log, c.OutOrStdout(), in, *asJSON)
	}
	addSettings(create, storage)
	c.AddCommand(create, newTenantKey())
	return c
}
