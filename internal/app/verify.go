package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"text/tabwriter"

	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Verify checks every invariant and prints each with its counts. It returns
// [ErrNotWell] when one is broken.
func Verify(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, asJSON bool) error {
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		all, err := k.Verify(ctx)
		if err != nil {
			return err
		}
		if err := printInvariants(w, all, asJSON); err != nil {
			return err
		}
		for _, v := range all {
			if v.Broken > 0 {
				return ErrNotWell
			}
		}
		return nil
	})
}

// Verify asks every domain that has invariants, and returns all of them, with what
// breaks them.
func (k *Core) Verify(ctx context.Context) ([]ledger.Invariant, error) {
	books, err := k.Ledger.Verify(ctx)
	if err != nil {
		return nil, err
	}
	decisions, err := k.Queries.Verify(ctx, nil)
	if err != nil {
		return nil, err
	}
	files, err := k.Clearing.Verify(ctx)
	if err != nil {
		return nil, err
	}
	statements, err := k.Credits.Verify(ctx)
	if err != nil {
		return nil, err
	}
	wallets, err := k.Wallets.Verify(ctx)
	if err != nil {
		return nil, err
	}
	acts, err := k.verifyAudit(ctx)
	if err != nil {
		return nil, err
	}
	seals, err := k.Seals.Verify(ctx)
	return slices.Concat(books, decisions, files, wallets, []ledger.Invariant{statements, acts, seals}), err
}

// verifyAudit is the audit chains as one invariant.
func (k *Core) verifyAudit(ctx context.Context) (ledger.Invariant, error) {
	report, err := k.Audit.Verify(ctx)
	v := ledger.Invariant{Name: "the audit chain of a tenant is whole", Checked: report.Checked}
	for _, f := range report.Findings {
		v.Break(f.String())
	}
	return v, err
}

func printInvariants(w io.Writer, all []ledger.Invariant, asJSON bool) error {
	if asJSON {
		type line struct {
			Name     string   `json:"name"`
			Checked  int64    `json:"checked"`
			Broken   int64    `json:"broken"`
			Examples []string `json:"examples,omitempty"`
		}
		lines := make([]line, len(all))
		for i, v := range all {
			lines[i] = line(v)
		}
		return PrintJSON(w, lines)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range all {
		state := "holds"
		if v.Broken > 0 {
			state = "BROKEN"
		}
		fmt.Fprintf(t, "%s\t%s\tchecked %d\tbroken %d\n", state, v.Name, v.Checked, v.Broken)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, v := range all {
		for _, example := range v.Examples {
			fmt.Fprintf(w, "%s: %s\n", v.Name, example)
		}
	}
	return nil
}
