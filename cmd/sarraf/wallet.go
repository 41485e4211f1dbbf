package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func newWallet() *cobra.Command {
	c := &cobra.Command{
		Use:   "wallet",
		Short: "Work with wallets",
		Long: `Wallets are opened and used through the API (/v1/). What their bank legs need is
here: withdrawals that wait for the bank, top-ups that came for nobody we know, and
the POS types whose top-ups debit an account of their own.

All of it works while "serve" runs on the same database.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newWalletWithdrawals(), newWalletAdvance(), newWalletUnmatched(), newWalletAssign(), newWalletPOS())
	return c
}

func newWalletWithdrawals() *cobra.Command {
	c := &cobra.Command{
		Use:   "withdrawals --tenant ID",
		Short: "Show the withdrawals that wait for a bank",
		Long: `Prints the withdrawals that were asked for, and those that a bank was sent and has not
confirmed, with the bank accounts they go to: at most 1,000, the oldest first.`,
		Example: `  sarraf wallet withdrawals --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 --json`,
		Args:    noArguments,
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ListWithdrawals(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newWalletAdvance() *cobra.Command {
	c := &cobra.Command{
		Use:   "advance --tenant ID TRANSACTION STATUS",
		Short: "Say what became of a withdrawal",
		Long: `Takes a withdrawal a step on: Sent when its bank was told, then Completed when the bank
confirms. Failed, from either, gives the cash back.

Exit codes: 0 it is noted; 1 there is no such withdrawal, or it is not at that step.`,
		Example: `  sarraf wallet advance --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 6120934857710304120 Sent`,
		Args:    arguments("TRANSACTION STATUS", 2, 2),
	}
	tenant := addTenant(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if !app.IsWithdrawalStep(args[1]) {
			return usageError{errors.New("a withdrawal becomes Sent, Completed or Failed")}
		}
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.AdvanceWithdrawal(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], args[1])
	}
	addSettings(c, storage)
	return c
}

func newWalletUnmatched() *cobra.Command {
	c := &cobra.Command{
		Use:     "unmatched --tenant ID",
		Short:   "Show the top-ups that came for nobody we know",
		Long:    `Prints what came to the bank for no wallet that is known, the oldest first.`,
		Example: `  sarraf wallet unmatched --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11`,
		Args:    noArguments,
	}
	tenant, asJSON := addTenant(c), addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.ListUnmatched(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, *asJSON)
	}
	addSettings(c, storage)
	return c
}

func newWalletAssign() *cobra.Command {
	c := &cobra.Command{
		Use:   "assign --tenant ID RECEIPT WALLET",
		Short: "Give a top-up of nobody to a wallet",
		Long: `Gives what came for nobody we know to the wallet with this number, as its limits allow.

Exit codes: 0 it is there; 1 there is no such top-up or wallet, it was given away
before, or a limit is exceeded.`,
		Example: `  sarraf wallet assign --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 D-2031-0007 48210735`,
		Args:    arguments("RECEIPT WALLET", 2, 2),
	}
	tenant := addTenant(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.AssignTopUp(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], args[1])
	}
	addSettings(c, storage)
	return c
}

func newWalletPOS() *cobra.Command {
	c := &cobra.Command{
		Use:   "pos --tenant ID CODE ACCOUNT",
		Short: "Say which account the top-ups through a POS type debit",
		Long: `Defines a type of POS (credit_card_post_type_id) by the control account of the ledger
that its top-ups debit, such as A.ACQ.RECEIVABLE; or lets a known one debit another
from now on.

Exit codes: 0 it is defined; 1 ACCOUNT is no account of what others owe (A.…).`,
		Example: `  sarraf wallet pos --tenant 019aa7c2-5b1e-7c3d-9a70-3b1d0f6e8a11 ornek_pos_01 A.ACQ.RECEIVABLE`,
		Args:    arguments("CODE ACCOUNT", 2, 2),
	}
	tenant := addTenant(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, log, err := prepare(c)
		if err != nil {
			return err
		}
		return app.DefinePOS(c.Context(), l.Config, log, c.OutOrStdout(), *tenant, args[0], args[1])
	}
	addSettings(c, storage)
	return c
}
