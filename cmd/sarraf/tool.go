package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newVersion() *cobra.Command {
	c := &cobra.Command{
		Use:     "version",
		Short:   "Tell which binary this is",
		Long:    `Prints the version, the revision it was built from, and the Go release.`,
		Example: `  sarraf version --json`,
		Args:    noArguments,
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return app.PrintVersion(c.OutOrStdout(), *asJSON) }
	return c
}

func newConfig() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Work with settings and configurations",
		Long:  `Settings come from flags, the environment, a file and defaults; the first that says something wins.`,
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	check := &cobra.Command{
		Use:   "check",
		Short: "Check the settings and show those in force",
		Long: `Reads the settings as "serve" would, checks them, and prints every one with its
value and the place it comes from. Passwords are never shown. It opens nothing
and changes nothing.

Exit codes: 0 the settings can be used; 1 they cannot, and each reason is
printed; 2 there is no such flag.`,
		Example: `  sarraf config check --config sarraf.yaml
  SARRAF_DB=postgres://sarraf@db/sarraf sarraf config check --json`,
		Args: noArguments,
	}
	asJSON := addJSON(check)
	check.RunE = func(c *cobra.Command, _ []string) error {
		l, err := load(c)
		for _, w := range l.Warnings {
			c.PrintErrln("warning: " + w)
		}
		if err != nil {
			return errors.New(err.Error()) // the settings are what was asked about
		}
		return app.PrintSettings(c.OutOrStdout(), l, *asJSON)
	}
	addSettings(check, all)
	c.AddCommand(check, newConfigLint())
	return c
}

func newConfigLint() *cobra.Command {
	c := &cobra.Command{
		Use:   "lint --tenant ID",
		Short: "Find controls that can hardly be meant so",
		Long: `Looks at the authorization controls, velocity controls and fees of a tenant and
prints what is proven of them: rules that contradict themselves or always apply,
parts that change nothing, what never comes to decide or to be charged because
others do before, limits that others make unreachable, what is linked to nothing,
and rules that no longer compile, each with an example where there is one. It
changes nothing.

Exit codes: 0 nothing was found; 1 something was.`,
		Example: `  sarraf config lint --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11
  sarraf config lint --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --json`,
		Args: noArguments,
	}
	tenant := c.Flags().String("tenant", "", "`id` of the tenant whose controls they are (required)")
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *tenant == "" {
			return usageError{errors.New("controls belong to a --tenant")}
		}
		l, log, err := prepareQuiet(c)
		if err != nil {
			return err
		}
		return app.LintControls(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newVectors() *cobra.Command {
	c := &cobra.Command{
		Use:   "vectors FILE|DIR…",
		Short: "Run cryptographic test vectors",
		Long: `Computes every vector of the files, or of the *.json files of the directories,
with the algorithms of this binary, and prints for each file and in all how
many passed, failed and are not supported. Failed vectors are named with what
came out.

Exit codes: 0 every vector passed; 1 one failed, is not supported, or a file
could not be read.`,
		Example: `  sarraf vectors internal/hsm/testdata/vectors/cvv.json
  sarraf vectors --json internal/hsm/testdata/vectors`,
		Args: arguments("FILE or DIR", 1, 0),
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return app.RunVectors(c.OutOrStdout(), args, *asJSON)
	}
	return c
}
