package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newAudit() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Prove the record of who did what",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newAuditVerify(), newAuditCheckpoint())
	return c
}

func newAuditVerify() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Find altered, missing and reordered rows of the audit chains",
		Long: `Recomputes the hash chain of every tenant and names each row that was altered, is
missing or stands elsewhere than where it was written. With checkpoints it also
finds a chain that was cut or written anew after they were made. It changes
nothing and works while "serve" runs on the same database.

Exit codes: 0 every chain is whole; 1 one is not.`,
		Example: `  sarraf audit verify
  sarraf audit verify --checkpoint 2026-11-21.json`,
		Args: noArguments,
	}
	checkpoints := c.Flags().StringArray("checkpoint", nil, "hold the chain against this `file` of \"audit checkpoint\", too; may be repeated")
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.VerifyAudit(c.Context(), l.Config, log, c.OutOrStdout(), *checkpoints, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newAuditCheckpoint() *cobra.Command {
	c := &cobra.Command{
		Use:   "checkpoint --tenant ID",
		Short: "Sign the present end of a tenant's audit chain",
		Long: `Prints, as JSON, how long the audit chain of a tenant is and the hash of its last
row, signed with the tenant's Ed25519 key. Keep it where the administrators of the
platform cannot write: a chain that is cut or written anew later no longer fits it.

What is signed: the text "sarraf audit checkpoint", a zero byte, a byte 0x01, the
SHA-256 of tenant, position and hash (each as uint32 big-endian length and UTF-8),
and the time in microseconds as int64 big endian.

Exit codes: 0 it is printed; 1 there is no such tenant.`,
		Example: `  sarraf audit checkpoint --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 > 2026-11-21.json`,
		Args:    noArguments,
	}
	tenant := c.Flags().String("tenant", "", "`id` of the tenant whose chain it is (required)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *tenant == "" {
			return usageError{errors.New("a chain belongs to a --tenant")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.CheckpointAudit(c.Context(), l.Config, log, c.OutOrStdout(), *tenant)
	}
	addSettings(c, storage)
	return c
}
