package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newUser() *cobra.Command {
	c := &cobra.Command{
		Use:   "user",
		Short: "Work with the users of a tenant",
		Long: `A user is a person who signs in with a password through an API client of its tenant
(grant_type=password). It may do what its roles permit and the client may, too.
Five wrong passwords lock it for fifteen minutes. Whatever is changed here ends
its tokens at once.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newUserCreate(), newUserList(), newUserActive("disable"), newUserActive("enable"), newUserPassword(), newUserRoles())
	return c
}

var errNoUsersTenant = usageError{errors.New("a user belongs to a --tenant")}

func addPasswordFile(c *cobra.Command) *string {
	return c.Flags().String("password-file", "", "`file` whose first line is the password; - is standard input (default: one is made up and printed)")
}

func newUserCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create --tenant ID --name NAME",
		Short: "Create a user",
		Long: `Creates a user. Its name has 3 to 64 letters, digits and ._@+-, and letter case does
not matter. A password has 12 to 128 characters, letters and digits among them;
it is never given on the command line, where others could read it. Roles are made
by "role set".

Exit codes: 0 it is created; 1 there is no such tenant or role, the name is taken, or the
password will not do.`,
		Example: `  sarraf user create --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --name ayse --role TELLER
  sarraf user create --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --name can --password-file - < password`,
		Args: noArguments,
	}
	tenant := addTenant(c)
	name := c.Flags().String("name", "", "`name` to sign in with (required)")
	roles := c.Flags().StringSlice("role", nil, "`code` of a role; may be repeated")
	file, asJSON := addPasswordFile(c), addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case *tenant == "":
			return errNoUsersTenant
		case *name == "":
			return usageError{errors.New("a user needs a --name")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.CreateUser(c.Context(), l.Config, log, c.InOrStdin(), c.OutOrStdout(), *tenant, *name, *roles, *file, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newUserList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list --tenant ID",
		Short:   "Show the users of a tenant",
		Long:    "Prints the users of a tenant by name.\n\nExit codes: 0 they are shown; 1 there is no such tenant.",
		Example: `  sarraf user list --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11`,
		Args:    noArguments,
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *tenant == "" {
			return errNoUsersTenant
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ListUsers(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *asJSON)
	}
	addSettings(c, storage)
	return c
}

// newUserActive is "disable" or "enable".
func newUserActive(verb string) *cobra.Command {
	c := &cobra.Command{
		Use:   verb + " --tenant ID NAME",
		Short: "End a user's access at once",
		Long: `Disables a user. Its tokens and refresh tokens are worth nothing from its next
request on, also when it is enabled again.

Exit codes: 0 it is disabled; 1 there is no such user.`,
		Example: `  sarraf user ` + verb + ` --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 ayse`,
		Args:    arguments("NAME", 1, 1),
	}
	if verb == "enable" {
		c.Short = "Let a disabled user in again"
		c.Long = "Enables a user again, who has to sign in anew.\n\nExit codes: 0 it is enabled; 1 there is no such user."
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *tenant == "" {
			return errNoUsersTenant
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.SetUserActive(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], verb == "enable", *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newUserPassword() *cobra.Command {
	c := &cobra.Command{
		Use:   "set-password --tenant ID NAME",
		Short: "Give a user a new password",
		Long: `Replaces the password of a user, unlocks it and ends its tokens. Without
--password-file one is made up and printed this once.

Exit codes: 0 it is replaced; 1 there is no such user, or the password will not do.`,
		Example: `  sarraf user set-password --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 ayse`,
		Args:    arguments("NAME", 1, 1),
	}
	tenant, file, asJSON := addTenant(c), addPasswordFile(c), addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *tenant == "" {
			return errNoUsersTenant
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.SetPassword(c.Context(), l.Config, log, c.InOrStdin(), c.OutOrStdout(), *tenant, args[0], *file, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newUserRoles() *cobra.Command {
	c := &cobra.Command{
		Use:   "set-roles --tenant ID NAME [ROLE…]",
		Short: "Give a user other roles",
		Long: `Replaces the roles of a user and ends its tokens; without a ROLE it may do nothing.

Exit codes: 0 they are replaced; 1 there is no such user or role.`,
		Example: `  sarraf user set-roles --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 ayse TELLER CHIEF`,
		Args:    arguments("NAME", 1, 0),
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *tenant == "" {
			return errNoUsersTenant
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.SetUserRoles(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], args[1:], *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newRole() *cobra.Command {
	c := &cobra.Command{
		Use:   "role",
		Short: "Work with the roles of users",
		Long:  `A role is a set of permissions under a name, which users of its tenant can have.`,
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	set := &cobra.Command{
		Use:   "set --tenant ID CODE PERMISSION…",
		Short: "Create a role, or replace its permissions",
		Long: `Creates a role with these permissions, or replaces those it has: that holds from the
next request of every user with the role.

Exit codes: 0 it is there; 1 there is no such tenant or permission.`,
		Example: `  sarraf role set --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 TELLER Issuing.Card Issuing.Card.Status`,
		Args:    arguments("CODE and PERMISSION", 2, 0),
	}
	setTenant, setJSON := addTenant(set), addJSON(set)
	set.RunE = func(c *cobra.Command, args []string) error {
		if *setTenant == "" {
			return usageError{errors.New("a role belongs to a --tenant")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.PutRole(c.Context(), l.Config, log, c.OutOrStdout(), *setTenant, args[0], args[1:], *setJSON)
	}
	addSettings(set, storage)
	list := &cobra.Command{
		Use:     "list --tenant ID",
		Short:   "Show the roles of a tenant",
		Long:    "Prints the roles of a tenant with their permissions.\n\nExit codes: 0 they are shown; 1 there is no such tenant.",
		Example: `  sarraf role list --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11`,
		Args:    noArguments,
	}
	listTenant, listJSON := addTenant(list), addJSON(list)
	list.RunE = func(c *cobra.Command, _ []string) error {
		if *listTenant == "" {
			return usageError{errors.New("a role belongs to a --tenant")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ListRoles(c.Context(), l.Config, log, c.OutOrStdout(), *listTenant, *listJSON)
	}
	addSettings(list, storage)
	c.AddCommand(set, list)
	return c
}
