package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/config"
)

func newNotification() *cobra.Command {
	c := &cobra.Command{
		Use:   "notification",
		Short: "Look after messages to customers that were not sent",
		Long: `Messages to customers go to the gateways of this installation, or to webhooks of
tenants that send them themselves (docs/notification.md). What is not taken is
tried again for hours, and then given up.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newNotificationList(), newNotificationRetry())
	return c
}

func newNotificationList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "Show messages that wait or were given up",
		Long: `Prints the messages that wait for their next attempt (Waiting) or were given up
(Dead), oldest first, with what the last attempt was answered. Recipients are
masked, and texts are not shown.

Exit code: 0.`,
		Example: `  sarraf notification list --status Dead
  sarraf notification list --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --json`,
		Args: noArguments,
	}
	tenant := c.Flags().String("tenant", "", "only those of the tenant with this `id`")
	status := c.Flags().String("status", "", "only those that are `Waiting or Dead`")
	page := addPage(c)
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ListMessages(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *status, *page, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newNotificationRetry() *cobra.Command {
	c := &cobra.Command{
		Use:   "retry --tenant ID MESSAGE…",
		Short: "Try messages again",
		Long: `Lets messages of a tenant be tried again at once: those that wait are due now, those
that were given up go the way of a new message, with all their tries. --dead
stands for all that were given up, as far as their text is still there: that of a
PIN never is. "serve" sends them. The gateways in the settings must be those of
"serve".

Exit codes: 0 they are tried again; 1 one of them cannot be.`,
		Example: `  sarraf notification retry --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 ntf_01kxb5yq0ee8ws9n3vt0c1c2dr
  sarraf notification retry --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --dead`,
	}
	tenant := c.Flags().String("tenant", "", "`id` of the tenant whose messages they are (required)")
	dead := c.Flags().Bool("dead", false, "all messages that were given up")
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *tenant == "" || *dead == (len(args) > 0) {
			return usageError{errors.New("messages belong to a --tenant, and are named or --dead")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.RetryMessages(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args, *asJSON)
	}
	keys := slices.Clone(storage)
	for _, s := range config.Settings() {
		if strings.HasPrefix(s.Key, "notification.") {
			keys = append(keys, s.Key)
		}
	}
	addSettings(c, keys)
	return c
}
