package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newClient() *cobra.Command {
	c := &cobra.Command{
		Use:   "client",
		Short: "Work with API clients",
		Long: `An API client is the credentials of a program that calls the API for a tenant. It
may do what its permissions say, from the addresses of its list, at its rate.
Whatever is changed holds from its next request, on every node.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newClientCreate(), newClientList(), newClientSet(), newClientActive("disable"), newClientActive("enable"), newClientRotate(), newClientRedirects())
	return c
}

var errNoTenant = usageError{errors.New("a client belongs to a --tenant")}

// addTenant gives c the flag that names a tenant.
func addTenant(c *cobra.Command) *string {
	return c.Flags().String("tenant", "", "the tenant's `id`, as \"tenant list\" prints it (required)")
}

// addClientOptions gives c the flags that say what a client is; what it returns
// tells which were given.
func addClientOptions(c *cobra.Command) func(*cobra.Command) app.ClientOptions {
	name := c.Flags().String("name", "", "`name` of the client, for people")
	permissions := c.Flags().StringSlice("permission", nil, "a `permission` that it has; may be repeated; * is every one there is")
	allowed := c.Flags().StringSlice("allow", nil, "an `address` or network that it may call from; may be repeated; any is every one")
	rate := addRate(c)
	return func(c *cobra.Command) app.ClientOptions {
		var o app.ClientOptions
		if c.Flags().Changed("name") {
			o.Name = name
		}
		if c.Flags().Changed("permission") {
			o.Permissions = *permissions
		}
		if c.Flags().Changed("allow") {
			o.Allowed = *allowed
		}
		o.RateLimit, o.RateBurst = rate(c)
		return o
	}
}

func newClientCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create --tenant ID --name NAME --permission NAME…",
		Short: "Create an API client of a tenant",
		Long: `Creates an API client and prints its credentials. The secret is printed this once
and kept nowhere. Without --allow it may call from everywhere. Permissions of the
sandbox are never granted in a production tenant.

It works while "serve" runs on the same database.

Exit codes: 0 it is created; 1 there is no such tenant, or a value will not do.`,
		Example: `  sarraf client create --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --name "Call centre" \
    --permission Issuing.Card --permission Issuing.Card.Status --allow 203.0.113.0/24 --rate-limit 20`,
		Args: noArguments,
	}
	tenant, options, asJSON := addTenant(c), addClientOptions(c), addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		o := options(c)
		switch {
		case *tenant == "":
			return errNoTenant
		case o.Name == nil:
			return usageError{errors.New("a client needs a --name")}
		case o.Permissions == nil:
			return usageError{errors.New("a client needs at least one --permission")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.CreateClient(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, o, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newClientList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list --tenant ID",
		Short: "Show the API clients of a tenant",
		Long: `Prints the API clients of a tenant in the order of creation; with --json also what
each may do. Secrets are kept nowhere and cannot be shown.

Exit codes: 0 they are shown; 1 there is no such tenant.`,
		Example: `  sarraf client list --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --json`,
		Args:    noArguments,
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *tenant == "" {
			return errNoTenant
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ListClients(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newClientSet() *cobra.Command {
	c := &cobra.Command{
		Use:   "set CLIENT",
		Short: "Change name, permissions, addresses or rate of an API client",
		Long: `Changes an API client; what is not named stays as it is. --permission and --allow
replace the whole list: "--allow any" empties it, and the client may call from
everywhere. A --rate-limit of 0 is the tenant's.

Exit codes: 0 it is changed; 1 there is no such client, or a value will not do.`,
		Example: `  sarraf client set sc_3f6c2f0e7a9b4d51 --permission Issuing.Card,Issuing.Transaction
  sarraf client set sc_3f6c2f0e7a9b4d51 --allow 203.0.113.7 --allow 2001:db8::/32`,
		Args: arguments("CLIENT", 1, 1),
	}
	options, asJSON := addClientOptions(c), addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.SetClient(c.Context(), l.Config, log, c.OutOrStdout(), args[0], options(c), *asJSON)
	}
	addSettings(c, storage)
	return c
}

// newClientActive is "disable" or "enable".
func newClientActive(verb string) *cobra.Command {
	c := &cobra.Command{
		Use:   verb + " CLIENT",
		Short: "End an API client's access at once",
		Long: `Disables an API client. Its tokens and refresh tokens are worth nothing from its
next request on, on every node, also when it is enabled again.

Exit codes: 0 it is disabled; 1 there is no such client.`,
		Example: `  sarraf client ` + verb + ` sc_3f6c2f0e7a9b4d51`,
		Args:    arguments("CLIENT", 1, 1),
	}
	if verb == "enable" {
		c.Short = "Let a disabled API client in again"
		c.Long = `Enables an API client again. It needs new tokens: those of before it was disabled
stay worth nothing.

Exit codes: 0 it is enabled; 1 there is no such client.`
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.SetClientActive(c.Context(), l.Config, log, c.OutOrStdout(), args[0], verb == "enable", *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newClientRotate() *cobra.Command {
	c := &cobra.Command{
		Use:   "rotate-secret CLIENT",
		Short: "Give an API client a new secret",
		Long: `Makes a new secret and prints it this once. With --overlap the old one lives on
beside it for so long, at most 168h; without, it ends at once, and so do all
tokens of the client: do that when it may be known to others.

Exit codes: 0 the secret is printed; 1 there is no such client, or the overlap will not do.`,
		Example: `  sarraf client rotate-secret sc_3f6c2f0e7a9b4d51 --overlap 24h`,
		Args:    arguments("CLIENT", 1, 1),
	}
	overlap := c.Flags().Duration("overlap", 0*time.Second, "how `long` the old secret is good, too")
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.RotateClientSecret(c.Context(), l.Config, log, c.OutOrStdout(), args[0], *overlap, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newClientRedirects() *cobra.Command {
	c := &cobra.Command{
		Use:   "set-redirects CLIENT [URI…]",
		Short: "Say where a client of open banking has cardholders sent back",
		Long: `Replaces the addresses to which cardholders may be sent back when they have answered
the request of a client of the family openbanking. A request must name one of them
letter by letter. They have https, or http on the cardholder's own machine, or the
scheme of an application; without a URI there are none.

Exit codes: 0 they hold; 1 there is no such client of that family, or an address will not do.`,
		Example: `  sarraf client set-redirects sc_3f6c2f0e7a9b4d51 https://app.example/back com.example.app:/back`,
		Args:    arguments("CLIENT [URI…]", 1, 0),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.SetClientRedirects(c.Context(), l.Config, log, c.OutOrStdout(), args[0], args[1:])
	}
	addSettings(c, storage)
	return c
}
