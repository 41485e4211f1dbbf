package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newTenantKey() *cobra.Command {
	c := &cobra.Command{
		Use:   "key",
		Short: "Work with the public keys of API clients",
		Long: `Whoever exchanges a transport key (POST /api/v1/issuing/integration/key-exchange)
gets it encrypted under an RSA key of its own. For a production tenant only keys
that were registered here will do, so that a stolen client secret alone opens
no PIN and no card number.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newTenantKeyRegister(), newTenantKeyList())
	return c
}

func newTenantKeyRegister() *cobra.Command {
	c := &cobra.Command{
		Use:   "register --client ID FILE",
		Short: "Let a client exchange keys with this public key",
		Long: `Registers the RSA public key in FILE (SPKI, as PEM or DER, 2048 to 8192 bits) for
an API client and prints its fingerprint: the SHA-256 of the DER. Compare it with
what the client reads out from its own copy:

  openssl pkey -pubin -in public.pem -outform DER | sha256sum

"-" reads standard input. Registering a key again changes nothing. It works
while "serve" runs on the same database.

Exit codes: 0 the key is registered; 1 it will not do, or there is no such client.`,
		Example: `  sarraf tenant key register --client sc_3f6c2f0e7a9b4d51 public.pem
  sarraf tenant key register --client sc_3f6c2f0e7a9b4d51 --json - < public.der`,
		Args: arguments("FILE", 1, 1),
	}
	client := addClient(c)
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *client == "" {
			return errNoClient
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.RegisterClientKey(c.Context(), l.Config, log, c.InOrStdin(), c.OutOrStdout(), *client, args[0], *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newTenantKeyList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list --client ID",
		Short: "Show the registered public keys of a client",
		Long: `Prints when each public key of an API client was registered, and its fingerprint.

Exit codes: 0 they are shown; 1 there is no such client.`,
		Example: `  sarraf tenant key list --client sc_3f6c2f0e7a9b4d51`,
		Args:    noArguments,
	}
	client := addClient(c)
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *client == "" {
			return errNoClient
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ListClientKeys(c.Context(), l.Config, log, c.OutOrStdout(), *client, *asJSON)
	}
	addSettings(c, storage)
	return c
}

var errNoClient = usageError{errors.New("a key belongs to a --client")}

func addClient(c *cobra.Command) *string {
	return c.Flags().String("client", "", "`ID` of the API client, as \"tenant create\" printed it (required)")
}
