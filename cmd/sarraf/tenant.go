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
	c.AddCommand(create, newTenantList(), newTenantSet(), newTenantKey(), newTenantSample())
	return c
}

func newTenantList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "Show the tenants",
		Long:    `Prints every tenant in the order of creation, with its identifier.`,
		Example: `  sarraf tenant list --json`,
		Args:    noArguments,
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ListTenants(c.Context(), l.Config, log, c.OutOrStdout(), *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newTenantSet() *cobra.Command {
	c := &cobra.Command{
		Use:   "set ID",
		Short: "Change what the platform sets for a tenant",
		Long: `Changes how many requests a second each API client of a tenant may send, and whether
clients get a refresh token when they show their own credentials. What is not
named stays as it is. A rate of 0 is the one of the settings. Each node of the
platform counts for itself.

It works while "serve" runs on the same database and holds from the next request.

Exit codes: 0 it is changed; 1 there is no such tenant, or the value will not do.`,
		Example: `  sarraf tenant set 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --rate-limit 50 --rate-burst 100
  sarraf tenant set 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --client-refresh-tokens=false`,
		Args: arguments("ID", 1, 1),
	}
	refresh := c.Flags().Bool("client-refresh-tokens", true, "give clients a refresh token with their own credentials")
	rate := addRate(c)
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		var in app.TenantOptions
		if c.Flags().Changed("client-refresh-tokens") {
			in.ClientRefresh = refresh
		}
		in.RateLimit, in.RateBurst = rate(c)
		if in == (app.TenantOptions{}) {
			return usageError{errors.New("nothing to change is named (see --help)")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.SetTenant(c.Context(), l.Config, log, c.OutOrStdout(), args[0], in, *asJSON)
	}
	addSettings(c, storage)
	return c
}

// addRate gives c the flags of a rate; what it returns tells which were given.
func addRate(c *cobra.Command) func(*cobra.Command) (limit, burst *int) {
	l := c.Flags().Int("rate-limit", 0, "requests a second of one client; 0 is what stands above: the tenant's, the settings'")
	b := c.Flags().Int("rate-burst", 0, "requests of one client at once; 0 is as many as --rate-limit")
	return func(c *cobra.Command) (limit, burst *int) {
		if c.Flags().Changed("rate-limit") {
			limit = l
		}
		if c.Flags().Changed("rate-burst") {
			burst = b
		}
		return limit, burst
	}
}
