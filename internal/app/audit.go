package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/config"
)

// checkpoint is a signed end of an audit chain as it is printed and read.
type checkpoint struct {
	TenantID  string    `json:"tenantId"`
	Tenant    string    `json:"tenant"` // as the chain encodes it
	Position  int64     `json:"position"`
	Hash      string    `json:"hash"`
	At        time.Time `json:"at"`
	PublicKey []byte    `json:"publicKey"`
	Signature []byte    `json:"signature"`
}

// CheckpointAudit signs the present end of a tenant's audit chain and prints it.
func CheckpointAudit(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, t access.Tenant, _ access.Caller) error {
		p, err := k.Audit.Checkpoint(ctx, t.ID.String())
		if err != nil {
			return err
		}
		return PrintJSON(w, checkpoint{t.ID.UUID(), p.Tenant, p.Position, p.Hash, p.At, p.PublicKey, p.Signature})
	})
}

// VerifyAudit proves every audit chain, the decisions that are sealed into it,
// and those of which files hold checkpoints against these. It prints what does not fit and then returns
// [ErrNotWell].
func VerifyAudit(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, files []string, asJSON bool) error {
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		report, err := k.Audit.Verify(ctx)
		if err != nil {
			return err
		}
		findings := make([]string, 0, len(report.Findings))
		for _, f := range report.Findings {
			findings = append(findings, f.String())
		}
		seals, err := k.Seals.Verify(ctx)
		if err != nil {
			return err
		}
		findings = append(findings, seals.Examples...)
		for _, file := range files {
			p, err := readCheckpoint(file)
			if err != nil {
				return err
			}
			finding, err := k.Audit.VerifyCheckpoint(ctx, p)
			if err != nil {
				return err
			}
			if finding != "" {
				findings = append(findings, file+": "+finding)
			}
		}
		if asJSON {
			err = PrintJSON(w, map[string]any{"checked": report.Checked, "sealedDecisions": seals.Checked, "findings": findings})
		} else {
			for _, f := range findings {
				fmt.Fprintln(w, f)
			}
			_, err = fmt.Fprintf(w, "checked %d rows, %d sealed decisions and %d checkpoints, found %d faults\n",
				report.Checked, seals.Checked, len(files), len(findings))
		}
		if err == nil && len(findings) > 0 {
			err = ErrNotWell
		}
		return err
	})
}

func readCheckpoint(file string) (audit.Checkpoint, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return audit.Checkpoint{}, fmt.Errorf("read checkpoint: %w", err)
	}
	var p checkpoint
	if err := json.Unmarshal(text, &p); err != nil {
		return audit.Checkpoint{}, fmt.Errorf("%s holds no checkpoint: %w", file, err)
	}
	return audit.Checkpoint{Tenant: p.Tenant, Position: p.Position, Hash: p.Hash, At: p.At, PublicKey: p.PublicKey, Signature: p.Signature}, nil
}
